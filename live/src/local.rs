//! The provider of one machine: leases channels that exist in name only, so that messages about them, simulated or
//! from an ingest of our own, find their stream.

use crate::provider::{Ingest, Lease, LiveProvider, Observation, ProviderError};
use async_trait::async_trait;
use entity::{PublishToken, StreamId};

/// The local provider.
#[derive(Clone, Debug, Default)]
pub struct Local;

/// What stands before the stream's id in the name of its channel.
const CHANNEL: &str = "arn:emergency-time:live:local:0:channel/";

impl Local {
    /// The name of a stream's channel.
    pub fn channel_arn(stream: StreamId) -> String {
        format!("{CHANNEL}{stream}")
    }

    /// The stream whose channel has this name; `None` if it is another provider's.
    pub fn stream_of(channel_arn: &str) -> Option<StreamId> {
        channel_arn.strip_prefix(CHANNEL)?.parse().ok()
    }
}

#[async_trait]
impl LiveProvider for Local {
    async fn lease(&self, stream: StreamId, _token: &PublishToken) -> Result<Lease, ProviderError> {
        Ok(Lease { channel_arn: Self::channel_arn(stream), ingest: Ingest::default(), playback_url: None })
    }

    async fn release(&self, _channel_arn: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn observe(&self, _channel_arn: &str) -> Result<Observation, ProviderError> {
        Ok(Observation::Unknown)
    }
}

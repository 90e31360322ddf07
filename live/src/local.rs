//! The provider of one machine: leases channels that exist in name only, so that messages about them, simulated or
//! from an ingest of our own, find their stream.

use crate::provider::{Ingest, Lease, LiveProvider, Observation, ProviderError};
use async_trait::async_trait;
use entity::{PublishToken, StreamId};

/// The local provider.
#[derive(Clone, Debug, Default)]
pub struct Local;

#[async_trait]
impl LiveProvider for Local {
    async fn lease(&self, stream: StreamId, _token: &PublishToken) -> Result<Lease, ProviderError> {
        let channel_arn = format!("arn:emergency-time:live:local:0:channel/{stream}");
        Ok(Lease { channel_arn, ingest: Ingest::default(), playback_url: None })
    }

    async fn release(&self, _channel_arn: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn observe(&self, _channel_arn: &str) -> Result<Observation, ProviderError> {
        Ok(Observation::Unknown)
    }
}

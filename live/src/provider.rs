//! The contract of a live provider.

use async_trait::async_trait;
use entity::{PublishToken, StreamId};

/// What a live provider must be able to do.
#[async_trait]
pub trait LiveProvider: Send + Sync {
    /// Reserves a channel for one stream. `token` is the stream's publish token, for providers that check it
    /// themselves.
    async fn lease(&self, stream: StreamId, token: &PublishToken) -> Result<Lease, ProviderError>;
    /// Ends whatever is on the channel and makes its keys useless. Doing it twice is fine.
    async fn release(&self, channel_arn: &str) -> Result<(), ProviderError>;
    /// What is really on the channel now.
    async fn observe(&self, channel_arn: &str) -> Result<Observation, ProviderError>;
}

/// A channel reserved for one stream.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The channel's name; messages of the provider carry it. Providers without ARNs make one up.
    pub channel_arn: String,
    /// Where the broadcaster sends the picture. Holds secrets.
    pub ingest: Ingest,
    /// Where the live picture plays, if the provider serves one. A path alone is under the address of this server, and
    /// played by the [`Playback`](crate::Playback) in this process.
    pub playback_url: Option<String>,
}

/// Where a broadcaster may send the picture; what a provider does not offer is `None`.
#[derive(Clone, Default)]
pub struct Ingest {
    /// For browsers, with the publish token as bearer token (RFC 9725).
    pub whip_url: Option<String>,
    /// For broadcast apps.
    pub rtmp_url: Option<String>,
    /// The key that goes with `rtmp_url`. Secret.
    pub stream_key: Option<String>,
    /// For the Amazon IVS Web Broadcast SDK.
    pub ivs: Option<IvsIngest>,
}

/// What the Amazon IVS Web Broadcast SDK wants.
#[derive(Clone)]
pub struct IvsIngest {
    /// Host name.
    pub ingest_endpoint: String,
    /// Secret.
    pub stream_key: String,
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ingest(…)")
    }
}

/// What is really on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A broadcast.
    OnAir,
    /// Nothing.
    OffAir,
    /// The provider cannot tell.
    Unknown,
}

/// Why a provider did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// All channels are taken; later there may be one.
    #[error("every channel is taken")]
    Full,
    /// The provider cannot be reached or refuses.
    #[error("the live provider is unavailable: {0}")]
    Unavailable(String),
}

//! The contract of live playback over HLS, by the provider itself.
//!
//! What it serves shows bare faces, so it exists only while the stream is on air.

use async_trait::async_trait;
use bytes::Bytes;
use entity::StreamId;
use std::net::IpAddr;

/// Who serves live pictures.
#[async_trait]
pub trait Playback: Send + Sync {
    /// Whether a picture of the stream comes in here. Streams may be carried elsewhere, or be only simulated: of those
    /// there is nothing to play.
    fn carries(&self, stream: StreamId) -> bool;
    /// The media playlist as it is now. Waits a moment for the first segment of a broadcast that has just begun, and
    /// for the segment of the number `until`; one that does not come in a few segments' time is not waited for longer.
    async fn playlist(&self, stream: StreamId, until: Option<u64>, viewer: Viewer<'_>) -> Result<String, NotLive>;
    /// A segment that a playlist named: MPEG-TS.
    async fn segment(&self, stream: StreamId, name: &str) -> Result<Bytes, NotLive>;
}

/// Who asks for a playlist: counted, not kept.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// The address asked from.
    pub address: Option<IpAddr>,
    /// The player's name of itself.
    pub agent: &'a str,
}

/// Why there is nothing to play. The text is for the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLive {
    /// Nobody broadcasts on it here: not yet, not any more, or never.
    #[error("this stream is not live")]
    OffAir,
    /// On air, without a complete segment yet.
    #[error("this stream is about to begin; try again in a moment")]
    Starting,
    /// The segment has left the window, or never was.
    #[error("there is no such segment (any more)")]
    NoSegment,
    /// A playlist is waited for that is far from being written.
    #[error("the segment that is waited for is more than one ahead of the next")]
    FarAhead,
}

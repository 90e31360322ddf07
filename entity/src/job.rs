//! What is said over the bus.

use crate::{SegmentId, StreamId, VodId};
use serde::{Deserialize, Serialize};

/// Work for a worker: redact one segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactJob {
    /// The replay it belongs to.
    pub vod: VodId,
    /// The segment to redact.
    pub segment: SegmentId,
}

/// Tells every api process that the public log has grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNotice {
    /// The number of the newest event the writer knew of.
    pub seq: i64,
}

/// Tells every api process that a broadcast has a new picture. It is in no log: who misses it sees the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureNotice {
    /// The broadcast.
    pub pictured: StreamId,
}

/// A notice, as it comes from the bus; the two have no field in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Notice {
    /// The public log has grown.
    Event(EventNotice),
    /// A broadcast has a new picture.
    Picture(PictureNotice),
}

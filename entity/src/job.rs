//! What is said over the bus.

use crate::{SegmentId, VodId};
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

//! What a live provider tells us. The same enum for Amazon IVS, for a simulated one and for our own ingest.

use entity::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One message of a live provider. It may be lost, late, repeated, out of order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveEvent {
    /// The provider's id of the message; the same message sent twice has the same id.
    pub id: String,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// The channel it happened on: how its stream is found.
    pub channel_arn: String,
    /// What happened.
    pub kind: LiveEventKind,
}

/// What happened on a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LiveEventKind {
    /// The broadcast is on air.
    StreamUp,
    /// No picture is coming in.
    StreamInterrupted,
    /// The picture is back.
    StreamBack,
    /// The broadcast is over, for good.
    StreamDown,
    /// The broadcast could not start.
    StreamFailed {
        /// In the provider's words.
        reason: String,
    },
    /// A recording has begun.
    RecordingStarted(RecordingRef),
    /// Segments of a recording are complete and readable.
    SegmentsWritten {
        /// Which recording.
        recording: RecordingRef,
        /// Which segments.
        segments: Vec<RecordedSegment>,
    },
    /// A recording is complete.
    RecordingEnded {
        /// Which recording.
        recording: RecordingRef,
        /// How many segments it has; `None` when the message does not say and the recording's folder must be read.
        segments: Option<u32>,
    },
    /// A recording could not be begun or finished; what was written stays.
    RecordingFailed {
        /// Which recording, if it got far enough to have a name.
        recording: Option<RecordingRef>,
        /// In the provider's words.
        reason: String,
    },
}

/// Which recording, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingRef {
    /// The provider's name of the recording.
    pub id: String,
    /// Its folder in the recordings store, without a slash at its end.
    pub prefix: String,
}

/// One segment of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSegment {
    /// Its place in the recording, from 0, without holes.
    pub number: u32,
    /// Where it lies in the recordings store.
    pub key: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Whether timestamps or coding break between the segment before and this one.
    pub discontinuity: bool,
}

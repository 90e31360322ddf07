//! A segment: one self-contained piece of a recording, starting on a keyframe.

use crate::{SegmentId, Thumbnail, VodId, time::Timestamp};
use sea_orm::entity::prelude::*;

crate::text_enum::text_enum! {
    /// Where a segment stands: `WAITING → QUEUED → DONE` or `GAP`.
    Status {
        /// Written, but its successor is not yet known.
        Waiting = "WAITING",
        /// A job for it has been issued.
        Queued = "QUEUED",
        /// Redacted; its replay object is stored.
        Done = "DONE",
        /// Given up; the replay has a gap here.
        Gap = "GAP",
    }
}

crate::text_enum::text_enum! {
    /// Why a segment is a gap, in a word that may be published.
    GapReason {
        /// Its recording is damaged: a picture of it could not be decoded in full.
        Unreadable = "UNREADABLE",
        /// Its recording holds no picture, or one that cannot be redacted.
        Unsupported = "UNSUPPORTED",
        /// Its recording is not there.
        Missing = "MISSING",
        /// The redaction failed.
        Failed = "FAILED",
        /// Its redaction was begun too often without being finished.
        Unfinished = "UNFINISHED",
    }
}

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "segment")]
pub struct Model {
    /// Chosen by us.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SegmentId,
    /// The replay it belongs to; unique together with `number`.
    #[sea_orm(unique_key = "vod_number")]
    pub vod_id: VodId,
    /// Its place in the recording, from 0.
    #[sea_orm(unique_key = "vod_number")]
    pub number: i32,
    /// Where it lies in the recordings store.
    pub source_key: String,
    /// Milliseconds.
    pub duration_ms: i64,
    /// Whether timestamps or coding break between the segment before and this one.
    pub discontinuity: bool,
    /// Where it stands.
    pub status: Status,
    /// When its job was last issued.
    pub issued_at: Option<Timestamp>,
    /// Tries begun that were not excused by a fault of the surroundings.
    pub attempts: i32,
    /// Where its result lies in the replay store.
    pub result_key: Option<String>,
    /// Size of the result.
    pub result_bytes: Option<i64>,
    /// Whether every frame of the result is a copy of the source's (no face in it).
    pub copied: Option<bool>,
    /// What the redaction saw and did.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub receipt: Option<Json>,
    /// The picture that was made of its result, as long as it is kept.
    pub thumbnail: Option<Thumbnail>,
    /// Why it was given up, in a word that may be published.
    pub gap_reason: Option<GapReason>,
    /// Why it was given up, in full; never published.
    pub failure: Option<String>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}

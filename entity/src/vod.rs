//! A VOD: the replay of one recording, with every face blurred.

use crate::{Category, Position, StreamId, VodId, time::Timestamp};
use sea_orm::entity::prelude::*;

crate::text_enum::text_enum! {
    /// Where a replay stands: `PROCESSING → READY`, or `WITHHELD`, `REMOVED`.
    Status {
        /// Its segments are being written or redacted.
        Processing = "PROCESSING",
        /// Redacted and playable.
        Ready = "READY",
        /// Could not be redacted safely; never shown.
        Withheld = "WITHHELD",
        /// Taken down.
        Removed = "REMOVED",
    }
}

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "vod")]
pub struct Model {
    /// Chosen by us.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VodId,
    /// The broadcast it replays.
    #[sea_orm(indexed)]
    pub stream_id: StreamId,
    /// Where it stands.
    pub status: Status,
    /// The stream's category, so that the map is asked of one table.
    pub category: Category,
    /// Degrees; the stream's last position.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// [`Position::cell`] of the position.
    pub cell: i64,
    /// The provider's name of the recording; one replay each.
    #[sea_orm(unique)]
    pub recording_id: String,
    /// Where the recording lies in the recordings store.
    pub recording_prefix: String,
    /// When the live provider said that the recording is over.
    pub recording_ended_at: Option<Timestamp>,
    /// How many segments the whole recording has, once that is certain.
    pub segment_total: Option<i32>,
    /// When the recording's folder is to be read again; null once everything in it is known.
    pub next_scan_at: Option<Timestamp>,
    /// When the stream ended: from then on the replay stands on the map in its place.
    pub listed_at: Option<Timestamp>,
    /// Segments known.
    pub segments_known: i32,
    /// Segments redacted or given up.
    pub segments_settled: i32,
    /// Segments given up.
    pub gaps: i32,
    /// Length of all known segments in milliseconds.
    pub duration_ms: i64,
    /// Length of the given-up segments in milliseconds.
    pub gap_ms: i64,
    /// Frames examined.
    pub frames: i64,
    /// Faces followed through a segment.
    pub face_tracks: i64,
    /// Faces blurred, counted per frame.
    pub faces_blurred: i64,
    /// The face model used, with its version.
    pub model: Option<String>,
    /// When it became playable.
    pub ready_at: Option<Timestamp>,
    /// Why it is withheld, in words for people.
    pub withheld_reason: Option<String>,
    /// When the bare recording was deleted, its time being over.
    pub recording_purged_at: Option<Timestamp>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Where it is.
    pub fn position(&self) -> Option<Position> {
        Position::new(self.longitude, self.latitude).ok()
    }

    /// Share of the known segments that are settled, 0 to 1.
    pub fn progress(&self) -> f64 {
        if self.segments_known == 0 { 0.0 } else { f64::from(self.segments_settled) / f64::from(self.segments_known) }
    }

    /// Whether every segment there will ever be is settled.
    pub fn is_settled(&self) -> bool {
        self.segment_total.is_some_and(|total| self.segments_settled >= total.max(self.segments_known))
    }
}

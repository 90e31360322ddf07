//! A VOD: the replay of one recording, with every face blurred.

use crate::{Category, Position, StreamId, Thumbnail, VodId, time::Timestamp};
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
    /// Since when the recording's folder cannot be read; null while it can.
    pub scan_failed_at: Option<Timestamp>,
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
    /// How far it was said to be at most, 0 to 1: see [`progress`].
    pub progress: f64,
    /// Frames examined.
    pub frames: i64,
    /// Frames on which the detector ran.
    pub frames_detected: i64,
    /// Faces the detector found and a track took up.
    pub detections: i64,
    /// Faces followed through a segment.
    pub face_tracks: i64,
    /// Face-frames covered by following, not by a detection on that frame.
    pub frames_filled: i64,
    /// Faces blurred, counted per frame.
    pub faces_blurred: i64,
    /// How long the redaction of its segments took, added up.
    pub seconds: f64,
    /// The face model used, with its version.
    pub model: Option<String>,
    /// Version of the redaction engine.
    pub engine_version: Option<String>,
    /// Its picture: of its first segment that shows something.
    pub thumbnail: Option<Thumbnail>,
    /// Its newest picture, while its stream is on air.
    pub live_thumbnail: Option<Thumbnail>,
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

    /// Whether every segment there will ever be is settled.
    pub fn is_settled(&self) -> bool {
        self.segment_total.is_some_and(|total| self.segments_settled >= total.max(self.segments_known))
    }
}

/// How far a replay is, 0 to 1: the share of its segments that are settled, where a recording that still grows counts as
/// one segment longer than it is known to be. Never less than it was `before`, and 1 only once everything is settled.
pub fn progress(before: f64, known: i32, settled: i32, total: Option<i32>) -> f64 {
    let expected = total.map_or(known.saturating_add(1), |total| total.max(known));
    if expected == 0 { before } else { before.max(f64::from(settled) / f64::from(expected)) }
}

#[cfg(test)]
mod tests {
    use super::progress;

    #[test]
    fn progress_never_falls_and_is_whole_only_at_the_end() {
        // Known and settled segments, and how many there are in all, as a recording grows and ends.
        let life = [(0, 0, None), (1, 0, None), (2, 1, None), (9, 9, None), (30, 9, None), (30, 9, Some(32))];
        let rest = [(32, 12, Some(32)), (32, 31, Some(32)), (32, 32, Some(32))];
        let mut said = vec![0.0];
        for (known, settled, total) in life.into_iter().chain(rest) {
            said.push(progress(said[said.len() - 1], known, settled, total));
        }
        assert!(said.is_sorted(), "{said:?}");
        let (last, before) = said.split_last().expect("it was said");
        assert!((last - 1.0).abs() < f64::EPSILON && before.iter().all(|share| *share < 1.0), "{said:?}");
    }
}

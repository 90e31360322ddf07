//! Reads the folders of growing recordings: providers announce a recording's begin and end, seldom its segments.
//!
//! A recording is claimed by moving its `next_scan_at` on, so each is read by one process at a time, and by another
//! one a moment later should that process die.

use crate::{Fault, Lifecycle};
use entity::{VodId, segment, stream, vod};
use live::{RecordingRef, recording};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};

impl Lifecycle {
    /// Reads the recordings that are due.
    pub(crate) async fn scan_recordings(&self) -> Result<(), Fault> {
        let due = vod::Entity::find()
            .filter(vod::Column::NextScanAt.lte(self.parts.clock.now()))
            .filter(vod::Column::Status.eq(vod::Status::Processing))
            .order_by_asc(vod::Column::NextScanAt)
            .limit(self.limits().scans_at_once)
            .all(self.db())
            .await?;
        let scans = due.into_iter().map(|replay| self.clone().claim_and_scan(replay));
        futures_util::future::join_all(scans).await;
        Ok(())
    }

    async fn claim_and_scan(self, replay: vod::Model) {
        let outcome = match self.claim_scan(&replay).await {
            Ok(true) => self.scan(&replay).await,
            Ok(false) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = self.note_scan(&replay, outcome).await {
            tracing::warn!(vod.id = %replay.id, %fault, "whether a recording can be read was not written down");
        }
    }

    /// Says that a recording cannot be read once, when that begins, and once when it is over: it is tried again every
    /// second, by whichever process, and a file that is late may be late by minutes.
    async fn note_scan(&self, replay: &vod::Model, outcome: Result<(), Fault>) -> Result<(), Fault> {
        if outcome.is_ok() == replay.scan_failed_at.is_none() {
            return Ok(());
        }
        let failed_at = outcome.is_err().then(|| self.parts.clock.now());
        let noted = vod::Entity::update_many()
            .filter(vod::Column::Id.eq(replay.id))
            .filter(Expr::col(vod::Column::ScanFailedAt).is_null().eq(failed_at.is_some()))
            .col_expr(vod::Column::ScanFailedAt, Expr::value(failed_at))
            .exec(self.db())
            .await?;
        if noted.rows_affected == 1 {
            if let Err(fault) = outcome {
                tracing::warn!(vod.id = %replay.id, %fault, "a recording cannot be read; it is tried again");
            } else {
                tracing::info!(vod.id = %replay.id, "a recording can be read again");
            }
        }
        Ok(())
    }

    async fn claim_scan(&self, replay: &vod::Model) -> Result<bool, Fault> {
        let claimed = vod::Entity::update_many()
            .filter(vod::Column::Id.eq(replay.id))
            .filter(vod::Column::NextScanAt.eq(replay.next_scan_at))
            .col_expr(vod::Column::NextScanAt, Expr::value(self.parts.clock.now() + self.limits().scan_interval))
            .exec(self.db())
            .await?;
        Ok(claimed.rows_affected == 1)
    }

    /// Reads one recording's folder and merges what is new in it.
    async fn scan(&self, replay: &vod::Model) -> Result<(), Fault> {
        let known = self.known_without_a_hole(replay.id).await?;
        let Some(stream) = stream::Entity::find_by_id(replay.stream_id).one(self.db()).await? else { return Ok(()) };
        let scanned = recording::scan(&self.parts.recordings, &replay.recording_prefix, known).await;
        let mut snapshot = scanned.map_err(|error| Fault::unreadable("recording", error))?;
        // The provider's file that says so may be late; a finished playlist after its message says it too.
        snapshot.ended |= snapshot.has_endlist && replay.recording_ended_at.is_some();
        let reference = RecordingRef { id: replay.recording_id.clone(), prefix: replay.recording_prefix.clone() };
        for message in snapshot.into_events(&stream.channel_arn, &reference, known, self.parts.clock.now()) {
            self.apply(&message).await?;
        }
        Ok(())
    }

    /// How many segments are known up to the first that is not: a message that was lost leaves a hole, which only the
    /// recording's own folder fills.
    async fn known_without_a_hole(&self, replay: VodId) -> Result<u32, Fault> {
        let numbers: Vec<i32> = segment::Entity::find()
            .select_only()
            .column(segment::Column::Number)
            .filter(segment::Column::VodId.eq(replay))
            .order_by_asc(segment::Column::Number)
            .into_tuple()
            .all(self.db())
            .await?;
        Ok((0..)
            .zip(&numbers)
            .take_while(|(place, number)| place == *number)
            .map(|(place, _)| place + 1)
            .last()
            .map_or(0, i32::unsigned_abs))
    }
}

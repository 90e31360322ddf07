//! What is known of a recording: its replay's row, its segments, its end.

use crate::{Fault, Lifecycle, write::Write};
use entity::{ItemId, SegmentId, VodId, event, segment, stream, vod};
use live::{LiveEvent, LiveEventKind, RecordedSegment, RecordingRef};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

impl Lifecycle {
    /// Merges what a message says of a recording. Returns the replay if it may be complete by that.
    pub(crate) async fn merge_recording(
        &self,
        write: &mut Write,
        stream: &stream::Model,
        recording: &RecordingRef,
        message: &LiveEvent,
    ) -> Result<Option<VodId>, Fault> {
        let replay = replay_of(write, stream, recording).await?;
        if replay.stream_id != stream.id || replay.status != vod::Status::Processing {
            return Ok(None);
        }
        let mut row = replay.clone().into_active_model();
        match &message.kind {
            LiveEventKind::SegmentsWritten { segments, .. } => add_segments(write, &replay, segments).await?,
            LiveEventKind::RecordingEnded { segments, .. } => {
                row.recording_ended_at = Set(stream::earliest(replay.recording_ended_at, Some(message.at)));
                row.segment_total = Set(Ord::max(replay.segment_total, segments.and_then(|n| i32::try_from(n).ok())));
                row.next_scan_at = Set(Some(write.now()));
            }
            LiveEventKind::RecordingFailed { .. } => {
                row.recording_ended_at = Set(stream::earliest(replay.recording_ended_at, Some(message.at)));
                row.next_scan_at = Set(Some(write.now()));
            }
            _ => return Ok(None),
        }
        let replay = update_counts(write, row).await?;
        issue_jobs(write, &replay).await?;
        Ok(replay.is_settled().then_some(replay.id))
    }

    /// Puts the growing replays of a stream where the stream is.
    pub(crate) async fn move_recordings(&self, write: &Write, stream: &stream::Model) -> Result<(), Fault> {
        vod::Entity::update_many()
            .filter(vod::Column::StreamId.eq(stream.id))
            .col_expr(vod::Column::Longitude, Expr::value(stream.longitude))
            .col_expr(vod::Column::Latitude, Expr::value(stream.latitude))
            .col_expr(vod::Column::Cell, Expr::value(stream.cell))
            .exec(&**write)
            .await?;
        Ok(())
    }
}

/// The replay of a recording, locked; made if this is the first that is heard of it.
async fn replay_of(write: &mut Write, stream: &stream::Model, recording: &RecordingRef) -> Result<vod::Model, Fault> {
    let by_recording = vod::Entity::find().filter(vod::Column::RecordingId.eq(&recording.id));
    if let Some(replay) = by_recording.lock_exclusive().one(&**write).await? {
        if replay.stream_id != stream.id {
            tracing::warn!(stream.id = %stream.id, vod.id = %replay.id, "a recording is claimed by a second stream");
        }
        return Ok(replay);
    }
    let row = vod::ActiveModel {
        id: Set(VodId::generate()),
        stream_id: Set(stream.id),
        status: Set(vod::Status::Processing),
        category: Set(stream.category),
        longitude: Set(stream.longitude),
        latitude: Set(stream.latitude),
        cell: Set(stream.cell),
        recording_id: Set(recording.id.clone()),
        recording_prefix: Set(recording.prefix.clone()),
        next_scan_at: Set(Some(write.now())),
        listed_at: Set(stream.ended_at),
        segments_known: Set(0),
        segments_settled: Set(0),
        gaps: Set(0),
        duration_ms: Set(0),
        gap_ms: Set(0),
        progress: Set(0.0),
        frames: Set(0),
        frames_detected: Set(0),
        detections: Set(0),
        face_tracks: Set(0),
        frames_filled: Set(0),
        faces_blurred: Set(0),
        seconds: Set(0.0),
        created_at: Set(write.now()),
        updated_at: Set(write.now()),
        ..Default::default()
    };
    let replay = row.insert(&**write).await?;
    if replay.listed_at.is_some() {
        let at = (replay.longitude, replay.latitude);
        write.event(event::Kind::VodProgressed, ItemId::Vod(replay.id), at, None);
    }
    tracing::info!(stream.id = %stream.id, vod.id = %replay.id, "recording found");
    Ok(replay)
}

/// Adds the segments that are not known yet.
async fn add_segments(write: &Write, replay: &vod::Model, segments: &[RecordedSegment]) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(segments.len());
    for written in segments {
        let number = i32::try_from(written.number).map_err(|error| Fault::unreadable("segment number", error))?;
        let duration = i64::try_from(written.duration_ms).map_err(|error| Fault::unreadable("duration", error))?;
        rows.push(segment::ActiveModel {
            id: Set(SegmentId::generate()),
            vod_id: Set(replay.id),
            number: Set(number),
            source_key: Set(written.key.clone()),
            duration_ms: Set(duration),
            discontinuity: Set(written.discontinuity),
            status: Set(segment::Status::Waiting),
            attempts: Set(0),
            ..Default::default()
        });
    }
    if rows.is_empty() {
        return Ok(());
    }
    let known_already = OnConflict::columns([segment::Column::VodId, segment::Column::Number]).do_nothing().to_owned();
    segment::Entity::insert_many(rows).on_conflict(known_already).exec_without_returning(&**write).await?;
    Ok(())
}

/// Counts a locked replay's segments anew: the segments themselves are the truth, the counts its summary.
pub(crate) async fn update_counts(write: &Write, mut row: vod::ActiveModel) -> Result<vod::Model, Fault> {
    let counts: Vec<(segment::Status, i64, i64)> = segment::Entity::find()
        .select_only()
        .column(segment::Column::Status)
        .column_as(segment::Column::Number.count(), "count")
        .column_as(Expr::expr(segment::Column::DurationMs.sum()).cast_as("bigint"), "duration")
        .filter(segment::Column::VodId.eq(*row.id.as_ref()))
        .group_by(segment::Column::Status)
        .into_tuple()
        .all(&**write)
        .await?;
    let sum = |pick: &dyn Fn(&(segment::Status, i64, i64)) -> i64| counts.iter().map(pick).sum::<i64>();
    let is_gap = |status| status == segment::Status::Gap;
    let is_settled = |status| matches!(status, segment::Status::Gap | segment::Status::Done);
    let count = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    let known = count(sum(&|c| c.1));
    row.segments_known = Set(known);
    let settled = count(sum(&|c| if is_settled(c.0) { c.1 } else { 0 }));
    row.segments_settled = Set(settled);
    row.progress = Set(vod::progress(*row.progress.as_ref(), known, settled, *row.segment_total.as_ref()));
    row.gaps = Set(count(sum(&|c| if is_gap(c.0) { c.1 } else { 0 })));
    row.duration_ms = Set(sum(&|c| c.2));
    row.gap_ms = Set(sum(&|c| if is_gap(c.0) { c.2 } else { 0 }));
    if row.segment_total.as_ref().is_some_and(|total| known >= total) {
        row.next_scan_at = Set(None);
    }
    row.updated_at = Set(write.now());
    Ok(row.update(&**write).await?)
}

/// Issues a job for every waiting segment whose successor exists, or for all once all are known: the beginning of the
/// successor shows faces that are about to enter.
pub(crate) async fn issue_jobs(write: &mut Write, replay: &vod::Model) -> Result<(), Fault> {
    let of_replay = segment::Entity::find().filter(segment::Column::VodId.eq(replay.id));
    let waiting: Vec<(SegmentId, i32)> = of_replay
        .clone()
        .select_only()
        .columns([segment::Column::Id, segment::Column::Number])
        .filter(segment::Column::Status.eq(segment::Status::Waiting))
        .into_tuple()
        .all(&**write)
        .await?;
    let Some(first) = waiting.iter().map(|(_, number)| *number).min() else { return Ok(()) };
    let known: std::collections::HashSet<i32> = of_replay
        .select_only()
        .column(segment::Column::Number)
        .filter(segment::Column::Number.gt(first))
        .into_tuple()
        .all(&**write)
        .await?
        .into_iter()
        .collect();
    let complete = replay.segment_total.is_some_and(|total| replay.segments_known >= total);
    let ready = waiting.into_iter().filter(|(_, number)| complete || known.contains(&(number + 1)));
    let ready: Vec<SegmentId> = ready.map(|(id, _)| id).collect();
    crate::segments::queue(write, replay.id, &ready).await
}

//! The one state machine: what a live provider says becomes facts, and the facts decide.
//!
//! Facts are merged by rules that do not care for order or repetition (earliest start, earliest end, union of
//! segments); so any order of one broadcast's messages, with any repeated, ends in the same rows.

use crate::{Fault, Lifecycle, write::Write};
use entity::{ItemId, StreamId, VodId, event, stream, time::Timestamp, vod};
use live::{LiveEvent, LiveEventKind, RecordingRef};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QuerySelect as _,
};

/// What became of a provider's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Its stream knows now, or knew already.
    Yes,
    /// No stream has this channel, or not yet.
    UnknownChannel,
}

impl Lifecycle {
    /// Merges a provider's message into its stream. Doing it twice changes nothing more.
    pub async fn apply(&self, message: &LiveEvent) -> Result<Applied, Fault> {
        let mut write = self.write().await?;
        let by_channel = stream::Entity::find().filter(stream::Column::ChannelArn.eq(&message.channel_arn));
        let Some(stream) = by_channel.lock_exclusive().one(&*write).await? else {
            return Ok(Applied::UnknownChannel);
        };
        let (stream, mut touched) = self.merge_facts(&mut write, stream, facts_of(message)).await?;
        if let Some(recording) = recording_of(&message.kind) {
            touched.extend(self.merge_recording(&mut write, &stream, recording, message).await?);
        }
        write.commit().await?;
        self.finalise_all(&touched).await;
        Ok(Applied::Yes)
    }

    /// Says how many watch the broadcast on a channel now. No fact of the broadcast: the last number counts.
    pub async fn count_viewers(&self, channel_arn: &str, count: u32) -> Result<(), Fault> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let mut write = self.write().await?;
        let by_channel = stream::Entity::find().filter(stream::Column::ChannelArn.eq(channel_arn));
        let found = by_channel.lock_exclusive().one(&*write).await?;
        let Some(stream) = found.filter(|stream| stream.viewer_count != count) else { return Ok(()) };
        let (id, at) = (stream.id, (stream.longitude, stream.latitude));
        let mut row = stream.into_active_model();
        row.viewer_count = Set(count);
        row.update(&*write).await?;
        write.event(event::Kind::StreamWatched, ItemId::Stream(id), at, None);
        write.commit().await
    }

    /// Adds facts to a locked stream. Returns it as it is then, and the replays that may be complete by that.
    pub(crate) async fn merge_facts(
        &self,
        write: &mut Write,
        stream: stream::Model,
        facts: stream::Facts,
    ) -> Result<(stream::Model, Vec<VodId>), Fault> {
        let (before, known) = (stream.status, stream.facts());
        let merged = known.merge(facts);
        if merged == known {
            return Ok((stream, Vec::new()));
        }
        let mut row = stream.into_active_model();
        row.status = Set(merged.status());
        row.started_at = Set(merged.started_at);
        row.interrupted_at = Set(merged.interrupted_at);
        row.resumed_at = Set(merged.resumed_at);
        row.ended_at = Set(merged.ended_at);
        row.failed_at = Set(merged.failed_at);
        row.removed_at = Set(merged.removed_at);
        row.updated_at = Set(write.now());
        let stream = row.update(&**write).await?;
        if let Some(kind) = announcement(before, stream.status) {
            write.event(kind, ItemId::Stream(stream.id), (stream.longitude, stream.latitude), None);
            tracing::info!(stream.id = %stream.id, stream.status = %stream.status, "stream changed");
        }
        let listed = match merged.ended_at {
            Some(at) if known.ended_at != Some(at) => list_replays(write, stream.id, at).await?,
            _ => Vec::new(),
        };
        Ok((stream, listed))
    }
}

/// What a message says of the broadcast itself. A recording or a segment is proof that it was on air, and the end
/// of its recording that it is over: so a lost message is made good by a later one.
fn facts_of(message: &LiveEvent) -> stream::Facts {
    let at = Some(message.at);
    let none = stream::Facts::default();
    match &message.kind {
        LiveEventKind::StreamUp | LiveEventKind::RecordingStarted(_) | LiveEventKind::SegmentsWritten { .. } => {
            stream::Facts { started_at: at, ..none }
        }
        LiveEventKind::StreamInterrupted => stream::Facts { started_at: at, interrupted_at: at, ..none },
        LiveEventKind::StreamBack => stream::Facts { started_at: at, resumed_at: at, ..none },
        LiveEventKind::StreamDown | LiveEventKind::RecordingEnded { .. } => stream::Facts { ended_at: at, ..none },
        LiveEventKind::StreamFailed { .. } => stream::Facts { failed_at: at, ..none },
        LiveEventKind::RecordingFailed { .. } => none,
    }
}

fn recording_of(kind: &LiveEventKind) -> Option<&RecordingRef> {
    match kind {
        LiveEventKind::RecordingStarted(recording)
        | LiveEventKind::SegmentsWritten { recording, .. }
        | LiveEventKind::RecordingEnded { recording, .. }
        | LiveEventKind::RecordingFailed { recording: Some(recording), .. } => Some(recording),
        _ => None,
    }
}

/// What the public log says of a change of status.
fn announcement(before: stream::Status, after: stream::Status) -> Option<event::Kind> {
    if before == after {
        return None;
    }
    match after {
        stream::Status::Preparing => None,
        stream::Status::Live => Some(event::Kind::StreamStarted),
        stream::Status::Interrupted => Some(event::Kind::StreamInterrupted),
        stream::Status::Ended | stream::Status::Failed => Some(event::Kind::StreamEnded),
        stream::Status::Removed => Some(event::Kind::ItemRemoved),
    }
}

/// Puts the replays of an ended stream on the map in its place, and has their recordings read once more now.
async fn list_replays(write: &mut Write, stream: StreamId, ended_at: Timestamp) -> Result<Vec<VodId>, Fault> {
    let replays = vod::Entity::find().filter(vod::Column::StreamId.eq(stream)).lock_exclusive().all(&**write).await?;
    let mut listed = Vec::with_capacity(replays.len());
    for replay in replays {
        let (id, at, first) = (replay.id, (replay.longitude, replay.latitude), replay.listed_at.is_none());
        let open = replay.next_scan_at.is_some();
        let mut row = replay.into_active_model();
        row.listed_at = Set(Some(ended_at));
        row.updated_at = Set(write.now());
        if open {
            row.next_scan_at = Set(Some(write.now()));
        }
        row.update(&**write).await?;
        if first {
            write.event(event::Kind::VodProgressed, ItemId::Vod(id), at, None);
        }
        listed.push(id);
    }
    Ok(listed)
}

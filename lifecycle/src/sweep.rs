//! The sweeper: finds what was lost, finishes what was left half done, forgets what is too old.
//!
//! Every sweep is a set of changes that may be made by several processes at once: each asks again, under lock,
//! whether there is still something to do.

use crate::{Fault, Lifecycle, recordings, segments};
use chrono::TimeDelta;
use entity::{SegmentId, StreamId, VodId, event, inbox, segment, stream, time::Timestamp, vod};
use live::Observation;
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};
use std::{collections::BTreeMap, time::Duration};
use storage::Key;

impl Lifecycle {
    /// One round of everything. A part that fails is logged and does not keep the others from running.
    pub(crate) async fn sweep(&self) {
        let reissue = self.reissue_jobs(self.limits().reissue_after).await;
        report("reissue jobs", reissue);
        report("finalise replays", self.finalise_settled().await);
        report("expire streams", self.expire_streams().await);
        report("reconcile streams", self.reconcile_streams().await);
        report("close silent recordings", self.close_silent_recordings().await);
        report("purge recordings", self.purge_recordings().await);
        report("trim logs", self.trim().await);
    }

    /// Issues jobs again that were issued longer ago than `age` and never finished.
    pub(crate) async fn reissue_jobs(&self, age: Duration) -> Result<(), Fault> {
        let before = self.ago(age);
        let mut write = self.write().await?;
        let lost: Vec<(SegmentId, VodId)> = segment::Entity::find()
            .select_only()
            .columns([segment::Column::Id, segment::Column::VodId])
            .filter(segment::Column::Status.eq(segment::Status::Queued))
            .filter(segment::Column::IssuedAt.lte(before))
            .order_by_asc(segment::Column::IssuedAt)
            .limit(self.limits().sweep_rows)
            .lock_exclusive()
            .into_tuple()
            .all(&*write)
            .await?;
        let mut by_replay: BTreeMap<VodId, Vec<_>> = BTreeMap::new();
        for (segment, vod) in lost {
            by_replay.entry(vod).or_default().push(segment);
        }
        for (vod, lost) in by_replay {
            tracing::info!(vod.id = %vod, segments = lost.len(), "jobs issued again");
            segments::queue(&mut write, vod, &lost).await?;
        }
        write.commit().await
    }

    /// Finalises replays whose last step was interrupted.
    async fn finalise_settled(&self) -> Result<(), Fault> {
        let settled = vod::Entity::find()
            .filter(vod::Column::Status.eq(vod::Status::Processing))
            .filter(vod::Column::ListedAt.is_not_null())
            .filter(Expr::col(vod::Column::SegmentsSettled).gte(Expr::col(vod::Column::SegmentTotal)))
            .limit(self.limits().sweep_rows)
            .all(self.db())
            .await?;
        self.finalise_all(&settled.iter().map(|replay| replay.id).collect::<Vec<_>>()).await;
        Ok(())
    }

    /// Gives up streams whose broadcaster never came, and gives their channels back.
    async fn expire_streams(&self) -> Result<(), Fault> {
        let before = self.ago(self.limits().preparing);
        let abandoned = stream::Entity::find()
            .filter(stream::Column::Status.eq(stream::Status::Preparing))
            .filter(stream::Column::CreatedAt.lt(before))
            .limit(self.limits().sweep_rows)
            .all(self.db())
            .await?;
        for stream in abandoned {
            self.parts.live.release(&stream.channel_arn).await?;
            let now = Some(self.parts.clock.now());
            self.merge_into(stream.id, stream::Facts { failed_at: now, ..stream::Facts::default() }).await?;
        }
        Ok(())
    }

    /// Ends streams of which the provider knows that nothing is on air, or, where it cannot tell, of which nothing was
    /// heard for long: the message of their end was lost.
    async fn reconcile_streams(&self) -> Result<(), Fault> {
        let settled_before = self.ago(self.limits().sweep_interval * 2);
        let on_air = stream::Entity::find()
            .filter(stream::Column::Status.is_in([stream::Status::Live, stream::Status::Interrupted]))
            .filter(stream::Column::UpdatedAt.lt(settled_before))
            .order_by_asc(stream::Column::UpdatedAt)
            .limit(self.limits().sweep_rows)
            .all(self.db())
            .await?;
        for stream in on_air {
            let is_over = match self.parts.live.observe(&stream.channel_arn).await? {
                Observation::OnAir => false,
                Observation::OffAir => true,
                Observation::Unknown => self.is_silent(&stream).await?,
            };
            if is_over {
                tracing::warn!(stream.id = %stream.id, "the provider's message of the end was lost");
                let now = Some(self.parts.clock.now());
                self.merge_into(stream.id, stream::Facts { ended_at: now, ..stream::Facts::default() }).await?;
            }
        }
        Ok(())
    }

    /// Whether neither the stream nor a recording of it has changed for long.
    async fn is_silent(&self, stream: &stream::Model) -> Result<bool, Fault> {
        let before = self.ago(self.limits().recording_silence);
        let lively = vod::Entity::find()
            .filter(vod::Column::StreamId.eq(stream.id))
            .filter(vod::Column::UpdatedAt.gte(before))
            .limit(1)
            .one(self.db())
            .await?;
        Ok(stream.updated_at < before && lively.is_none())
    }

    async fn merge_into(&self, id: StreamId, facts: stream::Facts) -> Result<(), Fault> {
        let mut write = self.write().await?;
        let Some(stream) = stream::Entity::find_by_id(id).lock_exclusive().one(&*write).await? else { return Ok(()) };
        let (_, touched) = self.merge_facts(&mut write, stream, facts).await?;
        write.commit().await?;
        self.finalise_all(&touched).await;
        Ok(())
    }

    /// Takes recordings as complete that have shown no sign for long after their stream ended. One that cannot be read
    /// shows none for a reason that is not its own, and is waited for much longer.
    async fn close_silent_recordings(&self) -> Result<(), Fault> {
        let before = self.ago(self.limits().recording_silence);
        let unfinished = vod::Column::SegmentTotal
            .is_null()
            .or(Expr::col(vod::Column::SegmentTotal).gt(Expr::col(vod::Column::SegmentsKnown)));
        let readable = vod::Column::ScanFailedAt
            .is_null()
            .or(vod::Column::ScanFailedAt.lt(self.ago(self.limits().recording_unreadable)));
        let silent = Condition::all()
            .add(vod::Column::Status.eq(vod::Status::Processing))
            .add(vod::Column::ListedAt.lt(before))
            .add(vod::Column::UpdatedAt.lt(before))
            .add(unfinished)
            .add(readable);
        let found = vod::Entity::find().filter(silent.clone()).limit(self.limits().sweep_rows).all(self.db()).await?;
        for replay in found {
            let mut write = self.write().await?;
            let again = vod::Entity::find_by_id(replay.id).filter(silent.clone()).lock_exclusive();
            let Some(replay) = again.one(&*write).await? else { continue };
            tracing::warn!(vod.id = %replay.id, segments = replay.segments_known, "a recording never ended: taken as it is");
            let known = replay.segments_known;
            let mut row = replay.into_active_model();
            row.segment_total = Set(Some(known));
            let replay = recordings::update_counts(&write, row).await?;
            recordings::issue_jobs(&mut write, &replay).await?;
            write.commit().await?;
            self.finalise_all(&[replay.id]).await;
        }
        Ok(())
    }

    /// Deletes bare recordings whose replay has been closed for long enough.
    async fn purge_recordings(&self) -> Result<(), Fault> {
        let before = self.ago(self.limits().recording_retention);
        let old = vod::Entity::find()
            .filter(vod::Column::Status.ne(vod::Status::Processing))
            .filter(vod::Column::RecordingPurgedAt.is_null())
            .filter(vod::Column::UpdatedAt.lt(before))
            .limit(self.limits().sweep_rows)
            .all(self.db())
            .await?;
        for replay in old {
            let id = replay.id;
            // One that cannot be deleted keeps no other.
            if let Err(fault) = self.purge(replay).await {
                tracing::warn!(vod.id = %id, %fault, "a bare recording was not deleted yet");
            }
        }
        Ok(())
    }

    async fn purge(&self, replay: vod::Model) -> Result<(), Fault> {
        let folder = Key::parse(&replay.recording_prefix).map_err(|error| Fault::unreadable("recording", error))?;
        for (key, _) in self.parts.recordings.list(&folder).await? {
            self.parts.recordings.delete(&key).await?;
        }
        let mut row = replay.into_active_model();
        row.recording_purged_at = Set(Some(self.parts.clock.now()));
        let replay = row.update(self.db()).await?;
        tracing::info!(vod.id = %replay.id, "bare recording deleted");
        Ok(())
    }

    /// Forgets events and applied messages that are older than anybody may ask for.
    async fn trim(&self) -> Result<(), Fault> {
        event::Entity::delete_many()
            .filter(event::Column::At.lt(self.ago(self.limits().event_retention)))
            .exec(self.db())
            .await?;
        let done = Condition::all()
            .add(inbox::Column::NextTryAt.is_null())
            .add(inbox::Column::ReceivedAt.lt(self.ago(self.limits().inbox_retention)));
        inbox::Entity::delete_many().filter(done).exec(self.db()).await?;
        Ok(())
    }

    fn ago(&self, age: Duration) -> Timestamp {
        self.parts.clock.now() - TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX)
    }
}

fn report(what: &'static str, outcome: Result<(), Fault>) {
    if let Err(fault) = outcome {
        tracing::warn!(what, %fault, "a sweep failed; it is made again");
    }
}

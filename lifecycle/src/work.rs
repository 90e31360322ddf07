//! A worker's side of a segment: begin, then finish, give up or put back.
//!
//! Tries are counted in the row before the work begins, so that a segment that kills its worker is counted too. A
//! result counts once: the first to settle the row wins, and a second copy of the job finds it settled.

use crate::{Fault, Lifecycle, recordings::update_counts, write::Write};
use entity::{ItemId, SegmentId, VodId, event, job::RedactJob, segment, vod};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};
use storage::Key;

/// What a worker needs to redact one segment.
#[derive(Clone, Debug)]
pub struct SegmentWork {
    /// The segment.
    pub segment: SegmentId,
    /// Its replay.
    pub vod: VodId,
    /// Its place in the recording, from 0.
    pub number: i32,
    /// Where it lies in the recordings store.
    pub source: Key,
    /// The segment before it, context only.
    pub before: Option<Key>,
    /// The segment after it, context only.
    pub after: Option<Key>,
    /// Where the result belongs in the replay store.
    pub result: Key,
    /// 1 for the first try.
    pub attempt: i32,
    /// Whether this is the last try there is.
    pub is_last_attempt: bool,
    /// How long the job lay waiting, milliseconds.
    pub waited_ms: i64,
}

/// What beginning a job came to.
#[derive(Clone, Debug)]
pub enum Begun {
    /// Work.
    Work(Box<SegmentWork>),
    /// Somebody has done it, or it is not wanted any more.
    Settled,
    /// It was tried too often, the last time without a word from its worker. It is a gap now.
    Exhausted,
}

/// A redacted segment whose object is stored.
#[derive(Clone, Debug)]
pub struct RedactedSegment {
    /// Size of the object.
    pub bytes: u64,
    /// Whether it is the source, byte for byte.
    pub copied: bool,
    /// Frames examined.
    pub frames: u64,
    /// Faces followed.
    pub face_tracks: u64,
    /// Faces blurred, counted per frame.
    pub faces_blurred: u64,
    /// The face model's name and version.
    pub model: String,
    /// All that the redaction reports.
    pub receipt: serde_json::Value,
}

/// Where a segment's result lies in the replay store.
pub(crate) fn result_key(vod: VodId, number: i32) -> Result<Key, Fault> {
    Key::parse(&format!("vod/{vod}/{number:06}.ts")).map_err(|error| Fault::unreadable("replay key", error))
}

impl Lifecycle {
    /// Takes a job up.
    pub async fn begin(&self, job: &RedactJob) -> Result<Begun, Fault> {
        let write = self.write().await?;
        let found = segment::Entity::find_by_id(job.segment).lock_exclusive().one(&*write).await?;
        let Some(segment) = found.filter(|segment| segment.status == segment::Status::Queued) else {
            return Ok(Begun::Settled);
        };
        if segment.attempts >= self.limits().segment_attempts {
            drop(write);
            self.give_up(job, "it was begun too often without being finished").await?;
            return Ok(Begun::Exhausted);
        }
        let work = self.describe(&write, &segment).await?;
        let mut row = segment.into_active_model();
        row.attempts = Set(work.attempt);
        row.update(&*write).await?;
        write.commit().await?;
        Ok(Begun::Work(Box::new(work)))
    }

    async fn describe(&self, write: &Write, segment: &segment::Model) -> Result<SegmentWork, Fault> {
        let neighbours: Vec<(i32, String)> = segment::Entity::find()
            .select_only()
            .columns([segment::Column::Number, segment::Column::SourceKey])
            .filter(segment::Column::VodId.eq(segment.vod_id))
            .filter(segment::Column::Number.is_in([segment.number - 1, segment.number + 1]))
            .into_tuple()
            .all(&**write)
            .await?;
        let key = |text: &str| Key::parse(text).map_err(|error| Fault::unreadable("recording key", error));
        let neighbour = |number: i32| {
            neighbours.iter().find(|(known, _)| *known == number).map(|(_, source)| key(source)).transpose()
        };
        let attempt = segment.attempts + 1;
        Ok(SegmentWork {
            segment: segment.id,
            vod: segment.vod_id,
            number: segment.number,
            source: key(&segment.source_key)?,
            before: neighbour(segment.number - 1)?,
            after: neighbour(segment.number + 1)?,
            result: result_key(segment.vod_id, segment.number)?,
            attempt,
            is_last_attempt: attempt >= self.limits().segment_attempts,
            waited_ms: segment.issued_at.map_or(0, |issued| (write.now() - issued).num_milliseconds()),
        })
    }

    /// Records a result. Returns whether this call settled the segment.
    pub async fn finish(&self, work: &SegmentWork, done: RedactedSegment) -> Result<bool, Fault> {
        let job = RedactJob { vod: work.vod, segment: work.segment };
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let (frames, face_tracks, faces) = (count(done.frames), count(done.face_tracks), count(done.faces_blurred));
        let model = done.model.clone();
        let result_key = work.result.to_string();
        self.settle(
            &job,
            move |row| {
                row.status = Set(segment::Status::Done);
                row.result_key = Set(Some(result_key));
                row.result_bytes = Set(Some(count(done.bytes)));
                row.copied = Set(Some(done.copied));
                row.receipt = Set(Some(done.receipt));
            },
            move |replay| {
                replay.frames = Set(replay.frames.as_ref() + frames);
                replay.face_tracks = Set(replay.face_tracks.as_ref() + face_tracks);
                replay.faces_blurred = Set(replay.faces_blurred.as_ref() + faces);
                replay.model = Set(Some(model));
            },
        )
        .await
    }

    /// Makes a segment a gap in its replay. Returns whether this call settled the segment.
    pub async fn give_up(&self, job: &RedactJob, reason: &str) -> Result<bool, Fault> {
        tracing::error!(vod.id = %job.vod, segment.id = %job.segment, reason, "segment given up: the replay has a gap");
        let reason = reason.to_owned();
        self.settle(
            job,
            move |row| {
                row.status = Set(segment::Status::Gap);
                row.failure = Set(Some(reason));
            },
            |_| (),
        )
        .await
    }

    /// Takes a try back: it failed by no fault of the segment's.
    pub async fn excuse(&self, work: &SegmentWork) -> Result<(), Fault> {
        segment::Entity::update_many()
            .filter(segment::Column::Id.eq(work.segment))
            .filter(segment::Column::Attempts.gt(0))
            .col_expr(segment::Column::Attempts, Expr::col(segment::Column::Attempts).sub(1))
            .exec(self.db())
            .await?;
        Ok(())
    }

    /// Settles a queued segment once: its row, its replay's counts, the event, and the replay itself if it was the
    /// last.
    async fn settle(
        &self,
        job: &RedactJob,
        mark: impl FnOnce(&mut segment::ActiveModel) + Send,
        tally: impl FnOnce(&mut vod::ActiveModel) + Send,
    ) -> Result<bool, Fault> {
        let mut write = self.write().await?;
        let replay = vod::Entity::find_by_id(job.vod).lock_exclusive().one(&*write).await?;
        let segment = segment::Entity::find_by_id(job.segment).lock_exclusive().one(&*write).await?;
        let (Some(replay), Some(segment)) = (replay, segment) else { return Ok(false) };
        if segment.status != segment::Status::Queued || segment.vod_id != replay.id {
            return Ok(false);
        }
        let mut row = segment.into_active_model();
        mark(&mut row);
        row.settled_at = Set(Some(write.now()));
        row.update(&*write).await?;
        let mut row = replay.into_active_model();
        tally(&mut row);
        let replay = update_counts(&write, row).await?;
        if replay.listed_at.is_some() {
            let at = (replay.longitude, replay.latitude);
            write.event(event::Kind::VodProgressed, ItemId::Vod(replay.id), at, None);
        }
        write.commit().await?;
        if replay.is_settled() {
            self.finalise_all(&[replay.id]).await;
        }
        Ok(true)
    }
}

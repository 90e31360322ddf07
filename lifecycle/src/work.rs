//! The beginning of a segment's way: what a worker needs to know, and how often it was tried.
//!
//! Tries are counted in the row before the work begins, so that a segment that kills its worker is counted too.

use crate::{Fault, Lifecycle, thumbnails::thumbnail_key, write::Write};
use entity::{
    SegmentId, Thumbnail, VodId,
    job::RedactJob,
    segment::{self, GapReason},
    vod,
};
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
    /// Whether a picture of the result would be shown.
    pub wants_thumbnail: bool,
}

impl SegmentWork {
    /// Where a picture of the result belongs in the replay store.
    pub fn thumbnail_key(&self, thumbnail: Thumbnail) -> Result<Key, Fault> {
        thumbnail_key(self.vod, thumbnail)
    }
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
            self.give_up(job, GapReason::Unfinished, "it was begun too often without being finished").await?;
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
        let replay = vod::Entity::find_by_id(segment.vod_id).one(&**write).await?;
        let wants_thumbnail = match &replay {
            Some(replay) => self.wants_thumbnail(&**write, replay, segment.number).await?,
            None => false,
        };
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
            wants_thumbnail,
        })
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
}

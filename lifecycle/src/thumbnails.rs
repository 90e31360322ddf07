//! Which pictures a replay has: one of its first segment that shows something, which stays, and, while its stream is on
//! air, a new one every so often.
//!
//! Each is an object of its own, stored before the row names it and deleted after the row has moved on. The row of a
//! replay names two; whatever else was made is known by the row of its segment.

use crate::{Fault, Lifecycle, write::Write};
use entity::{ItemId, SegmentId, Thumbnail, VodId, event, segment, vod};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};
use storage::Key;

/// Live pictures that are kept: the newest and the one before, whose address somebody may just have been given.
const LIVE_KEPT: usize = 2;

/// Where a picture lies in the replay store.
pub(crate) fn thumbnail_key(vod: VodId, thumbnail: Thumbnail) -> Result<Key, Fault> {
    Key::parse(&format!("vod/{vod}/{thumbnail}")).map_err(|error| Fault::unreadable("replay key", error))
}

impl Lifecycle {
    /// Whether a picture of the segment `number` would be shown.
    pub(crate) async fn wants_thumbnail(
        &self,
        db: &impl ConnectionTrait,
        replay: &vod::Model,
        number: i32,
    ) -> Result<bool, Fault> {
        Ok(is_first(replay, number) || self.is_next(db, replay, number).await?)
    }

    /// Whether the segment `number` is the next to make a live picture of: its stream is on air, and it begins long
    /// enough after the segment that the newest picture shows.
    async fn is_next(&self, db: &impl ConnectionTrait, replay: &vod::Model, number: i32) -> Result<bool, Fault> {
        if replay.listed_at.is_some() || replay.status != vod::Status::Processing {
            return Ok(false);
        }
        let Some(newest) = replay.live_thumbnail else { return Ok(true) };
        let between: Option<Option<i64>> = segment::Entity::find()
            .select_only()
            .column_as(Expr::expr(segment::Column::DurationMs.sum()).cast_as("bigint"), "between")
            .filter(segment::Column::VodId.eq(replay.id))
            .filter(segment::Column::Number.gte(newest.segment))
            .filter(segment::Column::Number.lt(number))
            .into_tuple()
            .one(db)
            .await?;
        let between_ms = u128::try_from(between.flatten().unwrap_or(0)).unwrap_or(0);
        Ok(number > newest.segment && between_ms >= self.limits().live_thumbnail_interval.as_millis())
    }

    /// Names a stored picture in its replay's row as far as it is wanted there. Returns whether the live picture is
    /// another one now.
    ///
    /// The first live picture is an event, since maps show it; the later ones are told to those who follow the
    /// broadcast only. In the log they would be a line every ten seconds for each broadcast, and would soon push out
    /// what a client that was away has to catch up with.
    pub(crate) async fn show(
        &self,
        write: &mut Write,
        replay: &vod::Model,
        row: &mut vod::ActiveModel,
        thumbnail: Thumbnail,
    ) -> Result<bool, Fault> {
        if is_first(replay, thumbnail.segment) {
            row.thumbnail = Set(Some(thumbnail));
        }
        if !self.is_next(&**write, replay, thumbnail.segment).await? {
            return Ok(false);
        }
        row.live_thumbnail = Set(Some(thumbnail));
        if replay.live_thumbnail.is_none() {
            let at = (replay.longitude, replay.latitude);
            write.event(event::Kind::StreamPictured, ItemId::Stream(replay.stream_id), at, None);
        } else {
            write.picture(replay.stream_id);
        }
        Ok(true)
    }

    /// Deletes the live pictures that nobody is told of any more. A fault is logged: what is left then is as blurred as
    /// the replay, and is deleted the next time.
    pub(crate) async fn retire_thumbnails(&self, vod: VodId) {
        report(vod, self.try_retire(vod).await);
    }

    /// Deletes every picture of a settled replay but its own, also those that a worker stored and died over. A fault is
    /// logged, and the replay not held back.
    pub(crate) async fn drop_live_thumbnails(&self, replay: &vod::Model, folder: &Key) {
        report(replay.id, self.try_drop(replay, folder).await);
    }

    async fn try_drop(&self, replay: &vod::Model, folder: &Key) -> Result<(), Fault> {
        for (key, _) in self.parts.replays.list(folder).await? {
            let is_other = key.name().parse::<Thumbnail>().is_ok_and(|picture| replay.thumbnail != Some(picture));
            if is_other {
                self.parts.replays.delete(&key).await?;
            }
        }
        segment::Entity::update_many()
            .filter(segment::Column::VodId.eq(replay.id))
            .filter(segment::Column::Thumbnail.is_not_null())
            .filter(segment::Column::Number.ne(replay.thumbnail.map_or(-1, |own| own.segment)))
            .col_expr(segment::Column::Thumbnail, Expr::value(Option::<Thumbnail>::None))
            .exec(self.db())
            .await?;
        Ok(())
    }

    async fn try_retire(&self, id: VodId) -> Result<(), Fault> {
        let Some(replay) = vod::Entity::find_by_id(id).one(self.db()).await? else { return Ok(()) };
        let made: Vec<(SegmentId, Thumbnail)> = segment::Entity::find()
            .select_only()
            .columns([segment::Column::Id, segment::Column::Thumbnail])
            .filter(segment::Column::VodId.eq(id))
            .filter(segment::Column::Thumbnail.is_not_null())
            .order_by_desc(segment::Column::Number)
            .into_tuple()
            .all(self.db())
            .await?;
        let old = made.into_iter().skip(LIVE_KEPT).filter(|(_, thumbnail)| replay.thumbnail != Some(*thumbnail));
        for (segment, thumbnail) in old {
            self.parts.replays.delete(&thumbnail_key(id, thumbnail)?).await?;
            segment::Entity::update_many()
                .filter(segment::Column::Id.eq(segment))
                .col_expr(segment::Column::Thumbnail, Expr::value(Option::<Thumbnail>::None))
                .exec(self.db())
                .await?;
        }
        Ok(())
    }
}

fn report(vod: VodId, outcome: Result<(), Fault>) {
    if let Err(fault) = outcome {
        tracing::warn!(vod.id = %vod, %fault, "old thumbnails were not deleted");
    }
}

/// Whether a picture of the segment `number` would take the place of the replay's own, as segments may be done in
/// another order than they were recorded in.
fn is_first(replay: &vod::Model, number: i32) -> bool {
    replay.status == vod::Status::Processing && replay.thumbnail.is_none_or(|first| number < first.segment)
}

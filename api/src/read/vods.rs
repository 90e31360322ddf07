//! Replays, as the public may see them.

use super::{
    area::within,
    page::{self, Page, Slice},
};
use entity::{
    BoundingBox, Category, StreamId, VodId,
    time::Timestamp,
    vod::{Column, Entity, Model, Status},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryTrait as _,
    Select,
};
use std::collections::HashMap;

/// Which replays; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Where they are.
    pub(crate) bbox: Option<BoundingBox>,
    /// Where they stand.
    pub(crate) statuses: Option<Vec<Status>>,
    /// What they show.
    pub(crate) categories: Option<Vec<Category>>,
    /// Recorded from this moment on or later.
    pub(crate) created_after: Option<Timestamp>,
    /// Recorded from before this moment on.
    pub(crate) created_before: Option<Timestamp>,
}

/// Everything but what was taken down.
pub(crate) fn visible() -> Select<Entity> {
    Entity::find().filter(Column::Status.ne(Status::Removed))
}

/// The replay.
pub(crate) async fn by_id(db: &impl ConnectionTrait, id: VodId) -> Result<Option<Model>, DbErr> {
    visible().filter(Column::Id.eq(id)).one(db).await
}

/// Those of the replays that there are.
pub(crate) async fn by_ids(db: &impl ConnectionTrait, ids: &[VodId]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    visible().filter(Column::Id.is_in(ids.iter().copied())).all(db).await
}

/// The newest replay of each of the streams that has one.
pub(crate) async fn newest_of(
    db: &impl ConnectionTrait,
    streams: &[StreamId],
) -> Result<HashMap<StreamId, Model>, DbErr> {
    let of_these = visible().filter(Column::StreamId.is_in(streams.iter().copied()));
    // Oldest first: what is collected later takes the place of what was collected before.
    let oldest_first = of_these.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    Ok(oldest_first.all(db).await?.into_iter().map(|vod| (vod.stream_id, vod)).collect())
}

/// One page of the replays that pass the filter.
pub(crate) async fn list(db: &impl ConnectionTrait, filter: Filter, page: Page) -> Result<Slice<Model>, DbErr> {
    let select = visible()
        .apply_if(filter.bbox, |select, bbox| select.filter(within(&bbox)))
        .apply_if(filter.statuses, |select, statuses| select.filter(Column::Status.is_in(statuses)))
        .apply_if(filter.categories, |select, categories| select.filter(Column::Category.is_in(categories)))
        .apply_if(filter.created_after, |select, moment| select.filter(Column::CreatedAt.gte(moment)))
        .apply_if(filter.created_before, |select, moment| select.filter(Column::CreatedAt.lt(moment)));
    page::read(db, select, page).await
}

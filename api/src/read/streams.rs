//! Streams, as the public may see them.

use super::{
    area::within,
    page::{self, Page, Slice},
};
use entity::{
    BoundingBox, Category, StreamId,
    stream::{Column, Entity, Model, Status},
    time::Timestamp,
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryTrait as _, Select};

/// Which streams; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Where they are.
    pub(crate) bbox: Option<BoundingBox>,
    /// Where they stand.
    pub(crate) statuses: Option<Vec<Status>>,
    /// What they show.
    pub(crate) categories: Option<Vec<Category>>,
    /// On air since this moment or later.
    pub(crate) started_after: Option<Timestamp>,
    /// On air since before this moment.
    pub(crate) started_before: Option<Timestamp>,
}

/// Everything but what was taken down.
pub(crate) fn visible() -> Select<Entity> {
    Entity::find().filter(Column::Status.ne(Status::Removed))
}

/// The stream.
pub(crate) async fn by_id(db: &impl ConnectionTrait, id: StreamId) -> Result<Option<Model>, DbErr> {
    visible().filter(Column::Id.eq(id)).one(db).await
}

/// Those of the streams that there are.
pub(crate) async fn by_ids(db: &impl ConnectionTrait, ids: &[StreamId]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    visible().filter(Column::Id.is_in(ids.iter().copied())).all(db).await
}

/// One page of the streams that pass the filter.
pub(crate) async fn list(db: &impl ConnectionTrait, filter: Filter, page: Page) -> Result<Slice<Model>, DbErr> {
    let select = visible()
        .apply_if(filter.bbox, |select, bbox| select.filter(within(&bbox)))
        .apply_if(filter.statuses, |select, statuses| select.filter(Column::Status.is_in(statuses)))
        .apply_if(filter.categories, |select, categories| select.filter(Column::Category.is_in(categories)))
        .apply_if(filter.started_after, |select, moment| select.filter(Column::StartedAt.gte(moment)))
        .apply_if(filter.started_before, |select, moment| select.filter(Column::StartedAt.lt(moment)));
    page::read(db, select, page).await
}

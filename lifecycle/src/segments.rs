//! Issuing segments to workers: the row says that a job is out, the job says which row.

use crate::{Fault, write::Write};
use entity::{SegmentId, VodId, job::RedactJob, segment};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};

/// Marks segments as queued and adds a job for each.
pub(crate) async fn queue(write: &mut Write, vod: VodId, segments: &[SegmentId]) -> Result<(), Fault> {
    if segments.is_empty() {
        return Ok(());
    }
    segment::Entity::update_many()
        .filter(segment::Column::Id.is_in(segments.iter().copied()))
        .col_expr(segment::Column::Status, Expr::value(segment::Status::Queued))
        .col_expr(segment::Column::IssuedAt, Expr::value(write.now()))
        .exec(&**write)
        .await?;
    for segment in segments {
        write.job(RedactJob { vod, segment: *segment });
    }
    Ok(())
}

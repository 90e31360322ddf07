//! Pages of a list, newest first: a page begins after the mark of a row, not after a number of rows, so that rows made
//! meanwhile neither repeat nor hide others.
//!
//! A mark is the moment a row was made and its id, which never change.

use entity::time::Timestamp;
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

/// Where a row stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// When the row was made.
    pub(crate) created_at: Timestamp,
    /// Its id.
    pub(crate) id: Uuid,
}

/// Which page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// At most how many rows.
    pub(crate) first: u64,
    /// After which row; from the newest if there is none.
    pub(crate) after: Option<Mark>,
}

/// One page.
#[derive(Clone, Debug)]
pub(crate) struct Slice<T> {
    /// Its rows, newest first.
    pub(crate) rows: Vec<T>,
    /// Whether a page follows.
    pub(crate) has_more: bool,
}

/// One page of a table that has the columns `created_at` and `id`.
pub(crate) async fn read<E: EntityTrait>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    page: Page,
) -> Result<Slice<E::Model>, DbErr> {
    let columns = || Expr::tuple([Expr::col("created_at"), Expr::col("id")]);
    let mut select = newest_first(select, "created_at");
    if let Some(Mark { created_at, id }) = page.after {
        select = select.filter(columns().lt(Expr::tuple([Expr::val(created_at), Expr::val(id)])));
    }
    // One row more than asked for tells whether there is another page.
    let mut rows = select.limit(page.first.saturating_add(1)).all(db).await?;
    let first = usize::try_from(page.first).unwrap_or(usize::MAX);
    let has_more = rows.len() > first;
    rows.truncate(first);
    Ok(Slice { rows, has_more })
}

/// Newest first by a column of moments; rows of the same moment by their id.
pub(crate) fn newest_first<E: EntityTrait>(select: Select<E>, moment: &'static str) -> Select<E> {
    select.order_by(Expr::col(moment), Order::Desc).order_by(Expr::col("id"), Order::Desc)
}

#[cfg(test)]
mod tests;

//! Relay connections: pages of a list, forward only.

use super::{Failure, Result, scalars::Cursor};
use crate::{
    Limits,
    read::page::{Mark, Page, Slice},
};
use async_graphql::SimpleObject;
use entity::{cctv, stream, vod};

use super::types::{Cctv, Stream, Vod};

/// The largest `first` that complexity is counted for; the real bound, far below, is checked when the field is
/// answered, and keeps its own message.
const COUNTED_FIRST: i32 = 1_000_000;

/// What a page is, and where the next one begins.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether a page follows this one.
    has_next_page: bool,
    /// Whether this page was asked for with `after`. Pages can be walked forward only.
    has_previous_page: bool,
    /// The cursor of the first edge.
    start_cursor: Option<Cursor>,
    /// The cursor of the last edge: `after` of the next page.
    end_cursor: Option<Cursor>,
}

macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident, $row:ty, $things:tt) => {
        #[doc = concat!("A page of ", $things, ", newest first.")]
        #[derive(SimpleObject)]
        pub struct $connection {
            /// What is on the page, each with its cursor.
            edges: Vec<$edge>,
            /// What is on the page.
            nodes: Vec<$node>,
            /// Where the page lies in the list.
            page_info: PageInfo,
        }

        #[doc = concat!("One of a page of ", $things, ".")]
        #[derive(SimpleObject)]
        pub struct $edge {
            /// The thing itself.
            node: $node,
            /// Where it stands in the list.
            cursor: Cursor,
        }

        impl $connection {
            pub(crate) fn new(slice: Slice<$row>, page: Page) -> Self {
                let cursor = |row: &$row| Cursor::Row(Mark { created_at: row.created_at, id: row.id.0 });
                let page_info = PageInfo {
                    has_next_page: slice.has_more,
                    has_previous_page: page.after.is_some(),
                    start_cursor: slice.rows.first().map(cursor),
                    end_cursor: slice.rows.last().map(cursor),
                };
                let edge = |row: &$row| $edge { node: $node(row.clone()), cursor: cursor(row) };
                let edges = slice.rows.iter().map(edge).collect();
                Self { edges, nodes: slice.rows.into_iter().map($node).collect(), page_info }
            }
        }
    };
}

connection!(StreamConnection, StreamEdge, Stream, stream::Model, "broadcasts");
connection!(VodConnection, VodEdge, Vod, vod::Model, "replays");
connection!(CctvConnection, CctvEdge, Cctv, cctv::Model, "cameras");

/// `first` of a connection, if it is left out.
pub(crate) const PAGE: i32 = 50;

/// Parses `first` and `after`.
pub(crate) fn page(first: Option<i32>, after: Option<Cursor>, limits: &Limits) -> Result<Page> {
    Ok(Page { first: size(first.unwrap_or(PAGE), limits)?, after: after.map(Cursor::row).transpose()? })
}

/// Parses `first`.
pub(crate) fn size(first: i32, limits: &Limits) -> Result<u64> {
    let most = limits.page_items;
    let fits = usize::try_from(first).is_ok_and(|first| (1..=most).contains(&first));
    let size = u64::try_from(first).ok().filter(|_| fits);
    size.ok_or_else(|| Failure::bad_input("first", format_args!("must lie between 1 and {most}, not {first}")))
}

/// The complexity of a list: that of one entry, times how many are asked for.
pub(crate) fn weight(first: i32, of_one: usize) -> usize {
    let count = usize::try_from(first.clamp(1, COUNTED_FIRST)).unwrap_or(1);
    count.saturating_mul(of_one.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_none_or_too_many_is_refused_by_name() {
        let limits = Limits::default();
        for first in [i32::MIN, -1, 0, 501, i32::MAX] {
            let Err(Failure::BadInput { field, reason }) = size(first, &limits) else { panic!("{first} was taken") };
            assert_eq!(field, "first");
            assert!(reason.contains("between 1 and 500"), "{reason}");
        }
        assert_eq!((size(1, &limits), size(500, &limits)), (Ok(1), Ok(500)));
    }
}

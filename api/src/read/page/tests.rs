//! Walking lists.

use super::*;
use crate::read::{
    fixture::{cctv, on_every_database, put_cctv, put_stream, put_vod, second, stream, vod},
    streams,
};
use entity::{StreamId, cctv as camera, stream as broadcast, vod as replay};
use sea_orm::DatabaseConnection;

async fn walk(db: &DatabaseConnection, first: u64) -> Vec<StreamId> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let slice = streams::list(db, streams::Filter::default(), Page { first, after }).await.unwrap();
        seen.extend(slice.rows.iter().map(|row| row.id));
        let Some(last) = slice.rows.last().filter(|_| slice.has_more) else { return seen };
        after = Some(Mark { created_at: last.created_at, id: last.id.0 });
    }
}

#[tokio::test]
async fn walking_a_list_meets_every_row_once_newest_first() {
    on_every_database(|db| async move {
        let mut rows = Vec::new();
        for number in 0..23 {
            // Several were made in the same moment.
            let row = broadcast::Model { created_at: second(number / 4), ..stream((1.0, 1.0)) };
            put_stream(&db, &row).await;
            rows.push(row);
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
        let expected: Vec<StreamId> = rows.iter().map(|row| row.id).collect();
        for first in [1, 2, 5, 22, 23, 24] {
            assert_eq!(walk(&db, first).await, expected, "pages of {first}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_made_during_the_walk_moves_no_other() {
    on_every_database(|db| async move {
        for number in 0..4 {
            put_stream(&db, &broadcast::Model { created_at: second(number), ..stream((1.0, 1.0)) }).await;
        }
        let page = Page { first: 2, after: None };
        let begun = streams::list(&db, streams::Filter::default(), page).await.unwrap();
        put_stream(&db, &broadcast::Model { created_at: second(9), ..stream((1.0, 1.0)) }).await;
        let mark = Mark { created_at: begun.rows[1].created_at, id: begun.rows[1].id.0 };
        let page = Page { first: 2, after: Some(mark) };
        let rest = streams::list(&db, streams::Filter::default(), page).await.unwrap();
        let moments: Vec<_> = begun.rows.iter().chain(&rest.rows).map(|row| row.created_at).collect();
        assert_eq!(moments, [second(3), second(2), second(1), second(0)]);
        assert!(begun.has_more && !rest.has_more);
    })
    .await;
}

#[tokio::test]
async fn filters_narrow_lists_by_box_status_category_and_moment() {
    on_every_database(|db| async move {
        let fiji = broadcast::Model { started_at: Some(second(10)), ..stream((-179.0, -17.0)) };
        let seoul = broadcast::Model { status: broadcast::Status::Ended, ..stream((127.0, 37.5)) };
        put_stream(&db, &fiji).await;
        put_stream(&db, &seoul).await;
        let found = async |filter: streams::Filter| {
            let slice = streams::list(&db, filter, Page { first: 10, after: None }).await.unwrap();
            slice.rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let all = streams::Filter::default;
        let across = crate::read::fixture::bbox(170.0, -20.0, -170.0, -10.0);
        assert_eq!(found(streams::Filter { bbox: Some(across), ..all() }).await, [fiji.id]);
        let ended = Some(vec![broadcast::Status::Ended]);
        assert_eq!(found(streams::Filter { statuses: ended, ..all() }).await, [seoul.id]);
        let none = Some(vec![entity::Category::Storm]);
        assert_eq!(found(streams::Filter { categories: none, ..all() }).await, []);
        assert_eq!(found(streams::Filter { started_after: Some(second(10)), ..all() }).await, [fiji.id]);
        assert_eq!(found(streams::Filter { started_before: Some(second(10)), ..all() }).await, [seoul.id]);
    })
    .await;
}

#[tokio::test]
async fn what_was_removed_is_in_no_list() {
    use crate::read::{cctvs, vods};
    on_every_database(|db| async move {
        let gone = broadcast::Model { status: broadcast::Status::Removed, ..stream((1.0, 1.0)) };
        put_stream(&db, &gone).await;
        put_vod(&db, &replay::Model { status: replay::Status::Removed, ..vod(&gone) }).await;
        put_cctv(&db, &camera::Model { status: camera::Status::Dead, ..cctv((1.0, 1.0)) }).await;
        let page = Page { first: 10, after: None };
        let removed = streams::Filter { statuses: Some(vec![broadcast::Status::Removed]), ..Default::default() };
        assert!(streams::list(&db, removed, page).await.unwrap().rows.is_empty());
        let removed = vods::Filter { statuses: Some(vec![replay::Status::Removed]), ..Default::default() };
        assert!(vods::list(&db, removed, page).await.unwrap().rows.is_empty());
        let dead = cctvs::Filter { statuses: Some(vec![camera::Status::Dead]), ..Default::default() };
        assert_eq!(cctvs::list(&db, dead, page).await.unwrap().rows.len(), 1);
    })
    .await;
}

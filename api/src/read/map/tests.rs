//! The map against plain arithmetic over the same rows.

use super::*;
use crate::read::fixture::{
    bbox, cctv, on_every_database, positions, put_cctv, put_stream, put_vod, second, stream, vod,
};
use sea_orm::DatabaseConnection;
use std::collections::HashSet;

fn sight(bbox: BoundingBox, zoom: f64, first: u64) -> Sight {
    Sight { bbox, zoom, first, kinds: ItemKind::ALL.to_vec(), categories: None, since: None }
}

fn boxes() -> Vec<BoundingBox> {
    vec![
        BoundingBox::WORLD,
        bbox(126.0, 36.0, 129.0, 39.0),
        bbox(127.3, 37.3, 127.6, 37.6),
        bbox(179.0, -5.0, -179.0, 5.0),
        bbox(179.0, -5.0, 180.0, 5.0),
        bbox(-180.0, -5.0, -179.5, 5.0),
        bbox(20.0, -90.0, -20.0, 90.0),
        bbox(-90.0, 89.0, 90.0, 90.0),
        bbox(180.0, -1.0, 180.0, 1.0),
        bbox(0.0, 0.0, 0.0, 0.0),
    ]
}

/// A row of every kind in turn at each position.
async fn fill(db: &DatabaseConnection, positions: &[(f64, f64)]) {
    for (number, at) in positions.iter().enumerate() {
        match number % 3 {
            0 => put_stream(db, &stream(*at)).await,
            1 => {
                let ended = stream::Model { status: stream::Status::Ended, ..stream(*at) };
                put_stream(db, &ended).await;
                put_vod(db, &vod(&ended)).await;
            }
            _ => put_cctv(db, &cctv(*at)).await,
        }
    }
}

fn position(item: &Item) -> Position {
    match item {
        Item::Stream(row) => row.position(),
        Item::Vod(row) => row.position(),
        Item::Cctv(row) => row.position(),
    }
    .unwrap()
}

#[tokio::test]
async fn the_database_and_the_domain_agree_on_what_lies_in_a_box() {
    on_every_database(|db| async move {
        let positions = positions(240);
        fill(&db, &positions).await;
        for bbox in boxes() {
            let inside = positions.iter().filter(|at| bbox.contains(Position::new(at.0, at.1).unwrap())).count();
            let seen = view(&db, &sight(bbox, 5.0, 500)).await.unwrap();
            assert_eq!(seen.items.len(), inside, "{bbox:?}");
            assert!(seen.items.iter().all(|item| bbox.contains(position(item))), "{bbox:?}");
            assert_eq!(seen.clusters, []);
        }
    })
    .await;
}

#[tokio::test]
async fn a_box_across_the_antimeridian_finds_both_sides() {
    on_every_database(|db| async move {
        for at in [(179.5, -17.0), (-179.5, -17.0), (178.0, -17.0), (0.0, -17.0)] {
            put_stream(&db, &stream(at)).await;
        }
        let seen = view(&db, &sight(bbox(179.0, -20.0, -179.0, -10.0), 6.0, 200)).await.unwrap();
        let longitudes: Vec<f64> = seen.items.iter().map(|item| position(item).longitude.degrees()).collect();
        assert_eq!(longitudes.len(), 2);
        assert!(longitudes.contains(&179.5) && longitudes.contains(&-179.5), "{longitudes:?}");
    })
    .await;
}

#[tokio::test]
async fn items_and_clusters_together_hold_every_row_once() {
    on_every_database(|db| async move {
        let positions = positions(300);
        fill(&db, &positions).await;
        for bbox in boxes() {
            for (zoom, first) in [(0.0, 1), (2.0, 7), (4.7, 40), (10.0, 100), (16.0, 20), (22.0, 299)] {
                let inside = |kind: usize| {
                    let of_kind = positions.iter().enumerate().filter(|(number, _)| number % 3 == kind);
                    of_kind.filter(|(_, at)| bbox.contains(Position::new(at.0, at.1).unwrap())).count()
                };
                let seen = view(&db, &sight(bbox, zoom, first)).await.unwrap();
                let shown = |matches: fn(&Item) -> bool| seen.items.iter().filter(|item| matches(item)).count();
                let hidden = seen.clusters.iter().fold(Counts::default(), |sum, it| sum.plus(it.counts));
                let context = format!("{bbox:?} zoom {zoom} first {first}");
                let sum = |shown: usize, hidden: i64| shown + usize::try_from(hidden).unwrap();
                assert_eq!(sum(shown(|it| matches!(it, Item::Stream(_))), hidden.streams), inside(0), "{context}");
                assert_eq!(sum(shown(|it| matches!(it, Item::Vod(_))), hidden.vods), inside(1), "{context}");
                assert_eq!(sum(shown(|it| matches!(it, Item::Cctv(_))), hidden.cctvs), inside(2), "{context}");
                let ids: HashSet<_> = seen.items.iter().map(Item::id).collect();
                assert_eq!(ids.len(), seen.items.len(), "{context}");
                let squares: HashSet<_> = seen.clusters.iter().map(|cluster| cluster.square).collect();
                assert_eq!(squares.len(), seen.clusters.len(), "{context}");
                assert!(seen.clusters.iter().all(|cluster| cluster.counts.total() > 1), "{context}");
                assert!(seen.items.len() + seen.clusters.len() <= usize::try_from(first).unwrap(), "{context}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_cluster_tells_the_middle_and_the_edges_of_what_it_holds() {
    on_every_database(|db| async move {
        put_stream(&db, &stream((10.0, 10.0))).await;
        put_cctv(&db, &cctv((10.0, 11.0))).await;
        put_cctv(&db, &cctv((13.0, 12.0))).await;
        put_cctv(&db, &cctv((-100.0, 12.0))).await;
        let seen = view(&db, &sight(bbox(-170.0, 1.0, 170.0, 80.0), 0.0, 3)).await.unwrap();
        let [cluster] = &seen.clusters[..] else { panic!("{seen:?}") };
        assert_eq!(cluster.counts, Counts { streams: 1, vods: 0, cctvs: 2 });
        assert_eq!(cluster.edges, (10.0, 10.0, 13.0, 12.0));
        assert!((cluster.middle.0 - 11.0).abs() < 1e-9 && (cluster.middle.1 - 11.0).abs() < 1e-9, "{cluster:?}");
        assert_eq!(seen.items.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn live_broadcasts_come_first_and_each_kind_newest_first() {
    on_every_database(|db| async move {
        let old = stream::Model { started_at: Some(second(1)), ..stream((1.0, 1.0)) };
        let new =
            stream::Model { started_at: Some(second(2)), status: stream::Status::Interrupted, ..stream((1.0, 1.0)) };
        let replay = vod(&old);
        let camera = cctv((1.0, 1.0));
        put_cctv(&db, &camera).await;
        put_stream(&db, &new).await;
        put_stream(&db, &old).await;
        put_vod(&db, &replay).await;
        let seen = view(&db, &sight(BoundingBox::WORLD, 1.0, 10)).await.unwrap();
        let expected = vec![Item::Stream(new), Item::Stream(old), Item::Vod(replay), Item::Cctv(camera)];
        assert_eq!(seen.items, expected);
    })
    .await;
}

#[tokio::test]
async fn a_replay_is_seen_from_the_end_of_its_stream_on_and_never_when_withheld_or_removed() {
    on_every_database(|db| async move {
        let of = stream::Model { status: stream::Status::Ended, ..stream((1.0, 1.0)) };
        put_stream(&db, &of).await;
        let listed = vod::Model { status: vod::Status::Processing, ..vod(&of) };
        let hidden = [
            vod::Model { status: vod::Status::Processing, listed_at: None, ..vod(&of) },
            vod::Model { status: vod::Status::Withheld, ..vod(&of) },
            vod::Model { status: vod::Status::Removed, ..vod(&of) },
        ];
        put_vod(&db, &listed).await;
        for row in &hidden {
            put_vod(&db, row).await;
        }
        let seen = view(&db, &sight(BoundingBox::WORLD, 1.0, 10)).await.unwrap();
        assert_eq!(seen.items, vec![Item::Vod(listed)]);
    })
    .await;
}

#[tokio::test]
async fn only_streams_on_air_are_on_the_map() {
    on_every_database(|db| async move {
        for &status in stream::Status::ALL {
            put_stream(&db, &stream::Model { status, ..stream((1.0, 1.0)) }).await;
        }
        let seen = view(&db, &sight(BoundingBox::WORLD, 1.0, 10)).await.unwrap();
        assert_eq!(seen.items.len(), 2, "{seen:?}");
        let on_air = |item: &Item| matches!(item, Item::Stream(row) if row.status.is_on_air());
        assert!(seen.items.iter().all(on_air), "{seen:?}");
    })
    .await;
}

#[tokio::test]
async fn kinds_and_categories_narrow_the_view() {
    on_every_database(|db| async move {
        let fire = stream((1.0, 1.0));
        let flood = stream::Model { category: Category::Flood, ..stream((1.0, 1.0)) };
        put_stream(&db, &fire).await;
        put_stream(&db, &flood).await;
        put_vod(&db, &vod(&fire)).await;
        put_cctv(&db, &cctv((1.0, 1.0))).await;
        let all = sight(BoundingBox::WORLD, 1.0, 10);
        let cameras = Sight { kinds: vec![ItemKind::Cctv], ..all.clone() };
        assert_eq!(view(&db, &cameras).await.unwrap().items.len(), 1);
        let nothing = Sight { kinds: vec![], ..all.clone() };
        assert_eq!(view(&db, &nothing).await.unwrap().items.len(), 0);
        let floods =
            Sight { categories: Some(vec![Category::Flood]), kinds: vec![ItemKind::Stream, ItemKind::Vod], ..all };
        assert_eq!(view(&db, &floods).await.unwrap().items, vec![Item::Stream(flood)]);
    })
    .await;
}

#[tokio::test]
async fn a_moment_narrows_the_view_to_what_began_since() {
    on_every_database(|db| async move {
        let old = stream::Model { started_at: Some(second(10)), ..stream((1.0, 1.0)) };
        let new = stream::Model { started_at: Some(second(30)), ..stream((1.0, 1.0)) };
        put_stream(&db, &old).await;
        put_stream(&db, &new).await;
        put_vod(&db, &vod::Model { created_at: second(10), ..vod(&old) }).await;
        let camera = cctv((1.0, 1.0));
        put_cctv(&db, &camera).await;
        let seen = Sight { since: Some(second(30)), ..sight(BoundingBox::WORLD, 1.0, 10) };
        assert_eq!(view(&db, &seen).await.unwrap().items, vec![Item::Stream(new), Item::Cctv(camera)]);
    })
    .await;
}

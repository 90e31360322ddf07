//! Neighbourhoods.

use super::*;
use crate::read::fixture::{cctv, on_every_database, put_cctv};

/// The great-circle distance in metres. Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984).
fn metres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let chord = half(b.1 - a.1) + a.1.to_radians().cos() * b.1.to_radians().cos() * half(b.0 - a.0);
    2.0 * 6_371_008.8 * chord.sqrt().asin()
}

#[tokio::test]
async fn near_cameras_come_nearest_first_and_far_or_dead_ones_not_at_all() {
    on_every_database(|db| async move {
        let here = (127.0, 37.5);
        let mut offered = Vec::new();
        for (east, north) in
            [(0.05, 0.0), (0.0, 0.05), (0.0, 0.0), (0.12, 0.0), (0.0, 0.12), (0.03, -0.03), (0.0, -0.089)]
        {
            let row = cctv((here.0 + east, here.1 + north));
            put_cctv(&db, &row).await;
            offered.push(row);
        }
        put_cctv(&db, &Model { status: Status::Dead, ..cctv(here) }).await;
        let away = |row: &Model| metres(here, (row.longitude, row.latitude));
        offered.retain(|row| away(row) <= NEAR_METRES);
        offered.sort_by(|a, b| away(a).total_cmp(&away(b)));
        assert_eq!(offered.len(), 5);
        for first in [1, 3, 5, 50] {
            let place = Around::new(here.0, here.1, first);
            let found = near(&db, &[place]).await.unwrap().remove(&place).unwrap();
            let expected: Vec<_> = offered.iter().take(usize::try_from(first).unwrap()).cloned().collect();
            assert_eq!(found, expected, "first {first}");
        }
    })
    .await;
}

#[tokio::test]
async fn neighbourhoods_reach_across_the_antimeridian_and_round_the_pole() {
    on_every_database(|db| async move {
        let (fiji, pole) = (cctv((-179.99, -17.0)), cctv((100.0, 89.99)));
        put_cctv(&db, &fiji).await;
        put_cctv(&db, &pole).await;
        let places = [Around::new(179.99, -17.0, 5), Around::new(100.0, 89.98, 5), Around::new(0.0, 0.0, 5)];
        let found = near(&db, &places).await.unwrap();
        assert_eq!(found[&places[0]], [fiji]);
        assert_eq!(found[&places[1]], [pole]);
        assert!(found[&places[2]].is_empty());
    })
    .await;
}

#[tokio::test]
async fn many_neighbourhoods_are_each_answered_with_their_own() {
    on_every_database(|db| async move {
        let (mut places, mut rows) = (Vec::new(), Vec::new());
        for number in 0..120 {
            let at = (f64::from(number) - 60.0, 10.0);
            let row = cctv(at);
            put_cctv(&db, &row).await;
            places.push(Around::new(at.0, at.1, 3));
            rows.push(row);
        }
        let found = near(&db, &places).await.unwrap();
        for (place, row) in places.iter().zip(rows) {
            assert_eq!(found[place], [row]);
        }
    })
    .await;
}

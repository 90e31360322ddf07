//! A box as a condition on the columns `longitude`, `latitude` and `cell`.
//!
//! The condition agrees with [`BoundingBox::contains`] on every point: the test of the coordinates is always made, and
//! cells only spare the database from looking at rows far away.

use entity::{BoundingBox, Position, geo::CELL_ZOOM};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait as _},
};
use std::collections::BTreeSet;

/// A box of more cells is asked for by its coordinates alone: the list of cells would be longer than the scan it spares.
/// 64 cells are about 2.8 by 2.8 degrees, a city with its surroundings.
const MOST_CELLS: i64 = 64;

/// The number of the antimeridian in degrees; its other name is the negative.
const ANTIMERIDIAN: f64 = 180.0;

/// The rows whose position lies in the box or on its edge.
pub(crate) fn within(bbox: &BoundingBox) -> Condition {
    let (south, north) = bbox.latitudes();
    let mut spans = Condition::any();
    for (west, east) in bbox.spans() {
        spans = spans.add(Expr::col("longitude").between(west, east));
    }
    if let Some(twin) = antimeridian_twin(bbox) {
        spans = spans.add(Expr::col("longitude").eq(twin));
    }
    let exact = Condition::all().add(Expr::col("latitude").between(south, north)).add(spans);
    match cells(bbox) {
        Some(cells) => exact.add(Expr::col("cell").is_in(cells)),
        None => exact,
    }
}

/// The other name of the antimeridian, for a box that ends on one of its names only.
pub(crate) fn antimeridian_twin(bbox: &BoundingBox) -> Option<f64> {
    let spans = bbox.spans();
    let ends_east = spans.iter().any(|&(_, east)| east >= ANTIMERIDIAN);
    let ends_west = spans.iter().any(|&(west, _)| west <= -ANTIMERIDIAN);
    match (ends_east, ends_west) {
        (true, false) => Some(-ANTIMERIDIAN),
        (false, true) => Some(ANTIMERIDIAN),
        _ => None,
    }
}

/// The `cell` numbers a box touches, if they are few.
fn cells(bbox: &BoundingBox) -> Option<Vec<i64>> {
    let (south, north) = bbox.latitudes();
    let mut ranges = bbox.spans();
    ranges.extend(antimeridian_twin(bbox).map(|twin| (twin, twin)));
    let mut cells = BTreeSet::new();
    for (west, east) in ranges {
        let (left, top) = Position::new(west, north).ok()?.tile(CELL_ZOOM);
        let (right, bottom) = Position::new(east, south).ok()?.tile(CELL_ZOOM);
        if (right - left + 1) * (bottom - top + 1) > MOST_CELLS {
            return None;
        }
        cells.extend((left..=right).flat_map(|x| (top..=bottom).map(move |y| (x << 24) | y)));
    }
    Some(cells.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::fixture::bbox;

    #[test]
    fn a_small_box_touches_the_cells_of_its_corners() {
        let seoul = bbox(126.8, 37.4, 127.2, 37.7);
        let cells = cells(&seoul).unwrap();
        for corner in [(126.8, 37.4), (127.2, 37.4), (126.8, 37.7), (127.2, 37.7)] {
            assert!(cells.contains(&Position::new(corner.0, corner.1).unwrap().cell()));
        }
        assert!(cells.len() <= 9, "{cells:?}");
    }

    #[test]
    fn a_country_is_asked_for_by_its_coordinates_alone() {
        assert_eq!(cells(&bbox(124.0, 33.0, 132.0, 39.0)), None);
        assert_eq!(cells(&BoundingBox::WORLD), None);
    }

    #[test]
    fn only_a_box_that_ends_on_one_name_of_the_antimeridian_needs_the_other() {
        assert_eq!(antimeridian_twin(&bbox(179.0, -1.0, 180.0, 1.0)), Some(-180.0));
        assert_eq!(antimeridian_twin(&bbox(-180.0, -1.0, -179.0, 1.0)), Some(180.0));
        assert_eq!(antimeridian_twin(&bbox(179.0, -1.0, -179.0, 1.0)), None);
        assert_eq!(antimeridian_twin(&bbox(10.0, -1.0, 11.0, 1.0)), None);
    }
}

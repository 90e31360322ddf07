//! Which boxes may hold a point: a grid per zoom level, each box in the cells of the finest level at which it covers
//! few of them.
//!
//! Finding is a lookup per level, however many boxes there are. Cells are even steps in degrees, not map tiles:
//! a subtraction, a division and a floor keep the order of their arguments exactly, so a point in a box can never fall
//! into a cell beside the box's cells. What is found is a candidate; whether the box holds the point is asked of it.

use entity::{BoundingBox, Position};
use std::collections::{HashMap, HashSet};

/// Levels: one cell for the earth up to 1,024 × 1,024 cells of 0.35° × 0.18°.
const LEVELS: usize = 11;

/// The most cells a box is entered in, unless even the coarsest level takes more.
const CELLS_PER_BOX: usize = 16;

/// Column eastward from the antimeridian, row northward from the south pole.
type Cell = (u16, u16);

/// Boxes by the cells they cover.
#[derive(Default)]
pub(super) struct Grid {
    levels: [HashMap<Cell, HashSet<u64>>; LEVELS],
}

impl Grid {
    /// Enters a box under an id.
    pub(super) fn insert(&mut self, id: u64, bbox: &BoundingBox) {
        let (level, cells) = placement(bbox);
        for cell in cells {
            self.levels[level].entry(cell).or_default().insert(id);
        }
    }

    /// Takes out what was entered with the same id and box.
    pub(super) fn remove(&mut self, id: u64, bbox: &BoundingBox) {
        let (level, cells) = placement(bbox);
        for cell in cells {
            if let Some(ids) = self.levels[level].get_mut(&cell) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.levels[level].remove(&cell);
                }
            }
        }
    }

    /// Adds the ids of all boxes that may hold the point to `found`; the same id may be added more than once.
    pub(super) fn candidates(&self, position: Position, found: &mut Vec<u64>) {
        let (longitude, latitude) = (position.longitude.degrees(), position.latitude.degrees());
        // The antimeridian has two names, and a box may have been entered by the other one.
        let longitudes = [Some(longitude), (longitude.abs() >= 180.0).then_some(-longitude)];
        for (level, cells) in self.levels.iter().enumerate().filter(|(_, cells)| !cells.is_empty()) {
            for longitude in longitudes.into_iter().flatten() {
                if let Some(ids) = cells.get(&(column(longitude, level), row(latitude, level))) {
                    found.extend(ids);
                }
            }
        }
    }
}

/// The level and the cells that a box is entered in.
fn placement(bbox: &BoundingBox) -> (usize, HashSet<Cell>) {
    let (south, north) = bbox.latitudes();
    let spans = bbox.spans();
    let size = |level| -> usize {
        let rows = usize::from(row(north, level) - row(south, level)) + 1;
        spans.iter().map(|&(west, east)| (usize::from(column(east, level) - column(west, level)) + 1) * rows).sum()
    };
    let level = (0..LEVELS).rev().find(|&level| size(level) <= CELLS_PER_BOX).unwrap_or(0);
    let cells = spans.iter().flat_map(|&(west, east)| {
        (column(west, level)..=column(east, level))
            .flat_map(move |x| (row(south, level)..=row(north, level)).map(move |y| (x, y)))
    });
    (level, cells.collect())
}

fn column(longitude: f64, level: usize) -> u16 {
    step((longitude + 180.0) / 360.0, level)
}

fn row(latitude: f64, level: usize) -> u16 {
    step((latitude + 90.0) / 180.0, level)
}

/// Which of the level's 2^level even steps a fraction of the whole lies in; the end belongs to the last one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..1024")]
fn step(fraction: f64, level: usize) -> u16 {
    let steps = f64::from(1_u16 << level);
    (fraction * steps).floor().clamp(0.0, steps - 1.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::{Latitude, Longitude};
    use proptest::prelude::*;

    fn longitude() -> impl Strategy<Value = f64> {
        prop_oneof![-180.0..=180.0, (-8_i32..=8).prop_map(|n| f64::from(n) * 22.5), 126.0..=128.0]
    }

    fn latitude() -> impl Strategy<Value = f64> {
        prop_oneof![-90.0..=90.0, (-8_i32..=8).prop_map(|n| f64::from(n) * 11.25), 37.0..=38.0]
    }

    fn any_box() -> impl Strategy<Value = BoundingBox> {
        (longitude(), latitude(), longitude(), latitude()).prop_map(|(west, a, east, b)| {
            BoundingBox::new(
                Longitude::new(west).unwrap(),
                Latitude::new(a.min(b)).unwrap(),
                Longitude::new(east).unwrap(),
                Latitude::new(a.max(b)).unwrap(),
            )
            .unwrap()
        })
    }

    fn any_point() -> impl Strategy<Value = Position> {
        (longitude(), latitude()).prop_map(|(x, y)| Position::new(x, y).unwrap())
    }

    /// Ids of the boxes that hold the point, by way of the grid.
    fn found(grid: &Grid, boxes: &[BoundingBox], point: Position) -> Vec<u64> {
        let mut found = Vec::new();
        grid.candidates(point, &mut found);
        found.retain(|&id| boxes[usize::try_from(id).unwrap()].contains(point));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn linear_scan(boxes: &[BoundingBox], point: Position, keep: impl Fn(u64) -> bool) -> Vec<u64> {
        (0_u64..).zip(boxes).filter(|&(id, bbox)| keep(id) && bbox.contains(point)).map(|(id, _)| id).collect()
    }

    proptest! {
        #[test]
        fn the_grid_finds_what_a_linear_scan_finds(
            boxes in proptest::collection::vec(any_box(), 1..60),
            points in proptest::collection::vec(any_point(), 1..60),
        ) {
            let mut grid = Grid::default();
            for (id, bbox) in (0..).zip(&boxes) {
                grid.insert(id, bbox);
            }
            for &point in &points {
                prop_assert_eq!(found(&grid, &boxes, point), linear_scan(&boxes, point, |_| true));
            }
            for (id, bbox) in (0..).zip(&boxes).filter(|(id, _)| id % 2 == 0) {
                grid.remove(id, bbox);
            }
            for &point in &points {
                prop_assert_eq!(found(&grid, &boxes, point), linear_scan(&boxes, point, |id| id % 2 == 1));
            }
        }

        #[test]
        fn a_corner_of_a_box_is_found_in_it(bbox in any_box()) {
            let mut grid = Grid::default();
            grid.insert(0, &bbox);
            let (south, north) = bbox.latitudes();
            for (west, east) in bbox.spans() {
                for (x, y) in [(west, south), (west, north), (east, south), (east, north)] {
                    prop_assert_eq!(found(&grid, &[bbox], Position::new(x, y).unwrap()), vec![0]);
                }
            }
        }
    }

    #[test]
    fn no_box_takes_many_cells_and_an_emptied_grid_keeps_none() {
        let world = BoundingBox::WORLD;
        assert!(placement(&world).1.len() <= CELLS_PER_BOX);
        let mut grid = Grid::default();
        grid.insert(7, &world);
        grid.remove(7, &world);
        assert!(grid.levels.iter().all(HashMap::is_empty));
    }
}

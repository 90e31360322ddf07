//! The grid that gathers what stands close together: squares in degrees, at level `n` 2ⁿ of them round the equator.
//!
//! The squares lie fixed on the earth, so that a cluster keeps its place and name while a map is dragged. Degrees
//! instead of map tiles, because SQLite computes no logarithms.

use super::area::antimeridian_twin;
use entity::BoundingBox;
use sea_orm::{DbBackend, sea_query::Expr};

/// Levels between a map's zoom and the grid's: a square is an eighth of a map tile wide, 64 of its 512 pixels.
const FINER_THAN_ZOOM: f64 = 3.0;

/// The finest level: squares of about ten metres.
const FINEST: u8 = 22;

/// A level of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grid(u8);

impl Grid {
    /// The finest level that suits the zoom and cuts the box into at most `most` squares (at least 1).
    pub(crate) fn choose(bbox: &BoundingBox, zoom: f64, most: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=FINEST")]
        let wanted = (zoom.floor() + FINER_THAN_ZOOM).clamp(0.0, f64::from(FINEST)) as u8;
        let level = (0..=wanted).rev().find(|&level| Self(level).squares(bbox) <= most.max(1));
        Self(level.unwrap_or(0))
    }

    /// Its number: 0 is one square for the whole earth.
    pub(crate) const fn level(self) -> u8 {
        self.0
    }

    fn columns(self) -> i64 {
        1 << self.0
    }

    /// Width and height of a square in degrees.
    fn degrees(self) -> f64 {
        360.0 / f64::from(1_u32 << self.0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 2^22")]
    fn column(self, longitude: f64) -> i64 {
        (((longitude + 180.0) / self.degrees()) as i64).min(self.columns() - 1)
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 2^22")]
    fn row(self, latitude: f64) -> i64 {
        ((latitude + 90.0) / self.degrees()) as i64
    }

    /// How many squares hold a part of the box.
    fn squares(self, bbox: &BoundingBox) -> u64 {
        let spans = bbox.spans();
        let wide: i64 = spans.iter().map(|&(west, east)| self.column(east) - self.column(west) + 1).sum();
        let twin = i64::from(antimeridian_twin(bbox).is_some());
        let (south, north) = bbox.latitudes();
        let tall = self.row(north) - self.row(south) + 1;
        u64::try_from((wide + twin).min(self.columns()) * tall).unwrap_or(u64::MAX)
    }

    /// The number of a row's square, unique in this level.
    pub(crate) fn number_sql(self, backend: DbBackend) -> Expr {
        let (size, columns, last) = (self.degrees(), self.columns(), self.columns() - 1);
        // A cast of PostgreSQL rounds, one of SQLite cuts; nothing here is negative.
        let whole = |value: &str| match backend {
            DbBackend::Postgres => format!("CAST(FLOOR({value}) AS BIGINT)"),
            _ => format!("CAST({value} AS INTEGER)"),
        };
        let row = whole(&format!("(latitude + 90.0) / {size:?}"));
        let column = whole(&format!("(longitude + 180.0) / {size:?}"));
        Expr::cust(format!("({row} * {columns} + CASE WHEN longitude >= 180.0 THEN {last} ELSE {column} END)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::fixture::bbox;

    #[test]
    fn the_grid_follows_the_zoom_while_its_squares_are_few_enough() {
        let block = bbox(127.0, 37.5, 127.01, 37.51);
        assert_eq!(Grid::choose(&block, 10.0, 200).level(), 13);
        assert_eq!(Grid::choose(&BoundingBox::WORLD, 22.0, 200).level(), 4);
        assert_eq!(Grid::choose(&BoundingBox::WORLD, 22.0, 1).level(), 0);
        assert_eq!(Grid::choose(&block, -3.0, 200).level(), 0);
    }

    #[test]
    fn a_box_across_the_antimeridian_is_no_wider_than_its_two_sides() {
        assert_eq!(Grid(9).squares(&bbox(179.0, -0.1, -179.0, 0.1)), 8);
        assert_eq!(Grid(0).squares(&bbox(1.0, -90.0, -1.0, 90.0)), 1);
    }
}

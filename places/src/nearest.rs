//! The place nearest to a position.
//!
//! Places are sorted into squares of one degree; only squares that touch the circle of 50 km are looked into, so an
//! answer costs the same wherever it is asked for. Distances are on a sphere: they are compared, not shown.

use crate::Place;
use entity::Position;
use std::collections::HashMap;

/// The mean radius of the earth, in km (IUGG).
const EARTH_KM: f64 = 6371.0088;
/// Farther away, a place says nothing about a position.
const REACH_KM: f64 = 50.0;
/// The length of a degree of latitude, in km.
const DEGREE_KM: f64 = 111.19;

/// The places in squares of one degree, by column eastward and row northward.
#[derive(Debug)]
pub(crate) struct Squares(HashMap<(i32, i32), Vec<usize>>);

impl Squares {
    pub(crate) fn of(places: &[Place]) -> Self {
        let mut squares: HashMap<_, Vec<_>> = HashMap::new();
        for (index, place) in places.iter().enumerate().filter(|(_, place)| !place.wide) {
            let (longitude, latitude) = degrees(place.position);
            squares.entry((column(longitude), whole(latitude))).or_default().push(index);
        }
        Self(squares)
    }

    pub(crate) fn nearest<'a>(&self, places: &'a [Place], position: Position) -> Option<&'a Place> {
        let (longitude, latitude) = degrees(position);
        let high = REACH_KM / DEGREE_KM;
        // Toward the poles the circle is wider in degrees; at them it is all the way round.
        let wide = (high / (latitude.abs() + high).min(89.9).to_radians().cos()).min(180.0);
        let rows = whole(latitude - high)..=whole(latitude + high);
        let columns = whole(longitude - wide)..=whole(longitude + wide).min(whole(longitude - wide) + 359);
        let squares = rows.flat_map(|row| columns.clone().map(move |x| (x.rem_euclid(360), row)));
        let found = squares.filter_map(|square| self.0.get(&square)).flatten().filter_map(|index| places.get(*index));
        found
            .map(|place| (kilometres(place.position, position), place))
            .filter(|(distance, _)| *distance <= REACH_KM)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, place)| place)
    }
}

/// The distance between two positions, by the haversine formula.
pub(crate) fn kilometres(a: Position, b: Position) -> f64 {
    let ((x1, y1), (x2, y2)) = (degrees(a), degrees(b));
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let square = (y1.to_radians().cos() * y2.to_radians().cos()).mul_add(half(x2 - x1), half(y2 - y1));
    2.0 * EARTH_KM * square.sqrt().min(1.0).asin()
}

const fn degrees(position: Position) -> (f64, f64) {
    (position.longitude.degrees(), position.latitude.degrees())
}

fn column(longitude: f64) -> i32 {
    whole(longitude).rem_euclid(360)
}

#[expect(clippy::cast_possible_truncation, reason = "degrees, within a few hundred of zero")]
fn whole(degrees: f64) -> i32 {
    degrees.floor() as i32
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may end this way")]
mod tests {
    use super::*;
    use crate::Words;

    fn place(longitude: f64, latitude: f64) -> Place {
        let name = Words { english: "there", korean: "" };
        let position = Position::new(longitude, latitude).unwrap();
        Place { name, within: Vec::new(), position, weight: 4.0, wide: false }
    }

    #[test]
    fn the_antimeridian_and_the_poles_are_no_borders() {
        for (of_place, asked) in
            [((179.9, -16.8), (-179.9, -16.8)), ((-180.0, 0.0), (180.0, 0.3)), ((10.0, 89.8), (-170.0, 89.9))]
        {
            let places = [place(of_place.0, of_place.1)];
            let asked = Position::new(asked.0, asked.1).unwrap();
            assert!(Squares::of(&places).nearest(&places, asked).is_some(), "{asked:?}");
        }
    }

    #[test]
    fn what_is_farther_than_fifty_kilometres_is_not_near() {
        let places = [place(127.0, 37.0)];
        let near = |latitude| Squares::of(&places).nearest(&places, Position::new(127.0, latitude).unwrap()).is_some();
        assert!(near(37.44) && !near(37.46));
    }
}

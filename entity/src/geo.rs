//! Positions and boxes on the earth: WGS 84, degrees, west-south-east-north.
//!
//! A box whose west is greater than its east crosses the antimeridian; every question about a box is answered
//! here, so that no caller forgets it.

use serde::{Deserialize, Serialize};

/// A coordinate out of range, or not a number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{what} must lie between {min} and {max}, not {got}")]
pub struct OutOfRange {
    /// Which value was wrong, as the API names it.
    pub what: &'static str,
    /// The smallest value allowed.
    pub min: f64,
    /// The largest value allowed.
    pub max: f64,
    /// What was given.
    pub got: f64,
}

macro_rules! degrees {
    ($(#[$meta:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Degrees, if in range.
            pub fn new(degrees: f64) -> Result<Self, OutOfRange> {
                if (-$max..=$max).contains(&degrees) {
                    Ok(Self(degrees))
                } else {
                    Err(OutOfRange { what: $what, min: -$max, max: $max, got: degrees })
                }
            }

            /// Degrees.
            pub const fn degrees(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = OutOfRange;

            fn try_from(degrees: f64) -> Result<Self, Self::Error> {
                Self::new(degrees)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

degrees!(
    /// East of Greenwich, −180 to 180 degrees.
    Longitude,
    "longitude",
    180.0
);
degrees!(
    /// North of the equator, −90 to 90 degrees.
    Latitude,
    "latitude",
    90.0
);

/// A point on the earth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// East of Greenwich.
    pub longitude: Longitude,
    /// North of the equator.
    pub latitude: Latitude,
}

impl Position {
    /// A position from degrees.
    pub fn new(longitude: f64, latitude: f64) -> Result<Self, OutOfRange> {
        Ok(Self { longitude: Longitude::new(longitude)?, latitude: Latitude::new(latitude)? })
    }

    /// The number of the web-mercator tile at zoom [`CELL_ZOOM`] that holds this point, as stored in `cell`
    /// columns: `(x << 24) | y`. Latitudes past the projection's edge (85.05°) fall into its outermost row.
    pub fn cell(self) -> i64 {
        let (x, y) = self.tile(CELL_ZOOM);
        (x << 24) | y
    }

    /// The web-mercator tile (x, y) at a zoom, x eastward from the antimeridian, y southward from 85.05° N.
    /// Source: OpenStreetMap, "Slippy map tilenames".
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..tiles, and zoom is at most 30")]
    pub fn tile(self, zoom: u8) -> (i64, i64) {
        let tiles = f64::from(1_u32 << zoom.min(30));
        let latitude = self.latitude.degrees().to_radians();
        let x = (self.longitude.degrees() + 180.0) / 360.0 * tiles;
        let y = (1.0 - latitude.tan().asinh() / std::f64::consts::PI) / 2.0 * tiles;
        let clamp = |v: f64| v.clamp(0.0, tiles - 1.0) as i64;
        (clamp(x), clamp(y))
    }
}

/// The zoom of the tiles that `cell` columns number: tiles of about 30 km, a city or two.
pub const CELL_ZOOM: u8 = 10;

/// A box on the earth. `west > east` crosses the antimeridian; edges belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    west: Longitude,
    south: Latitude,
    east: Longitude,
    north: Latitude,
}

/// A box whose south lies north of its north.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("south ({south}) must not lie north of north ({north})")]
pub struct UpsideDown {
    /// The southern edge given.
    pub south: f64,
    /// The northern edge given.
    pub north: f64,
}

impl BoundingBox {
    /// A box from its edges.
    pub fn new(west: Longitude, south: Latitude, east: Longitude, north: Latitude) -> Result<Self, UpsideDown> {
        if south.degrees() > north.degrees() {
            return Err(UpsideDown { south: south.degrees(), north: north.degrees() });
        }
        Ok(Self { west, south, east, north })
    }

    /// The whole earth.
    pub const WORLD: Self =
        Self { west: Longitude(-180.0), south: Latitude(-90.0), east: Longitude(180.0), north: Latitude(90.0) };

    /// Whether the point lies in the box or on its edge. The two names of the antimeridian, −180 and 180, are one
    /// line.
    pub fn contains(&self, position: Position) -> bool {
        let latitude = position.latitude.degrees();
        (self.south.degrees()..=self.north.degrees()).contains(&latitude)
            && self.spans().iter().any(|&(west, east)| {
                let inside = |longitude: f64| (west..=east).contains(&longitude);
                let longitude = position.longitude.degrees();
                inside(longitude) || (longitude.abs() >= 180.0 && inside(-longitude))
            })
    }

    /// The ranges of longitude the box covers, each with `west <= east`: one, or two across the antimeridian.
    pub fn spans(&self) -> Vec<(f64, f64)> {
        let (west, east) = (self.west.degrees(), self.east.degrees());
        if west <= east { vec![(west, east)] } else { vec![(west, 180.0), (-180.0, east)] }
    }

    /// The southern and northern edge in degrees.
    pub fn latitudes(&self) -> (f64, f64) {
        (self.south.degrees(), self.north.degrees())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bbox(west: f64, south: f64, east: f64, north: f64) -> BoundingBox {
        let lon = |v| Longitude::new(v).unwrap();
        let lat = |v| Latitude::new(v).unwrap();
        BoundingBox::new(lon(west), lat(south), lon(east), lat(north)).unwrap()
    }

    fn at(longitude: f64, latitude: f64) -> Position {
        Position::new(longitude, latitude).unwrap()
    }

    #[test]
    fn a_box_across_the_antimeridian_holds_both_sides_and_not_the_middle() {
        let fiji = bbox(170.0, -20.0, -170.0, -10.0);
        assert!(fiji.contains(at(175.0, -15.0)) && fiji.contains(at(-175.0, -15.0)));
        assert!(!fiji.contains(at(0.0, -15.0)));
    }

    #[test]
    fn the_antimeridian_is_one_line_by_both_its_names() {
        assert!(bbox(170.0, -20.0, 180.0, -10.0).contains(at(-180.0, -15.0)));
        assert!(bbox(-180.0, -20.0, -170.0, -10.0).contains(at(180.0, -15.0)));
        assert!(!bbox(100.0, -20.0, 179.0, -10.0).contains(at(180.0, -15.0)));
    }

    #[test]
    fn not_a_number_is_no_coordinate() {
        assert!(Longitude::new(f64::NAN).is_err() && Latitude::new(90.1).is_err());
    }

    #[test]
    fn seoul_lies_in_its_known_tile() {
        // openstreetmap.org/10/873/396 shows Seoul's city hall.
        assert_eq!(at(126.9784, 37.5667).tile(10), (873, 396));
        assert_eq!(at(180.0, -90.0).tile(10), (1023, 1023));
    }
}

//! Positions, and places with a name.

use crate::schema::scalars::{Latitude, Longitude};
use async_graphql::SimpleObject;

/// A point on the earth (WGS 84).
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct Position {
    /// East of Greenwich.
    pub longitude: Longitude,
    /// North of the equator.
    pub latitude: Latitude,
}

impl Position {
    /// A position as a row keeps it.
    pub(crate) const fn new(longitude: f64, latitude: f64) -> Self {
        Self { longitude: Longitude(longitude), latitude: Latitude(latitude) }
    }
}

/// A place with a name.
#[derive(SimpleObject, Clone, Debug)]
pub struct Place {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub position: Position,
}

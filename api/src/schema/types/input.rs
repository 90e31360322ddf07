//! What clients send, and how it becomes the domain's types: an error names the field it is about.

use crate::schema::{
    Failure, Result,
    scalars::{Latitude, Longitude},
    types::words::Category,
};
use async_graphql::{ID, InputObject};
use entity::{BoundingBox, Position};
use std::fmt::Display;

/// A box on the earth; its edges belong to it. Where `west` is greater than `east` it crosses the antimeridian.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct BoundingBoxInput {
    /// Its western edge.
    pub west: Longitude,
    /// Its southern edge; not north of `north`.
    pub south: Latitude,
    /// Its eastern edge.
    pub east: Longitude,
    /// Its northern edge.
    pub north: Latitude,
}

/// A point on the earth.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct PositionInput {
    /// East of Greenwich.
    pub longitude: Longitude,
    /// North of the equator.
    pub latitude: Latitude,
}

/// A broadcast to be.
#[derive(InputObject)]
pub struct StartStreamInput {
    /// What it is called; the server sets how long it may be.
    pub title: String,
    /// Where it is.
    pub position: PositionInput,
    /// The hazard it shows.
    pub category: Category,
    /// More words.
    pub description: Option<String>,
    /// Where the camera looks: degrees clockwise from north, 0 to below 360.
    pub heading: Option<f64>,
    /// Radius of the position's uncertainty in metres.
    pub accuracy: Option<f64>,
}

/// Where a broadcast is now.
#[derive(InputObject)]
pub struct MoveStreamInput {
    /// Which broadcast.
    pub id: ID,
    /// The token that `startStream` answered.
    #[graphql(secret)]
    pub publish_token: String,
    /// Where it is now.
    pub position: PositionInput,
    /// Where the camera looks: degrees clockwise from north, 0 to below 360. Left out: not known any more.
    pub heading: Option<f64>,
    /// Radius of the position's uncertainty in metres. Left out: not known any more.
    pub accuracy: Option<f64>,
}

/// A broadcast to end.
#[derive(InputObject)]
pub struct StopStreamInput {
    /// Which broadcast.
    pub id: ID,
    /// The token that `startStream` answered.
    #[graphql(secret)]
    pub publish_token: String,
}

impl BoundingBoxInput {
    /// The box, or what is wrong with which edge; `field` is the argument it came in.
    pub(crate) fn parse(self, field: &str) -> Result<BoundingBox> {
        let west = entity::Longitude::new(self.west.0).map_err(|error| wrong(field, "west", error))?;
        let south = entity::Latitude::new(self.south.0).map_err(|error| wrong(field, "south", error))?;
        let east = entity::Longitude::new(self.east.0).map_err(|error| wrong(field, "east", error))?;
        let north = entity::Latitude::new(self.north.0).map_err(|error| wrong(field, "north", error))?;
        BoundingBox::new(west, south, east, north).map_err(|error| wrong(field, "south", error))
    }
}

impl PositionInput {
    /// The position, or what is wrong with which coordinate; `field` is the argument it came in.
    pub(crate) fn parse(self, field: &str) -> Result<Position> {
        let longitude = entity::Longitude::new(self.longitude.0).map_err(|error| wrong(field, "longitude", error))?;
        let latitude = entity::Latitude::new(self.latitude.0).map_err(|error| wrong(field, "latitude", error))?;
        Ok(Position { longitude, latitude })
    }
}

fn wrong(field: &str, part: &str, error: impl Display) -> Failure {
    Failure::bad_input(format!("{field}.{part}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(west: f64, south: f64, east: f64, north: f64) -> BoundingBoxInput {
        BoundingBoxInput {
            west: Longitude(west),
            south: Latitude(south),
            east: Longitude(east),
            north: Latitude(north),
        }
    }

    #[test]
    fn a_bad_box_names_the_edge_that_is_wrong() {
        for (given, edge) in [
            (input(-180.1, 0.0, 1.0, 1.0), "bbox.west"),
            (input(0.0, -91.0, 1.0, 1.0), "bbox.south"),
            (input(0.0, 0.0, 181.0, 1.0), "bbox.east"),
            (input(0.0, 0.0, 1.0, 90.5), "bbox.north"),
            (input(0.0, 2.0, 1.0, 1.0), "bbox.south"),
            (input(f64::NAN, 0.0, 1.0, 1.0), "bbox.west"),
        ] {
            let Err(Failure::BadInput { field, .. }) = given.parse("bbox") else { panic!("{given:?} was taken") };
            assert_eq!(field, edge);
        }
    }
}

//! Positions, and places with a name.

use crate::schema::{
    Result, part,
    scalars::{Latitude, Longitude},
};
use async_graphql::{Context, Enum, Object, SimpleObject};
use places::Gazetteer;
use std::sync::Arc;

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

/// A language names can be had in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Korean; English where no Korean name is known.
    Ko,
}

/// A place with a name.
pub struct Place(pub(crate) places::Place);

/// A place with a name.
#[Object]
impl Place {
    /// What people call it, and what it lies in: `Jung-gu, Seoul`.
    async fn name(
        &self,
        #[graphql(default_with = "Language::En", desc = "In which language.")] language: Language,
    ) -> String {
        self.0.name(match language {
            Language::En => places::Language::English,
            Language::Ko => places::Language::Korean,
        })
    }

    /// Where it is.
    async fn position(&self) -> Position {
        let at = self.0.position();
        Position::new(at.longitude.degrees(), at.latitude.degrees())
    }
}

/// The place nearest to a position.
pub(crate) fn at(ctx: &Context<'_>, position: entity::Position) -> Result<Option<Place>> {
    Ok(part::<Arc<Gazetteer>>(ctx)?.at(position).cloned().map(Place))
}

/// The place nearest to where a row says that something is.
pub(crate) fn of_row(ctx: &Context<'_>, longitude: f64, latitude: f64) -> Result<Option<Place>> {
    entity::Position::new(longitude, latitude).map_or(Ok(None), |position| at(ctx, position))
}

//! Public cameras.

use super::{
    area::within,
    page::{self, Page, Slice},
};
use entity::{
    BoundingBox, CctvId, Latitude, Longitude,
    cctv::{Column, Entity, Kind, Model, Status},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, Order, QueryFilter as _,
    QueryTrait as _,
    sea_query::{Asterisk, CaseStatement, Expr, ExprTrait as _, Func, Query, SelectStatement, UnionType},
};
use std::collections::HashMap;

/// How far away a camera may be to count as near, in metres.
pub(crate) const NEAR_METRES: f64 = 10_000.0;

/// The length of a degree of latitude in metres, on a sphere of WGS 84's mean radius (6,371,008.8 m).
const METRES_PER_DEGREE: f64 = 111_195.08;

/// How many neighbourhoods one statement asks for. SQLite takes at most 500 parts of a union by default
/// (`SQLITE_MAX_COMPOUND_SELECT`).
const PLACES_PER_STATEMENT: usize = 50;

/// Which cameras; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Where they are.
    pub(crate) bbox: Option<BoundingBox>,
    /// How alive they are.
    pub(crate) statuses: Option<Vec<Status>>,
    /// What they give.
    pub(crate) kinds: Option<Vec<Kind>>,
    /// Who publishes them.
    pub(crate) source: Option<String>,
}

/// The camera.
pub(crate) async fn by_id(db: &impl ConnectionTrait, id: CctvId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Those of the cameras that there are.
pub(crate) async fn by_ids(db: &impl ConnectionTrait, ids: &[CctvId]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await
}

/// One page of the cameras that pass the filter.
pub(crate) async fn list(db: &impl ConnectionTrait, filter: Filter, page: Page) -> Result<Slice<Model>, DbErr> {
    let select = Entity::find()
        .apply_if(filter.bbox, |select, bbox| select.filter(within(&bbox)))
        .apply_if(filter.statuses, |select, statuses| select.filter(Column::Status.is_in(statuses)))
        .apply_if(filter.kinds, |select, kinds| select.filter(Column::Kind.is_in(kinds)))
        .apply_if(filter.source, |select, source| select.filter(Column::Source.eq(source)));
    page::read(db, select, page).await
}

/// A neighbourhood: the nearest cameras of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Around {
    longitude_bits: u64,
    latitude_bits: u64,
    first: u64,
}

impl Around {
    /// The `first` nearest cameras of a place.
    pub(crate) fn new(longitude: f64, latitude: f64, first: u64) -> Self {
        Self { longitude_bits: longitude.to_bits(), latitude_bits: latitude.to_bits(), first }
    }

    fn degrees(self) -> (f64, f64) {
        (f64::from_bits(self.longitude_bits), f64::from_bits(self.latitude_bits))
    }

    /// The box that holds everything within [`NEAR_METRES`].
    fn bbox(self) -> Option<BoundingBox> {
        let (longitude, latitude) = self.degrees();
        let tall = NEAR_METRES / METRES_PER_DEGREE;
        let (south, north) = ((latitude - tall).max(-90.0), (latitude + tall).min(90.0));
        // The widest in degrees is the parallel nearest to the pole; round the pole itself it is every meridian.
        let wide = tall / south.abs().max(north.abs()).to_radians().cos();
        let (west, east) =
            if wide < 180.0 { (wrapped(longitude - wide), wrapped(longitude + wide)) } else { (-180.0, 180.0) };
        let longitudes = (Longitude::new(west).ok()?, Longitude::new(east).ok()?);
        BoundingBox::new(longitudes.0, Latitude::new(south).ok()?, longitudes.1, Latitude::new(north).ok()?).ok()
    }

    /// The square of the distance in degrees of latitude, on the plane that touches the earth here: good to a
    /// thousandth over [`NEAR_METRES`].
    fn distance_sql(self) -> Expr {
        let (longitude, latitude) = self.degrees();
        let apart = || Expr::from(Func::abs(Expr::col("longitude").sub(longitude)));
        let shorter_way = CaseStatement::new().case(apart().gt(180.0), Expr::val(360.0).sub(apart())).finally(apart());
        let shorter_way: Expr = shorter_way.into();
        let squeeze = latitude.to_radians().cos();
        let east = || shorter_way.clone().mul(squeeze);
        let north = || Expr::col("latitude").sub(latitude);
        east().mul(east()).add(north().mul(north()))
    }

    /// The same distance for a row.
    fn distance(self, camera: &Model) -> f64 {
        let (longitude, latitude) = self.degrees();
        let apart = (camera.longitude - longitude).abs();
        let east = if apart > 180.0 { 360.0 - apart } else { apart } * latitude.to_radians().cos();
        (camera.latitude - latitude).mul_add(camera.latitude - latitude, east * east)
    }

    fn ids_sql(self, place: usize) -> Option<SelectStatement> {
        let reach = NEAR_METRES / METRES_PER_DEGREE;
        let place = i64::try_from(place).ok()?;
        let nearest = Query::select()
            .expr_as(Expr::val(place), "place")
            .column("id")
            .from(Entity)
            .cond_where(within(&self.bbox()?))
            .and_where(Expr::col("status").ne(Status::Dead))
            .and_where(self.distance_sql().lte(reach * reach))
            .order_by_expr(self.distance_sql(), Order::Asc)
            .order_by("id", Order::Asc)
            .limit(self.first)
            .to_owned();
        // SQLite takes ORDER BY and LIMIT inside a union in a subquery only.
        Some(Query::select().column(Asterisk).from_subquery(nearest, "nearest").to_owned())
    }
}

/// Longitude brought back into −180 to 180 degrees.
fn wrapped(longitude: f64) -> f64 {
    if longitude < -180.0 {
        longitude + 360.0
    } else if longitude > 180.0 {
        longitude - 360.0
    } else {
        longitude
    }
}

#[derive(FromQueryResult)]
struct Neighbour {
    place: i64,
    id: CctvId,
}

/// The cameras near each of the places, nearest first, dead ones left out: two statements for every
/// [`PLACES_PER_STATEMENT`] places.
pub(crate) async fn near(db: &impl ConnectionTrait, places: &[Around]) -> Result<HashMap<Around, Vec<Model>>, DbErr> {
    let mut found = HashMap::with_capacity(places.len());
    for places in places.chunks(PLACES_PER_STATEMENT) {
        let neighbours = neighbours(db, places).await?;
        let ids: Vec<CctvId> = neighbours.iter().map(|neighbour| neighbour.id).collect();
        let cameras: HashMap<_, _> = by_ids(db, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
        for (number, place) in places.iter().enumerate() {
            let here = neighbours.iter().filter(|near| usize::try_from(near.place).is_ok_and(|at| at == number));
            let mut near: Vec<Model> = here.filter_map(|near| cameras.get(&near.id).cloned()).collect();
            near.sort_by(|a, b| place.distance(a).total_cmp(&place.distance(b)).then(a.id.cmp(&b.id)));
            found.insert(*place, near);
        }
    }
    Ok(found)
}

async fn neighbours(db: &impl ConnectionTrait, places: &[Around]) -> Result<Vec<Neighbour>, DbErr> {
    let mut parts = places.iter().enumerate().filter_map(|(number, place)| place.ids_sql(number));
    let Some(mut statement) = parts.next() else { return Ok(Vec::new()) };
    for part in parts {
        statement.union(UnionType::All, part);
    }
    let rows = db.query_all(&statement).await?;
    rows.iter().map(|row| Neighbour::from_query_result(row, "")).collect()
}

#[cfg(test)]
mod tests;

//! What stands on the map in a box: live broadcasts, replays, cameras, each newest first.
//!
//! Everything in the box is answered once: as an item or in the count of one cluster. All are items while they are at
//! most as many as asked for; else the box is cut into a [`Grid`], a square with one thing in it shows the thing, and a
//! square with more becomes a cluster. A square holds each thing in one place only, so nothing is counted twice.

use super::{area::within, grid::Grid, items::Item, page::newest_first};
use entity::{BoundingBox, Category, Position, cctv, event::ItemKind, stream, time::Timestamp, vod};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter as _,
    QuerySelect as _, QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _},
};
use std::collections::BTreeMap;

/// What is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// The box.
    pub(crate) bbox: BoundingBox,
    /// The map's zoom, as web maps count it.
    pub(crate) zoom: f64,
    /// At most how many items and clusters together.
    pub(crate) first: u64,
    /// Which kinds.
    pub(crate) kinds: Vec<ItemKind>,
    /// Which hazards; cameras have none and are not narrowed.
    pub(crate) categories: Option<Vec<Category>>,
    /// Only what began at this moment or later; cameras never began and are not narrowed.
    pub(crate) since: Option<Timestamp>,
}

/// What is seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// Things shown by themselves.
    pub(crate) items: Vec<Item>,
    /// Things that stand for several.
    pub(crate) clusters: Vec<Cluster>,
}

/// Several things close together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cluster {
    /// The grid's level and the square's number in it.
    pub(crate) square: (u8, i64),
    /// How many there are of each kind.
    pub(crate) counts: Counts,
    /// The mean of their longitudes and latitudes.
    pub(crate) middle: (f64, f64),
    /// West, south, east and north of the smallest box that holds them.
    pub(crate) edges: (f64, f64, f64, f64),
}

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Broadcasts.
    pub(crate) streams: i64,
    /// Replays.
    pub(crate) vods: i64,
    /// Cameras.
    pub(crate) cctvs: i64,
}

impl Counts {
    /// All kinds together.
    pub(crate) const fn total(self) -> i64 {
        self.streams + self.vods + self.cctvs
    }

    fn of(kind: ItemKind, count: i64) -> Self {
        match kind {
            ItemKind::Stream => Self { streams: count, ..Self::default() },
            ItemKind::Vod => Self { vods: count, ..Self::default() },
            ItemKind::Cctv => Self { cctvs: count, ..Self::default() },
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self { streams: self.streams + other.streams, vods: self.vods + other.vods, cctvs: self.cctvs + other.cctvs }
    }
}

/// What is seen in the box.
pub(crate) async fn view(db: &impl ConnectionTrait, sight: &Sight) -> Result<View, DbErr> {
    let items = newest(db, sight, sight.first.saturating_add(1)).await?;
    if !more_than(&items, sight.first) {
        return Ok(View { items, clusters: Vec::new() });
    }
    let grid = Grid::choose(&sight.bbox, sight.zoom, sight.first);
    let squares = squares(db, sight, grid).await?;
    let (single, crowded): (BTreeMap<_, _>, BTreeMap<_, _>) =
        squares.into_iter().partition(|(_, cluster)| cluster.counts.total() == 1);
    Ok(View { items: alone(db, sight, grid, &single).await?, clusters: crowded.into_values().collect() })
}

fn more_than(items: &[Item], most: u64) -> bool {
    u64::try_from(items.len()).is_ok_and(|count| count > most)
}

/// At most `most` things in the box.
async fn newest(db: &impl ConnectionTrait, sight: &Sight, most: u64) -> Result<Vec<Item>, DbErr> {
    let mut items = Vec::new();
    for kind in in_order(&sight.kinds) {
        let left = most.saturating_sub(u64::try_from(items.len()).unwrap_or(u64::MAX));
        if left == 0 {
            break;
        }
        items.extend(rows(db, sight, kind, Condition::all(), left).await?);
    }
    Ok(items)
}

/// The kinds asked for, each once, in the order in which they are shown.
fn in_order(kinds: &[ItemKind]) -> impl Iterator<Item = ItemKind> {
    ItemKind::ALL.iter().copied().filter(|kind| kinds.contains(kind))
}

/// Things of one kind in the box, newest first, of which the condition also holds.
async fn rows(
    db: &impl ConnectionTrait,
    sight: &Sight,
    kind: ItemKind,
    also: Condition,
    most: u64,
) -> Result<Vec<Item>, DbErr> {
    Ok(match kind {
        ItemKind::Stream => {
            let select = newest_first(streams(sight).filter(also), "started_at").limit(most);
            select.all(db).await?.into_iter().map(Item::Stream).collect()
        }
        ItemKind::Vod => {
            let select = newest_first(vods(sight).filter(also), "created_at").limit(most);
            select.all(db).await?.into_iter().map(Item::Vod).collect()
        }
        ItemKind::Cctv => {
            let select = newest_first(cctvs(sight).filter(also), "created_at").limit(most);
            select.all(db).await?.into_iter().map(Item::Cctv).collect()
        }
    })
}

fn streams(sight: &Sight) -> Select<stream::Entity> {
    stream::Entity::find()
        .filter(stream::Column::Status.is_in([stream::Status::Live, stream::Status::Interrupted]))
        .filter(within(&sight.bbox))
        .apply_if(sight.categories.clone(), |select, categories| {
            select.filter(stream::Column::Category.is_in(categories))
        })
        .apply_if(sight.since, |select, since| select.filter(stream::Column::StartedAt.gte(since)))
}

/// A replay stands on the map from the end of its stream on; before that the stream does.
fn vods(sight: &Sight) -> Select<vod::Entity> {
    let growing =
        Condition::all().add(vod::Column::Status.eq(vod::Status::Processing)).add(vod::Column::ListedAt.is_not_null());
    vod::Entity::find()
        .filter(Condition::any().add(vod::Column::Status.eq(vod::Status::Ready)).add(growing))
        .filter(within(&sight.bbox))
        .apply_if(sight.categories.clone(), |select, categories| select.filter(vod::Column::Category.is_in(categories)))
        .apply_if(sight.since, |select, since| select.filter(vod::Column::CreatedAt.gte(since)))
}

fn cctvs(sight: &Sight) -> Select<cctv::Entity> {
    cctv::Entity::find().filter(within(&sight.bbox))
}

/// What a square of the grid holds of one kind.
#[derive(FromQueryResult)]
struct Tally {
    square: i64,
    rows: i64,
    longitude: f64,
    latitude: f64,
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// The squares of the grid that hold anything, by their number.
async fn squares(db: &impl ConnectionTrait, sight: &Sight, grid: Grid) -> Result<BTreeMap<i64, Cluster>, DbErr> {
    let mut squares: BTreeMap<i64, Cluster> = BTreeMap::new();
    for kind in in_order(&sight.kinds) {
        let tallies = match kind {
            ItemKind::Stream => tally(db, streams(sight), grid).await?,
            ItemKind::Vod => tally(db, vods(sight), grid).await?,
            ItemKind::Cctv => tally(db, cctvs(sight), grid).await?,
        };
        for tally in tallies {
            let more = Cluster {
                square: (grid.level(), tally.square),
                counts: Counts::of(kind, tally.rows),
                middle: (tally.longitude, tally.latitude),
                edges: (tally.west, tally.south, tally.east, tally.north),
            };
            squares.entry(tally.square).and_modify(|cluster| cluster.take_in(&more)).or_insert(more);
        }
    }
    Ok(squares)
}

async fn tally<E: EntityTrait>(db: &impl ConnectionTrait, select: Select<E>, grid: Grid) -> Result<Vec<Tally>, DbErr> {
    let square = grid.number_sql(db.get_database_backend());
    select
        .select_only()
        .expr_as(square.clone(), "square")
        .expr_as(Expr::cust("COUNT(*)"), "rows")
        .expr_as(Expr::cust("AVG(longitude)"), "longitude")
        .expr_as(Expr::cust("AVG(latitude)"), "latitude")
        .expr_as(Expr::cust("MIN(longitude)"), "west")
        .expr_as(Expr::cust("MIN(latitude)"), "south")
        .expr_as(Expr::cust("MAX(longitude)"), "east")
        .expr_as(Expr::cust("MAX(latitude)"), "north")
        .group_by(square)
        .into_model()
        .all(db)
        .await
}

impl Cluster {
    /// Makes one cluster of two in the same square.
    fn take_in(&mut self, other: &Self) {
        #[expect(clippy::cast_precision_loss, reason = "a count of rows, far below 2^52")]
        let (mine, theirs) = (self.counts.total() as f64, other.counts.total() as f64);
        let mean = |a: f64, b: f64| mine.mul_add(a, theirs * b) / (mine + theirs);
        self.middle = (mean(self.middle.0, other.middle.0), mean(self.middle.1, other.middle.1));
        let (a, b) = (self.edges, other.edges);
        self.edges = (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3));
        self.counts = self.counts.plus(other.counts);
    }

    /// Which kind it is, where it holds one thing.
    const fn only_kind(&self) -> ItemKind {
        match self.counts {
            Counts { streams: 1.., .. } => ItemKind::Stream,
            Counts { vods: 1.., .. } => ItemKind::Vod,
            Counts { .. } => ItemKind::Cctv,
        }
    }
}

/// The things that are alone in their square.
async fn alone(
    db: &impl ConnectionTrait,
    sight: &Sight,
    grid: Grid,
    squares: &BTreeMap<i64, Cluster>,
) -> Result<Vec<Item>, DbErr> {
    let mut items = Vec::with_capacity(squares.len());
    for kind in in_order(&sight.kinds) {
        let of_kind: Vec<_> = squares.iter().filter(|(_, square)| square.only_kind() == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let numbers = of_kind.iter().map(|(number, _)| **number);
        // The corner of a box round one position is the position: its cell leads the database to the row.
        let cells = of_kind.iter().filter_map(|(_, square)| Position::new(square.edges.0, square.edges.1).ok());
        let here = Condition::all()
            .add(Expr::col("cell").is_in(cells.map(Position::cell)))
            .add(grid.number_sql(db.get_database_backend()).is_in(numbers));
        let most = u64::try_from(of_kind.len()).unwrap_or(u64::MAX);
        items.extend(rows(db, sight, kind, here, most).await?);
    }
    Ok(items)
}

#[cfg(test)]
mod tests;

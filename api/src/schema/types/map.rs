//! The map: items, clusters, and the cursor from which on a subscription completes them.

use super::{MapItem, place::Position};
use crate::{
    read::map::{self, View},
    schema::scalars::{Cursor, Latitude, Longitude},
};
use async_graphql::{ID, SimpleObject};

/// What stands in a box. Everything in it is told once: as one of `items`, or in the count of one of `clusters`.
///
/// While there are at most `first` things in the box, all of them are `items` and there are no clusters. When there are
/// more, the box is cut into a grid that follows `zoom` (squares an eighth of a map tile wide, coarser where there would
/// be more than `first` of them): a thing that is alone in its square is one of `items`, several in one square are one
/// of `clusters`. Items and clusters together are at most `first`.
#[derive(SimpleObject)]
pub struct MapView {
    /// Live broadcasts, then replays, then cameras; each newest first. A broadcast is shown while it is `LIVE` or
    /// `INTERRUPTED`; its replay from the end of the broadcast on.
    items: Vec<MapItem>,
    /// What stands too close together to be shown by itself.
    clusters: Vec<Cluster>,
    /// Where `mapEvents(after:)` must start so that no change is missed: it was read before the items were. Merge by
    /// id: a change may be seen twice, in the items and as an event.
    cursor: Cursor,
}

/// Several things close together.
#[derive(SimpleObject)]
pub struct Cluster {
    /// The same for the same square of the grid, whatever else is asked for; not the id of a node.
    id: ID,
    /// The middle of the things in it.
    position: Position,
    /// How many there are, of all kinds.
    count: i32,
    /// How many there are of each kind.
    counts: ClusterCounts,
    /// The smallest box that holds them all: what to zoom to.
    bbox: BoundingBox,
}

/// How many things of each kind.
#[derive(SimpleObject)]
pub struct ClusterCounts {
    /// Live broadcasts.
    streams: i32,
    /// Replays.
    vods: i32,
    /// Cameras.
    cctvs: i32,
}

/// A box on the earth; its edges belong to it.
#[derive(SimpleObject)]
pub struct BoundingBox {
    /// Its western edge.
    west: Longitude,
    /// Its southern edge.
    south: Latitude,
    /// Its eastern edge.
    east: Longitude,
    /// Its northern edge.
    north: Latitude,
}

impl MapView {
    /// What was seen, and the number of the newest event before it was looked at.
    pub(crate) fn new(view: View, cursor: i64) -> Self {
        Self {
            items: view.items.into_iter().map(MapItem::from).collect(),
            clusters: view.clusters.into_iter().map(Cluster::from).collect(),
            cursor: Cursor::Event(cursor),
        }
    }
}

impl From<map::Cluster> for Cluster {
    fn from(cluster: map::Cluster) -> Self {
        let (level, number) = cluster.square;
        let (west, south, east, north) = cluster.edges;
        let counts = cluster.counts;
        Self {
            id: format!("cluster_{level}_{number}").into(),
            position: Position::new(cluster.middle.0, cluster.middle.1),
            count: int(counts.total()),
            counts: ClusterCounts { streams: int(counts.streams), vods: int(counts.vods), cctvs: int(counts.cctvs) },
            bbox: BoundingBox {
                west: Longitude(west),
                south: Latitude(south),
                east: Longitude(east),
                north: Latitude(north),
            },
        }
    }
}

/// GraphQL's `Int` has 32 bits.
fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

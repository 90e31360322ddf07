//! The two interfaces: whatever stands on the map, and whatever has an id.

use super::{Cctv, Stream, Vod, place::Position};
use crate::read::items::Item;
use async_graphql::{ID, Interface};

/// Something that stands on the map.
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID", desc = "Opaque, and the same for ever."),
    field(name = "position", ty = "Position", desc = "Where it is."),
    field(name = "title", ty = "String", desc = "What it is called."),
    field(name = "thumbnail_url", ty = "Option<String>", desc = "A small picture of it; null while there is none.")
)]
pub enum MapItem {
    /// A broadcast.
    Stream(Stream),
    /// A replay.
    Vod(Vod),
    /// A public camera.
    Cctv(Cctv),
}

/// Something that has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque, and the same for ever."))]
pub enum Node {
    /// A broadcast.
    Stream(Stream),
    /// A replay.
    Vod(Vod),
    /// A public camera.
    Cctv(Cctv),
}

impl From<Item> for MapItem {
    fn from(item: Item) -> Self {
        match item {
            Item::Stream(row) => Self::Stream(Stream(row)),
            Item::Vod(row) => Self::Vod(Vod(row)),
            Item::Cctv(row) => Self::Cctv(Cctv(row)),
        }
    }
}

impl From<Item> for Node {
    fn from(item: Item) -> Self {
        match item {
            Item::Stream(row) => Self::Stream(Stream(row)),
            Item::Vod(row) => Self::Vod(Vod(row)),
            Item::Cctv(row) => Self::Cctv(Cctv(row)),
        }
    }
}

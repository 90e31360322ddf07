//! The public log: every change of something on the map, numbered in the order of commit.
//!
//! A line says what happened to which item and where; the item itself is read when the line is delivered, so that
//! what was taken down is never shown again from the log.

use crate::{CctvId, ItemId, Position, StreamId, VodId, time::Timestamp};
use sea_orm::entity::prelude::*;

crate::text_enum::text_enum! {
    /// What happened.
    Kind {
        /// A broadcast is on air, or on air again after an interruption.
        StreamStarted = "STREAM_STARTED",
        /// A broadcast is somewhere else now.
        StreamMoved = "STREAM_MOVED",
        /// A broadcast has its first thumbnail.
        StreamPictured = "STREAM_PICTURED",
        /// A broadcast's picture stopped coming in.
        StreamInterrupted = "STREAM_INTERRUPTED",
        /// Another number of people watch a broadcast. Of interest to those who follow it, not to the map.
        StreamWatched = "STREAM_WATCHED",
        /// A broadcast is over.
        StreamEnded = "STREAM_ENDED",
        /// More of a replay is redacted.
        VodProgressed = "VOD_PROGRESSED",
        /// A replay can be played.
        VodReady = "VOD_READY",
        /// A replay will not be shown.
        VodWithheld = "VOD_WITHHELD",
        /// Something was taken down.
        ItemRemoved = "ITEM_REMOVED",
        /// A camera is new or has changed.
        CctvChanged = "CCTV_CHANGED",
    }
}

impl Kind {
    /// Whether it changes what a map shows.
    pub const fn is_on_map(self) -> bool {
        !matches!(self, Self::StreamWatched)
    }
}

crate::text_enum::text_enum! {
    /// Which table an item is in.
    ItemKind {
        /// A broadcast.
        Stream = "STREAM",
        /// A replay.
        Vod = "VOD",
        /// A public camera.
        Cctv = "CCTV",
    }
}

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Its number: greater than that of every event committed before it. Numbers may be skipped.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// To what kind of item.
    pub item_kind: ItemKind,
    /// To which item.
    pub item_id: Uuid,
    /// Where the item is, degrees.
    pub longitude: f64,
    /// Where the item is, degrees.
    pub latitude: f64,
    /// Where a moved item was before, degrees.
    pub from_longitude: Option<f64>,
    /// Where a moved item was before, degrees.
    pub from_latitude: Option<f64>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The item the event is about.
    pub const fn item(&self) -> ItemId {
        match self.item_kind {
            ItemKind::Stream => ItemId::Stream(StreamId(self.item_id)),
            ItemKind::Vod => ItemId::Vod(VodId(self.item_id)),
            ItemKind::Cctv => ItemId::Cctv(CctvId(self.item_id)),
        }
    }

    /// Where the item is and, for a move, where it was: a subscription is told if its box holds any of them.
    pub fn positions(&self) -> impl Iterator<Item = Position> + use<> {
        let before = self.from_longitude.zip(self.from_latitude);
        std::iter::once((self.longitude, self.latitude)).chain(before).filter_map(|(x, y)| Position::new(x, y).ok())
    }
}

impl From<ItemId> for ItemKind {
    fn from(id: ItemId) -> Self {
        match id {
            ItemId::Stream(_) => Self::Stream,
            ItemId::Vod(_) => Self::Vod,
            ItemId::Cctv(_) => Self::Cctv,
        }
    }
}

//! Whatever stands on the map, of any kind.

use super::{cctvs, streams, vods};
use entity::{ItemId, cctv, stream, vod};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::HashMap;

/// A row of one of the three kinds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// A broadcast.
    Stream(stream::Model),
    /// A replay.
    Vod(vod::Model),
    /// A public camera.
    Cctv(cctv::Model),
}

impl Item {
    /// Its id.
    pub(crate) const fn id(&self) -> ItemId {
        match self {
            Self::Stream(row) => ItemId::Stream(row.id),
            Self::Vod(row) => ItemId::Vod(row.id),
            Self::Cctv(row) => ItemId::Cctv(row.id),
        }
    }
}

/// The item.
pub(crate) async fn by_id(db: &impl ConnectionTrait, id: ItemId) -> Result<Option<Item>, DbErr> {
    Ok(match id {
        ItemId::Stream(id) => streams::by_id(db, id).await?.map(Item::Stream),
        ItemId::Vod(id) => vods::by_id(db, id).await?.map(Item::Vod),
        ItemId::Cctv(id) => cctvs::by_id(db, id).await?.map(Item::Cctv),
    })
}

/// Those of the items that there are: one statement for each kind among them.
pub(crate) async fn by_ids(db: &impl ConnectionTrait, ids: &[ItemId]) -> Result<HashMap<ItemId, Item>, DbErr> {
    let (mut of_streams, mut of_vods, mut of_cctvs) = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        match *id {
            ItemId::Stream(id) => of_streams.push(id),
            ItemId::Vod(id) => of_vods.push(id),
            ItemId::Cctv(id) => of_cctvs.push(id),
        }
    }
    let streams = streams::by_ids(db, &of_streams).await?.into_iter().map(Item::Stream);
    let vods = vods::by_ids(db, &of_vods).await?.into_iter().map(Item::Vod);
    let cctvs = cctvs::by_ids(db, &of_cctvs).await?.into_iter().map(Item::Cctv);
    Ok(streams.chain(vods).chain(cctvs).map(|item| (item.id(), item)).collect())
}

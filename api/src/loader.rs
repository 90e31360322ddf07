//! Gathers what the fields of one request read into few statements: a hundred replays ask for their streams at once.
//!
//! Nothing is remembered between batches, so that a subscription, which lives as long as its request, reads every item
//! as it is when its event is delivered.

use crate::{
    read::{
        cctvs::{self, Around},
        items::{self, Item},
        streams, vods,
    },
    schema::Failure,
};
use async_graphql::dataloader::{DataLoader, Loader};
use entity::{ItemId, StreamId, cctv, stream, vod};
use sea_orm::DatabaseConnection;
use std::collections::HashMap;

/// The loaders of one request.
pub(crate) type Loaders = DataLoader<Rows>;

/// Fresh loaders. A batch runs as a task of its own, which ends with its statements; whoever asked awaits its answer.
pub(crate) fn fresh(db: DatabaseConnection) -> Loaders {
    DataLoader::new(Rows { db }, tokio::spawn)
}

/// Reads rows by key. What there is no row for, or was taken down, is left out of the answer.
pub(crate) struct Rows {
    db: DatabaseConnection,
}

/// The newest replay of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct VodOf(pub(crate) StreamId);

impl Loader<StreamId> for Rows {
    type Value = stream::Model;
    type Error = Failure;

    async fn load(&self, keys: &[StreamId]) -> Result<HashMap<StreamId, stream::Model>, Failure> {
        let rows = streams::by_ids(&self.db, keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<VodOf> for Rows {
    type Value = vod::Model;
    type Error = Failure;

    async fn load(&self, keys: &[VodOf]) -> Result<HashMap<VodOf, vod::Model>, Failure> {
        let streams: Vec<StreamId> = keys.iter().map(|key| key.0).collect();
        let rows = vods::newest_of(&self.db, &streams).await?;
        Ok(rows.into_iter().map(|(stream, row)| (VodOf(stream), row)).collect())
    }
}

impl Loader<ItemId> for Rows {
    type Value = Item;
    type Error = Failure;

    async fn load(&self, keys: &[ItemId]) -> Result<HashMap<ItemId, Item>, Failure> {
        Ok(items::by_ids(&self.db, keys).await?)
    }
}

impl Loader<Around> for Rows {
    type Value = Vec<cctv::Model>;
    type Error = Failure;

    async fn load(&self, keys: &[Around]) -> Result<HashMap<Around, Vec<cctv::Model>>, Failure> {
        Ok(cctvs::near(&self.db, keys).await?)
    }
}

//! What the database holds: read only, and only what the API does not show.

use anyhow::{Context as _, Result, ensure};
use entity::{StreamId, VodId, event, inbox, outbox, segment, stream, vod};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectOptions, Database, DatabaseConnection, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};

/// A view of the database.
pub struct Records {
    database: DatabaseConnection,
}

impl Records {
    /// Opens a database that exists and is migrated.
    pub async fn open(url: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(2).sqlx_logging(false);
        Ok(Self { database: Database::connect(options).await.with_context(|| url.to_owned())? })
    }

    /// The public log, oldest first.
    pub async fn log(&self) -> Result<Vec<event::Model>> {
        Ok(event::Entity::find().order_by_asc(event::Column::Seq).all(&self.database).await?)
    }

    /// One broadcast.
    pub async fn stream(&self, id: &str) -> Result<stream::Model> {
        let id: StreamId = id.parse()?;
        stream::Entity::find_by_id(id).one(&self.database).await?.context("no such stream")
    }

    /// The broadcast with a title, if there is one.
    pub async fn stream_titled(&self, title: &str) -> Result<Option<stream::Model>> {
        Ok(stream::Entity::find().filter(stream::Column::Title.eq(title)).one(&self.database).await?)
    }

    /// The one replay of a broadcast.
    pub async fn vod_of(&self, stream: &str) -> Result<vod::Model> {
        let mut vods = self.vods_of(stream).await?;
        ensure!(vods.len() == 1, "{} replays of {stream}", vods.len());
        vods.pop().context("no replay")
    }

    /// The replays of a broadcast.
    pub async fn vods_of(&self, stream: &str) -> Result<Vec<vod::Model>> {
        let id: StreamId = stream.parse()?;
        Ok(vod::Entity::find().filter(vod::Column::StreamId.eq(id)).all(&self.database).await?)
    }

    /// All replays.
    pub async fn vods(&self) -> Result<Vec<vod::Model>> {
        Ok(vod::Entity::find().order_by_asc(vod::Column::Id).all(&self.database).await?)
    }

    /// The segments of a replay in order.
    pub async fn segments(&self, vod: VodId) -> Result<Vec<segment::Model>> {
        let query = segment::Entity::find().filter(segment::Column::VodId.eq(vod));
        Ok(query.order_by_asc(segment::Column::Number).all(&self.database).await?)
    }

    /// What the bus is still owed.
    pub async fn outbox(&self) -> Result<Vec<outbox::Model>> {
        Ok(outbox::Entity::find().all(&self.database).await?)
    }

    /// Messages of the live provider that are not yet applied, or were given up.
    pub async fn inbox_left(&self) -> Result<Vec<inbox::Model>> {
        let left =
            Condition::any().add(inbox::Column::NextTryAt.is_not_null()).add(inbox::Column::Failure.is_not_null());
        Ok(inbox::Entity::find().filter(left).all(&self.database).await?)
    }

    /// Ends the connection, so that the database can be dropped.
    pub async fn close(self) -> Result<()> {
        Ok(self.database.close().await?)
    }
}

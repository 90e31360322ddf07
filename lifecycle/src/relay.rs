//! The relay: sends what committed transactions owe the bus, then forgets it.
//!
//! Any number of processes may relay: on PostgreSQL each takes rows that no other holds, on SQLite there is one
//! process. A crash between sending and forgetting sends twice, which the contract of jobs and notices allows.

use crate::{Fault, Lifecycle};
use bus::Bus;
use bytes::Bytes;
use entity::outbox;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, TransactionTrait as _,
    sea_query::{LockBehavior, LockType},
};

impl Lifecycle {
    /// Sends the oldest messages. Returns whether there may be more.
    pub(crate) async fn relay(&self, bus: &dyn Bus) -> Result<bool, Fault> {
        if self.db().get_database_backend() == DbBackend::Postgres {
            let txn = self.db().begin().await?;
            let more = self.relay_rows(&txn, bus).await?;
            txn.commit().await?;
            Ok(more)
        } else {
            // No transaction: its write lock would be held while the bus is asked.
            self.relay_rows(self.db(), bus).await
        }
    }

    async fn relay_rows(&self, db: &impl ConnectionTrait, bus: &dyn Bus) -> Result<bool, Fault> {
        let limit = self.limits().relay_rows;
        let rows = outbox::Entity::find()
            .order_by_asc(outbox::Column::Id)
            .limit(limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(db)
            .await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let of = |topic| rows.iter().filter(move |row| row.topic == topic).map(|row| Bytes::from(row.payload.clone()));
        let jobs: Vec<Bytes> = of(outbox::Topic::Jobs).collect();
        if !jobs.is_empty() {
            bus.publish_jobs(jobs).await?;
        }
        // This notice says how far the log has grown: the last one says it all.
        if let Some(newest) = of(outbox::Topic::Events).next_back() {
            bus.publish_notice(newest).await?;
        }
        for picture in of(outbox::Topic::Pictures) {
            bus.publish_notice(picture).await?;
        }
        let sent = rows.iter().map(|row| row.id);
        outbox::Entity::delete_many().filter(outbox::Column::Id.is_in(sent)).exec(db).await?;
        metrics::counter!("relay_sent_total").increment(rows.len() as u64);
        Ok(rows.len() as u64 == limit)
    }
}

//! One change: a transaction that carries its events and its jobs to the commit.
//!
//! Events get their numbers at the very end, behind a lock that lasts until the commit; so numbers are given in
//! the order of commit and a reader that has seen number n will never find a smaller one appear later. Rows are
//! locked in the order stream, vod, segment, log, and so never against each other.

use crate::{Fault, Lifecycle};
use entity::{
    ItemId, Position, StreamId, event,
    job::{EventNotice, PictureNotice, RedactJob},
    outbox,
    time::Timestamp,
};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ConnectionTrait as _, DatabaseTransaction, DbBackend, EntityTrait as _, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use std::{ops::Deref, sync::Arc};
use tokio::sync::Notify;

/// PostgreSQL's advisory lock for writers of the public log: "et_event" in ASCII.
const LOG_LOCK: i64 = 0x65_74_5f_65_76_65_6e_74;

/// A change under way. Dropped without [`Write::commit`], nothing of it happened.
pub(crate) struct Write {
    txn: DatabaseTransaction,
    at: Timestamp,
    events: Vec<event::ActiveModel>,
    jobs: Vec<RedactJob>,
    pictured: Option<StreamId>,
    bell: Arc<Notify>,
}

impl Deref for Write {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.txn
    }
}

impl Lifecycle {
    /// Begins a change. SQLite takes its write lock at once: a lock taken later could not wait for others.
    pub(crate) async fn write(&self) -> Result<Write, Fault> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Write {
            txn: self.db().begin_with_options(options).await?,
            at: self.parts.clock.now(),
            events: Vec::new(),
            jobs: Vec::new(),
            pictured: None,
            bell: self.outbox_bell.clone(),
        })
    }
}

impl Write {
    /// The moment of this change.
    pub(crate) fn now(&self) -> Timestamp {
        self.at
    }

    /// Adds a line to the public log. `from` is where a moved item was.
    pub(crate) fn event(
        &mut self,
        kind: event::Kind,
        item: ItemId,
        (longitude, latitude): (f64, f64),
        from: Option<Position>,
    ) {
        self.events.push(event::ActiveModel {
            seq: NotSet,
            at: Set(self.at),
            kind: Set(kind),
            item_kind: Set(item.into()),
            item_id: Set(item.uuid()),
            longitude: Set(longitude),
            latitude: Set(latitude),
            from_longitude: Set(from.map(|p| p.longitude.degrees())),
            from_latitude: Set(from.map(|p| p.latitude.degrees())),
        });
    }

    /// Adds work for a worker.
    pub(crate) fn job(&mut self, job: RedactJob) {
        self.jobs.push(job);
    }

    /// Tells those who follow a broadcast that it has a new picture, without a line in the public log.
    pub(crate) fn picture(&mut self, stream: StreamId) {
        self.pictured = Some(stream);
    }

    /// Makes all of it happen, and rings for the relay.
    pub(crate) async fn commit(mut self) -> Result<(), Fault> {
        let mut messages = Vec::with_capacity(self.jobs.len() + 1);
        for job in &self.jobs {
            messages.push(self.message(outbox::Topic::Jobs, job)?);
        }
        if let Some(pictured) = self.pictured {
            messages.push(self.message(outbox::Topic::Pictures, &PictureNotice { pictured })?);
        }
        if let Some(seq) = self.log().await? {
            messages.push(self.message(outbox::Topic::Events, &EventNotice { seq })?);
        }
        let owed = !messages.is_empty();
        if owed {
            outbox::Entity::insert_many(messages).exec_without_returning(&self.txn).await?;
        }
        self.txn.commit().await?;
        if owed {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Writes the events and returns the last one's number.
    async fn log(&mut self) -> Result<Option<i64>, Fault> {
        if !self.events.is_empty() && self.txn.get_database_backend() == DbBackend::Postgres {
            self.txn.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOG_LOCK})")).await?;
        }
        let mut last = None;
        for event in std::mem::take(&mut self.events) {
            last = Some(event.insert(&self.txn).await?.seq);
        }
        Ok(last)
    }

    fn message(&self, topic: outbox::Topic, payload: &impl serde::Serialize) -> Result<outbox::ActiveModel, Fault> {
        let payload = serde_json::to_string(payload).map_err(|error| Fault::unreadable("message", error))?;
        Ok(outbox::ActiveModel { id: NotSet, topic: Set(topic), payload: Set(payload), created_at: Set(self.at) })
    }
}

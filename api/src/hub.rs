//! The hub: takes every event of the public log to the subscriptions whose box, or whose item, it concerns.
//!
//! One reader per process follows the log; bus notices only wake it, so a lost one costs a moment and never an event.
//! A subscription sees its events in the order of the log, each once, or is told where to take up again: its queue is
//! bounded, and the one that does not keep up is ended rather than waited for.

mod board;
mod grid;
mod pictures;
mod reader;
mod tail;

use crate::Limits;
use board::Board;
use entity::{BoundingBox, ItemId, StreamId, event};
use futures_util::Stream;
use pictures::Pictures;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait as _, QueryOrder as _, QuerySelect as _};
use std::sync::Arc;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What a subscription wants to hear of.
#[derive(Clone, Debug)]
pub struct Interest {
    /// Events whose item is, or was before it moved, in this box.
    pub bbox: BoundingBox,
    /// Only items of these kinds; `None` means all.
    pub kinds: Option<Vec<event::ItemKind>>,
    /// Every event with a number greater than this, from the log first; `None` means from now on.
    pub after: Option<i64>,
}

impl Interest {
    fn concerns(&self, event: &event::Model) -> bool {
        event.kind.is_on_map()
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.item_kind))
            && event.positions().any(|position| self.bbox.contains(position))
    }
}

/// Why a subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// It was read too slowly. Nothing is lost: subscribe again with `after` set to this number.
    #[error("read too slowly; resume after {resume_after}")]
    Lagged {
        /// The number to resume after.
        resume_after: i64,
    },
    /// The log does not reach back to the number asked for: read the map again and subscribe after its cursor.
    #[error("the log does not reach back to this cursor")]
    CursorTooOld,
    /// The process is shutting down.
    #[error("shutting down")]
    Closed,
}

/// The hub of this process. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    db: DatabaseConnection,
    limits: Arc<Limits>,
    board: Arc<Board>,
    pictures: Arc<Pictures>,
    ready: watch::Receiver<bool>,
}

impl Hub {
    /// Starts following the log, from its present end. The task ends when the token is cancelled; every subscription
    /// then ends as [`Ended::Closed`]. Needs a Tokio runtime.
    pub fn start(
        db: DatabaseConnection,
        bus: Arc<dyn bus::Bus>,
        limits: Limits,
        token: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (ready_tx, ready) = watch::channel(false);
        let board = Arc::new(Board::new(limits.hub_queue));
        let hub = Self { db, board, pictures: Arc::default(), limits: Arc::new(limits), ready };
        let reader = reader::Reader::new(hub.clone(), bus, ready_tx);
        (hub, tokio::spawn(reader.run(token)))
    }

    /// Waits until the end of the log is known: a subscription made after that misses nothing. Returns at once if the
    /// hub is closed.
    pub async fn ready(&self) {
        // An error means that the reader is gone, and then there is nothing to wait for.
        let _ = self.ready.clone().wait_for(|ready| *ready).await;
    }

    /// The events of a box, in order, each once. Without `after` the subscription begins with this call, not with
    /// the first poll. The stream ends after its first error.
    pub fn subscribe(
        &self,
        interest: Interest,
    ) -> impl Stream<Item = Result<Arc<event::Model>, Ended>> + Send + use<> + 'static {
        tail::follow_box(self.clone(), interest)
    }

    /// The events of one item, from this call on. The stream ends after its first error.
    pub fn watch(&self, item: ItemId) -> impl Stream<Item = Result<Arc<event::Model>, Ended>> + Send + use<> + 'static {
        tail::follow_item(self, item)
    }

    /// An item whenever a broadcast has a new picture, from this call on; several pictures may be one item. Never ends.
    pub fn pictures(&self, stream: StreamId) -> impl Stream<Item = ()> + Send + use<> + 'static {
        self.pictures.follow(stream)
    }

    /// The number of the newest event: a subscription `after` it misses nothing that is not in a map read later.
    pub async fn cursor(&self) -> Result<i64, DbErr> {
        // An emptied log does not take the numbers back that the reader has seen.
        Ok(self.newest().await?.unwrap_or(0).max(self.board.last()))
    }

    async fn newest(&self) -> Result<Option<i64>, DbErr> {
        let query = event::Entity::find().select_only().column(event::Column::Seq);
        query.order_by_desc(event::Column::Seq).limit(1).into_tuple().one(&self.db).await
    }
}

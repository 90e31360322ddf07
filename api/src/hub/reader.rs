//! The one task that follows the log: reads what is new on every notice and at least once in a while, in order.
//!
//! It trusts the log alone. Events are numbered in the order of commit, so everything up to the last number read has
//! been delivered, and a fault of the database or the bus only delays what comes after.

use super::{Hub, board::Board};
use bus::{Bus, Notices};
use bytes::Bytes;
use entity::{event, job::Notice, time::Clock};
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use std::{future::pending, sync::Arc};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

pub(super) struct Reader {
    hub: Hub,
    bus: Arc<dyn Bus>,
    ready: watch::Sender<bool>,
    ear: Ear,
}

/// How the bus is listened to.
enum Ear {
    /// Not at all, until the next tick.
    Deaf,
    /// The bus has been asked for notices.
    Asking(BoxFuture<'static, Result<Box<dyn Notices>, bus::Error>>),
    /// It gives them.
    Listening(Box<dyn Notices>),
}

impl Reader {
    pub(super) fn new(hub: Hub, bus: Arc<dyn Bus>, ready: watch::Sender<bool>) -> Self {
        Self { hub, bus, ready, ear: Ear::Deaf }
    }

    /// Follows the log until the token is cancelled.
    pub(super) async fn run(mut self, token: CancellationToken) {
        // Whatever way this task ends, a panic included, nobody waits for events that no one reads.
        let _close = CloseOnDrop(Arc::clone(&self.hub.board));
        token.run_until_cancelled(self.follow()).await;
    }

    async fn follow(&mut self) {
        let mut tick = interval(self.hub.limits.hub_poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let news = tokio::select! {
                _ = tick.tick() => {
                    self.prick_up();
                    true
                }
                notice = self.ear.hear() => notice.is_some_and(|notice| self.is_news(&notice)),
            };
            if news && let Err(error) = self.read().await {
                tracing::warn!(error = %error, "the event log cannot be read; will try again");
            }
        }
    }

    /// Asks the bus for notices, if it gives none. The answer is awaited beside the ticks: a bus that hangs must not
    /// keep the log from being read.
    fn prick_up(&mut self) {
        if matches!(self.ear, Ear::Deaf) {
            let bus = Arc::clone(&self.bus);
            self.ear = Ear::Asking(Box::pin(async move { bus.notices().await }));
        }
    }

    /// Whether a notice tells of something in the log that is not yet read; one that cannot be understood might. One
    /// of a picture is passed on here.
    fn is_news(&self, notice: &Bytes) -> bool {
        match serde_json::from_slice(notice) {
            Ok(Notice::Event(notice)) => notice.seq > self.hub.board.last(),
            Ok(Notice::Picture(notice)) => {
                self.hub.pictures.tell(notice.pictured);
                false
            }
            Err(_) => true,
        }
    }

    /// Delivers everything that is new.
    async fn read(&mut self) -> Result<(), DbErr> {
        if !*self.ready.borrow() {
            self.hub.board.begin_after(self.hub.newest().await?.unwrap_or(0));
            self.ready.send_replace(true);
        }
        loop {
            let events = self.hub.log_after(self.hub.board.last(), None).await?;
            let count = events.len();
            for event in events {
                record_delay(&event);
                self.hub.board.deliver(&Arc::new(event));
            }
            if u64::try_from(count).is_ok_and(|count| count < self.hub.limits.hub_batch) {
                return Ok(());
            }
        }
    }
}

impl Hub {
    /// The next events of the log after a number, at most one batch of them, up to a number if there is one.
    pub(super) async fn log_after(&self, after: i64, up_to: Option<i64>) -> Result<Vec<event::Model>, DbErr> {
        let mut query = event::Entity::find().filter(event::Column::Seq.gt(after));
        if let Some(up_to) = up_to {
            query = query.filter(event::Column::Seq.lte(up_to));
        }
        query.order_by_asc(event::Column::Seq).limit(self.limits.hub_batch).all(&self.db).await
    }
}

impl Ear {
    /// The next notice; `None` when the state has changed instead. A bus that failed is asked again at the next tick,
    /// not at once: a closed one would answer at once for ever.
    async fn hear(&mut self) -> Option<Bytes> {
        match self {
            Self::Deaf => pending().await,
            Self::Asking(answer) => {
                *self = match answer.await {
                    Ok(notices) => Self::Listening(notices),
                    Err(error) => {
                        tracing::debug!(error = %error, "no event notices; the log is polled");
                        Self::Deaf
                    }
                };
                None
            }
            Self::Listening(notices) => {
                let notice = notices.next().await;
                if notice.is_none() {
                    tracing::warn!("event notices have stopped; the log is polled");
                    *self = Self::Deaf;
                }
                notice
            }
        }
    }
}

fn record_delay(event: &event::Model) {
    if let Ok(delay) = (Clock::System.now() - event.at).to_std() {
        metrics::histogram!("hub_event_delivery_seconds").record(delay);
    }
}

/// Closes the board when it goes out of scope.
struct CloseOnDrop(Arc<Board>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

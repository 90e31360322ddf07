//! A consumer that outlives its channel: when the channel, the connection or the broker goes, it subscribes again.
//!
//! Driven by whoever waits for the next message, so there is no task to own. Messages that were buffered from a lost
//! connection are skipped: they can no longer be settled, and the broker delivers them again.

use super::{Parts, backoff::Backoff, parcel::Parcel};
use crate::{Delivery, Error, Jobs, Notices};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel, Consumer,
    message::Delivery as Message,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// Notices on their way to a reader; the rest waits in its queue, which is bounded.
const NOTICE_PREFETCH: u16 = 256;

#[derive(Clone, Copy)]
pub(super) enum Source {
    Jobs { prefetch: u16 },
    Notices,
}

pub(super) struct Feed {
    parts: Arc<Parts>,
    source: Source,
    subscription: Option<Subscription>,
    backoff: Backoff,
}

struct Subscription {
    /// Shared with every message that is in somebody's hands.
    channel: Arc<Channel>,
    consumer: Consumer,
    /// When the last message came, or else it began.
    quiet_since: Instant,
}

impl Subscription {
    /// The next item of the consumer; `None` once it has been quiet for `limit` with no message in anybody's hands.
    async fn next(&mut self, limit: Option<Duration>) -> Option<Option<lapin::Result<Message>>> {
        let Some(limit) = limit else { return Some(self.consumer.next().await) };
        loop {
            let item = timeout_at(self.quiet_since + limit, self.consumer.next()).await;
            // Where all that it may hold is held, quiet is no wonder.
            if item.is_err() && Arc::strong_count(&self.channel) == 1 {
                return None;
            }
            self.quiet_since = Instant::now();
            if let Ok(item) = item {
                return Some(item);
            }
        }
    }
}

impl Feed {
    /// Subscribes; what arrives from now on is received.
    pub(super) async fn open(parts: Arc<Parts>, source: Source) -> Result<Self, Error> {
        let settings = &parts.settings;
        let backoff = Backoff::new(settings.first_reconnect_delay, settings.max_reconnect_delay);
        let subscription = Some(subscribe(&parts, source).await?);
        Ok(Self { parts, source, subscription, backoff })
    }

    /// The next message, with the channel that it is settled on; `None` once the bus is closed.
    async fn receive(&mut self) -> Option<(Arc<Channel>, Message)> {
        let closed = self.parts.closed.clone();
        tokio::select! {
            biased;
            () = closed.cancelled() => None,
            received = self.receive_while_open() => Some(received),
        }
    }

    async fn receive_while_open(&mut self) -> (Arc<Channel>, Message) {
        loop {
            let limit = self.quiet_limit();
            let Some(subscription) = &mut self.subscription else {
                self.subscribe_again().await;
                continue;
            };
            match subscription.next(limit).await {
                Some(Some(Ok(message))) if message.acker.usable() => {
                    self.backoff.reset();
                    return (Arc::clone(&subscription.channel), message);
                }
                Some(Some(Ok(_))) => {}
                Some(Some(Err(error))) => self.lose(Some(error)).await,
                Some(None) => self.lose(None).await,
                None => self.renew().await,
            }
        }
    }

    async fn subscribe_again(&mut self) {
        self.backoff.wait().await;
        match subscribe(&self.parts, self.source).await {
            Ok(subscription) => self.subscription = Some(subscription),
            Err(error) => {
                tracing::warn!(%error, "cannot subscribe again yet");
                self.backoff.fail();
            }
        }
    }

    /// RabbitMQ 3.10 may forget a consumer without a word when a quorum queue is deleted and declared again. So a
    /// subscription to jobs that has long been quiet is made anew. Not one to notices: some would be lost in between.
    fn quiet_limit(&self) -> Option<Duration> {
        match self.source {
            Source::Jobs { .. } => Some(self.parts.settings.quiet_limit),
            Source::Notices => None,
        }
    }

    async fn renew(&mut self) {
        let Some(Subscription { channel, consumer, .. }) = self.subscription.take() else { return };
        tracing::debug!("renewing a quiet subscription");
        let ending = async {
            channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
            channel.close(200, "OK".into()).await
        };
        if let Ok(Err(error)) = timeout(self.parts.settings.connect_timeout, ending).await {
            tracing::debug!(%error, "the quiet subscription was broken");
        }
    }

    async fn lose(&mut self, error: Option<lapin::Error>) {
        // Before anything that can be given up half way.
        self.subscription = None;
        self.backoff.fail();
        let error = error.map_or_else(|| "cancelled by the broker".into(), |error| error.to_string());
        tracing::warn!(error, "lost a subscription");
        // The queue itself may be gone: a cancelled consumer says so.
        self.parts.consuming.doubt_topology().await;
    }
}

async fn subscribe(parts: &Parts, source: Source) -> Result<Subscription, Error> {
    let limit = parts.settings.connect_timeout;
    let channel = parts.consuming.channel(limit).await?;
    let subscribing = async {
        let (prefetch, queue) = match source {
            Source::Jobs { prefetch } => (prefetch.max(1), parts.topology.jobs.clone()),
            Source::Notices => (NOTICE_PREFETCH, parts.topology.declare_notices(&channel).await?),
        };
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
    };
    match timeout(limit, subscribing).await {
        Ok(Ok(consumer)) => Ok(Subscription { channel: Arc::new(channel), consumer, quiet_since: Instant::now() }),
        Ok(Err(error)) => Err(Error(error.to_string())),
        Err(_) => Err(Error("no answer to the subscription".into())),
    }
}

/// A [`Feed`] of jobs.
pub(super) struct JobFeed(pub(super) Feed);

#[async_trait]
impl Jobs for JobFeed {
    async fn next(&mut self) -> Option<Box<dyn Delivery>> {
        let (channel, message) = self.0.receive().await?;
        Some(Box::new(Parcel::new(Arc::clone(&self.0.parts), channel, message)))
    }
}

/// A [`Feed`] of notices.
pub(super) struct NoticeFeed(pub(super) Feed);

#[async_trait]
impl Notices for NoticeFeed {
    async fn next(&mut self) -> Option<Bytes> {
        let (_channel, message) = self.0.receive().await?;
        // The first poll hands the acknowledgement to the connection. Nobody waits for the rest: a reader that gives up
        // (in a `select!`) between receiving and acknowledging would lose the notice.
        let _ = message.acker.ack(BasicAckOptions::default()).now_or_never();
        Some(message.data.into())
    }
}

//! The bus over RabbitMQ: a durable quorum queue of jobs, queues for its retries and dead letters, a fanout of notices.
//!
//! A job is on the broker's disk before `publish_jobs` returns and leaves it only when its consumer has settled it, so
//! whatever is killed in between, the job comes again. Two connections: RabbitMQ stops reading from those that publish
//! when memory or disk run out, and acknowledgements must still get through then.

mod backoff;
mod feed;
mod link;
mod parcel;
mod publisher;
mod settings;
mod topology;

use crate::contract::{Bus, Error, Jobs, MAX_DEAD_LETTERS, Notices};
use async_trait::async_trait;
use bytes::Bytes;
use feed::{Feed, JobFeed, NoticeFeed, Source};
use lapin::{
    BasicProperties, Channel,
    options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use link::Link;
use publisher::{Message, Publisher};
pub use settings::RabbitSettings;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use topology::Topology;

/// Whoever asks whether the bus works does not want to wait for it to come back.
const CHECK_PATIENCE: Duration = Duration::from_secs(1);
const RETURN_POLL_INTERVAL: Duration = Duration::from_millis(10);
const RETURN_POLLS: u32 = 100;

/// Jobs and notices over RabbitMQ 3.10 or later.
pub struct Rabbit {
    parts: Arc<Parts>,
}

/// What the bus, its consumers and its deliveries share.
struct Parts {
    settings: Arc<RabbitSettings>,
    topology: Topology,
    publisher: Publisher,
    consuming: Link,
    closed: CancellationToken,
}

impl Rabbit {
    /// Connects and declares the queues. Fails if the broker is not there or refuses; once connected, the loss of the
    /// broker is survived.
    pub async fn connect(settings: RabbitSettings) -> Result<Self, Error> {
        settings.check()?;
        let settings = Arc::new(settings);
        let closed = CancellationToken::new();
        let publishing = Link::new("publish", Arc::clone(&settings), closed.clone())?;
        let consuming = Link::new("consume", Arc::clone(&settings), closed.clone())?;
        publishing.channel(settings.connect_timeout).await?;
        let publisher = Publisher::new(publishing, settings.connect_timeout, settings.confirm_timeout);
        let topology = Topology::new(&settings);
        Ok(Self { parts: Arc::new(Parts { settings, topology, publisher, consuming, closed }) })
    }
}

#[async_trait]
impl Bus for Rabbit {
    async fn publish_jobs(&self, payloads: Vec<Bytes>) -> Result<(), Error> {
        let count = payloads.len() as u64;
        let queue = &self.parts.topology.jobs;
        let message = |payload| Message::to_queue(queue.clone(), BasicProperties::default(), payload);
        self.parts.publisher.publish(payloads.into_iter().map(message).collect()).await?;
        metrics::counter!("bus_published_total", "kind" => "job").increment(count);
        Ok(())
    }

    async fn publish_notice(&self, payload: Bytes) -> Result<(), Error> {
        let message = Message {
            exchange: self.parts.topology.events.clone(),
            routing_key: "".into(),
            mandatory: false,
            properties: BasicProperties::default(),
            payload,
        };
        self.parts.publisher.publish(vec![message]).await?;
        metrics::counter!("bus_published_total", "kind" => "notice").increment(1);
        Ok(())
    }

    async fn consume_jobs(&self, prefetch: u16) -> Result<Box<dyn Jobs>, Error> {
        Ok(Box::new(JobFeed(Feed::open(Arc::clone(&self.parts), Source::Jobs { prefetch }).await?)))
    }

    async fn notices(&self) -> Result<Box<dyn Notices>, Error> {
        Ok(Box::new(NoticeFeed(Feed::open(Arc::clone(&self.parts), Source::Notices).await?)))
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<(Bytes, String)>, Error> {
        let patience = self.parts.settings.connect_timeout;
        let channel = self.parts.consuming.channel(patience).await?;
        match timeout(patience, read_and_return(&channel, &self.parts.topology, limit)).await {
            Ok(Ok(letters)) => Ok(letters),
            Ok(Err(error)) => Err(Error(error.to_string())),
            Err(_) => Err(Error("no answer in time".into())),
        }
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn check(&self) -> Result<(), Error> {
        let link = &self.parts.publisher.link;
        link.channel(CHECK_PATIENCE).await?;
        if link.is_blocked().await {
            return Err(Error("the broker is out of memory or disk and takes nothing in".into()));
        }
        Ok(())
    }

    async fn close(&self) {
        self.parts.closed.cancel();
        tokio::join!(self.parts.consuming.close(), self.parts.publisher.link.close());
    }
}

/// Takes the dead letters without acknowledging them, then gives them back: the broker has no way to look without
/// taking. All are taken, whatever the limit: a quorum queue puts what comes back behind what came back before, so
/// giving back only some would change their order.
async fn read_and_return(channel: &Channel, topology: &Topology, limit: usize) -> lapin::Result<Vec<(Bytes, String)>> {
    let queue = &topology.dead_letters;
    let mut letters = Vec::new();
    let mut last = None;
    while letters.len() < MAX_DEAD_LETTERS.into() {
        let Some(got) = channel.basic_get(queue.clone(), BasicGetOptions::default()).await? else { break };
        last = Some((got.delivery.delivery_tag, got.message_count));
        letters.push((got.delivery.data.into(), parcel::reason(&got.delivery.properties)));
    }
    if let Some((tag, left)) = last {
        channel.basic_nack(tag, BasicNackOptions { multiple: true, requeue: true }).await?;
        wait_until_holds(channel, queue, letters.len() + left as usize).await?;
    }
    channel.close(200, "OK".into()).await?;
    letters.truncate(limit);
    Ok(letters)
}

/// A quorum queue takes messages back some time after the channel has accepted that; until then other readers miss them.
async fn wait_until_holds(channel: &Channel, queue: &ShortString, messages: usize) -> lapin::Result<()> {
    let mut ticks = tokio::time::interval(RETURN_POLL_INTERVAL);
    // Bounded: another reader may hold some of them.
    for _ in 0..RETURN_POLLS {
        ticks.tick().await;
        let look = QueueDeclareOptions::default().passive();
        let found = channel.queue_declare(queue.clone(), look, FieldTable::default()).await?;
        if found.message_count() as usize >= messages {
            break;
        }
    }
    Ok(())
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        // Consumers that outlive the bus would reconnect for ever on behalf of nobody.
        self.parts.closed.cancel();
    }
}

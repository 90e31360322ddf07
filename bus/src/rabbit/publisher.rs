//! Publishing with confirms: returns only when the broker has written every message to disk, or says that it has not.
//!
//! One batch at a time, and a channel that saw any failure is never used again: lapin hands a returned message to
//! whichever confirmation comes next, so with two batches under way one could be told "done" for the other's loss.

use super::link::Link;
use crate::Error;
use bytes::Bytes;
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use std::time::Duration;
use tokio::{sync::Mutex, time::timeout};

/// AMQP's delivery mode for messages that are written to disk.
const PERSISTENT: u8 = 2;

/// A message and where it goes.
pub(super) struct Message {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    /// Whether it is an error if no queue takes it.
    pub(super) mandatory: bool,
    pub(super) properties: BasicProperties,
    pub(super) payload: Bytes,
}

impl Message {
    /// A message to one queue, by way of the default exchange, kept on disk.
    pub(super) fn to_queue(queue: ShortString, properties: BasicProperties, payload: Bytes) -> Self {
        let properties = properties.with_delivery_mode(PERSISTENT);
        Self { exchange: "".into(), routing_key: queue, mandatory: true, properties, payload }
    }
}

pub(super) struct Publisher {
    pub(super) link: Link,
    channel: Mutex<Option<Channel>>,
    connect_timeout: Duration,
    confirm_timeout: Duration,
}

impl Publisher {
    pub(super) fn new(link: Link, connect_timeout: Duration, confirm_timeout: Duration) -> Self {
        Self { link, channel: Mutex::new(None), connect_timeout, confirm_timeout }
    }

    /// Publishes all, then waits until all are confirmed. After an error any of them may have arrived or not.
    pub(super) async fn publish(&self, messages: Vec<Message>) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        self.link.ensure_open()?;
        let longest_batch = self.connect_timeout + self.confirm_timeout;
        let turn = timeout(longest_batch, self.channel.lock()).await;
        let mut slot = turn.map_err(|_| Error("too much waits to be published".into()))?;
        // Taken out, so that it is dropped with everything still open on it unless all ends well.
        let channel = match slot.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => self.open().await?,
        };
        match timeout(self.confirm_timeout, publish_all(&channel, messages)).await {
            Ok(Ok(Verdict::Confirmed)) => {
                *slot = Some(channel);
                Ok(())
            }
            Ok(Ok(Verdict::Unroutable)) => {
                self.link.doubt_topology().await;
                Err(Error("a queue is missing".into()))
            }
            Ok(Ok(Verdict::Refused)) => Err(Error("a queue is full".into())),
            Ok(Err(error)) => Err(Error(error.to_string())),
            Err(_) => Err(Error(format!("no confirmation within {} ms", self.confirm_timeout.as_millis()))),
        }
    }

    async fn open(&self) -> Result<Channel, Error> {
        let channel = self.link.channel(self.connect_timeout).await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        match timeout(self.confirm_timeout, select).await {
            Ok(Ok(())) => Ok(channel),
            Ok(Err(error)) => Err(Error(error.to_string())),
            Err(_) => Err(Error("no answer to confirm.select".into())),
        }
    }
}

enum Verdict {
    Confirmed,
    /// Returned: no queue of that name.
    Unroutable,
    /// Nacked: the queue is full or cannot write.
    Refused,
}

async fn publish_all(channel: &Channel, messages: Vec<Message>) -> lapin::Result<Verdict> {
    let mut confirmations = Vec::with_capacity(messages.len());
    for message in messages {
        let options = BasicPublishOptions { mandatory: message.mandatory, ..BasicPublishOptions::default() };
        let Message { exchange, routing_key, properties, payload, .. } = message;
        confirmations.push(channel.basic_publish(exchange, routing_key, options, &payload, properties).await?);
    }
    let mut verdict = Verdict::Confirmed;
    for confirmation in confirmations {
        match confirmation.await? {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => verdict = Verdict::Unroutable,
            // `NotRequested` cannot be on a channel in confirm mode; it would be no confirmation.
            Confirmation::Nack(None) | Confirmation::NotRequested => verdict = Verdict::Refused,
        }
    }
    Ok(verdict)
}

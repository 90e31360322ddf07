//! A job in the hands of a consumer, and how it is settled.
//!
//! A retry or a dead letter is a copy that is published, and confirmed, before the original is acknowledged: a crash in
//! between leaves two of them, never none. What a copy must carry along is in its headers, and nothing else is taken
//! over: RabbitMQ's own record of past dead-lettering would grow with every retry.

use super::{Parts, publisher::Message};
use crate::{Delivery, Error, Outcome, contract::Next};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use lapin::{
    Acker, BasicProperties, Channel,
    options::{BasicAckOptions, BasicNackOptions},
    types::{AMQPValue, FieldTable, LongString},
};
use std::sync::Arc;
use tokio::time::timeout;

/// The number of the delivery that a retry copy becomes; absent on the first.
const ATTEMPT: &str = "attempt";
/// Why a dead letter is one, if we made it one.
const REASON: &str = "reason";
/// RabbitMQ's record of dead-lettering, newest first; the reason if the broker made it one (`delivery_limit`).
const X_DEATH: &str = "x-death";
/// Headers must fit into one frame (128 KiB).
const MAX_REASON_BYTES: usize = 4_096;

pub(super) struct Parcel {
    parts: Arc<Parts>,
    payload: Bytes,
    attempt: u32,
    acker: Acker,
    /// Holds the channel open: it closes with its last handle, and the job would go back.
    _channel: Arc<Channel>,
}

impl Parcel {
    pub(super) fn new(parts: Arc<Parts>, channel: Arc<Channel>, message: lapin::message::Delivery) -> Self {
        let attempt = attempt(&message.properties);
        Self { parts, payload: message.data.into(), attempt, acker: message.acker, _channel: channel }
    }

    fn copy_for(&self, next: &Next) -> Option<Message> {
        let topology = &self.parts.topology;
        let mut headers = FieldTable::default();
        let (queue, attempt) = match next {
            Next::Gone => return None,
            Next::Again(delay) => (topology.retry_queue(*delay), self.attempt.saturating_add(1)),
            Next::Dead(reason) => {
                let reason = &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)];
                headers.insert(REASON.into(), AMQPValue::LongString(LongString::from(reason)));
                (topology.dead_letters.clone(), self.attempt)
            }
        };
        headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(attempt.into()));
        let properties = BasicProperties::default().with_headers(headers);
        Some(Message::to_queue(queue, properties, self.payload.clone()))
    }

    async fn acknowledge(&self) -> Result<(), Error> {
        let acknowledging = self.acker.ack(BasicAckOptions::default());
        match timeout(self.parts.settings.confirm_timeout, acknowledging).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(lost()),
            Ok(Err(error)) => Err(Error(error.to_string())),
            Err(_) => Err(Error("the acknowledgement could not be sent in time".into())),
        }
    }
}

#[async_trait]
impl Delivery for Parcel {
    fn payload(&self) -> &Bytes {
        &self.payload
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    async fn settle(self: Box<Self>, outcome: Outcome) -> Result<(), Error> {
        self.parts.publisher.link.ensure_open()?;
        if !self.acker.usable() {
            return Err(lost());
        }
        let next = self.parts.settings.policy.after(self.attempt, outcome);
        if let Some(copy) = self.copy_for(&next) {
            self.parts.publisher.publish(vec![copy]).await?;
        }
        self.acknowledge().await?;
        metrics::counter!("bus_settled_total", "outcome" => next.label()).increment(1);
        Ok(())
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        // Without effect once acknowledged. The first poll hands the message to the connection, which is all that can be
        // done here; if that is lost, the job goes back anyway.
        let _ = self.acker.nack(BasicNackOptions { requeue: true, multiple: false }).now_or_never();
    }
}

fn lost() -> Error {
    Error("the connection that the job came by is lost; it comes again".into())
}

/// The number of a delivery; 1 where no header says otherwise.
fn attempt(properties: &BasicProperties) -> u32 {
    let header = properties.headers().as_ref().and_then(|headers| headers.inner().get(ATTEMPT));
    match header {
        Some(AMQPValue::LongLongInt(number)) => u32::try_from(*number).unwrap_or(u32::MAX).max(1),
        _ => 1,
    }
}

/// Why a message is among the dead letters.
pub(super) fn reason(properties: &BasicProperties) -> String {
    let Some(headers) = properties.headers() else { return "unknown".into() };
    if let Some(AMQPValue::LongString(reason)) = headers.inner().get(REASON) {
        return reason.to_string();
    }
    let newest = match headers.inner().get(X_DEATH) {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first(),
        _ => None,
    };
    match newest {
        Some(AMQPValue::FieldTable(death)) => match death.inner().get("reason") {
            Some(AMQPValue::LongString(reason)) => format!("given up by the broker: {reason}"),
            _ => "unknown".into(),
        },
        _ => "unknown".into(),
    }
}

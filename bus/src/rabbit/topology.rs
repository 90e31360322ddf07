//! The queues and the exchange on the broker: their names and arguments, declared anew on every connection.
//!
//! Delays are one queue per delay, with a time to live for the whole queue, that dead-letters back to the job queue.
//! A time to live per message in one queue would not do: RabbitMQ expires messages at the head only, so a job with 1 s
//! to wait would stay behind one with 60 s. In a queue of equal delays the order of arrival is the order of expiry.
//! All of them are quorum queues with at-least-once dead-lettering (RabbitMQ 3.10), which also asks for
//! `reject-publish`: a message leaves one queue only after the next one has confirmed it.

use super::settings::RabbitSettings;
use crate::contract::MAX_DEAD_LETTERS;
use lapin::{
    Channel, ExchangeKind, Result,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString, ShortString},
};
use std::time::Duration;

/// Reading dead letters without removing them counts as a delivery, and RabbitMQ 4 drops after 20 unless told otherwise.
const DEAD_LETTER_DELIVERY_LIMIT: u32 = 1_000_000;

#[derive(Clone, Debug)]
pub(super) struct Topology {
    pub(super) jobs: ShortString,
    pub(super) dead_letters: ShortString,
    pub(super) events: ShortString,
    retries: Vec<(Duration, ShortString)>,
    delivery_limit: u32,
    max_jobs: u32,
    notice_backlog: u32,
}

impl Topology {
    pub(super) fn new(settings: &RabbitSettings) -> Self {
        let prefix = &settings.prefix;
        let retry = |delay: Duration| (delay, format!("{prefix}.redact.retry.{}ms", delay.as_millis()).into());
        Self {
            jobs: format!("{prefix}.redact").into(),
            dead_letters: format!("{prefix}.redact.dead").into(),
            events: format!("{prefix}.events").into(),
            retries: settings.delays().into_iter().map(retry).collect(),
            delivery_limit: settings.delivery_limit,
            max_jobs: settings.max_jobs,
            notice_backlog: settings.notice_backlog,
        }
    }

    /// The queue with the shortest delay that is not shorter than this one; the longest there is, if all are shorter.
    pub(super) fn retry_queue(&self, delay: Duration) -> ShortString {
        let fits = self.retries.iter().find(|(of_queue, _)| *of_queue >= delay);
        fits.or(self.retries.last()).map_or_else(|| self.jobs.clone(), |(_, queue)| queue.clone())
    }

    /// Declares what outlives connections. Nothing changes if it is there already.
    pub(super) async fn declare(&self, channel: &Channel) -> Result<()> {
        declare_quorum(channel, &self.dead_letters, Self::dead_letter_arguments()).await?;
        declare_quorum(channel, &self.jobs, self.job_arguments()).await?;
        for (delay, queue) in &self.retries {
            declare_quorum(channel, queue, self.retry_arguments(*delay)).await?;
        }
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(self.events.clone(), ExchangeKind::Fanout, durable, FieldTable::default()).await
    }

    /// A queue of notices for this connection alone, gone with its consumer. Returns its name.
    pub(super) async fn declare_notices(&self, channel: &Channel) -> Result<ShortString> {
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), count(self.notice_backlog));
        arguments.insert("x-overflow".into(), text("drop-head"));
        let queue = channel.queue_declare("".into(), options, arguments).await?.name().clone();
        let (exchange, options) = (self.events.clone(), QueueBindOptions::default());
        channel.queue_bind(queue.clone(), exchange, "".into(), options, FieldTable::default()).await?;
        Ok(queue)
    }

    fn job_arguments(&self) -> FieldTable {
        let mut arguments = dead_lettering_to(&self.dead_letters);
        arguments.insert("x-delivery-limit".into(), count(self.delivery_limit));
        arguments.insert("x-max-length".into(), count(self.max_jobs));
        arguments
    }

    fn retry_arguments(&self, delay: Duration) -> FieldTable {
        let mut arguments = dead_lettering_to(&self.jobs);
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(delay_ms));
        // As many as there may be jobs: when even these wait, the retry is refused and the delivery stays unsettled.
        arguments.insert("x-max-length".into(), count(self.max_jobs));
        arguments
    }

    fn dead_letter_arguments() -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), count(MAX_DEAD_LETTERS.into()));
        arguments.insert("x-overflow".into(), text("drop-head"));
        arguments.insert("x-delivery-limit".into(), count(DEAD_LETTER_DELIVERY_LIMIT));
        arguments
    }
}

async fn declare_quorum(channel: &Channel, queue: &ShortString, mut arguments: FieldTable) -> Result<()> {
    arguments.insert("x-queue-type".into(), text("quorum"));
    channel.queue_declare(queue.clone(), QueueDeclareOptions::durable(), arguments).await?;
    Ok(())
}

/// Dead letters go through the default exchange, whose routing keys are queue names.
fn dead_lettering_to(queue: &ShortString) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(queue.as_str()));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

fn count(value: u32) -> AMQPValue {
    AMQPValue::LongLongInt(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_goes_to_the_shortest_queue_that_is_long_enough() {
        let topology = Topology::new(&RabbitSettings::new("amqp://localhost".parse().unwrap()));
        let queue = |delay_ms| topology.retry_queue(Duration::from_millis(delay_ms)).to_string();
        assert_eq!(queue(0), "emergency-time.redact.retry.1000ms");
        assert_eq!(queue(1_000), "emergency-time.redact.retry.1000ms");
        assert_eq!(queue(1_001), "emergency-time.redact.retry.5000ms");
        assert_eq!(queue(60_000), "emergency-time.redact.retry.60000ms");
        assert_eq!(queue(60_001), "emergency-time.redact.retry.60000ms");
    }
}

//! Looks into the broker's queues without taking anything out of them.

use anyhow::Result;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicGetOptions, ExchangeDeleteOptions, QueueDeleteOptions},
};

/// At most so many messages are looked at.
const LIMIT: usize = 1000;

/// The durable queues of one prefix.
const QUEUES: &[&str] = &[
    "redact",
    "redact.dead",
    "redact.retry.1000ms",
    "redact.retry.5000ms",
    "redact.retry.15000ms",
    "redact.retry.30000ms",
    "redact.retry.60000ms",
];

/// The payloads of everything in a queue that nobody consumes, oldest first. They go back when the connection ends.
pub async fn peek(broker: &str, queue: &str) -> Result<Vec<Vec<u8>>> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut payloads = Vec::new();
    while payloads.len() < LIMIT {
        match channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await? {
            Some(message) => payloads.push(message.delivery.data),
            None => break,
        }
    }
    connection.close(200, "looked".into()).await?;
    Ok(payloads)
}

/// Removes every queue whose name begins with a prefix of this test's own.
pub async fn remove(broker: &str, prefix: &str) -> Result<()> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
    for suffix in QUEUES {
        let channel = connection.create_channel().await?;
        // Deleting a queue that is not there is no error in AMQP 0-9-1 as RabbitMQ speaks it.
        channel.queue_delete(format!("{prefix}.{suffix}").into(), QueueDeleteOptions::default()).await?;
    }
    let channel = connection.create_channel().await?;
    channel.exchange_delete(format!("{prefix}.events").into(), ExchangeDeleteOptions::default()).await?;
    connection.close(200, "removed".into()).await?;
    Ok(())
}

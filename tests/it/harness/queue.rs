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

/// The queues that a system under test declares on a broker it shares with others; removed when this is dropped.
pub struct OwnQueues {
    /// The broker.
    pub broker: String,
    /// What the names begin with.
    pub prefix: String,
}

impl OwnQueues {
    async fn remove(broker: &str, prefix: &str) -> Result<()> {
        let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        // Deleting what is not there is no error for RabbitMQ.
        for suffix in QUEUES {
            channel.queue_delete(format!("{prefix}.{suffix}").into(), QueueDeleteOptions::default()).await?;
        }
        channel.exchange_delete(format!("{prefix}.events").into(), ExchangeDeleteOptions::default()).await?;
        connection.close(200, "removed".into()).await?;
        Ok(())
    }
}

impl Drop for OwnQueues {
    fn drop(&mut self) {
        let (broker, prefix) = (std::mem::take(&mut self.broker), std::mem::take(&mut self.prefix));
        // A drop may come inside a runtime, which cannot be blocked on from within.
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(Self::remove(&broker, &prefix))
        });
        if let Ok(Err(error)) = removing.join() {
            eprintln!("test queues were left behind: {error:#}");
        }
    }
}

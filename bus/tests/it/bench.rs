//! What the tests share: a bus of each kind to work on, and waiting that ends.
//!
//! On RabbitMQ every test has names of its own, which are deleted whatever becomes of the test.

use bus::{Bus, Delivery, InProcess, Jobs, Outcome, Rabbit, RabbitSettings, RedeliveryPolicy};
use bytes::Bytes;
use futures_util::FutureExt;
use lapin::{
    Connection, ConnectionProperties,
    options::{ExchangeDeleteOptions, QueueDeleteOptions},
};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use test_broker::Shared;
use tokio::time::timeout;
use uuid::Uuid;

/// Until something that must happen is given up. Generous: it costs nothing when all is well.
pub const PATIENCE: Duration = Duration::from_mins(1);
pub const SHORT_DELAY: Duration = Duration::from_millis(100);
pub const LONG_DELAY: Duration = Duration::from_secs(1);
pub const MAX_ATTEMPTS: u32 = 3;
const CAPACITY: usize = 1_000;

pub fn policy() -> RedeliveryPolicy {
    RedeliveryPolicy { max_attempts: MAX_ATTEMPTS, max_delay: LONG_DELAY }
}

/// Settings with names of their own and delays short enough for a test. What the bus logs is shown if the test fails.
pub fn settings(url: &str) -> RabbitSettings {
    let _ = tracing_subscriber::fmt().with_env_filter("bus=debug,lapin=error").with_test_writer().try_init();
    let mut settings = RabbitSettings::new(url.parse().unwrap());
    settings.prefix = format!("test-{}", Uuid::new_v4());
    settings.policy = policy();
    settings.retry_delays = vec![SHORT_DELAY];
    settings.first_reconnect_delay = Duration::from_millis(20);
    settings.max_reconnect_delay = Duration::from_millis(500);
    settings
}

pub async fn in_process<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Bus>) -> F) {
    test(Arc::new(InProcess::new(policy(), CAPACITY))).await;
}

pub async fn rabbit<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Bus>) -> F) {
    with_settings(async |settings| {
        let bus = Arc::new(Rabbit::connect(settings).await.unwrap());
        test(Arc::clone(&bus) as _).await;
        bus.close().await;
    })
    .await;
}

/// Runs a test on the shared broker, then deletes its queues.
pub async fn with_settings(test: impl AsyncFnOnce(RabbitSettings)) {
    let broker = Shared::find().unwrap();
    let settings = settings(broker.url());
    let outcome = AssertUnwindSafe(test(settings.clone())).catch_unwind().await;
    let deleted = delete(&settings).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    deleted.unwrap();
}

async fn delete(settings: &RabbitSettings) -> lapin::Result<()> {
    let connection = Connection::connect(settings.url.as_str(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let prefix = &settings.prefix;
    let retry = |delay: Duration| format!("{prefix}.redact.retry.{}ms", delay.as_millis());
    let queues = [format!("{prefix}.redact"), format!("{prefix}.redact.dead"), retry(SHORT_DELAY), retry(LONG_DELAY)];
    for queue in queues {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
    }
    channel.exchange_delete(format!("{prefix}.events").into(), ExchangeDeleteOptions::default()).await?;
    connection.close(200, "OK".into()).await
}

/// The next job. Fails the test when none comes.
pub async fn next(jobs: &mut dyn Jobs) -> Box<dyn Delivery> {
    timeout(PATIENCE, jobs.next()).await.expect("no job came").expect("the bus is closed")
}

/// Takes the next job, settles it as done, and says what it was.
pub async fn finish_next(jobs: &mut dyn Jobs) -> String {
    let delivery = next(jobs).await;
    let payload = text(&*delivery);
    delivery.settle(Outcome::Done).await.unwrap();
    payload
}

/// The dead letters once there are `count`: those that the broker makes arrive some time after their last delivery.
pub async fn dead_letters(bus: &dyn Bus, count: usize) -> Vec<(Bytes, String)> {
    let arrived = async {
        loop {
            let letters = bus.dead_letters(count).await.unwrap();
            if letters.len() >= count {
                return letters;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, arrived).await.expect("too few dead letters")
}

pub async fn publish(bus: &dyn Bus, payloads: &[impl AsRef<str>]) {
    let payloads = payloads.iter().map(|payload| bytes(payload.as_ref())).collect();
    bus.publish_jobs(payloads).await.unwrap();
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn text(delivery: &dyn Delivery) -> String {
    String::from_utf8(delivery.payload().to_vec()).unwrap()
}

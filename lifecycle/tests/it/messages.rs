//! Messages in and out: the inbox, the outbox, the numbers of the public log.

use crate::world::{BACKENDS, Backend, Script, World};
use async_trait::async_trait;
use bus::{Bus, Delivery, Error, Jobs, Notices, Outcome};
use bytes::Bytes;
use entity::{inbox, job::RedactJob, outbox, segment, stream};
use lifecycle::Upkeep;
use sea_orm::{EntityTrait as _, PaginatorTrait as _, QueryOrder as _};
use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Waits until it is so; fails after ten seconds.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

struct Running {
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(world: &World, bus: Arc<dyn Bus>) -> Self {
        let cancel = CancellationToken::new();
        let task = tokio::spawn(Upkeep::new(world.lifecycle.clone(), bus).run(cancel.clone()));
        Self { cancel, task }
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_stored_message_is_applied_and_one_that_comes_twice_is_stored_once() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let script = Script::new(&world.stream().await);
        let up = script.up(0);
        world.lifecycle.receive(&up).await.unwrap();
        world.lifecycle.receive(&up).await.unwrap();
        assert_eq!(inbox::Entity::find().count(&world.db).await.unwrap(), 1);
        let running = Running::start(&world, World::bus());
        until("the stream is live", async || {
            stream::Entity::find().one(&world.db).await.unwrap().unwrap().status == stream::Status::Live
        })
        .await;
        until("the inbox is done", async || {
            inbox::Entity::find().one(&world.db).await.unwrap().unwrap().next_try_at.is_none()
        })
        .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_message_that_came_before_its_stream_is_tried_again() {
    let world = World::new(Backend::Sqlite).await;
    let started = world.stream().await;
    let mut early = Script::new(&started).up(0);
    let channel = std::mem::replace(&mut early.channel_arn, "arn:nobody:yet".into());
    world.lifecycle.receive(&early).await.unwrap();
    let running = Running::start(&world, World::bus());
    until("it was tried", async || inbox::Entity::find().one(&world.db).await.unwrap().unwrap().attempts >= 1).await;
    // The channel's stream comes to be.
    let row = stream::ActiveModel {
        id: sea_orm::Set(started.stream.id),
        channel_arn: sea_orm::Set("arn:nobody:yet".into()),
        ..Default::default()
    };
    stream::Entity::update(row).exec(&world.db).await.unwrap();
    assert_ne!(channel, "arn:nobody:yet");
    world.clock.fetch_add(60_000, Ordering::Relaxed);
    until("the stream is live", async || {
        stream::Entity::find().one(&world.db).await.unwrap().unwrap().status == stream::Status::Live
    })
    .await;
    running.stop().await;
}

/// A bus that is down until it is mended.
struct Mended {
    bus: Arc<dyn Bus>,
    works: AtomicBool,
}

#[async_trait]
impl Bus for Mended {
    async fn publish_jobs(&self, payloads: Vec<Bytes>) -> Result<(), Error> {
        if self.works.load(Ordering::Relaxed) {
            self.bus.publish_jobs(payloads).await
        } else {
            Err(Error("down".into()))
        }
    }
    async fn publish_notice(&self, payload: Bytes) -> Result<(), Error> {
        self.bus.publish_notice(payload).await
    }
    async fn consume_jobs(&self, prefetch: u16) -> Result<Box<dyn Jobs>, Error> {
        self.bus.consume_jobs(prefetch).await
    }
    async fn notices(&self) -> Result<Box<dyn Notices>, Error> {
        self.bus.notices().await
    }
    async fn dead_letters(&self, limit: usize) -> Result<Vec<(Bytes, String)>, Error> {
        self.bus.dead_letters(limit).await
    }
    fn is_durable(&self) -> bool {
        true
    }
    async fn check(&self) -> Result<(), Error> {
        self.bus.check().await
    }
    async fn close(&self) {
        self.bus.close().await;
    }
}

async fn next_job(jobs: &mut Box<dyn Jobs>) -> RedactJob {
    let delivery: Box<dyn Delivery> =
        tokio::time::timeout(Duration::from_secs(10), jobs.next()).await.unwrap().unwrap();
    let job = serde_json::from_slice(delivery.payload()).unwrap();
    delivery.settle(Outcome::Done).await.unwrap();
    job
}

#[tokio::test]
async fn the_outbox_keeps_what_the_bus_does_not_take_and_empties_when_it_does() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let script = Script::new(&world.stream().await);
        world.lifecycle.apply(&script.segments(0, 0..3)).await.unwrap();
        let bus = Arc::new(Mended { bus: World::bus(), works: AtomicBool::new(false) });
        let running = Running::start(&world, bus.clone());
        let owed = outbox::Entity::find().count(&world.db).await.unwrap();
        assert_eq!(owed, 3, "a notice and two jobs");
        bus.works.store(true, Ordering::Relaxed);
        let mut jobs = bus.consume_jobs(8).await.unwrap();
        let mut got = vec![next_job(&mut jobs).await.segment, next_job(&mut jobs).await.segment];
        let mut expected: Vec<_> = segment::Entity::find().all(&world.db).await.unwrap();
        expected.retain(|segment| segment.status == segment::Status::Queued);
        let mut expected: Vec<_> = expected.into_iter().map(|segment| segment.id).collect();
        got.sort();
        expected.sort();
        assert_eq!(got, expected);
        until("the outbox is empty", async || outbox::Entity::find().count(&world.db).await.unwrap() == 0).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn jobs_that_died_with_a_process_are_issued_again_at_the_next_start() {
    let world = World::new(Backend::Sqlite).await;
    let script = Script::new(&world.stream().await);
    world.lifecycle.apply(&script.segments(0, 0..3)).await.unwrap();
    // The first process takes them over and dies: its bus is forgotten.
    let first = Running::start(&world, World::bus());
    until("the outbox is empty", async || outbox::Entity::find().count(&world.db).await.unwrap() == 0).await;
    first.stop().await;
    let bus = World::bus();
    let mut jobs = bus.consume_jobs(8).await.unwrap();
    let second = Running::start(&world, bus);
    assert_ne!(next_job(&mut jobs).await.segment, next_job(&mut jobs).await.segment);
    second.stop().await;
}

/// Many writers at once; a reader that follows the log by number must see every event, and none behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_numbers_are_given_in_the_order_of_commit() {
    const WRITERS: usize = 6;
    const MOVES: usize = 12;
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..WRITERS {
            let started = world.stream().await;
            world.lifecycle.apply(&Script::new(&started).up(0)).await.unwrap();
            let lifecycle = world.lifecycle.clone();
            writers.spawn(async move {
                for m in 0..MOVES {
                    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                    let position = entity::Position::new(n as f64, m as f64).unwrap();
                    let movement = lifecycle::Movement { position, heading: None, accuracy: None };
                    lifecycle.move_stream(started.stream.id, &started.token, movement).await.unwrap();
                }
            });
        }
        let (mut last, mut seen) = (0, 0);
        let expected = WRITERS * (MOVES + 1);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while seen < expected {
            assert!(tokio::time::Instant::now() < deadline, "{backend:?}: {seen} of {expected} events were seen");
            let mut cursor = entity::event::Entity::find().cursor_by(entity::event::Column::Seq);
            let fresh = cursor.after(last).all(&world.db).await.unwrap();
            seen += fresh.len();
            last = fresh.last().map_or(last, |event| event.seq);
        }
        while let Some(written) = writers.join_next().await {
            written.unwrap();
        }
        let all = entity::event::Entity::find().order_by_asc(entity::event::Column::Seq).all(&world.db).await.unwrap();
        assert_eq!(all.len(), expected, "{backend:?}");
    }
}

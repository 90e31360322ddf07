//! The broker is killed and started again, and everybody goes on by themselves.
//!
//! Each test kills a node of its own.

use crate::bench::{LONG_DELAY, PATIENCE, bytes, finish_next, next, publish, settings, text};
use bus::{Bus, Delivery, Jobs, Notices, Outcome, Rabbit};
use std::{collections::BTreeSet, time::Duration};
use test_broker::Broker;
use tokio::{task::block_in_place, time::timeout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_confirmed_before_the_broker_is_killed_are_all_delivered_after_it() {
    let (mut broker, bus) = broker_that_knows_its_queues().await;
    let mut jobs = bus.consume_jobs(5).await.unwrap();
    let mut notices = bus.notices().await.unwrap();
    let published: BTreeSet<_> = (0..200).map(|number| format!("job {number:03}")).collect();
    publish(&bus, &published.iter().collect::<Vec<_>>()).await;
    let held = [next(&mut *jobs).await, next(&mut *jobs).await];

    block_in_place(|| broker.kill9());
    wait_for_the_loss(&bus).await;
    for delivery in held {
        delivery.settle(Outcome::Done).await.unwrap_err();
    }
    bus.publish_jobs(vec![bytes("nobody is there")]).await.unwrap_err();
    block_in_place(|| broker.restart()).unwrap();

    let mut received = BTreeSet::new();
    while received.len() < published.len() {
        let delivery = next(&mut *jobs).await;
        assert_eq!(delivery.attempt(), 1);
        received.insert(text(&*delivery));
        delivery.settle(Outcome::Done).await.unwrap();
    }
    assert_eq!(received, published);

    publish(&bus, &["published after it"]).await;
    assert_eq!(finish_next(&mut *jobs).await, "published after it");
    assert_eq!(first_notice_again(&bus, &mut *notices).await, "noticed after it");
    bus.check().await.unwrap();
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_and_dead_letters_outlive_the_broker_twice() {
    let (mut broker, bus) = broker_that_knows_its_queues().await;
    let mut jobs = bus.consume_jobs(5).await.unwrap();
    publish(&bus, &["poison"]).await;
    next(&mut *jobs).await.settle(Outcome::Reject("corrupt".into())).await.unwrap();
    publish(&bus, &["again"]).await;
    for attempt in 1..=2 {
        next_with_attempt(&mut *jobs, attempt).await.settle(Outcome::RetryAfter(LONG_DELAY)).await.unwrap();
        block_in_place(|| broker.restart()).unwrap();
    }
    next_with_attempt(&mut *jobs, 3).await.settle(Outcome::Done).await.unwrap();
    assert_eq!(bus.dead_letters(10).await.unwrap(), [(bytes("poison"), "corrupt".to_owned())]);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_can_be_closed_while_the_broker_is_away() {
    let mut broker = block_in_place(Broker::start).unwrap();
    let bus = Rabbit::connect(settings(&broker.url())).await.unwrap();
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    let waiting = tokio::spawn(async move { jobs.next().await.is_none() });
    block_in_place(|| broker.kill9());
    wait_for_the_loss(&bus).await;
    timeout(PATIENCE, bus.close()).await.unwrap();
    assert!(timeout(PATIENCE, waiting).await.unwrap().unwrap());
}

/// A node to kill, and a bus on it. See [`Broker::kill9`] for why it was stopped once.
async fn broker_that_knows_its_queues() -> (Broker, Rabbit) {
    let mut broker = block_in_place(Broker::start).unwrap();
    let settings = settings(&broker.url());
    Rabbit::connect(settings.clone()).await.unwrap().close().await;
    block_in_place(|| broker.stop().and_then(|()| broker.restart())).unwrap();
    let bus = Rabbit::connect(settings).await.unwrap();
    (broker, bus)
}

/// The delivery with this number. Earlier ones may come again: the broker was killed before it saw them acknowledged.
async fn next_with_attempt(jobs: &mut dyn Jobs, attempt: u32) -> Box<dyn Delivery> {
    loop {
        let delivery = next(jobs).await;
        assert_eq!(text(&*delivery), "again");
        if delivery.attempt() == attempt {
            return delivery;
        }
        assert!(delivery.attempt() < attempt);
        delivery.settle(Outcome::Done).await.unwrap();
    }
}

/// Until the bus has noticed on both of its connections that the broker is away.
async fn wait_for_the_loss(bus: &Rabbit) {
    let lost = async {
        while bus.check().await.is_ok() || bus.dead_letters(0).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, lost).await.expect("the loss went unnoticed");
}

/// Publishes the same notice until one arrives: those published before the listener was back reach nobody.
async fn first_notice_again(bus: &Rabbit, notices: &mut dyn Notices) -> bytes::Bytes {
    let publishing = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            bus.publish_notice(bytes("noticed after it")).await.unwrap();
        }
    };
    tokio::select! {
        notice = timeout(PATIENCE, notices.next()) => notice.expect("no notice came").expect("the bus is closed"),
        () = publishing => unreachable!("publishes for ever"),
    }
}

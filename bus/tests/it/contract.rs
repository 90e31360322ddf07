//! The contract of every bus: one suite, run on each of them.
//!
//! "Nothing more comes" is never shown by waiting: a later job, or another consumer, must be served first.

use crate::bench::{LONG_DELAY, MAX_ATTEMPTS, PATIENCE, SHORT_DELAY, bytes, finish_next, next, publish, text};
use bus::{Bus, Delivery, Outcome};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet, time::timeout};

/// Defines each of these tests once per bus.
macro_rules! on_every_bus {
    ($($name:ident)*) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::bench::in_process(super::$name).await; })*
        }
        mod rabbit {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::bench::rabbit(super::$name).await; })*
        }
    };
}

on_every_bus! {
    every_published_job_is_delivered_once_and_settled
    an_unsettled_job_that_is_dropped_is_delivered_again
    a_retry_comes_back_after_its_delay_with_the_next_attempt
    a_short_delay_is_not_held_up_by_a_long_one
    a_job_out_of_attempts_becomes_a_dead_letter
    a_rejected_job_becomes_a_dead_letter_with_its_reason
    dead_letters_stay_where_they_are_oldest_first
    prefetch_bounds_what_a_consumer_holds
    a_job_can_be_settled_after_its_consumer_has_stopped
    many_producers_and_consumers_lose_and_double_nothing
    notices_reach_every_listener_and_only_those_listening
    a_closed_bus_ends_its_consumers_and_refuses_work
}

async fn every_published_job_is_delivered_once_and_settled(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(3).await.unwrap();
    let published: Vec<_> = (0..50).map(|number| format!("job {number}")).collect();
    publish(&*bus, &published).await;
    let mut received = Vec::new();
    for _ in 0..published.len() {
        let delivery = next(&mut *jobs).await;
        assert_eq!(delivery.attempt(), 1);
        received.push(text(&*delivery));
        delivery.settle(Outcome::Done).await.unwrap();
    }
    assert_eq!(received, published);

    publish(&*bus, &["the one after"]).await;
    assert_eq!(finish_next(&mut *jobs).await, "the one after");
}

async fn an_unsettled_job_that_is_dropped_is_delivered_again(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    publish(&*bus, &["dropped", "later"]).await;
    for _ in 0..3 {
        let delivery = next(&mut *jobs).await;
        assert_eq!((text(&*delivery).as_str(), delivery.attempt()), ("dropped", 1));
    }
    next(&mut *jobs).await.settle(Outcome::Done).await.unwrap();
    assert_eq!(finish_next(&mut *jobs).await, "later");
}

async fn a_retry_comes_back_after_its_delay_with_the_next_attempt(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(5).await.unwrap();
    publish(&*bus, &["again"]).await;
    let delay = SHORT_DELAY;
    let mut settled = Instant::now();
    for attempt in 1..=MAX_ATTEMPTS {
        let delivery = next(&mut *jobs).await;
        assert_eq!((text(&*delivery).as_str(), delivery.attempt()), ("again", attempt));
        assert!(attempt == 1 || settled.elapsed() >= delay, "came back {:?} after it was settled", settled.elapsed());
        settled = Instant::now();
        let outcome = if attempt == MAX_ATTEMPTS { Outcome::Done } else { Outcome::RetryAfter(delay) };
        delivery.settle(outcome).await.unwrap();
    }
    assert_eq!(bus.dead_letters(10).await.unwrap(), []);
}

async fn a_short_delay_is_not_held_up_by_a_long_one(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(5).await.unwrap();
    publish(&*bus, &["long", "short"]).await;
    for delay in [LONG_DELAY, SHORT_DELAY] {
        next(&mut *jobs).await.settle(Outcome::RetryAfter(delay)).await.unwrap();
    }
    assert_eq!(finish_next(&mut *jobs).await, "short");
    assert_eq!(finish_next(&mut *jobs).await, "long");
}

async fn a_job_out_of_attempts_becomes_a_dead_letter(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    publish(&*bus, &["hopeless"]).await;
    for attempt in 1..=MAX_ATTEMPTS {
        let delivery = next(&mut *jobs).await;
        assert_eq!(delivery.attempt(), attempt);
        delivery.settle(Outcome::RetryAfter(Duration::ZERO)).await.unwrap();
    }
    let reason = format!("gave up after {MAX_ATTEMPTS} attempts");
    assert_eq!(bus.dead_letters(10).await.unwrap(), [(bytes("hopeless"), reason)]);

    publish(&*bus, &["the one after"]).await;
    assert_eq!(finish_next(&mut *jobs).await, "the one after");
}

async fn a_rejected_job_becomes_a_dead_letter_with_its_reason(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    publish(&*bus, &["poison", "the one after"]).await;
    let reason = format!("corrupt: {}", "é".repeat(100_000));
    next(&mut *jobs).await.settle(Outcome::Reject(reason.clone())).await.unwrap();
    assert_eq!(finish_next(&mut *jobs).await, "the one after");
    let letters = bus.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].0, "poison");
    // A bus may cut a reason, but not to nothing.
    assert!(reason.starts_with(&letters[0].1) && letters[0].1.len() > 1_000, "{} bytes", letters[0].1.len());
}

async fn dead_letters_stay_where_they_are_oldest_first(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    publish(&*bus, &["a", "b", "c"]).await;
    for reason in ["1", "2", "3"] {
        next(&mut *jobs).await.settle(Outcome::Reject(reason.into())).await.unwrap();
    }
    let all = [("a", "1"), ("b", "2"), ("c", "3")].map(|(payload, reason)| (bytes(payload), reason.to_owned()));
    for _ in 0..3 {
        assert_eq!(bus.dead_letters(2).await.unwrap(), all[..2]);
        assert_eq!(bus.dead_letters(10).await.unwrap(), all);
    }
}

async fn prefetch_bounds_what_a_consumer_holds(bus: Arc<dyn Bus>) {
    let mut bounded = bus.consume_jobs(2).await.unwrap();
    publish(&*bus, &["a", "b", "c", "d", "e"]).await;
    let held = [next(&mut *bounded).await, next(&mut *bounded).await];

    let mut other = bus.consume_jobs(10).await.unwrap();
    let mut passed_on = Vec::new();
    while passed_on.len() < 3 {
        tokio::select! {
            biased;
            third = bounded.next() => panic!("held two and got {:?}", third.map(|third| text(&*third))),
            delivery = next(&mut *other) => passed_on.push(delivery),
        }
    }
    let everything: BTreeSet<_> = held.iter().chain(&passed_on).map(|delivery| text(&**delivery)).collect();
    assert_eq!(everything, ["a", "b", "c", "d", "e"].map(String::from).into());

    drop((other, passed_on));
    for delivery in held {
        delivery.settle(Outcome::Done).await.unwrap();
    }
    let again = next(&mut *bounded).await;
    assert!(["c", "d", "e"].contains(&text(&*again).as_str()));
}

async fn a_job_can_be_settled_after_its_consumer_has_stopped(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    publish(&*bus, &["in hand", "waiting"]).await;
    let in_hand = next(&mut *jobs).await;
    drop(jobs);
    in_hand.settle(Outcome::Done).await.unwrap();
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    assert_eq!(finish_next(&mut *jobs).await, "waiting");
}

async fn many_producers_and_consumers_lose_and_double_nothing(bus: Arc<dyn Bus>) {
    const PRODUCERS: usize = 4;
    const CONSUMERS: usize = 4;
    const BATCHES: usize = 10;
    const BATCH: usize = 5;
    const ALL: usize = PRODUCERS * BATCHES * BATCH;

    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let complete = Arc::new(Notify::new());
    let mut consumers = JoinSet::new();
    for _ in 0..CONSUMERS {
        let mut jobs = bus.consume_jobs(3).await.unwrap();
        let (seen, complete) = (Arc::clone(&seen), Arc::clone(&complete));
        consumers.spawn(async move {
            while let Some(delivery) = jobs.next().await {
                let payload = text(&*delivery);
                // Every third job takes the way over a retry.
                let wants_retry = payload.ends_with('3') && delivery.attempt() == 1;
                let outcome = if wants_retry { Outcome::RetryAfter(Duration::ZERO) } else { Outcome::Done };
                delivery.settle(outcome).await.unwrap();
                if !wants_retry {
                    let mut seen = seen.lock().unwrap();
                    assert!(seen.insert(payload.clone()), "{payload} came twice");
                    if seen.len() == ALL {
                        complete.notify_one();
                    }
                }
            }
        });
    }
    let mut producers = JoinSet::new();
    for producer in 0..PRODUCERS {
        let bus = Arc::clone(&bus);
        producers.spawn(async move {
            for batch in 0..BATCHES {
                let payloads: Vec<_> = (0..BATCH).map(|job| format!("{producer}/{batch}/{job}")).collect();
                publish(&*bus, &payloads).await;
            }
        });
    }
    producers.join_all().await;
    let all_seen = timeout(PATIENCE, complete.notified()).await;
    assert!(all_seen.is_ok(), "{} of {ALL} arrived", seen.lock().unwrap().len());
    assert_eq!(bus.dead_letters(10).await.unwrap(), []);
    bus.close().await;
    consumers.join_all().await;
}

async fn notices_reach_every_listener_and_only_those_listening(bus: Arc<dyn Bus>) {
    bus.publish_notice(bytes("before anybody listened")).await.unwrap();
    let mut first = bus.notices().await.unwrap();
    let mut second = bus.notices().await.unwrap();
    bus.publish_notice(bytes("one")).await.unwrap();
    assert_eq!(timeout(PATIENCE, first.next()).await.unwrap().unwrap(), "one");
    assert_eq!(timeout(PATIENCE, second.next()).await.unwrap().unwrap(), "one");

    drop(first);
    let mut third = bus.notices().await.unwrap();
    bus.publish_notice(bytes("two")).await.unwrap();
    bus.publish_notice(bytes("three")).await.unwrap();
    for expected in ["two", "three"] {
        assert_eq!(timeout(PATIENCE, second.next()).await.unwrap().unwrap(), expected);
        assert_eq!(timeout(PATIENCE, third.next()).await.unwrap().unwrap(), expected);
    }
}

async fn a_closed_bus_ends_its_consumers_and_refuses_work(bus: Arc<dyn Bus>) {
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    let mut idle = bus.consume_jobs(1).await.unwrap();
    let mut notices = bus.notices().await.unwrap();
    bus.check().await.unwrap();
    publish(&*bus, &["held"]).await;
    let held: Box<dyn Delivery> = tokio::select! {
        delivery = next(&mut *jobs) => delivery,
        delivery = next(&mut *idle) => delivery,
    };
    let waiting = tokio::spawn(async move { idle.next().await.is_none() });

    bus.close().await;
    assert!(timeout(PATIENCE, waiting).await.unwrap().unwrap());
    assert!(timeout(PATIENCE, jobs.next()).await.unwrap().is_none());
    assert!(timeout(PATIENCE, notices.next()).await.unwrap().is_none());
    held.settle(Outcome::Done).await.unwrap_err();
    bus.publish_jobs(vec![bytes("too late")]).await.unwrap_err();
    bus.publish_notice(bytes("too late")).await.unwrap_err();
    bus.check().await.unwrap_err();
    assert!(bus.consume_jobs(1).await.is_err());
    assert!(bus.notices().await.is_err());
}

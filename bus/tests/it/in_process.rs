//! What only the bus in memory promises: its bounds, and that it is not durable.

use crate::bench::{PATIENCE, bytes, finish_next, next, policy, publish};
use bus::{Bus, InProcess, MAX_DEAD_LETTERS, Outcome};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn publishing_to_a_full_bus_waits_until_a_job_is_done() {
    let bus = InProcess::new(policy(), 3);
    let mut jobs = bus.consume_jobs(5).await.unwrap();
    publish(&bus, &["held", "delayed", "waiting"]).await;
    let held = next(&mut *jobs).await;
    // A delayed job is unfinished as well.
    next(&mut *jobs).await.settle(Outcome::RetryAfter(Duration::from_hours(1))).await.unwrap();

    let mut publishing = std::pin::pin!(bus.publish_jobs(vec![bytes("one too many")]));
    assert!(futures_util::poll!(publishing.as_mut()).is_pending());
    let waiting = next(&mut *jobs).await;
    assert!(futures_util::poll!(publishing.as_mut()).is_pending());
    held.settle(Outcome::Done).await.unwrap();
    timeout(PATIENCE, publishing).await.unwrap().unwrap();
    waiting.settle(Outcome::Done).await.unwrap();
    assert_eq!(finish_next(&mut *jobs).await, "one too many");
}

#[tokio::test]
async fn closing_ends_the_wait_for_a_place() {
    let bus = InProcess::new(policy(), 1);
    publish(&bus, &["only place"]).await;
    let mut publishing = std::pin::pin!(bus.publish_jobs(vec![bytes("one too many")]));
    assert!(futures_util::poll!(publishing.as_mut()).is_pending());
    bus.close().await;
    timeout(PATIENCE, publishing).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn of_too_many_dead_letters_the_oldest_go() {
    let bus = InProcess::new(policy(), 1);
    let mut jobs = bus.consume_jobs(1).await.unwrap();
    for number in 0..=MAX_DEAD_LETTERS {
        publish(&bus, &[number.to_string()]).await;
        next(&mut *jobs).await.settle(Outcome::Reject("no".into())).await.unwrap();
    }
    let letters = bus.dead_letters(usize::MAX).await.unwrap();
    assert_eq!(letters.len(), usize::from(MAX_DEAD_LETTERS));
    assert_eq!(letters[0].0, "1");
}

#[tokio::test]
async fn a_reader_too_slow_for_the_notices_goes_on_with_later_ones() {
    let bus = InProcess::new(policy(), 1);
    let mut notices = bus.notices().await.unwrap();
    for number in 0..10_000 {
        bus.publish_notice(bytes(&number.to_string())).await.unwrap();
    }
    let first = timeout(PATIENCE, notices.next()).await.unwrap().unwrap();
    let first: u32 = std::str::from_utf8(&first).unwrap().parse().unwrap();
    assert!(first > 0, "nothing was bounded");
    for expected in first + 1..10_000 {
        assert_eq!(timeout(PATIENCE, notices.next()).await.unwrap().unwrap(), expected.to_string());
    }
}

#[tokio::test]
async fn an_idle_consumer_wakes_for_the_soonest_of_several_retries() {
    let bus = InProcess::new(policy(), 10);
    let mut jobs = bus.consume_jobs(3).await.unwrap();
    publish(&bus, &["0.9 s", "0.3 s", "0.6 s"]).await;
    let held = [next(&mut *jobs).await, next(&mut *jobs).await, next(&mut *jobs).await];
    for (delivery, delay_ms) in held.into_iter().zip([900, 300, 600]) {
        delivery.settle(Outcome::RetryAfter(Duration::from_millis(delay_ms))).await.unwrap();
    }
    for expected in ["0.3 s", "0.6 s", "0.9 s"] {
        assert_eq!(finish_next(&mut *jobs).await, expected);
    }
}

#[test]
fn it_says_that_jobs_do_not_outlive_the_process() {
    assert!(!InProcess::new(policy(), 1).is_durable());
}

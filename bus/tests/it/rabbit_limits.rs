//! What only the bus over RabbitMQ promises on a healthy broker: bounds, redelivery between processes, and errors that
//! keep the password.

use crate::bench::{PATIENCE, bytes, dead_letters, finish_next, next, publish, settings, text, with_settings};
use bus::{Bus, Outcome, Rabbit, RabbitSettings};
use lapin::{Connection, ConnectionProperties, options::QueueDeleteOptions, types::ShortString};
use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_its_consumers_never_settle_ends_as_a_dead_letter() {
    with_settings(async |mut settings| {
        settings.delivery_limit = 3;
        let bus = Rabbit::connect(settings).await.unwrap();
        publish(&bus, &["kills its consumer", "the one after"]).await;
        let mut jobs = bus.consume_jobs(1).await.unwrap();
        for _ in 0..=3 {
            assert_eq!(text(&*next(&mut *jobs).await), "kills its consumer");
        }
        assert_eq!(finish_next(&mut *jobs).await, "the one after");
        let letters = dead_letters(&bus, 1).await;
        assert_eq!(letters, [(bytes("kills its consumer"), "given up by the broker: delivery_limit".to_owned())]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_closed_process_held_goes_to_another_one() {
    with_settings(async |settings| {
        let first = Rabbit::connect(settings.clone()).await.unwrap();
        let mut jobs = first.consume_jobs(10).await.unwrap();
        publish(&first, &["held", "buffered"]).await;
        let held = next(&mut *jobs).await;
        first.close().await;

        let second = Rabbit::connect(settings).await.unwrap();
        let mut jobs = second.consume_jobs(10).await.unwrap();
        for expected in ["held", "buffered"] {
            let delivery = next(&mut *jobs).await;
            assert_eq!((text(&*delivery).as_str(), delivery.attempt()), (expected, 1));
            delivery.settle(Outcome::Done).await.unwrap();
        }
        held.settle(Outcome::Done).await.unwrap_err();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_jobs_instead_of_dropping_them() {
    with_settings(async |mut settings| {
        settings.max_jobs = 5;
        let bus = Rabbit::connect(settings).await.unwrap();
        let mut taken = 0;
        while bus.publish_jobs(vec![bytes(&taken.to_string())]).await.is_ok() {
            taken += 1;
            assert!(taken < 1_000, "nothing was bounded");
        }
        let mut jobs = bus.consume_jobs(1).await.unwrap();
        for expected in 0..taken {
            let delivery = next(&mut *jobs).await;
            assert_eq!(text(&*delivery), expected.to_string());
            delivery.settle(Outcome::Done).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_notices_that_the_queue_is_gone_and_declares_it_again() {
    with_settings(async |settings| {
        let bus = Rabbit::connect(settings.clone()).await.unwrap();
        publish(&bus, &["lost with the queue"]).await;
        delete_job_queue(&settings).await;
        bus.publish_jobs(vec![bytes("refused")]).await.unwrap_err();
        publish(&bus, &["taken"]).await;
        let mut jobs = bus.consume_jobs(1).await.unwrap();
        assert_eq!(finish_next(&mut *jobs).await, "taken");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_whose_queue_is_deleted_and_declared_again_goes_on() {
    with_settings(async |mut settings| {
        settings.quiet_limit = Duration::from_millis(200);
        let bus = Rabbit::connect(settings.clone()).await.unwrap();
        let mut jobs = bus.consume_jobs(1).await.unwrap();
        delete_job_queue(&settings).await;
        let publishing = async {
            // Refused until somebody has declared the queue again, which the publisher does as well.
            while bus.publish_jobs(vec![bytes("after all")]).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        let (delivery, ()) = tokio::join!(next(&mut *jobs), publishing);
        assert_eq!(text(&*delivery), "after all");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_job_may_be_given_up_without_losing_one() {
    with_settings(async |settings| {
        let bus = Rabbit::connect(settings).await.unwrap();
        let mut jobs = bus.consume_jobs(1).await.unwrap();
        let payloads: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        publish(&bus, &payloads).await;
        for expected in payloads {
            let delivery = loop {
                tokio::select! {
                    biased;
                    delivery = jobs.next() => break delivery.unwrap(),
                    () = tokio::task::yield_now() => {}
                }
            };
            assert_eq!(text(&*delivery), expected);
            delivery.settle(Outcome::Done).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_error_shows_the_password() {
    let broker = test_broker::Shared::find().unwrap();
    let mut refused = settings(broker.url());
    refused.url.set_password(Some("s3cret")).unwrap();
    refused.url.set_username("nobody").unwrap();
    let mut unreachable = refused.clone();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    unreachable.url.set_port(Some(port)).unwrap();
    let mut nonsense = refused.clone();
    nonsense.url = "http://nobody:s3cret@localhost/".parse().unwrap();
    for settings in [refused, unreachable, nonsense] {
        let error = Rabbit::connect(settings).await.err().expect("connected with a wrong address");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_accepts_but_never_answers_is_given_up_in_time() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut settings = settings(&format!("amqp://{}/%2f", silent.local_addr().unwrap()));
    settings.connect_timeout = Duration::from_millis(200);
    let connected = timeout(PATIENCE, Rabbit::connect(settings)).await.unwrap();
    assert!(connected.is_err());
}

async fn delete_job_queue(settings: &RabbitSettings) {
    let connection = Connection::connect(settings.url.as_str(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.queue_delete(job_queue(settings), QueueDeleteOptions::default()).await.unwrap();
    connection.close(200, "OK".into()).await.unwrap();
}

fn job_queue(settings: &RabbitSettings) -> ShortString {
    format!("{}.redact", settings.prefix).into()
}

//! A reader that does not read: it is cut, in bounded memory, and resumes where it was.

use crate::{
    harness::{Served, WORLD, at, until},
    socket::{Client, Heard, TRANSPORT},
};
use entity::{CctvId, ItemId, cctv, event::Kind, time::Clock};
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
use std::{collections::HashSet, time::Duration};

/// Events of about this size fill what the system keeps for a connection soon.
const NAME_BYTES: usize = 100_000;
const EVENTS: usize = 300;

/// A camera with a very long name.
async fn camera(served: &Served) -> CctvId {
    let id = CctvId::generate();
    let now = Clock::System.now();
    let row = cctv::Model {
        id,
        source: "tests".into(),
        source_id: "1".into(),
        name: "x".repeat(NAME_BYTES),
        kind: cctv::Kind::Image,
        url: "https://example.org/1.jpg".into(),
        attribution: None,
        longitude: 127.0,
        latitude: 37.5,
        cell: at(127.0, 37.5).cell(),
        status: cctv::Status::Live,
        observed_at: None,
        created_at: now,
        updated_at: now,
    };
    row.into_active_model().reset_all().insert(&served.house.db).await.unwrap();
    id
}

/// Reads events after the cursor until there are enough of them or the server hangs up; returns the code it does so
/// with.
async fn read(client: &mut Client, seen: &mut Vec<String>) -> Option<u16> {
    while seen.len() < EVENTS {
        match client.hear().await {
            // The subscription's last word, before the socket is closed.
            Heard::Said(message) if message["payload"].get("errors").is_some() => {
                assert!(message["payload"]["errors"][0]["extensions"]["resumeAfter"].is_string(), "{message}");
            }
            Heard::Said(message) => {
                let event = &message["payload"]["data"]["mapEvents"];
                assert_eq!(event["item"]["title"].as_str().map(str::len), Some(NAME_BYTES));
                seen.push(event["cursor"].as_str().unwrap().to_owned());
            }
            Heard::Closed(code) => return Some(code),
        }
    }
    None
}

async fn follow(served: &Served, after: &str) -> Client {
    let mut client = Client::begin(served, TRANSPORT).await;
    let query =
        format!("subscription {{ mapEvents(bbox: {WORLD}, after: \"{after}\") {{ cursor item {{ title }} }} }}");
    client.subscribe("1", &query).await;
    client
}

async fn cursor(served: &Served) -> String {
    let map = served.ask(&format!("{{ map(bbox: {WORLD}, zoom: 3) {{ cursor }} }}"), serde_json::json!({})).await;
    map["data"]["map"]["cursor"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_is_closed_with_4503_and_misses_nothing() {
    let served = Served::with(|limits| {
        limits.hub_queue = 4;
        limits.socket_queue = 1;
        limits.send_timeout = Duration::from_millis(200);
        limits.close_timeout = Duration::from_mins(1);
    })
    .await;
    let item = ItemId::Cctv(camera(&served).await);
    let start = cursor(&served).await;
    let mut client = follow(&served, &start).await;
    for _ in 0..EVENTS {
        served.house.event(Kind::CctvChanged, item, at(127.0, 37.5)).await;
    }
    // Nothing is read until the socket has given up and let go of its subscription.
    until("the slow reader is cut", || async {
        let metrics = served.metrics().await;
        metrics.lines().any(|line| line == "hub_subscribers 0").then_some(())
    })
    .await;

    let mut seen = Vec::new();
    assert_eq!(read(&mut client, &mut seen).await, Some(4503));
    assert!(seen.len() < EVENTS, "a reader that stopped cannot have been sent everything");
    while seen.len() < EVENTS {
        let after = seen.last().unwrap_or(&start).clone();
        let code = read(&mut follow(&served, &after).await, &mut seen).await;
        assert!(matches!(code, None | Some(4503)), "{code:?}");
    }
    assert_eq!(seen.last(), Some(&cursor(&served).await), "the newest event is the last one seen");
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), EVENTS, "each once");
}

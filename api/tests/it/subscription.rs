//! Events over WebSocket: each once, in order, across reconnects.

use crate::{
    harness::{Served, WORLD, at},
    socket::{Client, TRANSPORT},
};
use entity::{Category, cctv};
use lifecycle::{Camera, NewStream};
use live::{LiveEvent, LiveEventKind};
use serde_json::{Value, json};

fn camera(number: usize, name: &str) -> Camera {
    Camera {
        source: "tests".into(),
        source_id: number.to_string(),
        name: name.into(),
        kind: cctv::Kind::Image,
        url: format!("https://example.org/{number}.jpg"),
        attribution: None,
        position: at(127.0, 37.5),
    }
}

async fn change(served: &Served, numbers: std::ops::Range<usize>) {
    for number in numbers {
        served.house.lifecycle.upsert_cctvs(vec![camera(number, "a street")]).await.unwrap();
    }
}

fn follow(after: Option<&Value>) -> String {
    let after = after.map(|cursor| format!(", after: {cursor}")).unwrap_or_default();
    format!("subscription {{ mapEvents(bbox: {WORLD}{after}) {{ __typename cursor item {{ id title }} }} }}")
}

async fn next(client: &mut Client) -> Value {
    let message = client.expect("next").await;
    assert_eq!(message["payload"].get("errors"), None, "{message}");
    message["payload"]["data"]["mapEvents"].clone()
}

#[tokio::test]
async fn every_event_arrives_once_and_in_order_across_reconnects() {
    let served = Served::start().await;
    let cursor = served.ask(&format!("{{ map(bbox: {WORLD}, zoom: 3) {{ cursor }} }}"), json!({})).await;
    let mut cursor = cursor["data"]["map"]["cursor"].clone();
    let mut seen = Vec::new();
    for round in 0..4 {
        let mut client = Client::begin(&served, TRANSPORT).await;
        client.subscribe("1", &follow(Some(&cursor))).await;
        // Some are written while nobody listens, some while somebody does, and some are left for the next round.
        change(&served, round * 10..round * 10 + 10).await;
        for _ in 0..7 {
            let event = next(&mut client).await;
            cursor = event["cursor"].clone();
            seen.push(event);
        }
        drop(client);
    }
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.subscribe("1", &follow(Some(&cursor))).await;
    while seen.len() < 40 {
        seen.push(next(&mut client).await);
    }
    let rows = entity::event::Entity::find_ordered(&served).await;
    let items: Vec<String> = seen.iter().map(|event| event["item"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(items, rows, "the log's items, each once, in the log's order");
    assert!(seen.iter().all(|event| event["__typename"] == "CctvChanged"));
}

trait Ordered {
    async fn find_ordered(served: &Served) -> Vec<String>;
}

impl Ordered for entity::event::Entity {
    /// The items of the log in its order.
    async fn find_ordered(served: &Served) -> Vec<String> {
        use sea_orm::{EntityTrait as _, QueryOrder as _};
        let rows = Self::find().order_by_asc(entity::event::Column::Seq).all(&served.house.db).await.unwrap();
        rows.iter().map(|row| row.item().to_string()).collect()
    }
}

#[tokio::test]
async fn a_broadcast_is_followed_from_its_start_to_its_end() {
    let served = Served::start().await;
    let lifecycle = &served.house.lifecycle;
    let stream = NewStream {
        title: "Smoke".into(),
        description: None,
        category: Category::Fire,
        position: at(127.0, 37.5),
        heading: None,
        accuracy: None,
    };
    let started = lifecycle.start_stream(stream).await.unwrap();
    let id = started.stream.id.to_string();
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.subscribe("map", &follow(None)).await;
    client.subscribe("one", &format!("subscription {{ stream(id: \"{id}\") {{ status }} }}")).await;
    let first = client.expect("next").await;
    assert_eq!(first["payload"]["data"]["stream"]["status"], "PREPARING");
    // A subscription without a cursor begins somewhere after its message was read; this answer comes after that.
    client.subscribe("fence", "{ __typename }").await;
    client.expect("next").await;
    client.expect("complete").await;
    let mut heard = Vec::new();
    for (number, kind) in [LiveEventKind::StreamUp, LiveEventKind::StreamDown].into_iter().enumerate() {
        let channel_arn = started.stream.channel_arn.clone();
        let at = entity::time::Clock::System.now();
        lifecycle.receive(&LiveEvent { id: format!("m{number}"), at, channel_arn, kind }).await.unwrap();
        for _ in 0..2 {
            let message = client.expect("next").await;
            let data = &message["payload"]["data"];
            heard.push(match message["id"].as_str() {
                Some("map") => data["mapEvents"]["__typename"].as_str().unwrap().to_owned(),
                _ => data["stream"]["status"].as_str().unwrap().to_owned(),
            });
        }
    }
    heard[..2].sort();
    heard[2..].sort();
    assert_eq!(heard, ["LIVE", "StreamStarted", "ENDED", "StreamEnded"]);
}

#[tokio::test]
async fn a_cursor_that_is_none_or_too_old_is_an_error_of_the_subscription_alone() {
    let served = Served::start().await;
    change(&served, 0..1).await;
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.subscribe("1", &follow(Some(&json!("nonsense")))).await;
    let message = match client.hear().await {
        crate::socket::Heard::Said(message) => message,
        other @ crate::socket::Heard::Closed(_) => panic!("{other:?}"),
    };
    assert!(message.to_string().contains("BAD_INPUT"), "{message}");
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.subscribe("2", "{ __typename }").await;
    assert_eq!(client.expect("next").await["id"], "2");
}

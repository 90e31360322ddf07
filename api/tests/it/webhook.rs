//! `/webhooks/ivs`: who may send, what is stored, and what the sender is told.

use crate::harness::{SECRET, Served, at, until};
use entity::{Category, inbox};
use lifecycle::NewStream;
use reqwest::StatusCode;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};

/// A message as EventBridge sends it. Source: Amazon IVS Low-Latency Streaming User Guide.
fn stream_start(id: &str, channel: &str) -> Value {
    json!({
        "version": "0",
        "id": id,
        "detail-type": "IVS Stream State Change",
        "source": "aws.ivs",
        "account": "123456789012",
        "time": "2030-01-01T00:00:00Z",
        "region": "us-west-2",
        "resources": [channel],
        "detail": { "event_name": "Stream Start", "channel_name": "a channel", "stream_id": "st-1" }
    })
}

async fn post(served: &Served, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let request = served.http.post(served.url("/webhooks/ivs")).header("x-emergency-time-secret", SECRET);
    request.header("content-type", "application/json").body(body).send().await.unwrap()
}

async fn stored(served: &Served) -> u64 {
    inbox::Entity::find().count(&served.house.db).await.unwrap()
}

#[tokio::test]
async fn a_message_is_stored_before_it_is_acknowledged_and_then_applied() {
    let served = Served::start().await;
    let stream = NewStream {
        title: "Smoke".into(),
        description: None,
        category: Category::Fire,
        position: at(127.0, 37.5),
        heading: None,
        accuracy: None,
    };
    let started = served.house.lifecycle.start_stream(stream).await.unwrap();
    let message = stream_start("m1", &started.stream.channel_arn).to_string();
    assert_eq!(post(&served, message.clone()).await.status(), StatusCode::ACCEPTED);
    assert_eq!(stored(&served).await, 1);
    assert_eq!(post(&served, message).await.status(), StatusCode::ACCEPTED, "the same message again");
    assert_eq!(stored(&served).await, 1);
    let id = started.stream.id.to_string();
    until("the stream is live", || async {
        let answer = served.ask("query ($id: ID!) { stream(id: $id) { status } }", json!({ "id": id })).await;
        (answer["data"]["stream"]["status"] == "LIVE").then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_who_knows_the_secret_may_send() {
    let served = Served::start().await;
    let message = stream_start("m1", "arn:aws:ivs:us-west-2:123456789012:channel/a").to_string();
    let request = || served.http.post(served.url("/webhooks/ivs")).body(message.clone());
    let long = format!("{SECRET}x");
    for wrong in ["", "wrong", &SECRET[1..], &long] {
        let answer = request().header("x-emergency-time-secret", wrong).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        let answer = request().bearer_auth(wrong).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(request().send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    // A wrong one is not made good by a right one elsewhere.
    let both = request().header("x-emergency-time-secret", "wrong").bearer_auth(SECRET).send().await.unwrap();
    assert_eq!(both.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(stored(&served).await, 0);
    assert_eq!(request().bearer_auth(SECRET).send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(stored(&served).await, 1);
}

#[tokio::test]
async fn a_malformed_message_is_refused_with_what_is_wrong_and_where() {
    let served = Served::start().await;
    let mut no_channel = stream_start("m1", "arn:aws:ivs:us-west-2:123456789012:channel/a");
    no_channel["resources"] = json!([]);
    for (body, named) in
        [("{".to_owned(), "line 1"), ("[]".to_owned(), "the message"), (no_channel.to_string(), "resources")]
    {
        let answer = post(&served, body.clone()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let error = answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(named), "{error}");
    }
    assert_eq!(stored(&served).await, 0);
}

#[tokio::test]
async fn a_message_that_means_nothing_to_us_is_accepted_and_not_kept() {
    let served = Served::start().await;
    let mut unknown = stream_start("m1", "arn:aws:ivs:us-west-2:123456789012:channel/a");
    unknown["detail-type"] = json!("IVS Something New");
    assert_eq!(post(&served, unknown.to_string()).await.status(), StatusCode::ACCEPTED);
    assert_eq!(stored(&served).await, 0);
}

#[tokio::test]
async fn a_body_past_the_bound_is_not_read() {
    let served = Served::with(|limits| limits.webhook_bytes = 1_000).await;
    assert_eq!(post(&served, vec![b' '; 1_001]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let chunks = futures_util::stream::iter((0..11).map(|_| Ok::<_, std::io::Error>(vec![b' '; 100])));
    let answer = post(&served, reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "without an announced length");
}

#[tokio::test]
async fn while_the_database_is_away_the_sender_is_told_to_come_again() {
    let served = Served::start().await;
    served.house.db.clone().close().await.unwrap();
    let message = stream_start("m1", "arn:aws:ivs:us-west-2:123456789012:channel/a").to_string();
    let answer = post(&served, message).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(!answer.text().await.unwrap().to_lowercase().contains("pool"), "nothing of the inside is shown");
}

#[tokio::test]
async fn nothing_but_post_is_taken() {
    let served = Served::start().await;
    let answer = served.http.get(served.url("/webhooks/ivs")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}

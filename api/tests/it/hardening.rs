//! Requests that are small to send and large to answer: each is refused, and the server answers the next.

use crate::harness::{Served, soon, until};
use reqwest::StatusCode;
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait as _};
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn send(served: &Served, query: &str) -> (StatusCode, Value) {
    let request = served.http.post(served.url("/graphql")).header("accept", "application/graphql-response+json");
    let answer = request.json(&json!({ "query": query })).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn is_refused(served: &Served, what: &str, query: &str) {
    let (status, answer) = send(served, query).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{what}: {answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_INPUT", "{what}: {answer}");
    assert!(answer.get("data").is_none(), "{what}");
    assert!(answer.to_string().len() < 10_000, "{what}: a small question must not make a large answer");
    let (status, answer) = send(served, "{ __typename }").await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "data": { "__typename": "Query" } })), "after {what}");
}

#[tokio::test]
async fn text_that_is_long_or_deep_is_refused_before_it_is_parsed() {
    let served = Served::with(|limits| limits.body_bytes = 1 << 20).await;
    is_refused(&served, "a long query", &format!("{{ __typename }} # {}", "x".repeat(40_000))).await;
    is_refused(&served, "deep selections", &format!("{}a{}", "{a".repeat(8_000), "}".repeat(8_000))).await;
    is_refused(&served, "deep selections that do not end", &"{a".repeat(16_000)).await;
    is_refused(&served, "deep lists", &format!("{{ a(b: {}) }}", "[".repeat(30_000))).await;
    is_refused(&served, "deep objects", &format!("{{ a(b: {}) }}", "{c:".repeat(10_000))).await;
    is_refused(&served, "deep types", &format!("query ($a: {}Int) {{ a }}", "[".repeat(30_000))).await;
    is_refused(&served, "depth hidden by strings", &r#"{a(b:"}}}}")"#.repeat(2_500)).await;
}

#[tokio::test]
async fn a_small_document_that_stands_for_a_large_one_is_refused() {
    let served = Served::start().await;
    let doubling = |innermost: &str| {
        let mut query = "{ ...f0 }".to_owned();
        for level in 0..30 {
            write!(query, " fragment f{level} on Query {{ ...f{next} ...f{next} }}", next = level + 1).unwrap();
        }
        query + innermost
    };
    is_refused(&served, "fragments that double", &doubling(" fragment f30 on Query { __typename }")).await;
    is_refused(&served, "fragments that double nothing", &doubling(" fragment f30 on Query { ...missing }")).await;
    is_refused(&served, "a circle", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").await;
    is_refused(&served, "the same field", &format!("{{ {} }}", "__typename ".repeat(2_500))).await;
    let mut aliases = String::from("{ ");
    for alias in 0..1_000 {
        write!(aliases, "a{alias}: __typename ").unwrap();
    }
    is_refused(&served, "aliases", &format!("{aliases} }}")).await;
    is_refused(&served, "directives", &format!("{{ __typename {} }}", "@skip(if: false) ".repeat(1_000))).await;
    is_refused(&served, "unknown directives", &format!("{{ __typename {} }}", "@a ".repeat(9_000))).await;
    is_refused(&served, "directives of the operation", &format!("query {} {{ __typename }}", "@a ".repeat(9_000)))
        .await;
    let circular = "fields { name type { ".repeat(9) + "name" + &" } }".repeat(9);
    is_refused(&served, "circular introspection", &format!("{{ __schema {{ types {{ {circular} }} }} }}")).await;
}

#[tokio::test]
async fn a_page_of_any_size_is_not_given() {
    let served = Served::start().await;
    let query = "{ map(bbox: { west: -180, south: -90, east: 180, north: 90 }, zoom: 3, first: 100000) { cursor } }";
    let (_, answer) = send(&served, query).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_INPUT", "{answer}");
}

#[tokio::test]
async fn the_introspection_of_common_tools_is_answered() {
    let served = Served::start().await;
    let (status, answer) = send(&served, include_str!("../../src/operation/introspection.graphql")).await;
    assert_eq!((status, answer.get("errors")), (StatusCode::OK, None));
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query");
}

#[tokio::test]
async fn a_body_past_the_bound_is_refused_however_it_is_sent() {
    let served = Served::with(|limits| limits.body_bytes = 10_000).await;
    let body = json!({ "query": "{ __typename }", "variables": { "a": "x".repeat(10_000) } }).to_string();
    let request = || served.http.post(served.url("/graphql")).header("content-type", "application/json");
    let announced = request().body(body.clone()).send().await.unwrap();
    assert_eq!(announced.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> =
        body.into_bytes().chunks(1_000).map(|chunk| Ok(chunk.to_vec())).collect();
    let streamed = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    assert_eq!(request().body(streamed).send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// Sends bytes and keeps the connection open; returns what comes back until the server hangs up.
async fn trickle(served: &Served, request: &str) -> String {
    let mut socket = TcpStream::connect(served.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon("the server hangs up", socket.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_client_that_does_not_finish_what_it_says_is_cut_off() {
    let served = Served::with(|limits| {
        limits.head_timeout = Duration::from_millis(200);
        limits.body_timeout = Duration::from_millis(200);
    })
    .await;
    let head = trickle(&served, "POST /graphql HTTP/1.1\r\nhost: x\r\n").await;
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    let body = "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{";
    let answer = trickle(&served, body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn deep_json_is_refused() {
    let served = Served::start().await;
    let deep = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{}"#, "[".repeat(100_000));
    let request = served.http.post(served.url("/graphql")).header("content-type", "application/json");
    assert_eq!(request.body(deep).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(send(&served, "{ __typename }").await.0, StatusCode::OK);
}

#[tokio::test]
async fn more_operations_at_once_than_allowed_are_told_to_come_again() {
    let served = Served::with(|limits| limits.executions = 0).await;
    let answer =
        served.http.post(served.url("/graphql")).json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_given_up() {
    let served = Served::with(|limits| limits.execution_timeout = Duration::from_millis(200)).await;
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    // SQLite has one writer: as long as this is it, no mutation gets on.
    let writer = served.house.db.begin_with_options(options).await.unwrap();
    let start = "mutation { startStream(input: { title: \"Smoke\", category: FIRE, \
        position: { longitude: 127, latitude: 37.5 } }) { stream { id } } }";
    let (status, answer) = send(&served, start).await;
    assert_eq!(
        (status, answer["errors"][0]["extensions"]["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("UNAVAILABLE"))
    );
    writer.rollback().await.unwrap();
    until("the mutation gets on", || async { (send(&served, start).await.0 == StatusCode::OK).then_some(()) }).await;
}

#[tokio::test]
async fn a_fault_inside_is_shown_as_such_and_nothing_of_it() {
    let served = Served::start().await;
    served.house.db.clone().close().await.unwrap();
    let query = "{ map(bbox: { west: -180, south: -90, east: 180, north: 90 }, zoom: 3) { cursor } }";
    let (_, answer) = send(&served, query).await;
    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap();
    assert!(["INTERNAL", "UNAVAILABLE"].contains(&code), "{answer}");
    let shown = answer.to_string().to_lowercase();
    for inside in ["sqlx", "pool", "sqlite", "database", "panicked"] {
        assert!(!shown.contains(inside), "{answer}");
    }
}

//! The WebSocket subprotocols: what is answered, and the code that every violation is closed with.

use crate::{
    harness::{Served, soon},
    socket::{Client, Heard, LEGACY, TRANSPORT},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{self, Message};

const NAME: &str = "{ __typename }";

fn follow_the_world() -> String {
    format!("subscription {{ mapEvents(bbox: {}) {{ cursor }} }}", crate::harness::WORLD)
}

#[tokio::test]
async fn the_first_subprotocol_that_both_know_is_taken() {
    let served = Served::start().await;
    for (offered, chosen) in [
        (TRANSPORT, TRANSPORT),
        (LEGACY, LEGACY),
        ("soap, graphql-ws", LEGACY),
        ("graphql-transport-ws, graphql-ws", TRANSPORT),
    ] {
        assert_eq!(Client::connect(&served, offered).await.chosen.as_deref(), Some(chosen), "{offered}");
    }
}

#[tokio::test]
async fn without_a_known_subprotocol_it_is_4406() {
    let served = Served::start().await;
    for offered in ["", "soap"] {
        assert_eq!(Client::connect(&served, offered).await.closed().await, 4406, "{offered}");
    }
}

#[tokio::test]
async fn who_does_not_begin_in_time_is_4408() {
    let served = Served::with(|limits| limits.init_timeout = Duration::from_millis(500)).await;
    for protocol in [TRANSPORT, LEGACY] {
        assert_eq!(Client::connect(&served, protocol).await.closed().await, 4408);
    }
    // Talking does not help as long as it is not the beginning.
    let mut talkative = Client::connect(&served, TRANSPORT).await;
    talkative.say(json!({ "type": "ping" })).await;
    talkative.piece("{\"type\":", true, false).await;
    assert_eq!(talkative.closed().await, 4408);
}

#[tokio::test]
async fn an_operation_before_the_beginning_is_4401() {
    let served = Served::start().await;
    let mut newer = Client::connect(&served, TRANSPORT).await;
    newer.subscribe("1", NAME).await;
    assert_eq!(newer.closed().await, 4401);
    let mut older = Client::connect(&served, LEGACY).await;
    older.say(json!({ "type": "start", "id": "1", "payload": { "query": NAME } })).await;
    assert_eq!(older.closed().await, 4401);
}

#[tokio::test]
async fn a_second_beginning_is_4429() {
    let served = Served::start().await;
    for protocol in [TRANSPORT, LEGACY] {
        let mut client = Client::begin(&served, protocol).await;
        client.say(json!({ "type": "connection_init" })).await;
        assert_eq!(client.closed().await, 4429);
    }
}

#[tokio::test]
async fn an_id_in_use_is_4409_and_free_again_once_its_operation_is_over() {
    let served = Served::start().await;
    let mut client = Client::begin(&served, TRANSPORT).await;
    for _ in 0..2 {
        client.subscribe("1", NAME).await;
        client.expect("next").await;
        client.expect("complete").await;
    }
    for _ in 0..2 {
        client.subscribe("1", &follow_the_world()).await;
        client.say(json!({ "type": "complete", "id": "1" })).await;
    }
    client.subscribe("1", &follow_the_world()).await;
    client.subscribe("1", NAME).await;
    assert_eq!(client.closed().await, 4409);
}

#[tokio::test]
async fn a_message_that_is_not_one_is_4400() {
    let served = Served::start().await;
    let valid = json!({ "type": "subscribe", "id": "1", "payload": { "query": NAME } });
    let without = |path: &str| {
        let mut message = valid.clone();
        message.as_object_mut().unwrap().remove(path);
        message.to_string()
    };
    let with = |path: &str, value: Value| {
        let mut message = valid.clone();
        *message.pointer_mut(path).unwrap() = value;
        message.to_string()
    };
    let messages = [
        String::new(),
        "nonsense".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        r#"{"type":1}"#.to_owned(),
        r#"{"type":"unknown"}"#.to_owned(),
        r#"{"type":"next","id":"1","payload":{}}"#.to_owned(),
        r#"{"type":"ping","payload":"text"}"#.to_owned(),
        r#"{"type":"complete"}"#.to_owned(),
        r#"{"type":"start","id":"1","payload":{"query":"{ __typename }"}}"#.to_owned(),
        without("type"),
        without("id"),
        without("payload"),
        with("/id", json!(1)),
        with("/id", json!("")),
        with("/id", json!("x".repeat(129))),
        with("/payload", json!({})),
        with("/payload", json!("text")),
        with("/payload/query", json!(null)),
        with("/payload", json!({ "query": NAME, "variables": [] })),
        with("/payload", json!({ "query": NAME, "operationName": 1 })),
    ];
    for message in messages {
        let mut client = Client::begin(&served, TRANSPORT).await;
        client.send(Message::text(message.clone())).await;
        assert_eq!(client.closed().await, 4400, "{message}");
    }
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.send(Message::binary(valid.to_string())).await;
    assert_eq!(client.closed().await, 4400, "binary");
    let mut client = Client::begin(&served, LEGACY).await;
    client.say(valid).await;
    assert_eq!(client.closed().await, 4400, "the newer subprotocol's message in the older one");
}

#[tokio::test]
async fn a_message_too_large_is_1009_whole_or_in_pieces_and_before_the_beginning() {
    let served = Served::with(|limits| limits.message_bytes = 10_000).await;
    let mut whole = Client::connect(&served, TRANSPORT).await;
    whole.send(Message::text("x".repeat(10_001))).await;
    assert_eq!(whole.closed().await, 1009);
    let mut pieces = Client::connect(&served, TRANSPORT).await;
    for piece in 0..11 {
        pieces.piece(&"x".repeat(1_000), piece == 0, false).await;
    }
    assert_eq!(pieces.closed().await, 1009);
    // In pieces that are together within the bound it is a message like any other.
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.piece(r#"{"type":"pi"#, true, false).await;
    client.piece(r#"ng"}"#, false, true).await;
    client.expect("pong").await;
}

#[tokio::test]
async fn text_that_is_not_utf8_is_1007() {
    let served = Served::start().await;
    let mut client = Client::connect(&served, TRANSPORT).await;
    let frame = tungstenite::protocol::frame::Frame::message(
        vec![0xff, 0xfe],
        tungstenite::protocol::frame::coding::OpCode::Data(tungstenite::protocol::frame::coding::Data::Text),
        true,
    );
    client.send(Message::Frame(frame)).await;
    assert_eq!(client.closed().await, 1007);
}

#[tokio::test]
async fn more_operations_than_allowed_get_an_error_and_the_socket_goes_on() {
    let served = Served::with(|limits| limits.socket_operations = 2).await;
    let mut client = Client::begin(&served, TRANSPORT).await;
    for id in ["1", "2", "3"] {
        client.subscribe(id, &follow_the_world()).await;
    }
    let error = client.expect("error").await;
    assert_eq!((&error["id"], &error["payload"][0]["extensions"]["code"]), (&json!("3"), &json!("RATE_LIMITED")));
    client.say(json!({ "type": "complete", "id": "1" })).await;
    client.subscribe("3", NAME).await;
    assert_eq!(client.expect("next").await["id"], "3");
}

#[tokio::test]
async fn more_sockets_than_allowed_are_refused_and_their_places_are_given_back() {
    let served = Served::with(|limits| limits.sockets = 1).await;
    let mut first = Client::begin(&served, TRANSPORT).await;
    match Client::try_connect(&served, TRANSPORT).await {
        Err(tungstenite::Error::Http(response)) => assert_eq!(response.status().as_u16(), 503),
        other => panic!("{:?}", other.map(|_| ())),
    }
    first.send(Message::Close(None)).await;
    first.closed().await;
    crate::harness::until("a place is free", || async { Client::try_connect(&served, TRANSPORT).await.ok() }).await;
}

#[tokio::test]
async fn a_ping_is_answered_at_both_levels_even_before_the_beginning() {
    let served = Served::start().await;
    let mut client = Client::connect(&served, TRANSPORT).await;
    client.say(json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(client.expect("pong").await["payload"], json!({ "a": 1 }));
    client.say(json!({ "type": "pong" })).await;
    client.send(Message::Ping(vec![1, 2, 3].into())).await;
    let pong = soon("a pong", futures_util::StreamExt::next(&mut client.socket)).await;
    assert_eq!(pong.unwrap().unwrap(), Message::Pong(vec![1, 2, 3].into()));
}

#[tokio::test]
async fn who_answers_pings_stays_and_who_does_not_is_4504() {
    let served = Served::with(|limits| {
        limits.ping_interval = Duration::from_millis(50);
        limits.idle_timeout = Duration::from_secs(1);
    })
    .await;
    // This one reads, and so answers pings: it outlives the other one.
    let mut lively = Client::begin(&served, TRANSPORT).await;
    let lively = tokio::spawn(async move {
        loop {
            if let Heard::Closed(code) = lively.hear().await {
                break code;
            }
        }
    });
    // A connection by hand, because every WebSocket client answers pings.
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let request = "GET /graphql/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    silent.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    // A close frame: 0x88, its length, its code.
    let closed = |heard: &[u8]| heard.windows(4).any(|frame| frame[0] == 0x88 && frame[2..] == 4504_u16.to_be_bytes());
    while !closed(&heard) {
        let count = soon("the close frame", silent.read_buf(&mut heard)).await.unwrap();
        assert!(count > 0, "the connection ended without a close frame");
    }
    assert!(!lively.is_finished());
    lively.abort();
}

#[tokio::test]
async fn queries_and_mutations_are_answered_in_the_words_of_either_subprotocol() {
    let served = Served::start().await;
    let start = "mutation { startStream(input: { title: \"Smoke\", category: FIRE, \
        position: { longitude: 127, latitude: 37.5 } }) { stream { title } } }";
    let mut newer = Client::begin(&served, TRANSPORT).await;
    newer.subscribe("q", NAME).await;
    let next = json!({ "type": "next", "id": "q", "payload": { "data": { "__typename": "Query" } } });
    assert_eq!(newer.hear().await, Heard::Said(next));
    assert_eq!(newer.hear().await, Heard::Said(json!({ "type": "complete", "id": "q" })));
    newer.subscribe("m", start).await;
    assert_eq!(newer.expect("next").await["payload"]["data"]["startStream"]["stream"]["title"], "Smoke");
    let mut older = Client::begin(&served, LEGACY).await;
    older.say(json!({ "type": "start", "id": "q", "payload": { "query": NAME } })).await;
    assert_eq!(older.expect("data").await["payload"], json!({ "data": { "__typename": "Query" } }));
    assert_eq!(older.expect("complete").await["id"], "q");
    older.say(json!({ "type": "start", "id": "s", "payload": { "query": follow_the_world() } })).await;
    older.say(json!({ "type": "stop", "id": "s" })).await;
    older.say(json!({ "type": "connection_terminate" })).await;
    assert_eq!(older.closed().await, 1000);
}

#[tokio::test]
async fn an_operation_that_is_refused_gets_an_error_and_nothing_after_it() {
    let served = Served::start().await;
    let mut client = Client::begin(&served, TRANSPORT).await;
    let long = format!("{{ __typename }} # {}", "x".repeat(40_000));
    for query in ["{", "{ nothing }", "subscription { nothing }", &"{a".repeat(1_000), &long] {
        client.subscribe("1", query).await;
        let error = client.expect("error").await;
        assert_eq!(error["id"], "1");
        assert_eq!(error["payload"][0]["extensions"]["code"], "BAD_INPUT", "{error}");
    }
    let mut older = Client::begin(&served, LEGACY).await;
    older.say(json!({ "type": "start", "id": "1", "payload": { "query": "{" } })).await;
    assert_eq!(older.expect("error").await["payload"]["extensions"]["code"], "BAD_INPUT");
}

#[tokio::test]
async fn too_many_operations_in_the_process_are_told_to_come_again() {
    let served = Served::with(|limits| limits.executions = 0).await;
    let mut client = Client::begin(&served, TRANSPORT).await;
    client.subscribe("1", NAME).await;
    assert_eq!(client.expect("error").await["payload"][0]["extensions"]["code"], "UNAVAILABLE");
}

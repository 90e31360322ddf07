//! Mutations.

use super::*;

const START: &str = "mutation ($input: StartStreamInput!) { startStream(input: $input) {
    stream { id status title category position { longitude latitude } heading startedAt }
    publishToken ingest { channelArn whipUrl rtmpUrl streamKey ivs { streamKey } }
    error { code message field } } }";
const MOVE: &str = "mutation ($input: MoveStreamInput!) { moveStream(input: $input) {
    stream { position { longitude latitude } heading } error { code field } } }";
const STOP: &str = "mutation ($input: StopStreamInput!) { stopStream(input: $input) {
    stream { status endedAt } error { code field } } }";

fn input(latitude: f64) -> Value {
    json!({ "title": "Smoke", "category": "FIRE", "heading": 90, "position": { "longitude": 127, "latitude": latitude } })
}

#[tokio::test]
async fn a_broadcast_is_started_moved_and_stopped_by_who_holds_its_token() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let started = stage.data(START, json!({ "input": input(37.5) })).await["startStream"].take();
        assert_eq!(started["error"], Value::Null);
        let (id, token) = (started["stream"]["id"].clone(), started["publishToken"].clone());
        assert_eq!(started["stream"]["status"], "PREPARING");
        assert_eq!(started["stream"]["startedAt"], Value::Null);
        let channel = started["ingest"]["channelArn"].as_str().unwrap();
        assert!(channel.ends_with(id.as_str().unwrap()), "{channel}");

        let movement = json!({ "id": id, "publishToken": token, "position": { "longitude": -1, "latitude": 2 } });
        let moved = stage.data(MOVE, json!({ "input": movement })).await["moveStream"].take();
        let there = json!({ "position": { "longitude": -1.0, "latitude": 2.0 }, "heading": null });
        assert_eq!(moved, json!({ "stream": there, "error": null }));

        let stop = json!({ "input": { "id": id, "publishToken": token } });
        let stopped = stage.data(STOP, stop.clone()).await["stopStream"].take();
        assert_eq!(stopped["error"], Value::Null);
        assert!(stopped["stream"]["endedAt"].is_string(), "{stopped}");
        let again = stage.data(STOP, stop).await["stopStream"].take();
        assert_eq!(again, json!({ "stream": null, "error": { "code": "ALREADY_OVER", "field": null } }));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_stream_are_told_in_the_payload() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let started = stage.data(START, json!({ "input": input(37.5) })).await["startStream"].take();
        let id = &started["stream"]["id"];
        let unknown = entity::StreamId::generate().to_string();
        for (id, code) in [(id, "WRONG_TOKEN"), (&json!(unknown), "UNKNOWN_STREAM"), (&json!("7"), "UNKNOWN_STREAM")] {
            let position = json!({ "longitude": 0, "latitude": 0 });
            let movement = json!({ "id": id, "publishToken": "guess", "position": position });
            let moved = stage.data(MOVE, json!({ "input": movement })).await["moveStream"].take();
            assert_eq!(moved, json!({ "stream": null, "error": { "code": code, "field": null } }));
            let stop = json!({ "input": { "id": id, "publishToken": "guess" } });
            let stopped = stage.data(STOP, stop).await["stopStream"].take();
            assert_eq!(stopped, json!({ "stream": null, "error": { "code": code, "field": null } }));
        }
    })
    .await;
}

#[tokio::test]
async fn a_value_that_cannot_be_taken_is_named_in_the_payload() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let with = |name: &str, value: Value| {
            let mut input = input(37.5);
            input[name] = value;
            input
        };
        for (input, field) in [
            (input(91.0), "position.latitude"),
            (with("title", json!("  ")), "title"),
            (with("title", json!("x".repeat(10_000))), "title"),
            (with("heading", json!(360)), "heading"),
            (with("accuracy", json!(-1)), "accuracy"),
        ] {
            let answer = stage.data(START, json!({ "input": input })).await["startStream"].take();
            assert_eq!(answer["error"]["code"], "BAD_INPUT", "{answer}");
            assert_eq!(answer["error"]["field"], field, "{answer}");
            assert!(answer["stream"].is_null() && answer["publishToken"].is_null(), "{answer}");
        }
    })
    .await;
}

//! Subscriptions.

use super::*;
use crate::{
    hub::Ended,
    read::fixture::{put_stream, put_vod, stream, vod},
};
use entity::stream as broadcast;
use futures_util::{Stream, StreamExt as _};
use sea_orm::IntoActiveModel as _;
use std::pin::Pin;

const EVENTS: &str = "subscription ($bbox: BoundingBoxInput!, $kinds: [MapItemKind!], $after: Cursor) {
    mapEvents(bbox: $bbox, kinds: $kinds, after: $after) { __typename cursor at itemId item { __typename id } } }";

type Answers = Pin<Box<dyn Stream<Item = Response> + Send>>;

impl Stage {
    fn follow(&self, query: &str, variables: Value) -> Answers {
        self.schema.execute_stream(Request::new(query).variables(Variables::from_json(variables)))
    }

    async fn set_status(&self, row: &broadcast::Model, status: broadcast::Status) {
        let mut changed = row.clone().into_active_model();
        changed.status = Set(status);
        changed.update(&self.db).await.unwrap();
        self.log(event::Kind::StreamInterrupted, ItemId::Stream(row.id), (1.0, 1.0)).await;
    }
}

async fn next(answers: &mut Answers) -> Response {
    tokio::time::timeout(Duration::from_secs(20), answers.next()).await.expect("an answer in time").expect("an answer")
}

async fn next_data(answers: &mut Answers) -> Value {
    let response = next(answers).await;
    assert_eq!(response.errors, []);
    response.data.into_json().unwrap()
}

fn here() -> Value {
    json!({ "west": 0, "south": 0, "east": 2, "north": 2 })
}

#[tokio::test]
async fn the_events_of_a_box_come_in_order_each_once_from_the_map_s_cursor_on() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let live = stream((1.0, 1.0));
        let replay = vod(&live);
        put_stream(&stage.db, &live).await;
        put_vod(&stage.db, &replay).await;
        let (stream_id, vod_id) = (ItemId::Stream(live.id), ItemId::Vod(replay.id));
        stage.log(event::Kind::StreamStarted, stream_id, (1.0, 1.0)).await;
        let query = "query ($bbox: BoundingBoxInput!) { map(bbox: $bbox, zoom: 9) { cursor } }";
        let cursor = stage.data(query, json!({ "bbox": here() })).await["map"]["cursor"].take();

        stage.log(event::Kind::StreamInterrupted, stream_id, (1.0, 1.0)).await;
        let mut answers = stage.follow(EVENTS, json!({ "bbox": here(), "after": cursor }));
        let first = next_data(&mut answers).await["mapEvents"].take();
        stage.log(event::Kind::VodReady, vod_id, (50.0, 50.0)).await;
        let seq = stage.log(event::Kind::VodReady, vod_id, (1.0, 1.0)).await;
        let second = next_data(&mut answers).await["mapEvents"].take();

        assert_eq!(first["__typename"], "StreamInterrupted");
        assert_eq!(first["item"], json!({ "__typename": "Stream", "id": live.id.to_string() }));
        let cursor = scalars::Cursor::Event(seq).to_string();
        assert_eq!(
            second,
            json!({
                "__typename": "VodReady", "cursor": cursor, "at": "2030-01-01T00:00:00.000Z",
                "itemId": replay.id.to_string(), "item": { "__typename": "Vod", "id": replay.id.to_string() },
            })
        );
    })
    .await;
}

#[tokio::test]
async fn an_event_of_something_taken_down_shows_its_id_and_nothing_else() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let gone = broadcast::Model { status: broadcast::Status::Removed, ..stream((1.0, 1.0)) };
        put_stream(&stage.db, &gone).await;
        let mut answers =
            stage.follow(EVENTS, json!({ "bbox": here(), "after": scalars::Cursor::Event(0).to_string() }));
        stage.log(event::Kind::ItemRemoved, ItemId::Stream(gone.id), (1.0, 1.0)).await;
        let told = next_data(&mut answers).await["mapEvents"].take();
        assert_eq!(told["__typename"], "ItemRemoved");
        assert_eq!((&told["itemId"], &told["item"]), (&json!(gone.id.to_string()), &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn kinds_narrow_the_events() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let live = stream((1.0, 1.0));
        let replay = vod(&live);
        put_stream(&stage.db, &live).await;
        put_vod(&stage.db, &replay).await;
        stage.log(event::Kind::StreamStarted, ItemId::Stream(live.id), (1.0, 1.0)).await;
        stage.log(event::Kind::VodProgressed, ItemId::Vod(replay.id), (1.0, 1.0)).await;
        let after = scalars::Cursor::Event(0).to_string();
        let mut answers = stage.follow(EVENTS, json!({ "bbox": here(), "kinds": ["VOD"], "after": after }));
        assert_eq!(next_data(&mut answers).await["mapEvents"]["__typename"], "VodProgressed");
    })
    .await;
}

#[tokio::test]
async fn a_stream_is_told_now_after_every_change_and_until_it_is_taken_down() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let live = stream((1.0, 1.0));
        put_stream(&stage.db, &live).await;
        let query = "subscription ($id: ID!) { stream(id: $id) { status title } }";
        let mut answers = stage.follow(query, json!({ "id": live.id.to_string() }));
        assert_eq!(next_data(&mut answers).await["stream"], json!({ "status": "LIVE", "title": live.title }));
        stage.set_status(&live, broadcast::Status::Interrupted).await;
        assert_eq!(next_data(&mut answers).await["stream"]["status"], "INTERRUPTED");
        stage.set_status(&live, broadcast::Status::Removed).await;
        let end = tokio::time::timeout(Duration::from_secs(20), answers.next()).await.expect("an end in time");
        assert!(end.is_none(), "{end:?}");
    })
    .await;
}

#[tokio::test]
async fn a_new_number_of_viewers_is_told_to_followers_of_the_stream_and_not_to_the_map() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let live = stream((1.0, 1.0));
        put_stream(&stage.db, &live).await;
        let query = "subscription ($id: ID!) { stream(id: $id) { viewerCount } }";
        let mut followed = stage.follow(query, json!({ "id": live.id.to_string() }));
        assert_eq!(next_data(&mut followed).await["stream"]["viewerCount"], 0);
        let after = stage.log(event::Kind::StreamStarted, ItemId::Stream(live.id), (1.0, 1.0)).await;
        assert_eq!(next_data(&mut followed).await["stream"]["viewerCount"], 0);
        let mut watched = live.clone().into_active_model();
        watched.viewer_count = Set(4);
        watched.update(&stage.db).await.unwrap();
        stage.log(event::Kind::StreamWatched, ItemId::Stream(live.id), (1.0, 1.0)).await;
        assert_eq!(next_data(&mut followed).await["stream"]["viewerCount"], 4);
        stage.log(event::Kind::StreamEnded, ItemId::Stream(live.id), (1.0, 1.0)).await;
        let after = scalars::Cursor::Event(after).to_string();
        let mut map = stage.follow(EVENTS, json!({ "bbox": here(), "after": after }));
        assert_eq!(next_data(&mut map).await["mapEvents"]["__typename"], "StreamEnded");
    })
    .await;
}

#[tokio::test]
async fn following_a_stream_that_is_not_there_is_an_error_with_a_code() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let query = "subscription ($id: ID!) { stream(id: $id) { status } }";
        for id in [entity::StreamId::generate().to_string(), "7".into()] {
            let mut answers = stage.follow(query, json!({ "id": id }));
            let response = next(&mut answers).await;
            assert_eq!(extension(&response.errors[0], "code").as_deref(), Some("NOT_FOUND"));
            assert!(answers.next().await.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_cursor_older_than_the_log_is_refused() {
    on_every_database(|db| async move {
        let stage = Stage::set_with(db, Limits { hub_catch_up: 1, ..Limits::default() }).await;
        let live = stream((1.0, 1.0));
        put_stream(&stage.db, &live).await;
        for _ in 0..4 {
            stage.log(event::Kind::StreamMoved, ItemId::Stream(live.id), (1.0, 1.0)).await;
        }
        let after = scalars::Cursor::Event(0).to_string();
        let mut answers = stage.follow(EVENTS, json!({ "bbox": here(), "after": after }));
        let response = next(&mut answers).await;
        let error = &response.errors[0];
        assert_eq!(extension(error, "code").as_deref(), Some("BAD_INPUT"));
        assert_eq!(extension(error, "field").as_deref(), Some("after"));
        assert!(answers.next().await.is_none());
    })
    .await;
}

#[test]
fn a_subscription_that_was_read_too_slowly_says_where_to_go_on() {
    let error = async_graphql::Error::from(Failure::from(Ended::Lagged { resume_after: 7 }));
    let error = error.into_server_error(async_graphql::Pos::default());
    assert_eq!(extension(&error, "code").as_deref(), Some("UNAVAILABLE"));
    let resume_after = extension(&error, "resumeAfter").unwrap();
    assert_eq!(resume_after.parse(), Ok(scalars::Cursor::Event(7)));
}

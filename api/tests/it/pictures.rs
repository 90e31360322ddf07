//! Thumbnails of a broadcast and its replay: where they are told, to whom, and when they are served.

use crate::{
    harness::{Served, at},
    socket::{Client, TRANSPORT},
};
use entity::{
    Category, Thumbnail,
    job::RedactJob,
    segment::{self, GapReason},
    thumbnail::Format,
    time::Clock,
    vod,
};
use lifecycle::{Begun, NewStream, RedactedSegment, Started};
use live::{LiveEvent, LiveEventKind, RecordedSegment, RecordingRef};
use reqwest::StatusCode;
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, EntityTrait as _, QueryOrder as _};
use serde_json::{Value, json};
use storage::Key;

const ASK: &str = "query($id: ID!) { stream(id: $id) { status thumbnailUrl vod { id status thumbnailUrl
    redaction { frames framesDetected detections framesFilled version seconds receiptUrl } } } }";

/// Segments of a broadcast on air, ten seconds each; the last one waits for its successor.
const SEGMENTS: u32 = 4;

struct Broadcast<'a> {
    served: &'a Served,
    started: Started,
    recording: RecordingRef,
}

impl<'a> Broadcast<'a> {
    async fn on_air(served: &'a Served) -> Self {
        let new = NewStream {
            title: "Smoke".into(),
            description: None,
            category: Category::Fire,
            position: at(127.0, 37.5),
            heading: None,
            accuracy: None,
        };
        let started = served.house.lifecycle.start_stream(new).await.unwrap();
        let recording = RecordingRef { id: started.stream.id.to_string(), prefix: "ivs/a".into() };
        let this = Self { served, started, recording };
        let segments = (0..SEGMENTS).map(|number| RecordedSegment {
            number,
            key: format!("ivs/a/{number}.ts"),
            duration_ms: 10_000,
            discontinuity: false,
        });
        this.hear(LiveEventKind::StreamUp).await;
        let segments = segments.collect();
        this.hear(LiveEventKind::SegmentsWritten { recording: this.recording.clone(), segments }).await;
        this
    }

    async fn hear(&self, kind: LiveEventKind) {
        let at = Clock::System.now();
        let channel_arn = self.started.stream.channel_arn.clone();
        let message = LiveEvent { id: format!("{at}"), at, channel_arn, kind };
        self.served.house.lifecycle.apply(&message).await.unwrap();
    }

    async fn end(&self) {
        self.hear(LiveEventKind::StreamDown).await;
        let recording = self.recording.clone();
        self.hear(LiveEventKind::RecordingEnded { recording, segments: Some(SEGMENTS) }).await;
    }

    async fn job(&self, number: usize) -> RedactJob {
        let segments = segment::Entity::find().order_by_asc(segment::Column::Number);
        let segment = segments.all(&self.served.house.db).await.unwrap().swap_remove(number);
        RedactJob { vod: segment.vod_id, segment: segment.id }
    }

    /// Does a segment as a worker does, with a picture if one is wanted.
    async fn redact(&self, number: usize) {
        let house = &self.served.house;
        let Begun::Work(work) = house.lifecycle.begin(&self.job(number).await).await.unwrap() else {
            panic!("settled")
        };
        house.replays.put(&work.result, "segment".into(), "video/mp2t").await.unwrap();
        let thumbnail = Thumbnail { segment: work.number, format: Format::WebP };
        let thumbnail = work.wants_thumbnail.then_some(thumbnail);
        if let Some(thumbnail) = thumbnail {
            let key = work.thumbnail_key(thumbnail).unwrap();
            house.replays.put(&key, format!("picture {number}").into(), "image/webp").await.unwrap();
        }
        let receipt = json!({ "frames": 300, "frames_detected": 60, "detections": 9, "frames_filled": 7, "seconds": 0.25,
            "version": "1.0" });
        let done = RedactedSegment { bytes: 7, copied: true, receipt, thumbnail };
        assert!(house.lifecycle.finish(&work, done).await.unwrap());
    }

    async fn ask(&self) -> Value {
        let id = self.started.stream.id.to_string();
        let answer = self.served.ask(ASK, json!({ "id": id })).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"]["stream"].clone()
    }

    async fn get(&self, url: &Value) -> (StatusCode, String) {
        let answer = self.served.http.get(url.as_str().unwrap()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn a_broadcast_shows_its_newest_picture_and_its_replay_the_first() {
    let served = Served::start().await;
    let broadcast = Broadcast::on_air(&served).await;
    assert_eq!(broadcast.ask().await["thumbnailUrl"], Value::Null);
    broadcast.redact(0).await;
    broadcast.redact(1).await;
    let live = broadcast.ask().await;
    assert_eq!(broadcast.get(&live["thumbnailUrl"]).await, (StatusCode::OK, "picture 1".into()));
    assert_eq!(broadcast.get(&live["vod"]["thumbnailUrl"]).await, (StatusCode::OK, "picture 0".into()));
    assert_eq!(live["vod"]["redaction"]["receiptUrl"], Value::Null);

    broadcast.end().await;
    let over = broadcast.ask().await;
    assert_eq!((&over["status"], &over["vod"]["status"]), (&json!("ENDED"), &json!("PROCESSING")));
    assert_eq!(over["thumbnailUrl"], over["vod"]["thumbnailUrl"], "a broadcast that is over shows its replay's");
    assert_eq!(broadcast.get(&over["thumbnailUrl"]).await, (StatusCode::OK, "picture 0".into()));

    broadcast.redact(2).await;
    broadcast.redact(3).await;
    let ready = broadcast.ask().await;
    assert_eq!((&ready["vod"]["status"], &ready["thumbnailUrl"]), (&json!("READY"), &over["thumbnailUrl"]));
    assert_eq!(broadcast.get(&ready["thumbnailUrl"]).await, (StatusCode::OK, "picture 0".into()));
    assert_eq!(broadcast.get(&live["thumbnailUrl"]).await.0, StatusCode::NOT_FOUND, "the live ones are gone");
    let redaction = &ready["vod"]["redaction"];
    let counts =
        ["frames", "framesDetected", "detections", "framesFilled"].map(|name| redaction[name].as_i64().unwrap());
    assert_eq!(
        (counts, &redaction["seconds"], &redaction["version"]),
        ([1_200, 240, 36, 28], &json!(1.0), &json!("1.0"))
    );
    let (status, receipt) = broadcast.get(&redaction["receiptUrl"]).await;
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!((status, &receipt["totals"]["frames"]), (StatusCode::OK, &json!(1_200)));
}

#[tokio::test]
async fn a_shared_link_shows_the_picture_of_its_item_and_the_icon_while_it_has_none() {
    let served = Served::start().await;
    let broadcast = Broadcast::on_air(&served).await;
    let icon = served.url("/icon-512.png");
    let stream = broadcast.started.stream.id.to_string();
    assert_eq!(shared_picture(&served, &stream).await, icon);
    broadcast.redact(0).await;
    broadcast.redact(1).await;
    let live = broadcast.ask().await;
    let vod = live["vod"]["id"].as_str().unwrap();
    assert_ne!(live["thumbnailUrl"], live["vod"]["thumbnailUrl"]);
    assert_eq!(shared_picture(&served, &stream).await, live["thumbnailUrl"]);
    assert_eq!(shared_picture(&served, vod).await, live["vod"]["thumbnailUrl"]);
    broadcast.end().await;
    assert_eq!(shared_picture(&served, &stream).await, live["vod"]["thumbnailUrl"]);
    for number in 2..4 {
        let job = broadcast.job(number).await;
        served.house.lifecycle.give_up(&job, GapReason::Unreadable, "torn").await.unwrap();
    }
    assert_eq!(broadcast.ask().await["vod"]["status"], "WITHHELD");
    for id in [&stream, vod] {
        assert_eq!(shared_picture(&served, id).await, icon, "{id}");
    }
}

#[tokio::test]
async fn a_link_is_described_in_the_language_that_is_asked_for() {
    let served = Served::start().await;
    let broadcast = Broadcast::on_air(&served).await;
    let address = served.url(&format!("/s/{}", broadcast.started.stream.id));
    for (languages, said) in [("ko-KR,ko;q=0.9,en;q=0.8", "실시간 방송"), ("en-US,ko;q=0.5", "Live broadcast")] {
        let answer = served.http.get(&address).header("accept-language", languages).send().await.unwrap();
        assert_eq!(answer.headers()["vary"], "accept-language");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("<meta property=\"og:description\" content=\"{said}")), "{languages}: {page}");
    }
}

/// What a page that is linked to gives as its picture.
async fn shared_picture(served: &Served, id: &str) -> String {
    let page = served.http.get(served.url(&format!("/s/{id}"))).send().await.unwrap().text().await.unwrap();
    let (_, rest) = page.split_once("<meta property=\"og:image\" content=\"").unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_withheld_or_taken_down_shows_no_picture() {
    let served = Served::start().await;
    let broadcast = Broadcast::on_air(&served).await;
    broadcast.redact(0).await;
    let address = broadcast.ask().await["thumbnailUrl"].clone();
    broadcast.end().await;
    for number in 1..4 {
        let job = broadcast.job(number).await;
        served.house.lifecycle.give_up(&job, GapReason::Unreadable, "torn").await.unwrap();
    }
    let withheld = broadcast.ask().await;
    assert_eq!(withheld["vod"]["status"], "WITHHELD");
    assert_eq!((&withheld["thumbnailUrl"], &withheld["vod"]["thumbnailUrl"]), (&Value::Null, &Value::Null));
    assert_eq!(withheld["vod"]["redaction"]["receiptUrl"], Value::Null);

    // Even if its object were still there.
    let id: entity::VodId = withheld["vod"]["id"].as_str().unwrap().parse().unwrap();
    let key = Key::parse(&format!("vod/{id}/thumbnail-000000.webp")).unwrap();
    served.house.replays.put(&key, "picture 0".into(), "image/webp").await.unwrap();
    assert_eq!(broadcast.get(&address).await.0, StatusCode::NOT_FOUND);
    let removed = vod::ActiveModel { id: Set(id), status: Set(vod::Status::Removed), ..Default::default() };
    removed.update(&served.house.db).await.unwrap();
    assert_eq!(broadcast.get(&address).await.0, StatusCode::NOT_FOUND);
    assert_eq!(broadcast.ask().await["thumbnailUrl"], Value::Null);
}

#[tokio::test]
async fn every_new_picture_is_told_to_who_follows_the_broadcast_and_the_first_to_the_map() {
    let served = Served::start().await;
    let broadcast = Broadcast::on_air(&served).await;
    let id = broadcast.started.stream.id.to_string();
    let mut one = Client::begin(&served, TRANSPORT).await;
    one.subscribe("one", &format!("subscription {{ stream(id: \"{id}\") {{ thumbnailUrl }} }}")).await;
    let picture = |message: &Value| message["payload"]["data"]["stream"]["thumbnailUrl"].clone();
    assert_eq!(picture(&one.expect("next").await), Value::Null);
    let mut seen = Vec::new();
    for number in 0..3 {
        broadcast.redact(number).await;
        let suffix = format!("thumbnail-{number:06}.webp");
        // What was told before may come once more.
        seen.push(loop {
            let url = picture(&one.expect("next").await);
            if url.as_str().is_some_and(|url| url.ends_with(&suffix)) {
                break url;
            }
        });
    }
    assert_eq!(seen.len(), 3);

    let rows = entity::event::Entity::find().order_by_asc(entity::event::Column::Seq);
    let kinds: Vec<_> = rows.all(&served.house.db).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [entity::event::Kind::StreamStarted, entity::event::Kind::StreamPictured]);
}

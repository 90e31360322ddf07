//! From settled segments to a replay that is shown, or withheld.

use crate::world::{BACKENDS, Backend, Script, World};
use entity::{
    VodId, event,
    job::RedactJob,
    segment::{self, GapReason},
    stream, vod,
};
use lifecycle::{Begun, Limits, RedactedSegment, SegmentWork};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use std::time::Duration;
use storage::Key;

pub fn redacted() -> RedactedSegment {
    let receipt = json!({
        "frames": 60, "frames_detected": 12, "detections": 20, "face_tracks": 2, "frames_filled": 80,
        "faces_blurred": 100, "seconds": 0.5, "version": "1.0", "settings": { "detect_every": 5 },
        "model": { "name": "CenterFace", "sha256": "09" },
    });
    RedactedSegment { bytes: 10, copied: false, receipt, thumbnail: None }
}

/// A broadcast of `segments` segments that is over, all of them issued.
pub async fn over(world: &World, segments: u32) -> Script {
    let started = world.stream().await;
    let script = Script::new(&started);
    for message in
        [script.up(0), script.segments(1, 0..segments), script.down(2), script.recording_ended(3, Some(segments))]
    {
        world.lifecycle.apply(&message).await.unwrap();
    }
    script
}

pub async fn jobs(world: &World) -> Vec<RedactJob> {
    let mut segments = segment::Entity::find().all(&world.db).await.unwrap();
    segments.sort_by_key(|segment| segment.number);
    segments.into_iter().map(|segment| RedactJob { vod: segment.vod_id, segment: segment.id }).collect()
}

pub async fn begun(world: &World, job: &RedactJob) -> SegmentWork {
    match world.lifecycle.begin(job).await.unwrap() {
        Begun::Work(work) => *work,
        other => panic!("{other:?}"),
    }
}

pub async fn replay(world: &World) -> vod::Model {
    vod::Entity::find().one(&world.db).await.unwrap().unwrap()
}

async fn kinds(world: &World, vod: VodId) -> Vec<event::Kind> {
    let events = event::Entity::find().filter(event::Column::ItemId.eq(vod.0)).all(&world.db).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn a_replay_is_ready_when_its_last_segment_is_done_and_says_what_was_blurred() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        over(&world, 3).await;
        for job in jobs(&world).await {
            assert_eq!(replay(&world).await.status, vod::Status::Processing);
            let work = begun(&world, &job).await;
            assert!(world.lifecycle.finish(&work, redacted()).await.unwrap());
        }
        let ready = replay(&world).await;
        assert_eq!(ready.status, vod::Status::Ready);
        assert_eq!((ready.frames, ready.face_tracks, ready.faces_blurred), (180, 6, 300));
        assert_eq!((ready.frames_detected, ready.detections, ready.frames_filled), (36, 60, 240));
        assert!((ready.seconds - 1.5).abs() < 1e-9 && (ready.progress - 1.0).abs() < 1e-9, "{ready:?}");
        assert_eq!(ready.model.as_deref(), Some("CenterFace sha256:09"));
        assert_eq!(ready.engine_version.as_deref(), Some("1.0"));
        assert_eq!((ready.duration_ms, ready.segments_settled, ready.gaps), (6_000, 3, 0));
        assert_eq!(kinds(&world, ready.id).await.last(), Some(&event::Kind::VodReady));
        let key = Key::parse(&format!("vod/{}/index.m3u8", ready.id)).unwrap();
        let playlist = String::from_utf8(world.replays.get(&key).await.unwrap().to_vec()).unwrap();
        assert_eq!(playlist.matches("#EXTINF").count(), 3);
    }
}

#[tokio::test]
async fn work_names_its_neighbours() {
    let world = World::new(Backend::Sqlite).await;
    over(&world, 3).await;
    let jobs = jobs(&world).await;
    let file = |key: Option<Key>| key.map(|key| key.as_str().rsplit('/').next().unwrap().to_owned());
    let neighbours = |work: SegmentWork| (file(work.before), file(work.after));
    assert_eq!(neighbours(begun(&world, &jobs[0]).await), (None, Some("1.ts".into())));
    assert_eq!(neighbours(begun(&world, &jobs[1]).await), (Some("0.ts".into()), Some("2.ts".into())));
    assert_eq!(neighbours(begun(&world, &jobs[2]).await), (Some("1.ts".into()), None));
}

#[tokio::test]
async fn a_segment_counts_once_however_often_it_is_done() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        over(&world, 2).await;
        let job = &jobs(&world).await[0];
        let (one, two) = (begun(&world, job).await, begun(&world, job).await);
        let (first, second) =
            tokio::join!(world.lifecycle.finish(&one, redacted()), world.lifecycle.finish(&two, redacted()));
        assert!(first.unwrap() ^ second.unwrap(), "one of them settled it");
        assert!(matches!(world.lifecycle.begin(job).await.unwrap(), Begun::Settled));
        assert_eq!((replay(&world).await.frames, replay(&world).await.segments_settled), (60, 1));
    }
}

#[tokio::test]
async fn a_segment_that_kills_its_worker_every_time_becomes_a_gap() {
    let world = World::new(Backend::Sqlite).await;
    over(&world, 2).await;
    let job = &jobs(&world).await[0];
    for attempt in 1..=world.lifecycle.limits().segment_attempts {
        assert_eq!(begun(&world, job).await.attempt, attempt);
    }
    assert!(matches!(world.lifecycle.begin(job).await.unwrap(), Begun::Exhausted));
    assert_eq!(replay(&world).await.gaps, 1);
}

#[tokio::test]
async fn a_try_that_failed_by_no_fault_of_the_segment_is_not_counted() {
    let world = World::new(Backend::Sqlite).await;
    over(&world, 1).await;
    let job = &jobs(&world).await[0];
    for _ in 0..20 {
        let work = begun(&world, job).await;
        assert_eq!(work.attempt, 1);
        world.lifecycle.excuse(&work).await.unwrap();
    }
}

#[tokio::test]
async fn a_replay_with_few_gaps_is_shown_with_them_marked_and_one_with_many_is_withheld() {
    for (segments, gaps, expected) in
        [(10, 1, vod::Status::Ready), (10, 2, vod::Status::Withheld), (1, 1, vod::Status::Withheld)]
    {
        let world = World::new(Backend::Sqlite).await;
        over(&world, segments).await;
        for (n, job) in jobs(&world).await.iter().enumerate() {
            if n < gaps {
                assert!(world.lifecycle.give_up(job, GapReason::Unreadable, "packet 7 is torn").await.unwrap());
            } else {
                let work = begun(&world, job).await;
                world.replays.put(&work.result, "segment".into(), "video/mp2t").await.unwrap();
                world.lifecycle.finish(&work, redacted()).await.unwrap();
            }
        }
        let closed = replay(&world).await;
        assert_eq!(closed.status, expected, "{gaps} of {segments}");
        let folder = Key::parse(&format!("vod/{}", closed.id)).unwrap();
        let objects = world.replays.list(&folder).await.unwrap();
        if expected == vod::Status::Ready {
            let playlist = world.replays.get(&folder.join("index.m3u8").unwrap()).await.unwrap();
            assert_eq!(String::from_utf8(playlist.to_vec()).unwrap().matches("#EXT-X-GAP").count(), gaps);
            let receipt = world.replays.get(&folder.join("receipt.json").unwrap()).await.unwrap();
            let receipt: Value = serde_json::from_slice(&receipt).unwrap();
            let (totals, lines) = (&receipt["totals"], receipt["segments"].as_array().unwrap());
            assert_eq!((&totals["gaps"], &totals["frames"]), (&json!(gaps), &json!(closed.frames)));
            assert_eq!((lines.len(), &lines[0]["gapReason"]), (segments as usize, &json!("UNREADABLE")));
            assert!(!receipt.to_string().contains("torn"), "{receipt}");
        } else {
            assert!(closed.withheld_reason.is_some());
            assert!(objects.is_empty(), "nothing of a withheld replay stays: {objects:?}");
            assert_eq!(kinds(&world, closed.id).await.last(), Some(&event::Kind::VodWithheld));
        }
    }
}

#[tokio::test]
async fn a_recording_without_a_segment_is_withheld_and_says_so() {
    let world = World::new(Backend::Sqlite).await;
    let script = Script::new(&world.stream().await);
    for message in [script.up(0), script.recording_started(1), script.down(2), script.recording_ended(3, Some(0))] {
        world.lifecycle.apply(&message).await.unwrap();
    }
    let closed = replay(&world).await;
    assert_eq!(
        (closed.status, closed.withheld_reason.as_deref()),
        (vod::Status::Withheld, Some("nothing was recorded"))
    );
}

#[tokio::test]
async fn a_replay_waits_for_the_end_of_its_stream_and_stands_on_the_map_from_then_on() {
    let world = World::new(Backend::Sqlite).await;
    let started = world.stream().await;
    let script = Script::new(&started);
    world.lifecycle.apply(&script.segments(1, 0..1)).await.unwrap();
    assert_eq!(replay(&world).await.listed_at, None);
    let stopped = world.lifecycle.stop_stream(started.stream.id, &started.token).await.unwrap();
    assert_eq!(stopped.status, stream::Status::Ended);
    assert_eq!(replay(&world).await.listed_at, stopped.ended_at);
    let kinds = kinds(&world, replay(&world).await.id).await;
    assert_eq!(kinds, [event::Kind::VodProgressed]);
}

#[tokio::test]
async fn the_sweeper_finishes_what_was_left_half_done() {
    let limits =
        Limits { reissue_after: Duration::ZERO, sweep_interval: Duration::from_millis(20), ..Limits::default() };
    let world = World::with_limits(Backend::Sqlite, limits).await;
    over(&world, 1).await;
    // The process dies between the last segment and the playlist: the rows say settled, the replay PROCESSING.
    let job = &jobs(&world).await[0];
    let work = begun(&world, job).await;
    let in_the_way = world.folder.path().join(format!("replays/vod/{}/index.m3u8", job.vod));
    std::fs::create_dir_all(&in_the_way).unwrap();
    world.lifecycle.finish(&work, redacted()).await.unwrap();
    assert_eq!(replay(&world).await.status, vod::Status::Processing);
    std::fs::remove_dir(&in_the_way).unwrap();
    let upkeep = lifecycle::Upkeep::new(world.lifecycle.clone(), World::bus());
    let cancel = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(upkeep.run(cancel.clone()));
    crate::messages::until("the replay is ready", async || replay(&world).await.status == vod::Status::Ready).await;
    cancel.cancel();
    running.await.unwrap();
}

//! The state machine does not care for the order of messages, nor for repetition.

use crate::world::{Backend, Script, World};
use entity::{VodId, outbox, segment, stream, vod};
use live::LiveEvent;
use proptest::{prelude::*, sample::Index};
use sea_orm::EntityTrait as _;
use std::collections::BTreeSet;

/// One broadcast of seven segments, interrupted once, with every message a provider may send of it.
fn broadcast(script: &Script) -> Vec<LiveEvent> {
    vec![
        script.up(1_000),
        script.recording_started(1_500),
        script.segments(4_000, 0..2),
        script.message(6_000, live::LiveEventKind::StreamInterrupted),
        script.message(8_000, live::LiveEventKind::StreamBack),
        script.segments(10_000, 2..5),
        script.segments(12_000, 4..7),
        script.down(15_000),
        script.down(15_200),
        script.recording_ended(16_000, None),
        script.recording_ended(16_500, Some(7)),
    ]
}

/// All that the messages decide, without what they do not: ids, and when we heard of it.
#[derive(Debug, PartialEq)]
struct EndState {
    status: stream::Status,
    facts: stream::Facts,
    vod_status: vod::Status,
    listed_at: Option<entity::time::Timestamp>,
    recording_ended_at: Option<entity::time::Timestamp>,
    segment_total: Option<i32>,
    known: i32,
    duration_ms: i64,
    segments: Vec<(i32, segment::Status, String)>,
    jobs: usize,
}

async fn end_state(world: &World) -> EndState {
    let stream = stream::Entity::find().one(&world.db).await.unwrap().unwrap();
    let replays = vod::Entity::find().all(&world.db).await.unwrap();
    assert_eq!(replays.len(), 1, "one recording, one replay");
    let replay = &replays[0];
    let mut segments = segment::Entity::find().all(&world.db).await.unwrap();
    segments.sort_by_key(|segment| segment.number);
    let messages = outbox::Entity::find().all(&world.db).await.unwrap();
    let jobs: Vec<_> = messages.into_iter().filter(|message| message.topic == outbox::Topic::Jobs).collect();
    let distinct: BTreeSet<_> = jobs.iter().map(|job| job.payload.clone()).collect();
    assert_eq!(distinct.len(), jobs.len(), "no segment is issued twice");
    EndState {
        status: stream.status,
        facts: stream.facts(),
        vod_status: replay.status,
        listed_at: replay.listed_at,
        recording_ended_at: replay.recording_ended_at,
        segment_total: replay.segment_total,
        known: replay.segments_known,
        duration_ms: replay.duration_ms,
        segments: segments.into_iter().map(|s| (s.number, s.status, s.source_key)).collect(),
        jobs: jobs.len(),
    }
}

/// Plays the broadcast's messages as `play` arranges them; the stream's own id is taken out of the result.
async fn played(backend: Backend, play: impl FnOnce(Vec<LiveEvent>) -> Vec<LiveEvent>) -> EndState {
    let world = World::new(backend).await;
    let started = world.stream().await;
    for message in play(broadcast(&Script::new(&started))) {
        world.lifecycle.apply(&message).await.unwrap();
    }
    let mut state = end_state(&world).await;
    for (_, _, key) in &mut state.segments {
        *key = key.replace(&started.stream.id.to_string(), "stream");
    }
    state
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

/// Every message at least once, in any order, with any of them repeated anywhere.
fn arrangement() -> impl Strategy<Value = Vec<usize>> {
    let all: Vec<usize> = (0..11).collect();
    (Just(all).prop_shuffle(), prop::collection::vec((0..11_usize, any::<Index>()), 0..12)).prop_map(
        |(mut order, repeats)| {
            for (message, at) in repeats {
                order.insert(at.index(order.len() + 1), message);
            }
            order
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_repetition_ends_in_the_same_state(order in arrangement()) {
        let (expected, got) = run(async {
            let arranged = |messages: Vec<LiveEvent>| order.iter().map(|&n| messages[n].clone()).collect();
            (played(Backend::Sqlite, |messages| messages).await, played(Backend::Sqlite, arranged).await)
        });
        prop_assert_eq!(expected, got);
    }
}

#[test]
fn the_straight_order_ends_complete_on_both_databases() {
    run(async {
        let sqlite = played(Backend::Sqlite, |messages| messages).await;
        assert_eq!(sqlite.status, stream::Status::Ended);
        assert_eq!((sqlite.known, sqlite.segment_total, sqlite.jobs), (7, Some(7), 7));
        assert!(sqlite.segments.iter().all(|(_, status, _)| *status == segment::Status::Queued));
        let reversed = played(Backend::Postgres, |messages| messages.into_iter().rev().collect()).await;
        assert_eq!(sqlite, reversed);
    });
}

#[test]
fn every_single_message_may_be_lost_and_come_last() {
    run(async {
        let expected = played(Backend::Sqlite, |messages| messages).await;
        for late in 0..11 {
            let got = played(Backend::Sqlite, |mut messages| {
                let message = messages.remove(late);
                messages.push(message);
                messages
            });
            assert_eq!(expected, got.await, "message {late} came last");
        }
    });
}

#[test]
fn a_segment_is_issued_when_its_successor_is_known_or_the_recording_is_complete() {
    run(async {
        let world = World::new(Backend::Sqlite).await;
        let started = world.stream().await;
        let script = Script::new(&started);
        let mut issued = Vec::new();
        let steps =
            [script.segments(1, 0..1), script.segments(2, 1..3), script.segments(3, 4..5), script.segments(4, 3..4)];
        for message in steps.into_iter().chain([script.recording_ended(5, Some(5))]) {
            world.lifecycle.apply(&message).await.unwrap();
            issued.push(queued(&world).await);
        }
        assert_eq!(issued, [vec![], vec![0, 1], vec![0, 1], vec![0, 1, 2, 3], vec![0, 1, 2, 3, 4]]);
    });
}

#[test]
fn an_end_that_is_told_before_the_last_segments_does_not_take_their_context_from_the_others() {
    run(async {
        let world = World::new(Backend::Sqlite).await;
        let started = world.stream().await;
        let script = Script::new(&started);
        for message in [script.segments(1, 0..2), script.recording_ended(2, Some(3))] {
            world.lifecycle.apply(&message).await.unwrap();
        }
        assert_eq!(queued(&world).await, [0]);
        world.lifecycle.apply(&script.segments(3, 2..3)).await.unwrap();
        assert_eq!(queued(&world).await, [0, 1, 2]);
    });
}

async fn queued(world: &World) -> Vec<i32> {
    let segments = segment::Entity::find().all(&world.db).await.unwrap();
    let queued = segments.into_iter().filter(|segment| segment.status == segment::Status::Queued);
    let mut numbers: Vec<i32> = queued.map(|segment| segment.number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_message_for_no_stream_of_ours_changes_nothing() {
    run(async {
        let world = World::new(Backend::Sqlite).await;
        let started = world.stream().await;
        let mut message = Script::new(&started).up(0);
        message.channel_arn = format!("arn:aws:ivs:eu-west-1:1:channel/{}", VodId::generate());
        assert_eq!(world.lifecycle.apply(&message).await.unwrap(), lifecycle::Applied::UnknownChannel);
    });
}

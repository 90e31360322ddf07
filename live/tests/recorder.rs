//! What the recorder writes, the scanner reads: as it grows, at its end, and after its recorder died.
#![allow(clippy::unwrap_used, reason = "a test")]

use bytes::Bytes;
use entity::time::Timestamp;
use live::recording::{Recorder, Subject, end_abandoned, scan};
use storage::{Key, Location, Recordings, Settings};

fn began() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn subject() -> Subject {
    Subject {
        channel_arn: "arn:emergency-time:live:local:0:channel/stream_1".into(),
        id: "rec-1".into(),
        width: 640,
        height: 360,
        frame_rate: 25.0,
        target_s: 6,
    }
}

async fn two_segments(folder: &tempfile::TempDir) -> (Recordings, Recorder) {
    let store = Recordings::open(&Location::folder(folder.path()).unwrap(), &Settings::default()).unwrap();
    let mut recorder = Recorder::new(store.clone(), subject(), began()).unwrap();
    recorder.start().await.unwrap();
    recorder.segment(Bytes::from_static(b"one"), 2_000, began(), false).await.unwrap();
    recorder.segment(Bytes::from_static(b"two"), 1_960, began(), true).await.unwrap();
    (store, recorder)
}

#[tokio::test]
async fn readers_find_every_segment_and_the_end_of_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (store, recorder) = two_segments(&folder).await;
    let prefix = recorder.reference().prefix;
    let growing = scan(&store, &prefix, 0).await.unwrap();
    assert_eq!((growing.segments.len(), growing.ended), (2, false));
    assert_eq!((growing.segments[1].duration_ms, growing.segments[1].discontinuity), (1_960, true));
    assert_eq!(&store.get(&Key::parse(&growing.segments[1].key).unwrap()).await.unwrap()[..], b"two");
    recorder.end(began()).await.unwrap();
    assert_eq!((recorder.segments(), recorder.duration_ms()), (2, 3_960));
    assert!(scan(&store, &prefix, 0).await.unwrap().is_complete());
}

#[tokio::test]
async fn a_recording_whose_recorder_died_is_ended_as_it_is_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, recorder) = two_segments(&folder).await;
    let prefix = recorder.reference().prefix;
    drop(recorder);
    for _ in 0..2 {
        end_abandoned(&store, &prefix, began()).await.unwrap();
        let found = scan(&store, &prefix, 0).await.unwrap();
        assert!(found.is_complete() && found.has_endlist, "{found:?}");
        assert_eq!(found.segments.len(), 2);
    }
    end_abandoned(&store, "ivs/v1/0/never/2026/1/1/1/1/begun", began()).await.unwrap();
}

#[tokio::test]
async fn a_recording_whose_recorder_died_before_its_first_segment_is_empty_and_complete() {
    let folder = tempfile::tempdir().unwrap();
    let store = Recordings::open(&Location::folder(folder.path()).unwrap(), &Settings::default()).unwrap();
    let recorder = Recorder::new(store.clone(), subject(), began()).unwrap();
    recorder.start().await.unwrap();
    let prefix = recorder.reference().prefix;
    end_abandoned(&store, &prefix, began()).await.unwrap();
    let found = scan(&store, &prefix, 0).await.unwrap();
    assert_eq!((found.ended, found.listed), (true, 0), "{found:?}");
}

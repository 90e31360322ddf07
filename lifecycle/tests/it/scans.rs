//! A recording's folder: what cannot be read is tried again and again and said once; what was never told is found there.

use crate::{
    messages::until,
    replays::replay,
    world::{BACKENDS, START, Script, World},
};
use lifecycle::Limits;
use live::{
    LiveEventKind,
    recording::{Recorder, Subject},
};
use std::{sync::atomic::Ordering, time::Duration};
use storage::{Location, Recordings, Settings};

#[tokio::test]
async fn a_recording_that_cannot_be_read_is_noted_once_until_it_can_be_read_again() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let started = world.stream().await;
        let script = Script::new(&started);
        let described = world.folder.path().join(format!("recordings/ivs/{}/events", started.stream.id));
        std::fs::create_dir_all(&described).unwrap();
        std::fs::write(described.join("recording-started.json"), "no JSON").unwrap();
        world.lifecycle.apply(&script.recording_started(0)).await.unwrap();
        let upkeep = lifecycle::Upkeep::new(world.lifecycle.clone(), World::bus());
        let cancel = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(upkeep.run(cancel.clone()));

        until("it is noted", async || replay(&world).await.scan_failed_at.is_some()).await;
        let noted = replay(&world).await.scan_failed_at;
        for second in 1..=3 {
            let now = START + 10_000 * second;
            world.clock.store(now, Ordering::Relaxed);
            until("it is tried again", async || {
                replay(&world).await.next_scan_at.is_some_and(|next| next.timestamp_millis() > now)
            })
            .await;
            assert_eq!(replay(&world).await.scan_failed_at, noted, "{backend:?}: since when it cannot be read stays");
        }
        std::fs::remove_file(described.join("recording-started.json")).unwrap();
        world.clock.store(START + 60_000, Ordering::Relaxed);
        until("it can be read again", async || replay(&world).await.scan_failed_at.is_none()).await;
        cancel.cancel();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn a_segment_whose_message_was_lost_is_found_in_the_folder_whatever_was_told_after_it() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let script = Script::new(&world.stream().await);
        let location = Location::folder(&world.folder.path().join("recordings")).unwrap();
        let store = Recordings::open(&location, &Settings::default()).unwrap();
        let began = script.up(0).at;
        let subject = Subject {
            channel_arn: script.up(0).channel_arn,
            id: "rec-1".into(),
            width: 640,
            height: 360,
            frame_rate: 25.0,
            target_s: 6,
        };
        let mut recorder = Recorder::new(store, subject, began).unwrap();
        recorder.start().await.unwrap();
        let recording = recorder.reference();
        world.lifecycle.apply(&script.up(0)).await.unwrap();
        for number in 0..4 {
            let written = recorder.segment("bytes".into(), 2_000, began, false).await.unwrap();
            let told = LiveEventKind::SegmentsWritten { recording: recording.clone(), segments: vec![written] };
            if number != 1 {
                world.lifecycle.apply(&script.message(1, told)).await.unwrap();
            }
        }
        recorder.end(began).await.unwrap();
        let ended = LiveEventKind::RecordingEnded { recording, segments: Some(4) };
        for message in [script.down(2), script.message(3, ended)] {
            world.lifecycle.apply(&message).await.unwrap();
        }
        assert_eq!(replay(&world).await.segments_known, 3);
        let upkeep = lifecycle::Upkeep::new(world.lifecycle.clone(), World::bus());
        let cancel = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(upkeep.run(cancel.clone()));
        world.clock.store(START + 10_000, Ordering::Relaxed);
        until("all are known", async || replay(&world).await.segments_known == 4).await;
        cancel.cancel();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn a_recording_that_cannot_be_read_is_not_taken_for_silent_until_long_after() {
    for backend in BACKENDS {
        let limits = Limits { sweep_interval: Duration::from_millis(20), ..Limits::default() };
        let world = World::with_limits(backend, limits).await;
        let started = world.stream().await;
        let script = Script::new(&started);
        let described = world.folder.path().join(format!("recordings/ivs/{}/events", started.stream.id));
        std::fs::create_dir_all(&described).unwrap();
        std::fs::write(described.join("recording-started.json"), "no JSON").unwrap();
        for message in [script.up(0), script.recording_started(1), script.down(2), script.recording_ended(3, None)] {
            world.lifecycle.apply(&message).await.unwrap();
        }
        let upkeep = lifecycle::Upkeep::new(world.lifecycle.clone(), World::bus());
        let cancel = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(upkeep.run(cancel.clone()));
        until("it is noted", async || replay(&world).await.scan_failed_at.is_some()).await;
        let hour = 3_600_000;
        for later in [1, 24] {
            let now = START + later * hour;
            world.clock.store(now, Ordering::Relaxed);
            until("it is tried again", async || {
                replay(&world).await.next_scan_at.is_some_and(|next| next.timestamp_millis() > now)
            })
            .await;
            assert_eq!(replay(&world).await.segment_total, None, "{backend:?}, {later} hours after the end");
        }
        world.clock.store(START + 49 * hour, Ordering::Relaxed);
        until("it is given up", async || replay(&world).await.segment_total == Some(0)).await;
        cancel.cancel();
        running.await.unwrap();
    }
}

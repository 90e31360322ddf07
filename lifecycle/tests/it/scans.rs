//! A recording's folder that cannot be read: tried again and again, said once.

use crate::{
    messages::until,
    replays::replay,
    world::{BACKENDS, START, Script, World},
};
use std::sync::atomic::Ordering;

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

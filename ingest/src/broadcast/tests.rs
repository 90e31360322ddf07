//! A broadcast whose task looks late: what had come by then is judged before the time is.

use super::*;
use crate::{
    pictures::{RATE, pictures},
    publication::Publication,
    sample::Sample,
    scribe::{Announce, Unheard},
};
use async_trait::async_trait;
use bytes::Bytes;
use entity::time::Clock;
use live::LiveEvent;
use std::time::Duration;
use storage::{Location, Recordings};

const IDLE: Duration = Duration::from_secs(3);

/// The scribe, who would tell, is not run.
struct Nobody;

#[async_trait]
impl Announce for Nobody {
    async fn announce(&self, _event: &LiveEvent) -> Result<(), Unheard> {
        Ok(())
    }

    async fn viewers(&self, _channel_arn: &str, _count: u32) {}
}

fn picture(number: i64, data: &Bytes) -> Sample {
    let dts = number * TICKS_PER_SECOND / RATE;
    Sample { track: Track::Video, dts, pts: dts, key: number == 0, data: data.clone() }
}

fn parts(folder: &tempfile::TempDir) -> Arc<Parts> {
    let location = Location::folder(folder.path()).unwrap();
    let recordings = Recordings::open(&location, &storage::Settings::default()).unwrap();
    let settings = Settings { idle: IDLE, ..Settings::default() };
    Arc::new(Parts { recordings, announce: Arc::new(Nobody), clock: Clock::System, settings })
}

#[tokio::test]
async fn pictures_that_wait_to_be_looked_at_are_no_silence() {
    let (folder, pictures, now) = (tempfile::tempdir().unwrap(), pictures("320x180"), Instant::now());
    let parts = parts(&folder);
    let shared = Arc::new(Shared::new(&parts.settings, now));
    let (mut broadcast, _scribe) = Broadcast::new(StreamId::generate(), "channel".into(), parts, Arc::clone(&shared));
    let (publication, intake) = Publication::new(broadcast.stream);
    let number = shared.session().admit(now).unwrap();
    broadcast.publish(number, intake, now);
    broadcast.unit(picture(0, &pictures[0]).into(), now);
    assert_eq!(shared.session().state(), State::OnAir);

    // Sound before the picture: it is no picture, but does not hide the one behind it.
    publication.try_send(Sample { track: Track::Audio, ..picture(1, &pictures[1]) }).unwrap();
    publication.try_send(picture(1, &pictures[1])).unwrap();
    broadcast.tick(now + IDLE);
    assert_eq!(shared.session().state(), State::OnAir);
    broadcast.tick(now + IDLE * 2);
    assert_eq!(shared.session().state(), State::Interrupted, "nothing has come since");
}

#[tokio::test]
async fn what_a_lost_publisher_left_is_shown_before_the_interruption_is_told() {
    let (folder, pictures, now) = (tempfile::tempdir().unwrap(), pictures("320x180"), Instant::now());
    let parts = parts(&folder);
    let shared = Arc::new(Shared::new(&parts.settings, now));
    let (mut broadcast, _scribe) = Broadcast::new(StreamId::generate(), "channel".into(), parts, Arc::clone(&shared));
    let (publication, intake) = Publication::new(broadcast.stream);
    let number = shared.session().admit(now).unwrap();
    broadcast.publish(number, intake, now);
    broadcast.unit(picture(0, &pictures[0]).into(), now);
    drop(publication);
    broadcast.tick(now + IDLE);
    assert_eq!(shared.session().state(), State::Interrupted);
    assert!(shared.window.segment("0.ts").is_ok(), "the only segment");
}

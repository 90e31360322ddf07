//! A broadcast whose task looks late: what had come by then is judged before the time is.

use super::*;
use crate::{
    pictures::{RATE, pictures},
    publication::Publication,
    sample::Sample,
    scribe::{Announce, Unheard},
    settings::Settings,
    testing::{Nobody, parts},
};
use async_trait::async_trait;
use bytes::Bytes;
use live::{LiveEvent, Viewer};
use std::{pin::Pin, time::Duration};

const IDLE: Duration = Duration::from_secs(3);

fn picture(number: i64, data: &Bytes) -> Sample {
    let dts = number * TICKS_PER_SECOND / RATE;
    Sample { track: Track::Video, dts, pts: dts, key: number == 0, data: data.clone() }
}

/// Remembers the numbers of viewers it is told.
#[derive(Default)]
struct Counts(Mutex<Vec<u32>>);

#[async_trait]
impl Announce for Counts {
    async fn announce(&self, _event: &LiveEvent) -> Result<(), Unheard> {
        Ok(())
    }

    async fn viewers(&self, _channel_arn: &str, count: u32) {
        self.0.lock().unwrap().push(count);
    }
}

/// A broadcast whose first picture has come.
struct OnAir {
    broadcast: Broadcast,
    publication: Publication,
    shared: Arc<Shared>,
    scribe: Pin<Box<dyn Future<Output = ()>>>,
    pictures: Vec<Bytes>,
    now: Instant,
    _folder: tempfile::TempDir,
}

fn on_air(announce: Arc<dyn Announce>) -> OnAir {
    let (folder, pictures, now) = (tempfile::tempdir().unwrap(), pictures("320x180"), Instant::now());
    let settings = Settings { idle: IDLE, ..Settings::default() };
    let parts = Arc::new(parts(&folder, settings, announce));
    let shared = Arc::new(Shared::new(&parts.settings, now));
    let (mut broadcast, scribe) = Broadcast::new(StreamId::generate(), "channel".into(), parts, Arc::clone(&shared));
    let (publication, intake) = Publication::new(broadcast.stream);
    let number = shared.session().admit(now).unwrap();
    broadcast.publish(number, intake, now);
    broadcast.unit(picture(0, &pictures[0]).into(), now);
    OnAir { broadcast, publication, shared, scribe: Box::pin(scribe), pictures, now, _folder: folder }
}

#[tokio::test]
async fn pictures_that_wait_to_be_looked_at_are_no_silence() {
    let mut on = on_air(Arc::new(Nobody));
    assert_eq!(on.shared.session().state(), State::OnAir);

    // Sound before the picture: it is no picture, but does not hide the one behind it.
    on.publication.try_send(Sample { track: Track::Audio, ..picture(1, &on.pictures[1]) }).unwrap();
    on.publication.try_send(picture(1, &on.pictures[1])).unwrap();
    on.broadcast.tick(on.now + IDLE);
    assert_eq!(on.shared.session().state(), State::OnAir);
    on.broadcast.tick(on.now + IDLE * 2);
    assert_eq!(on.shared.session().state(), State::Interrupted, "nothing has come since");
}

#[tokio::test]
async fn what_a_lost_publisher_left_is_shown_before_the_interruption_is_told() {
    let mut on = on_air(Arc::new(Nobody));
    drop(on.publication);
    on.broadcast.tick(on.now + IDLE);
    assert_eq!(on.shared.session().state(), State::Interrupted);
    assert!(on.shared.window.segment("0.ts").is_ok(), "the only segment");
}

#[tokio::test]
async fn the_last_number_of_viewers_is_none_even_if_they_are_counted_as_the_broadcast_ends() {
    let counts = Arc::new(Counts::default());
    let mut on = on_air(Arc::<Counts>::clone(&counts));
    let viewer = Viewer { address: None, agent: "test" };
    let waits = tokio::time::timeout(Duration::ZERO, on.shared.window.playlist(None, viewer)).await;
    assert!(waits.is_err(), "there is no segment yet");
    on.broadcast.tick(on.now + Settings::default().longest);
    assert_eq!(on.shared.session().state(), State::Over);
    drop(on.broadcast);
    on.scribe.await;
    assert_eq!(*counts.0.lock().unwrap(), [1, 0]);
}

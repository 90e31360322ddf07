//! Does what takes time for one broadcast, in order and off its way: writes the recording, then tells what was written.
//!
//! Durable before announced: a segment is told of once it is in the store. While a broadcast is on air a marker lies
//! in the store, so that whoever starts after a crash finds what was left open and ends it ([`recover`]).

use crate::{segmenter::Segment, settings::Settings, studio::Parts};
use async_trait::async_trait;
use entity::{StreamId, time::Timestamp};
use live::{
    LiveEvent, LiveEventKind, RecordingRef,
    recording::{RecordError, Recorder, Subject, end_abandoned, scan},
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use storage::{Key, KeyError};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

/// Where the markers lie in the recordings store.
const MARKERS: &str = "ingest/on-air";
/// How long a fault of the store or of the listener is left to pass before the next try.
const RETRY: Duration = Duration::from_millis(500);
/// How long the listener may take for one message: what is written must not wait for who hears of it.
const TELL_PATIENCE: Duration = Duration::from_secs(1);
/// Segments and words that may wait to be written; with more the recording counts as unwritable.
const QUEUE: usize = 32;
const TICKS_PER_MILLI: i64 = crate::sample::TICKS_PER_SECOND / 1_000;

/// Who hears of what happens.
#[async_trait]
pub trait Announce: Send + Sync {
    /// Takes a message. Once this returns it is sure to have its effect; one that did not return is sent again, with
    /// the same id.
    async fn announce(&self, event: &LiveEvent) -> Result<(), Unheard>;
    /// Takes how many watch a broadcast now. Losing one is fine.
    async fn viewers(&self, channel_arn: &str, count: u32);
}

/// Why a message was not taken; it may be later.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unheard(pub String);

/// What is to be written or told.
#[derive(Debug)]
pub(crate) enum Note {
    /// Something happened.
    Event(LiveEventKind, Timestamp),
    /// A segment is whole.
    Segment(Segment),
    /// So many watch.
    Viewers(u32),
}

/// What lies in the store while a broadcast is on air.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    channel_arn: String,
    /// `None` before its first segment.
    recording: Option<RecordingRef>,
}

/// The broadcast's side of its scribe.
pub(crate) struct Desk {
    notes: mpsc::Sender<Note>,
    failed: watch::Receiver<bool>,
}

impl Desk {
    /// A scribe for this broadcast, and its work, which ends some time after the desk is dropped.
    pub(crate) fn new(stream: StreamId, channel_arn: String, parts: Arc<Parts>) -> (Self, impl Future<Output = ()>) {
        let (notes, waiting) = mpsc::channel(QUEUE);
        let (failing, failed) = watch::channel(false);
        let scribe = Scribe { stream, channel_arn, parts, recorder: None, owed: VecDeque::new(), failing };
        (Self { notes, failed }, scribe.run(waiting))
    }

    /// Hands something over; `false` if it cannot be written, now or ever.
    pub(crate) fn hand(&self, note: Note) -> bool {
        self.notes.try_send(note).is_ok() && !*self.failed.borrow()
    }

    /// Waits until the recording turns out to be unwritable.
    pub(crate) async fn failed(&mut self) {
        if self.failed.wait_for(|failed| *failed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

struct Scribe {
    stream: StreamId,
    channel_arn: String,
    parts: Arc<Parts>,
    recorder: Option<Recorder>,
    /// Messages nobody has taken yet, the oldest first.
    owed: VecDeque<LiveEvent>,
    failing: watch::Sender<bool>,
}

impl Scribe {
    async fn run(mut self, mut notes: mpsc::Receiver<Note>) {
        loop {
            let note = tokio::select! {
                note = notes.recv() => note,
                () = sleep(RETRY), if !self.owed.is_empty() => {
                    self.tell().await;
                    continue;
                }
            };
            match note {
                Some(note) => self.take(note).await,
                None => break,
            }
        }
        self.close().await;
    }

    async fn take(&mut self, note: Note) {
        match note {
            Note::Event(kind, at) => {
                if matches!(kind, LiveEventKind::StreamUp)
                    && let Err(error) = self.mark(None).await
                {
                    tracing::warn!(stream.id = %self.stream, %error, "a broadcast could not be marked as on air");
                }
                self.owe(kind, at);
                self.tell().await;
            }
            Note::Viewers(count) => {
                let told = timeout(TELL_PATIENCE, self.parts.announce.viewers(&self.channel_arn, count)).await;
                if told.is_err() {
                    tracing::warn!(stream.id = %self.stream, count, "a number of viewers was not taken in time");
                }
            }
            Note::Segment(segment) if !*self.failing.borrow() => {
                if let Err(error) = self.write(&segment).await {
                    tracing::error!(stream.id = %self.stream, %error, "the recording cannot be written");
                    self.failing.send_replace(true);
                }
            }
            Note::Segment(_) => {}
        }
    }

    /// Writes a segment and tells of it. Tries for as long as the settings say.
    async fn write(&mut self, segment: &Segment) -> Result<(), RecordError> {
        let until = Instant::now() + self.parts.settings.store_patience;
        loop {
            match self.try_write(segment).await {
                Ok(()) => {
                    self.tell().await;
                    return Ok(());
                }
                Err(error @ RecordError::Store(_)) if Instant::now() < until => {
                    tracing::warn!(stream.id = %self.stream, %error, "a segment is not written yet");
                    sleep(RETRY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_write(&mut self, segment: &Segment) -> Result<(), RecordError> {
        if self.recorder.is_none() {
            let recorder = self.begin(segment).await?;
            self.owe(LiveEventKind::RecordingStarted(recorder.reference()), segment.at);
            self.recorder = Some(recorder);
        }
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        let duration_ms = u64::try_from(segment.duration / TICKS_PER_MILLI).unwrap_or(0);
        let written = recorder.segment(segment.bytes.clone(), duration_ms, segment.at, segment.discontinuity).await?;
        let recording = recorder.reference();
        self.owe(LiveEventKind::SegmentsWritten { recording, segments: vec![written] }, segment.at);
        Ok(())
    }

    async fn begin(&self, segment: &Segment) -> Result<Recorder, RecordError> {
        let subject = Subject {
            channel_arn: self.channel_arn.clone(),
            id: Uuid::now_v7().simple().to_string(),
            width: segment.size.0,
            height: segment.size.1,
            frame_rate: segment.frame_rate(),
            target_s: longest_s(&self.parts.settings),
        };
        let recorder = Recorder::new(self.parts.recordings.clone(), subject, segment.at)?;
        self.mark(Some(recorder.reference())).await?;
        recorder.start().await?;
        Ok(recorder)
    }

    /// Lays the marker.
    async fn mark(&self, recording: Option<RecordingRef>) -> Result<(), RecordError> {
        let marker = Marker { channel_arn: self.channel_arn.clone(), recording };
        let text = serde_json::to_vec(&marker)?;
        Ok(self.parts.recordings.put(&marker_key(self.stream)?, text.into(), "application/json").await?)
    }

    /// The broadcast is over: ends the recording, tells, and takes the marker away. What does not succeed in time is
    /// done at the next start.
    async fn close(mut self) {
        let until = Instant::now() + self.parts.settings.store_patience;
        loop {
            match self.try_close().await {
                Ok(()) => return,
                Err(error) if Instant::now() >= until => {
                    tracing::error!(stream.id = %self.stream, %error, "a recording was left open until the next start");
                    return;
                }
                Err(error) => tracing::warn!(stream.id = %self.stream, %error, "a recording is not ended yet"),
            }
            sleep(RETRY).await;
        }
    }

    async fn try_close(&mut self) -> Result<(), CloseError> {
        if let Some(recorder) = &self.recorder {
            let now = self.parts.clock.now();
            recorder.end(now).await?;
            let segments = Some(recorder.segments());
            let ended = LiveEventKind::RecordingEnded { recording: recorder.reference(), segments };
            self.recorder = None;
            self.owe(ended, now);
        }
        self.tell().await;
        if let Some(event) = self.owed.front() {
            return Err(CloseError::Untold(event.id.clone()));
        }
        Ok(self.parts.recordings.delete(&marker_key(self.stream)?).await?)
    }

    fn owe(&mut self, kind: LiveEventKind, at: Timestamp) {
        self.owed.push_back(event(&self.channel_arn, kind, at));
    }

    /// Tells what is owed, in order, until somebody does not hear.
    async fn tell(&mut self) {
        while let Some(event) = self.owed.front() {
            let told = timeout(TELL_PATIENCE, self.parts.announce.announce(event)).await;
            match told.unwrap_or_else(|_| Err(Unheard("it was not taken in time".to_owned()))) {
                Ok(()) => drop(self.owed.pop_front()),
                // Whoever reads the recording's folder finds the segment, and the next message is more urgent.
                Err(_) if matches!(event.kind, LiveEventKind::SegmentsWritten { .. }) => drop(self.owed.pop_front()),
                Err(error) => {
                    tracing::warn!(stream.id = %self.stream, %error, "a message was not taken yet");
                    return;
                }
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum CloseError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] storage::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the message {0} was not taken")]
    Untold(String),
}

fn event(channel_arn: &str, kind: LiveEventKind, at: Timestamp) -> LiveEvent {
    LiveEvent { id: Uuid::now_v7().to_string(), at, channel_arn: channel_arn.to_owned(), kind }
}

/// Of a broadcast that a process before this one left open: the same id at every try.
fn left_open(channel_arn: &str, kind: LiveEventKind, at: Timestamp) -> LiveEvent {
    let what = match &kind {
        LiveEventKind::RecordingEnded { recording, .. } => &recording.id,
        _ => channel_arn,
    };
    LiveEvent { id: format!("left-open/{what}"), at, channel_arn: channel_arn.to_owned(), kind }
}

/// The longest segment, in whole seconds.
fn longest_s(settings: &Settings) -> u64 {
    u64::try_from(settings.segment_max.div_euclid(crate::sample::TICKS_PER_SECOND) + 1).unwrap_or(1)
}

fn marker_key(stream: StreamId) -> Result<Key, KeyError> {
    Key::parse(&format!("{MARKERS}/{stream}.json"))
}

/// Ends what a process before this one left open: its recordings, and the broadcasts they are of. Those that are `ours`
/// are on air.
///
/// # Errors
/// The first fault; it keeps none of the others from being ended.
pub(crate) async fn recover(parts: &Parts, ours: &(dyn Fn(StreamId) -> bool + Sync)) -> Result<(), RecoverError> {
    let mut done = Ok(());
    for (key, _) in parts.recordings.list(&Key::parse(MARKERS)?).await? {
        if stream_of(&key).is_some_and(ours) {
            continue;
        }
        if let Err(error) = end_marked(parts, &key).await {
            tracing::warn!(%key, %error, "a broadcast that was left on air is not ended yet");
            done = done.and(Err(error));
        }
    }
    done
}

async fn end_marked(parts: &Parts, key: &Key) -> Result<(), RecoverError> {
    let text = match parts.recordings.get(key).await {
        Ok(text) => text,
        Err(storage::Error::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    match serde_json::from_slice::<Marker>(&text) {
        Ok(marker) => end_left_open(parts, marker).await?,
        Err(error) => tracing::error!(%key, %error, "a marker of a broadcast cannot be read and is dropped"),
    }
    Ok(parts.recordings.delete(key).await?)
}

/// Of which stream a marker is.
fn stream_of(marker: &Key) -> Option<StreamId> {
    let (_, name) = marker.as_str().rsplit_once('/')?;
    name.strip_suffix(".json")?.parse().ok()
}

async fn end_left_open(parts: &Parts, marker: Marker) -> Result<(), RecoverError> {
    let Marker { channel_arn, recording } = marker;
    let now = parts.clock.now();
    tracing::warn!(channel_arn, "a broadcast that the last process left on air is ended");
    parts.announce.announce(&left_open(&channel_arn, LiveEventKind::StreamDown, now)).await?;
    if let Some(recording) = recording {
        end_abandoned(&parts.recordings, &recording.prefix, now).await?;
        let segments = Some(scan(&parts.recordings, &recording.prefix, 0).await?.listed);
        let ended = LiveEventKind::RecordingEnded { recording, segments };
        parts.announce.announce(&left_open(&channel_arn, ended, now)).await?;
    }
    Ok(())
}

/// Why what was left open could not be ended yet.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The recording cannot be ended.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The recording cannot be read.
    #[error(transparent)]
    Scan(#[from] live::recording::ScanError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// Never.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody heard of it.
    #[error(transparent)]
    Unheard(#[from] Unheard),
}

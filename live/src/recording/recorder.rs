//! Writes a recording as IVS's recorder does: a segment is named by the playlist only once it is in the store, and what
//! a crash leaves behind is a recording that has merely not ended yet.
//!
//! Every step may be taken again after a fault: nothing counts until it is stored.

use super::{
    description::{Description, Status},
    layout::{Layout, LayoutError},
    playlist::{Entry, Variant, master_playlist, media_playlist},
};
use crate::event::{RecordedSegment, RecordingRef};
use bytes::Bytes;
use entity::time::Timestamp;
use storage::{Key, KeyError, Recordings};

const SEGMENT_TYPE: &str = "video/mp2t";
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
const JSON_TYPE: &str = "application/json";
const END: &str = "#EXT-X-ENDLIST\n";
/// What the master playlist says of the bit rate before any segment is known, in bits per second.
const BANDWIDTH: u64 = 4_000_000;

/// What is recorded.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The channel.
    pub channel_arn: String,
    /// The recording's own name.
    pub id: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second.
    pub frame_rate: f64,
    /// The longest that a segment may become, in whole seconds.
    pub target_s: u64,
}

/// Why a step of recording was not taken; it may be taken again.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no place for such a recording.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A part of it cannot be in a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// A description cannot be written or read.
    #[error("the recording's description: {0}")]
    Description(#[from] serde_json::Error),
    /// It has more segments than can be numbered.
    #[error("the recording has too many segments")]
    TooMany,
    /// Its playlist is not text.
    #[error("the recording's playlist is not UTF-8")]
    Playlist,
}

/// One recording under way.
pub struct Recorder {
    store: Recordings,
    layout: Layout,
    subject: Subject,
    rendition: String,
    began: Timestamp,
    entries: Vec<Entry>,
    duration_ms: u64,
}

impl Recorder {
    /// A recording that began at `began`; nothing is written yet.
    pub fn new(store: Recordings, subject: Subject, began: Timestamp) -> Result<Self, RecordError> {
        let layout = Layout::new(&subject.channel_arn, began, &subject.id)?;
        let rendition = format!("{}p{:.0}", subject.height, subject.frame_rate);
        Ok(Self { store, layout, subject, rendition, began, entries: Vec::new(), duration_ms: 0 })
    }

    /// How messages name it.
    pub fn reference(&self) -> RecordingRef {
        RecordingRef { id: self.subject.id.clone(), prefix: self.layout.prefix().to_string() }
    }

    /// Milliseconds recorded.
    pub fn duration_ms(&self) -> u64 {
        self.duration_ms
    }

    /// Segments recorded.
    pub fn segments(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Writes that it has begun.
    pub async fn start(&self) -> Result<(), RecordError> {
        let Subject { width, height, frame_rate, .. } = self.subject;
        let variant = Variant {
            uri: Layout::playlist_uri(&self.rendition),
            bandwidth: BANDWIDTH,
            width,
            height,
            frame_rate: Some(frame_rate),
            codecs: None,
        };
        describe(&self.store, &self.layout.started()?, &self.description(Status::Started, None)).await?;
        self.put(&self.layout.master()?, master_playlist(&[variant]).into(), PLAYLIST_TYPE).await
    }

    /// Adds a segment, whose first picture was taken at `at`.
    pub async fn segment(
        &mut self,
        bytes: Bytes,
        duration_ms: u64,
        at: Timestamp,
        discontinuity: bool,
    ) -> Result<RecordedSegment, RecordError> {
        let number = u32::try_from(self.entries.len()).map_err(|_| RecordError::TooMany)?;
        let key = self.layout.segment(&self.rendition, number)?;
        self.put(&key, bytes, SEGMENT_TYPE).await?;
        // Times run on from one segment to the next, so only where they break is the moment worth its line.
        let at = Some(at).filter(|_| number == 0 || discontinuity);
        self.entries.push(Entry { uri: Layout::segment_uri(number), duration_ms, discontinuity, at });
        if let Err(error) = self.write_playlist(false).await {
            self.entries.pop();
            return Err(error);
        }
        self.duration_ms += duration_ms;
        Ok(RecordedSegment { number, key: key.to_string(), duration_ms, discontinuity })
    }

    /// Writes that it is complete.
    pub async fn end(&self, now: Timestamp) -> Result<(), RecordError> {
        self.write_playlist(true).await?;
        describe(&self.store, &self.layout.ended()?, &self.description(Status::Ended, Some(now))).await
    }

    async fn write_playlist(&self, ended: bool) -> Result<(), RecordError> {
        let playlist = media_playlist(self.subject.target_s, &self.entries, ended);
        self.put(&self.layout.playlist(&self.rendition)?, playlist.into(), PLAYLIST_TYPE).await
    }

    fn description(&self, status: Status, ended: Option<Timestamp>) -> Description {
        let Subject { width, height, .. } = self.subject;
        Description {
            version: "v1".to_owned(),
            channel_arn: self.subject.channel_arn.clone(),
            recording_started_at: self.began,
            recording_ended_at: ended,
            recording_status: status,
            recording_status_message: None,
            media: Layout::media(&self.rendition, width, height, ended.map(|_| self.duration_ms)),
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes, content_type: &str) -> Result<(), RecordError> {
        Ok(self.store.put(key, bytes, content_type).await?)
    }
}

/// Ends the recording in the folder `prefix`, whose recorder is gone, as it is. That it never began, or has ended
/// already, is fine.
pub async fn end_abandoned(store: &Recordings, prefix: &str, now: Timestamp) -> Result<(), RecordError> {
    let layout = Layout::at(Key::parse(prefix)?);
    let Some(text) = found(store.get(&layout.started()?).await)? else { return Ok(()) };
    let mut description: Description = serde_json::from_slice(&text)?;
    let mut is_empty = true;
    for rendition in &description.media.hls.renditions {
        let key = layout.playlist(&rendition.path)?;
        let Some(text) = found(store.get(&key).await)? else { continue };
        is_empty = false;
        let mut text = String::from_utf8(text.into()).map_err(|_| RecordError::Playlist)?;
        if !text.ends_with(END) {
            text.push_str(END);
            store.put(&key, text.into(), PLAYLIST_TYPE).await?;
        }
    }
    if found(store.head(&layout.ended()?).await)?.is_none() {
        description.recording_status = Status::Ended;
        description.recording_ended_at = Some(now);
        if is_empty {
            // Not a segment was listed: whoever reads the recording need not wait for a playlist.
            description.media.hls.duration_ms = Some(0);
        }
        describe(store, &layout.ended()?, &description).await?;
    }
    Ok(())
}

async fn describe(store: &Recordings, key: &Key, description: &Description) -> Result<(), RecordError> {
    let text = serde_json::to_vec_pretty(description)?;
    Ok(store.put(key, text.into(), JSON_TYPE).await?)
}

fn found<T>(read: Result<T, storage::Error>) -> Result<Option<T>, RecordError> {
    match read {
        Ok(object) => Ok(Some(object)),
        Err(storage::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

//! The recorder: leaves in the recordings store what IVS leaves in its bucket, in its layout.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use entity::time::Timestamp;
use live::{
    ivs::message,
    recording::{Description, Entry, Layout, Status, Variant, master_playlist, media_playlist},
};
use media::cut::Outline;
use storage::{Key, Recordings};
use uuid::Uuid;

/// The bucket named in messages; a store of ours knows its own.
const BUCKET: &str = "recordings";
const SEGMENT_TYPE: &str = "video/mp2t";
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
const JSON_TYPE: &str = "application/json";
/// What the master playlist says of the bit rate before any segment is known, in bits per second.
const BANDWIDTH: u64 = 4_000_000;

/// One recording.
pub struct Recorder {
    store: Recordings,
    layout: Option<Layout>,
    id: String,
    channel_arn: String,
    began: Timestamp,
    rendition: String,
    size: (u32, u32),
    frame_rate: f64,
    target_s: u64,
    entries: Vec<Entry>,
    duration_ms: u64,
}

impl Recorder {
    /// A recorder for a channel; nothing is written yet.
    pub fn new(store: Recordings, channel_arn: &str, outline: &Outline, segment_ms: u64) -> Self {
        Self {
            store,
            layout: None,
            id: Uuid::new_v4().simple().to_string()[..12].to_owned(),
            channel_arn: channel_arn.to_owned(),
            began: Timestamp::default(),
            rendition: format!("{}p{:.0}", outline.height, outline.frame_rate),
            size: (outline.width, outline.height),
            frame_rate: outline.frame_rate,
            // A segment ends at the first keyframe after its target, and keyframes are at most twice as far apart.
            target_s: (3 * segment_ms).div_ceil(1_000),
            entries: Vec::new(),
            duration_ms: 0,
        }
    }

    /// How messages name the recording.
    pub fn reference(&self) -> message::Recording {
        let prefix = self.layout.as_ref().map(|layout| layout.prefix().to_string()).unwrap_or_default();
        message::Recording { session_id: self.id.clone(), bucket: BUCKET.to_owned(), prefix }
    }

    /// Begins the recording.
    pub async fn start(&mut self, now: Timestamp) -> Result<()> {
        let layout = Layout::new(&self.channel_arn, now, &self.id)?;
        self.began = now;
        let description = self.description(Status::Started, None);
        let (width, height) = self.size;
        let variant = Variant {
            uri: Layout::playlist_uri(&self.rendition),
            bandwidth: BANDWIDTH,
            width,
            height,
            frame_rate: Some(self.frame_rate),
            codecs: None,
        };
        self.put(&layout.started()?, serde_json::to_vec_pretty(&description)?.into(), JSON_TYPE).await?;
        self.put(&layout.master()?, master_playlist(&[variant]).into(), PLAYLIST_TYPE).await?;
        self.layout = Some(layout);
        Ok(())
    }

    /// Adds a segment; the playlist names it only once it is there.
    pub async fn segment(&mut self, bytes: Bytes, duration_ms: u64, at: Timestamp, discontinuity: bool) -> Result<()> {
        let number = u32::try_from(self.entries.len()).context("the recording has too many segments")?;
        self.put(&self.layout()?.segment(&self.rendition, number)?, bytes, SEGMENT_TYPE).await?;
        // Times run on from one segment to the next, so only where they break is the moment worth its line.
        let at = Some(at).filter(|_| number == 0 || discontinuity);
        self.entries.push(Entry { uri: Layout::segment_uri(number), duration_ms, discontinuity, at });
        self.duration_ms += duration_ms;
        self.write_playlist(false).await
    }

    /// Ends the recording; returns its length in milliseconds, or `None` if it never began.
    pub async fn end(&mut self, now: Timestamp) -> Result<Option<u64>> {
        let Some(layout) = &self.layout else { return Ok(None) };
        self.write_playlist(true).await?;
        let description = self.description(Status::Ended, Some(now));
        self.put(&layout.ended()?, serde_json::to_vec_pretty(&description)?.into(), JSON_TYPE).await?;
        Ok(Some(self.duration_ms))
    }

    fn layout(&self) -> Result<&Layout> {
        self.layout.as_ref().context("the recording has not begun")
    }

    async fn write_playlist(&self, ended: bool) -> Result<()> {
        let playlist = media_playlist(self.target_s, &self.entries, ended);
        self.put(&self.layout()?.playlist(&self.rendition)?, playlist.into(), PLAYLIST_TYPE).await
    }

    fn description(&self, status: Status, ended: Option<Timestamp>) -> Description {
        let (width, height) = self.size;
        Description {
            version: "v1".to_owned(),
            channel_arn: self.channel_arn.clone(),
            recording_started_at: self.began,
            recording_ended_at: ended,
            recording_status: status,
            recording_status_message: None,
            media: Layout::media(&self.rendition, width, height, ended.map(|_| self.duration_ms)),
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes, content_type: &str) -> Result<()> {
        self.store.put(key, bytes, content_type).await.with_context(|| format!("{key} cannot be written"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::time::Clock;
    use live::recording::scan;
    use media::cut::{Picture, Sound};
    use storage::{Location, Settings};

    #[tokio::test]
    async fn readers_find_every_segment_and_the_end_of_what_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Recordings::open(&Location::folder(folder.path()).unwrap(), &Settings::default()).unwrap();
        let outline = Outline {
            duration_ms: 4_000,
            frames: 100,
            width: 640,
            height: 360,
            frame_rate: 25.0,
            picture: Picture::Copied,
            sound: Sound::Copied,
        };
        let arn = "arn:emergency-time:live:local:0:channel/stream_1";
        let mut recorder = Recorder::new(store.clone(), arn, &outline, 2_000);
        let now = Clock::System.now();
        recorder.start(now).await.unwrap();
        recorder.segment(Bytes::from_static(b"one"), 2_000, now, false).await.unwrap();
        recorder.segment(Bytes::from_static(b"two"), 1_960, now, true).await.unwrap();
        let prefix = recorder.reference().prefix;
        let growing = scan(&store, &prefix, 0).await.unwrap();
        assert_eq!((growing.segments.len(), growing.ended), (2, false));
        assert_eq!((growing.segments[1].duration_ms, growing.segments[1].discontinuity), (1_960, true));
        assert_eq!(&store.get(&Key::parse(&growing.segments[1].key).unwrap()).await.unwrap()[..], b"two");
        assert_eq!(recorder.end(now).await.unwrap(), Some(3_960));
        assert!(scan(&store, &prefix, 0).await.unwrap().ended);
    }
}

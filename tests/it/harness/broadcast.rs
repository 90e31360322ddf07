//! A broadcast made by hand: the files an Amazon IVS recorder leaves and the messages it sends, each to be written,
//! spoiled, sent, lost or repeated as a test likes.

use crate::harness::{
    clip,
    clip::Clip,
    site::{Site, WEBHOOK_SECRET},
};
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use entity::time::{Clock, Timestamp};
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};
use storage::Key;

/// The only rendition.
const RENDITION: &str = "360p30";
const ACCOUNT: &str = "123456789012";
const BUCKET: &str = "recordings-of-a-test";

/// A broadcast that a test tells the server about.
pub struct Handmade {
    /// The stream's id.
    pub stream: String,
    /// The broadcaster's secret.
    pub token: String,
    channel_arn: String,
    recording: String,
    prefix: String,
    started_at: Timestamp,
    segments: Vec<Bytes>,
}

impl Handmade {
    /// Starts a stream and cuts the clip for it; nothing is on air yet.
    pub async fn start(site: &Site, title: &str, clip: &Clip) -> Result<Self> {
        let (stream, token) = site.client.start(title, 129.0756, 35.1796).await?;
        let channel_arn = site.records()?.stream(&stream).await?.channel_arn;
        let recording = uuid::Uuid::new_v4().simple().to_string()[..16].to_owned();
        let prefix = format!("ivs/v1/{ACCOUNT}/{stream}/2026/1/2/3/4/{recording}");
        let pieces = clip::cut(&clip.render()?, &site.folder().join(&recording))?;
        let segments = pieces.iter().map(|piece| Ok(std::fs::read(piece)?.into())).collect::<Result<Vec<Bytes>>>()?;
        // It is told when it is over, so that no message is from the future.
        let length = Duration::from_millis(segments.len() as u64 * u64::from(clip::SEGMENT_S) * 1000 + 1000);
        let started_at = Clock::System.now() - length;
        Ok(Self { stream, token, channel_arn, recording, prefix, started_at, segments })
    }

    /// How many segments it has.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Where the recording lies: for nobody to know.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Puts bytes that are no video in the place of a segment, before it is written.
    pub fn spoil(&mut self, number: usize) {
        // Neither sync bytes nor a pattern: what a torn disk gives.
        let noise = (0..self.segments[number].len()).map(|n| n.wrapping_mul(0x9E37_79B9).to_be_bytes()[4] | 0x80);
        self.segments[number] = noise.collect();
    }

    /// Writes the whole recording as the recorder leaves it at its end.
    pub async fn write(&self, site: &Site) -> Result<()> {
        let duration_ms = self.duration_ms();
        let hls = json!({ "path": "media/hls", "playlist": "master.m3u8", "renditions": [
            { "path": RENDITION, "playlist": "playlist.m3u8", "resolution_height": 360, "resolution_width": 640 } ] });
        let started = json!({ "version": "v1", "channel_arn": self.channel_arn, "media": { "hls": hls },
            "recording_started_at": self.at_ms(0), "recording_status": "RECORDING_STARTED" });
        self.put(site, "events/recording-started.json", started.to_string().into()).await?;
        let master =
            format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=640x360\n{RENDITION}/playlist.m3u8\n");
        self.put(site, "media/hls/master.m3u8", master.into()).await?;
        let mut playlist =
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-TARGETDURATION:2\n".to_owned();
        for (number, segment) in self.segments.iter().enumerate() {
            self.put(site, &format!("media/hls/{RENDITION}/{number}.ts"), segment.clone()).await?;
            writeln!(playlist, "#EXTINF:2.000,\n{number}.ts")?;
        }
        playlist += "#EXT-X-ENDLIST\n";
        self.put(site, &format!("media/hls/{RENDITION}/playlist.m3u8"), playlist.into()).await?;
        let mut ended = started;
        ended["recording_status"] = "RECORDING_ENDED".into();
        ended["recording_ended_at"] = self.at_ms(duration_ms).into();
        ended["media"]["hls"]["duration_ms"] = duration_ms.into();
        self.put(site, "events/recording-ended.json", ended.to_string().into()).await
    }

    async fn put(&self, site: &Site, path: &str, bytes: Bytes) -> Result<()> {
        let key = Key::parse(&format!("{}/{path}", self.prefix)).with_context(|| path.to_owned())?;
        let kind = match path.rsplit_once('.') {
            Some((_, "ts")) => "video/mp2t",
            Some((_, "json")) => "application/json",
            _ => "application/vnd.apple.mpegurl",
        };
        Ok(site.recordings.put(&key, bytes, kind).await?)
    }

    fn duration_ms(&self) -> u64 {
        self.segments.len() as u64 * u64::from(clip::SEGMENT_S) * 1000
    }

    fn at_ms(&self, after_ms: u64) -> String {
        (self.started_at + Duration::from_millis(after_ms)).to_rfc3339()
    }

    /// Every message of the broadcast in the order of its happening, under the name of what happened.
    pub fn messages(&self) -> Vec<(&'static str, Value)> {
        let end = self.duration_ms();
        let state = |at, name| (name, self.message("IVS Stream State Change", at, &self.stream_detail(name)));
        let health = |at, name| (name, self.message("IVS Stream Health Change", at, &self.stream_detail(name)));
        let recording =
            |at, name| (name, self.message("IVS Recording State Change", at, &self.recording_detail(name, at)));
        vec![
            state(0, "Session Created"),
            state(10, "Stream Start"),
            recording(20, "Recording Start"),
            health(1000, "Starvation Start"),
            health(1500, "Starvation End"),
            state(end, "Stream End"),
            // The recorder finishes a moment after the broadcast.
            recording(end + 400, "Recording End"),
            // The same moment as the end of the stream: one may stand in for the other.
            state(end, "Session Ended"),
        ]
    }

    /// One message by the name of what happened.
    pub fn message_of(&self, name: &str) -> Result<Value> {
        let found = self.messages().into_iter().find(|(happened, _)| *happened == name);
        Ok(found.with_context(|| format!("no message {name}"))?.1)
    }

    fn message(&self, detail_type: &str, at: u64, detail: &Value) -> Value {
        // The same message has the same id however often it is made.
        let name =
            format!("{}/{detail_type}/{at}/{}{}", self.recording, detail["event_name"], detail["recording_status"]);
        let id = uuid::Uuid::from_u128(name.bytes().fold(0_u128, |sum, byte| {
            sum.wrapping_mul(0x0100_0000_0000_0000_0000_013B).wrapping_add(u128::from(byte) + 1)
        }));
        json!({ "version": "0", "id": id.to_string(), "detail-type": detail_type, "source": "aws.ivs",
            "account": ACCOUNT, "time": self.at_ms(at), "region": "ap-northeast-2",
            "resources": [self.channel_arn], "detail": detail })
    }

    fn stream_detail(&self, name: &str) -> Value {
        json!({ "event_name": name, "channel_name": "test", "stream_id": format!("st-{}", self.recording) })
    }

    fn recording_detail(&self, status: &str, at: u64) -> Value {
        json!({ "channel_name": "test", "stream_id": format!("st-{}", self.recording), "recording_status": status,
            "recording_status_reason": "", "recording_s3_bucket_name": BUCKET,
            "recording_s3_key_prefix": self.prefix, "recording_duration_ms": at,
            "recording_session_id": self.recording })
    }

    /// Sends one message as the provider does.
    pub async fn send(&self, site: &Site, message: &Value) -> Result<()> {
        let status = site.client.post_webhook(WEBHOOK_SECRET, message).await?;
        ensure!((200..300).contains(&status), "{status} for {message}");
        Ok(())
    }

    /// Writes everything and sends every message in order.
    pub async fn play(&self, site: &Site) -> Result<()> {
        self.write(site).await?;
        for (_, message) in self.messages() {
            self.send(site, &message).await?;
        }
        Ok(())
    }
}

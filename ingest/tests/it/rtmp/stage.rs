//! A provider with its RTMP front on a folder of its own, `ffmpeg` to publish to it, and what came of it.

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use entity::{PublishToken, StreamId, time::Clock};
use ingest::{APP, Announce, Parts, Rtmp, RtmpLimits, Settings, Studio, Unheard};
use live::{LiveEvent, LiveEventKind, LiveProvider as _, Local, RecordingRef};
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use storage::{Location, Recordings};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// Whatever is waited for comes sooner, on a busy machine too.
const DEADLINE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// The provider on its stage.
pub struct Stage {
    pub studio: Studio,
    pub address: SocketAddr,
    pub folder: TempDir,
    heard: Arc<Heard>,
    cancel: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

/// All that was announced.
#[derive(Default)]
struct Heard(Mutex<Vec<LiveEvent>>);

#[async_trait]
impl Announce for Heard {
    async fn announce(&self, event: &LiveEvent) -> Result<(), Unheard> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }

    async fn viewers(&self, _channel_arn: &str, _count: u32) {}
}

/// A channel that may be published on.
pub struct Channel {
    pub stream: StreamId,
    pub arn: String,
    pub key: String,
}

impl Stage {
    pub fn set(settings: Settings) -> Result<Self> {
        Self::over(tempfile::tempdir()?, settings)
    }

    /// A stage over recordings that are there already.
    pub fn over(folder: TempDir, mut settings: Settings) -> Result<Self> {
        let recordings = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
        let heard = Arc::<Heard>::default();
        let announce = Arc::clone(&heard) as Arc<dyn Announce>;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        settings.rtmp_url = Some(format!("rtmp://{address}/{APP}"));
        let studio = Studio::new(Parts { recordings, announce, clock: Clock::System, settings });
        let front = Rtmp::new(listener, studio.clone(), RtmpLimits::default())?;
        let cancel = CancellationToken::new();
        let running = vec![
            tokio::spawn(front.run(cancel.clone())),
            tokio::spawn({
                let (studio, cancel) = (studio.clone(), cancel.clone());
                async move { studio.run(cancel).await }
            }),
        ];
        Ok(Self { studio, address, folder, heard, cancel, running })
    }

    pub async fn channel(&self) -> Result<Channel> {
        let (stream, token) = (StreamId::generate(), PublishToken::generate());
        let lease = self.studio.lease(stream, &token).await?;
        let key = lease.ingest.stream_key.context("no stream key")?;
        Ok(Channel { stream, arn: lease.channel_arn, key })
    }

    /// `ffmpeg` with these inputs and encoders, publishing with this key.
    pub fn publish(&self, arguments: &str, key: &str) -> Result<Child> {
        Ok(Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error"])
            .args(arguments.split_whitespace())
            .args(["-f", "flv"])
            .arg(format!("rtmp://{}/{APP}/{key}", self.address))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?)
    }

    /// What was announced of a stream, in order.
    pub fn events(&self, stream: StreamId) -> Vec<LiveEventKind> {
        let channel = Local::channel_arn(stream);
        let heard = self.heard.0.lock().unwrap();
        heard.iter().filter(|event| event.channel_arn == channel).map(|event| event.kind.clone()).collect()
    }

    /// The first word of each event, segments left out.
    pub fn story(&self, stream: StreamId) -> Vec<String> {
        let word = |kind: &LiveEventKind| serde_json::to_value(kind).unwrap()["kind"].as_str().unwrap().to_owned();
        let mut words: Vec<String> = self.events(stream).iter().map(word).collect();
        words.retain(|word| word != "segments_written");
        words
    }

    /// Every recording that was announced, each once.
    pub fn recordings(&self, stream: StreamId) -> Vec<RecordingRef> {
        let started = |event| match event {
            LiveEventKind::RecordingStarted(recording) => Some(recording),
            _ => None,
        };
        self.events(stream).into_iter().filter_map(started).collect()
    }

    /// Every segment that was announced: its file, its length in milliseconds, whether it breaks with the one before.
    pub fn segments(&self, stream: StreamId) -> Vec<(PathBuf, u64, bool)> {
        let written = |event| match event {
            LiveEventKind::SegmentsWritten { segments, .. } => segments,
            _ => Vec::new(),
        };
        let all = self.events(stream).into_iter().flat_map(written);
        all.map(|segment| (self.folder.path().join(segment.key), segment.duration_ms, segment.discontinuity)).collect()
    }

    pub async fn until_told(&self, stream: StreamId, word: &str) -> Result<()> {
        self.until(word, || self.story(stream).iter().any(|told| told == word)).await
    }

    pub async fn until_segments(&self, stream: StreamId, count: usize) -> Result<()> {
        self.until("segments", || self.segments(stream).len() >= count).await
    }

    pub async fn until(&self, what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !done() {
            ensure!(start.elapsed() < DEADLINE, "waited in vain for {what}");
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Ends everything.
    pub async fn strike(self) -> Result<TempDir> {
        self.cancel.cancel();
        for task in self.running {
            task.await?;
        }
        Ok(self.folder)
    }
}

/// Waits for a publisher to end; gives whether it was content, and its complaints.
pub async fn end(publisher: Child) -> Result<(bool, String)> {
    let output = tokio::time::timeout(DEADLINE, publisher.wait_with_output()).await.context("it does not end")??;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// A packet as ffprobe sees it, times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub is_picture: bool,
    pub dts: f64,
    pub pts: f64,
    pub is_key: bool,
}

/// The packets of a file.
pub async fn packets(file: &Path) -> Result<Vec<Packet>> {
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries", "packet=codec_type,dts_time,pts_time,flags"])
        .arg(file)
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(probed.stderr.is_empty(), "{}", String::from_utf8_lossy(&probed.stderr));
    let probed: Value = serde_json::from_slice(&probed.stdout)?;
    let time = |packet: &Value, name: &str| packet[name].as_str()?.parse().ok();
    let read = |packet: &Value| {
        Some(Packet {
            is_picture: packet["codec_type"] == "video",
            dts: time(packet, "dts_time")?,
            pts: time(packet, "pts_time")?,
            is_key: packet["flags"].as_str()?.starts_with('K'),
        })
    };
    let packets = probed["packets"].as_array().context("no packets")?;
    packets.iter().map(|packet| read(packet).with_context(|| format!("{packet}"))).collect()
}

/// Decodes all of a file, which must go without a word.
pub async fn decodes(file: &Path) -> Result<()> {
    let decoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "warning", "-xerror", "-i"])
        .arg(file)
        .args(["-f", "null", "-"])
        .kill_on_drop(true)
        .output()
        .await?;
    let complaint = String::from_utf8_lossy(&decoded.stderr);
    ensure!(decoded.status.success() && complaint.is_empty(), "{} does not decode: {complaint}", file.display());
    Ok(())
}

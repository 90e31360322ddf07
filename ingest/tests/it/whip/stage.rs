//! A provider with its WHIP front on a folder of its own, and what came of it: messages and recorded segments.

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use entity::{PublishToken, StreamId, time::Clock};
use ingest::{
    Announce, Parts, Settings, Studio, Unheard,
    whip::{Config, Front},
};
use live::{LiveEvent, LiveEventKind, LiveProvider as _, Local, Whip as _, WhipError, WhipSession};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use storage::{Location, Recordings};
use tempfile::TempDir;
use tokio::{process::Command, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::chromium::Chromium;

/// Whatever is waited for comes sooner, on a busy machine too.
const DEADLINE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// The provider on its stage.
pub struct Stage {
    pub front: Front,
    pub studio: Studio,
    heard: Arc<Heard>,
    folder: TempDir,
    cancel: CancellationToken,
    running: JoinHandle<()>,
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

/// A recorded segment, as ffprobe sees it.
#[derive(Debug)]
pub struct Recorded {
    pub pictures: usize,
    /// Times of the pictures in seconds, in the order of the file.
    pub times: Vec<f64>,
    pub begins_with_keyframe: bool,
    pub has_sound: bool,
}

impl Stage {
    /// A provider whose WHIP socket is told to browsers as `advertise`, or as what it is.
    pub async fn set(settings: Settings, advertise: Option<SocketAddr>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let recordings = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
        let heard = Arc::<Heard>::default();
        let announce = Arc::clone(&heard) as Arc<dyn Announce>;
        let studio = Studio::new(Parts { recordings, announce, clock: Clock::System, settings });
        let bind = (Ipv4Addr::LOCALHOST, 0).into();
        let config = Config { bind, advertise: advertise.into_iter().collect(), ..Config::default() };
        let front = Front::start(studio.clone(), config).await?;
        let cancel = CancellationToken::new();
        let running = tokio::spawn({
            let (studio, cancel) = (studio.clone(), cancel.clone());
            async move { studio.run(cancel).await }
        });
        Ok(Self { front, studio, heard, folder, cancel, running })
    }

    /// A stream that may be published on.
    pub async fn stream(&self) -> anyhow::Result<(StreamId, PublishToken)> {
        let (stream, token) = (StreamId::generate(), PublishToken::generate());
        self.studio.lease(stream, &token).await?;
        Ok((stream, token))
    }

    /// Has the browser go live; `camera` are the arguments of the page's `offer`. Returns once pictures are taken.
    pub async fn publish(
        &self,
        browser: &mut Chromium,
        (stream, token): &(StreamId, PublishToken),
        camera: &str,
    ) -> anyhow::Result<WhipSession> {
        let session = self.try_publish(browser, (stream, token), camera).await??;
        Ok(session)
    }

    /// Like [`Stage::publish`], if the offer is taken.
    pub async fn try_publish(
        &self,
        browser: &mut Chromium,
        (stream, token): (&StreamId, &PublishToken),
        camera: &str,
    ) -> anyhow::Result<Result<WhipSession, WhipError>> {
        let offer = browser.evaluate(&format!("offer({camera})")).await?;
        let session = match self.front.open(*stream, token, offer.as_str().context("no offer")?).await {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        browser.evaluate(&format!("accept({})", Value::from(session.answer.as_str()))).await?;
        Ok(Ok(session))
    }

    /// Waits until that many segments were announced.
    pub async fn segments(&self, stream: StreamId, count: usize) -> anyhow::Result<()> {
        self.until(&format!("{count} segments"), || self.announced(stream) >= count).await
    }

    /// Waits until the browser has sent so many pictures.
    pub async fn frames(&self, browser: &mut Chromium, count: u64) -> anyhow::Result<()> {
        let start = Instant::now();
        while browser.evaluate("sent()").await?["frames"].as_u64() < Some(count) {
            ensure!(start.elapsed() < DEADLINE, "waited in vain for {count} pictures");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until something of this kind was announced.
    pub async fn heard(&self, stream: StreamId, what: &str, kind: fn(&LiveEventKind) -> bool) -> anyhow::Result<()> {
        self.until(what, || self.events(stream).iter().any(kind)).await
    }

    /// What was announced of a stream.
    pub fn events(&self, stream: StreamId) -> Vec<LiveEventKind> {
        let channel = Local::channel_arn(stream);
        let heard = self.heard.0.lock().unwrap();
        heard.iter().filter(|event| event.channel_arn == channel).map(|event| event.kind.clone()).collect()
    }

    /// How many segments were announced.
    pub fn announced(&self, stream: StreamId) -> usize {
        let written = |event: &LiveEventKind| match event {
            LiveEventKind::SegmentsWritten { segments, .. } => segments.len(),
            _ => 0,
        };
        self.events(stream).iter().map(written).sum()
    }

    /// Every segment that was announced, looked into.
    pub async fn recorded(&self, stream: StreamId) -> anyhow::Result<Vec<Recorded>> {
        let mut recorded = Vec::new();
        for event in self.events(stream) {
            if let LiveEventKind::SegmentsWritten { segments, .. } = event {
                for segment in segments {
                    recorded.push(look(&self.folder.path().join(&segment.key)).await?);
                }
            }
        }
        Ok(recorded)
    }

    /// Waits for a condition.
    pub async fn until(&self, what: &str, mut done: impl FnMut() -> bool) -> anyhow::Result<()> {
        let start = Instant::now();
        while !done() {
            ensure!(start.elapsed() < DEADLINE, "waited in vain for {what}");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Ends everything; nothing may be left.
    pub async fn strike(self) -> anyhow::Result<()> {
        self.front.stop().await;
        ensure!(self.front.sessions() == 0, "{} sessions are left", self.front.sessions());
        self.cancel.cancel();
        self.running.await?;
        Ok(())
    }
}

/// Waits until the browser's connection is in a state.
pub async fn browser_is(browser: &mut Chromium, state: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    while browser.evaluate("state()").await? != state {
        ensure!(start.elapsed() < DEADLINE, "the browser is not {state}");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Looks into a segment by itself: decodes all of it, which must go without a word, and reads its packets.
async fn look(file: &Path) -> anyhow::Result<Recorded> {
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-err_detect", "explode", "-i"])
        .arg(file)
        .args(["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"])
        .kill_on_drop(true)
        .output()
        .await?;
    let complaint = String::from_utf8_lossy(&decoded.stderr);
    ensure!(decoded.status.success() && complaint.is_empty(), "{} does not decode alone: {complaint}", file.display());
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries", "packet=codec_type,pts_time,flags"])
        .arg(file)
        .kill_on_drop(true)
        .output()
        .await?;
    let probed: Value = serde_json::from_slice(&probed.stdout)?;
    let packets = probed["packets"].as_array().context("no packets")?;
    let pictures = packets.iter().filter(|packet| packet["codec_type"] == "video").collect::<Vec<_>>();
    let time = |packet: &&Value| packet["pts_time"].as_str().and_then(|time| time.parse().ok());
    Ok(Recorded {
        pictures: pictures.len(),
        times: pictures.iter().filter_map(time).collect(),
        begins_with_keyframe: pictures.first().is_some_and(|p| p["flags"].as_str().is_some_and(|f| f.starts_with('K'))),
        has_sound: packets.iter().any(|packet| packet["codec_type"] == "audio"),
    })
}

//! The embedded live provider with both its fronts on a folder of its own, publishers to it, and what came of it:
//! messages and recorded segments.

use crate::{
    chromium::Chromium,
    look::{Recorded, look},
};
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use entity::{PublishToken, StreamId, time::Clock};
use ingest::{APP, Announce, Parts, Rtmp, RtmpLimits, Settings, Studio, Unheard, whip};
use live::{LiveEvent, LiveEventKind, LiveProvider as _, Local, RecordingRef, Whip as _, WhipError, WhipSession};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
pub const DEADLINE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);
/// Of a second, in hundredths, what is next to nothing: a tenth, of which asking the time takes the most.
const BUSY_TICKS: u64 = 10;

/// The provider on its stage.
pub struct Stage {
    /// The provider itself.
    pub studio: Studio,
    /// Where broadcast apps connect to.
    pub rtmp: SocketAddr,
    /// What browsers' offers are given to.
    pub whip: whip::Front,
    /// Where it records.
    pub folder: TempDir,
    heard: Arc<Heard>,
    cancel: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

/// How publishers reach a stage.
#[derive(Default)]
pub struct Fronts {
    /// Where browsers are told that the WHIP socket is; `None`: where it is.
    pub advertise: Option<SocketAddr>,
    /// Bounds of the RTMP front.
    pub rtmp: RtmpLimits,
}

/// All that was announced.
#[derive(Default)]
struct Heard(Mutex<Vec<LiveEvent>>);

impl Heard {
    fn all(&self) -> MutexGuard<'_, Vec<LiveEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Announce for Heard {
    async fn announce(&self, event: &LiveEvent) -> Result<(), Unheard> {
        self.all().push(event.clone());
        Ok(())
    }

    async fn viewers(&self, _channel_arn: &str, _count: u32) {}
}

/// A channel that may be published on.
#[derive(Clone)]
pub struct Channel {
    /// What is published on it.
    pub stream: StreamId,
    /// Its name.
    pub arn: String,
    /// For browsers.
    pub token: PublishToken,
    /// For broadcast apps.
    pub key: String,
}

impl Stage {
    /// A stage on an empty folder.
    pub async fn set(settings: Settings) -> Result<Self> {
        Self::over(tempfile::tempdir()?, settings, Fronts::default()).await
    }

    /// A stage over recordings that are there already.
    pub async fn over(folder: TempDir, mut settings: Settings, fronts: Fronts) -> Result<Self> {
        let recordings = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
        let heard = Arc::<Heard>::default();
        let announce = Arc::clone(&heard) as Arc<dyn Announce>;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let rtmp = listener.local_addr()?;
        settings.rtmp_url = Some(format!("rtmp://{rtmp}/{APP}"));
        settings.offers_whip = true;
        let studio = Studio::new(Parts { recordings, announce, clock: Clock::System, settings });
        let front = Rtmp::new(listener, studio.clone(), fronts.rtmp)?;
        let bind = (Ipv4Addr::LOCALHOST, 0).into();
        let config =
            whip::Config { bind, advertise: fronts.advertise.into_iter().collect(), ..whip::Config::default() };
        let whip = whip::Front::start(studio.clone(), config).await?;
        let cancel = CancellationToken::new();
        let running = vec![
            tokio::spawn(front.run(cancel.clone())),
            tokio::spawn({
                let (studio, cancel) = (studio.clone(), cancel.clone());
                async move { studio.run(cancel).await }
            }),
        ];
        Ok(Self { studio, rtmp, whip, folder, heard, cancel, running })
    }

    /// Reserves a channel.
    pub async fn channel(&self) -> Result<Channel> {
        let (stream, token) = (StreamId::generate(), PublishToken::generate());
        let lease = self.studio.lease(stream, &token).await?;
        let key = lease.ingest.stream_key.context("no stream key")?;
        Ok(Channel { stream, arn: lease.channel_arn, token, key })
    }

    /// A broadcast app that publishes with this key what `arguments` say.
    pub fn app(&self, arguments: &str, key: &str) -> Result<Child> {
        app(arguments.split_whitespace(), &format!("rtmp://{}/{APP}/{key}", self.rtmp))
    }

    /// Has the browser's publisher page go live; `camera` are the arguments of its `offer`.
    pub async fn go_live(&self, browser: &mut Chromium, channel: &Channel, camera: &str) -> Result<WhipSession> {
        Ok(self.try_go_live(browser, (channel.stream, &channel.token), camera).await??)
    }

    /// Like [`Stage::go_live`], if the offer is taken.
    pub async fn try_go_live(
        &self,
        browser: &mut Chromium,
        (stream, token): (StreamId, &PublishToken),
        camera: &str,
    ) -> Result<Result<WhipSession, WhipError>> {
        let offer = browser.evaluate(&format!("offer({camera})")).await?;
        let session = match self.whip.open(stream, token, offer.as_str().context("no offer")?).await {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        browser.evaluate(&format!("accept({})", Value::from(session.answer.as_str()))).await?;
        Ok(Ok(session))
    }

    /// What was announced of a stream, in order.
    pub fn events(&self, stream: StreamId) -> Vec<LiveEventKind> {
        let channel = Local::channel_arn(stream);
        let heard = self.heard.all();
        heard.iter().filter(|event| event.channel_arn == channel).map(|event| event.kind.clone()).collect()
    }

    /// The name of each event, segments left out.
    pub fn story(&self, stream: StreamId) -> Vec<&'static str> {
        self.events(stream).iter().filter_map(name).collect()
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

    /// Every segment that was announced, looked into.
    pub async fn recorded(&self, stream: StreamId) -> Result<Vec<Recorded>> {
        let mut recorded = Vec::new();
        for (file, ..) in self.segments(stream) {
            recorded.push(look(&file).await?);
        }
        Ok(recorded)
    }

    /// Waits until an event of this name was announced.
    pub async fn until_told(&self, stream: StreamId, word: &str) -> Result<()> {
        until(word, || self.story(stream).contains(&word)).await
    }

    /// Waits until so many segments were announced.
    pub async fn until_segments(&self, stream: StreamId, count: usize) -> Result<()> {
        until("segments", || self.segments(stream).len() >= count).await
    }

    /// Ends everything, of which nothing may be left; gives the folder.
    pub async fn strike(self) -> Result<TempDir> {
        self.whip.stop().await;
        ensure!(self.whip.sessions() == 0, "{} sessions are left", self.whip.sessions());
        self.cancel.cancel();
        for task in self.running {
            task.await?;
        }
        Ok(self.folder)
    }
}

/// What an event is called here; `None` for segments.
fn name(event: &LiveEventKind) -> Option<&'static str> {
    match event {
        LiveEventKind::StreamUp => Some("stream_up"),
        LiveEventKind::StreamInterrupted => Some("stream_interrupted"),
        LiveEventKind::StreamBack => Some("stream_back"),
        LiveEventKind::StreamDown => Some("stream_down"),
        LiveEventKind::RecordingStarted(_) => Some("recording_started"),
        LiveEventKind::RecordingEnded { .. } => Some("recording_ended"),
        LiveEventKind::StreamFailed { .. } => Some("stream_failed"),
        LiveEventKind::RecordingFailed { .. } => Some("recording_failed"),
        LiveEventKind::SegmentsWritten { .. } => None,
    }
}

/// `ffmpeg` with these inputs and encoders, publishing to this address; ends when dropped.
pub fn app<'a>(arguments: impl IntoIterator<Item = &'a str>, address: &str) -> Result<Child> {
    Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(arguments)
        .args(["-f", "flv", address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("ffmpeg is needed")
}

/// Waits for an app to end; gives whether it was content, and its complaints.
pub async fn ended(app: Child) -> Result<(bool, String)> {
    let output = tokio::time::timeout(DEADLINE, app.wait_with_output()).await.context("it does not end")??;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Waits for a condition.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !done() {
        ensure!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        sleep(POLL).await;
    }
    Ok(())
}

/// Waits for a second over which this process uses next to nothing of a processor.
pub async fn until_idle() -> Result<()> {
    let (mut ticks, mut began) = (processor_ticks()?, Instant::now());
    let start = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        ensure!(start.elapsed() < DEADLINE, "this process does not come to rest");
        sleep(POLL).await;
        if processor_ticks()? > ticks + BUSY_TICKS {
            (ticks, began) = (processor_ticks()?, Instant::now());
        }
    }
    Ok(())
}

/// Processor time of this process, in hundredths of a second.
fn processor_ticks() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The program's name stands in brackets and may hold anything (proc(5)).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).context("no times in /proc");
    Ok(ticks(11)? + ticks(12)?)
}

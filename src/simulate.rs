//! `simulate`: plays Amazon IVS against a running server, with a video file as the broadcast.
//!
//! The server cannot tell it from IVS: the same messages in the same order, the same files at the same places at the
//! same pace. It is how the main job is run without a camera and without a cloud.

mod clip;
mod messages;
mod pace;
mod server;

use crate::{
    config::{Simulate, SimulateFlags},
    shutdown::Signals,
};
use anyhow::{Context as _, Result, bail};
use clip::{Clip, Piece};
use entity::{Category, Position, time::Clock, time::Timestamp};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use live::{
    ivs::message,
    recording::{Recorder, Subject},
};
use media::cut::Outline;
use messages::Messages;
use pace::{Pace, Speed};
use server::{Replay, Server};
use std::{path::PathBuf, time::Duration};
use storage::Recordings;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The longest broadcast of IVS: 48 hours. A clip that is played again and again ends after the round that reaches it.
const LONGEST_MS: u64 = 48 * 3_600 * 1_000;
/// The bucket named in messages; a store of ours knows its own.
const BUCKET: &str = "recordings";

/// Plays Amazon IVS against a running server, with a video file as the broadcast.
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
#[derive(Debug, clap::Args)]
pub struct Command {
    /// The video: anything libav reads. H.264 with regular keyframes is recorded as it is, anything else encoded anew.
    #[arg(value_name = "CLIP")]
    clip: PathBuf,
    /// Where the broadcast is, in degrees: 126.9784,37.5667
    #[arg(long, value_name = "LON,LAT", value_parser = position, allow_hyphen_values = true)]
    at: Position,
    /// What the broadcast is called. Absent: the file's name.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The hazard it shows: FIRE, FLOOD, EARTHQUAKE, STORM, LANDSLIDE, EXPLOSION, COLLAPSE, TRAFFIC, CROWD, VIOLENCE,
    /// RESCUE or OTHER.
    #[arg(long, value_name = "WORD", value_parser = category, default_value = "OTHER")]
    category: Category,
    /// How many times faster than life it plays, or `max`: as fast as can be.
    #[arg(long, value_name = "N|max", default_value = "1")]
    speed: Speed,
    /// Length of the segments in seconds; IVS itself makes 10.
    #[arg(long, value_name = "SECONDS", value_parser = segment_ms, default_value = "2")]
    segment: u64,
    /// Plays the clip again and again, in one broadcast, until Ctrl-C, which ends the broadcast properly.
    #[arg(long = "loop")]
    again: bool,
    /// Sends no message but Recording End, as if all others were lost on their way.
    #[arg(long)]
    recording_end_only: bool,
    /// Ends with the broadcast, without waiting for the replay.
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for the replay.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait: u64,
    /// Shows no progress bar.
    #[arg(long)]
    quiet: bool,
    /// What it plays against.
    #[command(flatten)]
    pub target: SimulateFlags,
}

/// Runs it.
pub async fn run(command: &Command, config: Simulate) -> Result<()> {
    let signals = Signals::listen()?;
    let mut clip = Clip::open(&command.clip, command.segment).await?;
    let played = play(command, config, &mut clip, &signals.token()).await;
    let closed = clip.close().await;
    let (server, stream, ended_at) = played?;
    closed?;
    if command.no_wait {
        return Ok(());
    }
    // A signal that ended the broadcast has been heard; the next one ends the process wherever it is.
    let stop = if signals.came() { CancellationToken::new() } else { signals.token() };
    let replay = tokio::select! {
        replay = ready(&server, &stream, Duration::from_secs(command.wait)) => replay?,
        () = stop.cancelled() => bail!("interrupted while waiting for the replay of {stream}"),
    };
    let seconds = ended_at.elapsed().as_secs_f64();
    println!("replay {} {}", replay.id, replay.playback_url.as_deref().unwrap_or("without an address"));
    println!("ready {seconds:.2} s after Stream End");
    Ok(())
}

/// Plays the whole broadcast; gives the server, the stream's id and when Stream End was sent.
async fn play(
    command: &Command,
    config: Simulate,
    clip: &mut Clip,
    stop: &CancellationToken,
) -> Result<(Server, String, Instant)> {
    let recordings = Recordings::open(&config.storage.recordings, &config.storage.settings)?;
    let server = Server::new(&config.server, config.webhook_secret)?;
    let title = command.title.clone().unwrap_or_else(|| clip.name());
    let started = tokio::select! {
        started = server.start_stream(&title, command.at, command.category) => started?,
        () = stop.cancelled() => bail!("interrupted before the broadcast began"),
    };
    println!("stream {}", started.stream);

    let messages = Messages::new(&started.channel_arn, command.recording_end_only);
    let subject = subject(&started.channel_arn, clip.outline(), command.segment);
    let bar = bar(command, clip);
    let mut broadcast = Broadcast { server, messages, recordings, subject, recorder: None, speed: command.speed, bar };
    let ended_at = broadcast.play(clip, command.again, stop).await;
    broadcast.bar.finish_and_clear();
    Ok((broadcast.server, started.stream, ended_at?))
}

/// One broadcast under way.
struct Broadcast {
    server: Server,
    messages: Messages,
    recordings: Recordings,
    subject: Subject,
    /// `None` until it is on air.
    recorder: Option<Recorder>,
    speed: Speed,
    bar: ProgressBar,
}

impl Broadcast {
    /// Plays the clip; returns when Stream End was sent. Once on air, it goes off air again whatever happens, since a
    /// broadcast that nobody ends stays on the map.
    async fn play(&mut self, clip: &mut Clip, again: bool, stop: &CancellationToken) -> Result<Instant> {
        self.send(Messages::session_created).await?;
        let aired = self.air(clip, again, stop).await;
        let ended = self.end().await;
        aired.context("the broadcast broke off")?;
        ended
    }

    async fn air(&mut self, clip: &mut Clip, again: bool, stop: &CancellationToken) -> Result<()> {
        self.send(Messages::stream_start).await?;
        let recorder = Recorder::new(self.recordings.clone(), self.subject.clone(), now())?;
        recorder.start().await?;
        let recorder = self.recorder.insert(recorder);
        self.server.post(self.messages.recording_start(now(), &reference(recorder))).await?;
        self.rounds(clip, again, stop).await
    }

    async fn rounds(&mut self, clip: &mut Clip, again: bool, stop: &CancellationToken) -> Result<()> {
        let pace = Pace::new(self.speed, now());
        let mut round_starts_ms = 0;
        loop {
            let mut begins = round_starts_ms > 0;
            while let Some(piece) = clip.next().await? {
                let due_ms = round_starts_ms + piece.starts_ms + piece.duration_ms;
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = pace.until(due_ms) => {}
                }
                let at = pace.at(round_starts_ms + piece.starts_ms);
                self.write(&piece, at, std::mem::take(&mut begins)).await?;
                self.bar.set_position(if again { piece.starts_ms + piece.duration_ms } else { due_ms });
            }
            round_starts_ms += clip.outline().duration_ms.max(1);
            if !again || round_starts_ms >= LONGEST_MS {
                return Ok(());
            }
            clip.rewind();
        }
    }

    async fn write(&mut self, piece: &Piece, at: Timestamp, discontinuity: bool) -> Result<()> {
        let bytes = piece.read().await?;
        let recorder = self.recorder.as_mut().context("the recording has not begun")?;
        recorder.segment(bytes, piece.duration_ms, at, discontinuity).await?;
        Ok(())
    }

    async fn end(&mut self) -> Result<Instant> {
        self.send(Messages::stream_end).await?;
        let ended_at = Instant::now();
        self.send(Messages::session_ended).await?;
        if let Some(recorder) = &self.recorder {
            recorder.end(now()).await?;
            let message = self.messages.recording_end(now(), &reference(recorder), recorder.duration_ms());
            self.server.post(Some(message)).await?;
        }
        Ok(ended_at)
    }

    async fn send(&self, message: impl Fn(&Messages, Timestamp) -> Option<serde_json::Value>) -> Result<()> {
        self.server.post(message(&self.messages, now())).await
    }
}

/// What is recorded of a clip.
fn subject(channel_arn: &str, outline: &Outline, segment_ms: u64) -> Subject {
    Subject {
        channel_arn: channel_arn.to_owned(),
        id: Uuid::new_v4().simple().to_string()[..12].to_owned(),
        width: outline.width,
        height: outline.height,
        frame_rate: outline.frame_rate,
        // A segment ends at the first keyframe after its target, and keyframes are at most twice as far apart.
        target_s: (3 * segment_ms).div_ceil(1_000),
    }
}

/// How messages name a recording.
fn reference(recorder: &Recorder) -> message::Recording {
    let reference = recorder.reference();
    message::Recording { session_id: reference.id, bucket: BUCKET.to_owned(), prefix: reference.prefix }
}

/// Waits until the replay can be played.
async fn ready(server: &Server, stream: &str, patience: Duration) -> Result<Replay> {
    const LOOK: Duration = Duration::from_millis(100);
    let asking = async {
        loop {
            match server.replay(stream).await? {
                Some(replay) if replay.status == "READY" => return Ok(replay),
                Some(replay) if replay.status != "PROCESSING" => bail!("the replay {} is {}", replay.id, replay.status),
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    };
    let limit = patience.as_secs();
    tokio::time::timeout(patience, asking).await.with_context(|| format!("no replay of {stream} within {limit} s"))?
}

fn bar(command: &Command, clip: &Clip) -> ProgressBar {
    let target = if command.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(clip.outline().duration_ms), target);
    // A template that is wrong leaves the default style, which shows the same numbers.
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} ms") {
        bar.set_style(style);
    }
    bar.set_message(clip.name());
    bar
}

fn now() -> Timestamp {
    Clock::System.now()
}

fn position(text: &str) -> Result<Position, String> {
    let (longitude, latitude) = text.split_once(',').ok_or("not LON,LAT, as in 126.9784,37.5667")?;
    let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("{text:?} is not a number"));
    Position::new(degrees(longitude)?, degrees(latitude)?).map_err(|error| error.to_string())
}

fn category(word: &str) -> Result<Category, String> {
    let words = || Category::ALL.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(", ");
    word.to_ascii_uppercase().parse().map_err(|_| format!("not one of {}", words()))
}

/// Seconds, half a second to a minute, as milliseconds.
fn segment_ms(text: &str) -> Result<u64, String> {
    let seconds: Duration =
        text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default();
    let millis = u64::try_from(seconds.as_millis()).unwrap_or(0);
    if (500..=60_000).contains(&millis) { Ok(millis) } else { Err("not a number of seconds from 0.5 to 60".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_longitude_first() {
        let seoul = position("126.9784, 37.5667").unwrap();
        assert_eq!((seoul.longitude.degrees(), seoul.latitude.degrees()), (126.9784, 37.5667));
        for wrong in ["37.5667", "here,there", "37.5667,126.9784", "181,0"] {
            assert!(position(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_segment_lasts_half_a_second_to_a_minute() {
        assert_eq!((segment_ms("2"), segment_ms("0.5"), segment_ms("10")), (Ok(2_000), Ok(500), Ok(10_000)));
        for wrong in ["0", "-2", "61", "two", "NaN", "inf"] {
            assert!(segment_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_category_may_be_written_small() {
        assert_eq!(category("flood"), Ok(Category::Flood));
        assert!(category("dragon").unwrap_err().contains("EARTHQUAKE"));
    }
}

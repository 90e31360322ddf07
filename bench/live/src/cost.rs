//! What taking a publisher costs: the embedded provider alone in this process, which does nothing else meanwhile. What
//! it records is not redacted.

use crate::report::{Figure, Rank, Report};
use anyhow::{Context as _, Result};
use ingest::Settings;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::{TimeVal, TimeValLike as _},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use test_studio::{Camera, Channel, Chromium, Stage, app, ended, packets, publisher};
use tokio::time::sleep;

/// Hundredths of a core.
const WHIP_WANTED: f64 = 8.0;
const RTMP_WANTED: f64 = 3.0;
const TOGETHER: usize = 10;
const SEGMENT_S: u64 = 2;
const RATE: u64 = 30;

/// A browser over WHIP.
pub async fn whip(camera: Camera, seconds: u64, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let film = camera.film(folder.path()).await?;
    let mut browser = Chromium::open(&publisher(), &film).await?;
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let (width, height) = camera.size;
    stage.go_live(&mut browser, &channel, &format!("{{ width: {width}, height: {height}, steady: true }}")).await?;
    stage.until_segments(channel.stream, 3).await?;
    let cost = processor_percent(seconds).await?;
    let sent = browser.evaluate("sent()").await?;
    let note = format!("sent at {} pictures a second, {} pixels wide", sent["fps"], sent["width"]);
    report
        .figures
        .push(Figure::new("WHIP publisher, of a core", "%", vec![cost]).wanted(WHIP_WANTED, Rank::Median).note(note));
    stage.strike().await?;
    Ok(())
}

/// Broadcast apps over RTMP, one and then many.
pub async fn rtmp(clip: &Path, seconds: u64, report: &mut Report) -> Result<()> {
    let one = together(1, clip, seconds, report).await?;
    report.figures.push(Figure::new("RTMP publisher, of a core", "%", vec![one]).wanted(RTMP_WANTED, Rank::Median));
    let all = together(TOGETHER, clip, seconds, report).await?;
    let note = format!("{all:.1} % for all {TOGETHER} of them; a segment that is missing would be a fault");
    #[expect(clippy::cast_precision_loss, reason = "ten")]
    let each = all / TOGETHER as f64;
    report.figures.push(Figure::new("each of 10 RTMP publishers at once", "%", vec![each]).note(note));
    Ok(())
}

/// The cost of so many publishers; a fault if anything of any of them is missing.
async fn together(count: usize, clip: &Path, seconds: u64, report: &mut Report) -> Result<f64> {
    let stage = Stage::set(Settings::default()).await?;
    let clip = clip.to_str().context("a path of this kind")?;
    // They begin before and end after what is measured.
    let length = (seconds + 10).next_multiple_of(SEGMENT_S);
    let mut publishers = Vec::new();
    for _ in 0..count {
        let channel = stage.channel().await?;
        let arguments = ["-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-t", &length.to_string()];
        publishers.push((app(arguments, &format!("rtmp://{}/{}/{}", stage.rtmp, ingest::APP, channel.key))?, channel));
    }
    for (_, channel) in &publishers {
        stage.until_segments(channel.stream, 1).await?;
    }
    let cost = processor_percent(seconds).await?;
    for (publisher, channel) in publishers {
        let (content, complaint) = ended(publisher).await?;
        if !content {
            report.faults.push(format!("one of {count} RTMP publishers was cut: {complaint}"));
        }
        stage.until_told(channel.stream, "recording_ended").await?;
        if let Some(fault) = missing(&stage, &channel, length).await? {
            report.faults.push(format!("one of {count} RTMP publishers: {fault}"));
        }
    }
    stage.strike().await?;
    Ok(cost)
}

/// What is missing of a recording that was on air for so many seconds.
async fn missing(stage: &Stage, channel: &Channel, seconds: u64) -> Result<Option<String>> {
    let segments = stage.segments(channel.stream);
    let told = stage.story(channel.stream);
    if told != ["stream_up", "recording_started", "stream_down", "recording_ended"] {
        return Ok(Some(format!("{told:?}")));
    }
    let mut pictures = 0;
    for (file, ..) in &segments {
        pictures += packets(file).await?.iter().filter(|packet| packet.is_picture).count() as u64;
    }
    let whole = segments.len() as u64 == seconds / SEGMENT_S && pictures == seconds * RATE;
    let breaks = segments.iter().filter(|(.., breaks)| *breaks).count();
    let said = || format!("{} segments, {pictures} pictures, {breaks} breaks in {seconds} s", segments.len());
    Ok((!whole || breaks > 0).then(said))
}

/// Processor time of this process over a while, in hundredths of a core.
async fn processor_percent(seconds: u64) -> Result<f64> {
    let (before, begun) = (processor_seconds()?, Instant::now());
    sleep(Duration::from_secs(seconds)).await;
    Ok(100.0 * (processor_seconds()? - before) / begun.elapsed().as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a few minutes")]
fn processor_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

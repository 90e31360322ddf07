//! From `stopStream` to a replay that is ready, and whether it is right: whole, and with the face blurred.

use crate::{
    broadcaster::Broadcaster,
    report::{Figure, Rank, Report},
    server::Server,
};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use test_studio::{Camera, app, decodes};
use tokio::time::sleep;

/// In seconds.
const WANTED: f64 = 3.0;
/// Of what was on air that may be missing at the ends: a segment that was not begun with a keyframe, and the clock's
/// own inexactness, in seconds.
const MISSING: f64 = 1.5;

/// Ends broadcasts of Chromium over WHIP.
pub async fn whip(server: &Server, camera: Camera, (runs, seconds): (u32, u64), report: &mut Report) -> Result<()> {
    let mut broadcaster = Broadcaster::open(camera).await?;
    let mut waits = Vec::new();
    let mut sent = Value::Null;
    for _ in 0..runs {
        let live = broadcaster.go_live(server).await?;
        let ended = End { id: &live.id, token: &live.token, seconds };
        waits.push(ended.measure(server, report).await?);
        sent = broadcaster.browser.evaluate("sent()").await?;
        broadcaster.leave().await?;
    }
    let note = format!("sent at {} pictures a second, at last {} pixels wide", sent["fps"], sent["width"]);
    let what = format!("stopStream to READY, {seconds} s from Chromium over WHIP");
    report.figures.push(Figure::new(what, "s", waits).wanted(WANTED, Rank::P95).note(note));
    Ok(())
}

/// Ends broadcasts of ffmpeg over RTMP.
pub async fn rtmp(server: &Server, clip: &Path, (runs, seconds): (u32, u64), report: &mut Report) -> Result<()> {
    let mut waits = Vec::new();
    for _ in 0..runs {
        let live = server.announce().await?;
        let clip = clip.to_str().context("a path of this kind")?;
        let mut publisher = app(["-re", "-stream_loop", "-1", "-i", clip, "-c", "copy"], &live.rtmp)?;
        let ended = End { id: &live.id, token: &live.token, seconds };
        waits.push(ended.measure(server, report).await?);
        publisher.kill().await?;
    }
    let what = format!("stopStream to READY, {seconds} s from ffmpeg over RTMP");
    report.figures.push(Figure::new(what, "s", waits).wanted(WANTED, Rank::P95));
    Ok(())
}

/// A broadcast that is to end.
struct End<'a> {
    id: &'a str,
    token: &'a str,
    /// How long it is to last.
    seconds: u64,
}

impl End<'_> {
    /// Lets it last, stops it, and gives how long the replay took.
    async fn measure(&self, server: &Server, report: &mut Report) -> Result<f64> {
        server.first_segment(self.id).await?;
        // The first segment has been on air already.
        sleep(Duration::from_secs(self.seconds.saturating_sub(2))).await;
        let stopped = Instant::now();
        server.stop(self.id, self.token).await?;
        let replay = server.replay(self.id).await?;
        let wait = stopped.elapsed().as_secs_f64();
        eprintln!("bench-live: {} s on air, ready after {wait:.2} s", self.seconds);
        if let Some(fault) = self.fault(server, &replay).await? {
            report.faults.push(format!("the replay of {}: {fault}", self.id));
        }
        Ok(wait)
    }

    /// What is wrong with a replay.
    async fn fault(&self, server: &Server, replay: &Value) -> Result<Option<String>> {
        let redaction = &replay["redaction"];
        if redaction["gaps"] != 0 || redaction["facesBlurred"].as_u64() < Some(1) {
            return Ok(Some(format!("{redaction}")));
        }
        let address = replay["playbackUrl"].as_str().context("no address")?;
        let playlist = String::from_utf8(server.get(address).await?)?;
        let lengths =
            playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:")?.split(',').next()?.parse::<f64>().ok());
        let length: f64 = lengths.sum();
        let told = replay["durationMs"].as_f64().unwrap_or(0.0) / 1e3;
        #[expect(clippy::cast_precision_loss, reason = "minutes at most")]
        let least = self.seconds as f64 - MISSING;
        if length < least || (length - told).abs() > 0.1 || !playlist.contains("#EXT-X-ENDLIST") {
            return Ok(Some(format!("{length} s in the playlist, {told} s told, at least {least} s were on air")));
        }
        let folder = tempfile::tempdir()?;
        for name in playlist.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let file = folder.path().join("segment.ts");
            std::fs::write(&file, server.get(&address.replace("index.m3u8", name)).await?)?;
            if let Err(fault) = decodes(&file).await {
                return Ok(Some(format!("{name}: {fault:#}")));
            }
        }
        Ok(None)
    }
}

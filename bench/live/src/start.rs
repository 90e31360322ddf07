//! From `startStream` in Chromium to the first segment that can be played.

use crate::{
    broadcaster::{Broadcaster, now_ms},
    report::{Figure, Rank, Report},
    server::Server,
};
use anyhow::Result;
use test_studio::Camera;

/// In seconds.
const WANTED: f64 = 2.5;

/// Begins so many broadcasts, one after another.
pub async fn measure(server: &Server, camera: Camera, runs: u32, report: &mut Report) -> Result<()> {
    let mut broadcaster = Broadcaster::open(camera).await?;
    let mut waits = Vec::new();
    for _ in 0..runs {
        let live = broadcaster.go_live(server).await?;
        server.first_segment(&live.id).await?;
        waits.push((now_ms()? - live.began) / 1e3);
        server.stop(&live.id, &live.token).await?;
        broadcaster.leave().await?;
        server.replay(&live.id).await?;
    }
    let what = "startStream in Chromium to the first segment";
    report.figures.push(Figure::new(what, "s", waits).wanted(WANTED, Rank::Median));
    Ok(())
}

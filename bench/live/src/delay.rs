//! How far the map client's player is behind the camera: a clock is before the camera, and is read in the broadcaster's
//! own preview and on the wall, which plays what is live with the map client's player.

use crate::{
    broadcaster::Broadcaster,
    report::{Figure, Rank, Report},
    server::Server,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use test_studio::{CLOCK_SCRIPT, Camera};
use tokio::time::sleep;

/// In seconds.
const WANTED: f64 = 4.0;
const INTERVAL: Duration = Duration::from_millis(500);
/// What the viewer sees now, and when that is.
const SHOWN: &str = "({ number: readClock(document.querySelector('video')), at: Date.now() })";

/// Looks for so long.
pub async fn measure(server: &Server, camera: Camera, seconds: u64, report: &mut Report) -> Result<()> {
    let mut broadcaster = Broadcaster::open(camera).await?;
    let live = broadcaster.go_live(server).await?;
    server.first_segment(&live.id).await?;
    let opened = Instant::now();
    let mut wall = broadcaster.browser.another(&format!("{}/wall", server.base())).await?;
    wall.evaluate(CLOCK_SCRIPT).await?;
    wall.until("readClock(document.querySelector('video'))", serde_json::Value::is_u64).await?;
    let first = opened.elapsed().as_secs_f64();
    let (mut delays, mut unread) = (Vec::new(), 0);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let shown = wall.evaluate(SHOWN).await?;
        let seen = broadcaster.browser.evaluate(&format!("seen.get({}) ?? null", shown["number"])).await?;
        match (shown["at"].as_f64(), seen.as_f64()) {
            (Some(at), Some(seen)) if at >= seen => delays.push((at - seen) / 1e3),
            _ => unread += 1,
        }
        sleep(INTERVAL).await;
    }
    let sent = broadcaster.browser.evaluate("sent()").await?;
    ensure!(!delays.is_empty(), "the clock cannot be read: {unread} times in vain");
    server.stop(&live.id, &live.token).await?;
    let note = format!("{unread} readings in vain; the camera was sent at {} pictures a second", sent["fps"]);
    let what = "hls.js as the map client plays, behind the camera";
    report.figures.push(Figure::new(what, "s", delays).wanted(WANTED, Rank::Median).note(note));
    report.figures.push(Figure::new("opening the wall to a picture", "s", vec![first]));
    Ok(())
}

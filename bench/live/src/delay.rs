//! How far the map client's player is behind the camera: a clock is before the camera, and is read in the broadcaster's
//! own preview and on the wall, which plays what is live with the map client's player.

use crate::{
    broadcaster::Broadcaster,
    report::{Figure, Rank, Report},
    server::Server,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use test_studio::{CLOCK_SCRIPT, Camera, LAPS_AFTER};
use tokio::time::sleep;

/// In seconds.
const WANTED: f64 = 4.0;
const INTERVAL: Duration = Duration::from_millis(500);
/// What the viewer sees now, and when that is.
const SHOWN: &str = "({ number: readClock(document.querySelector('video')), at: Date.now() })";

/// Counts how often the picture stands still from now on.
const COUNT_STALLS: &str = "globalThis.stalls = 0;
    document.querySelector('video').addEventListener('waiting', () => { stalls += 1; })";

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
    wall.evaluate(COUNT_STALLS).await?;
    let (mut delays, mut unread) = (Vec::new(), 0);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let shown = wall.evaluate(SHOWN).await?;
        let (number, at) = (shown["number"].as_u64(), shown["at"].as_f64().unwrap_or_default());
        let seen = match number {
            Some(number) => broadcaster.browser.evaluate(&format!("whenSeen({number}, {LAPS_AFTER})")).await?.as_f64(),
            None => None,
        };
        match seen.filter(|seen| at >= *seen) {
            Some(seen) => delays.push((at - seen) / 1e3),
            None => unread += 1,
        }
        sleep(INTERVAL).await;
    }
    let (sent, stalls) = (broadcaster.browser.evaluate("sent()").await?, wall.evaluate("stalls").await?);
    ensure!(!delays.is_empty(), "the clock cannot be read: {unread} times in vain");
    server.stop(&live.id, &live.token).await?;
    drop((wall, broadcaster));
    // The browsers left its redaction little: what is measured next is not to wait behind it.
    server.replay(&live.id).await?;
    let (fps, width) = (&sent["fps"], &sent["width"]);
    let note = format!(
        "stood still {stalls} times; sent at {fps} pictures a second, {width} pixels wide; {unread} readings in vain"
    );
    let what = "hls.js as the map client plays, behind the camera";
    report.figures.push(Figure::new(what, "s", delays).wanted(WANTED, Rank::Median).note(note));
    report.figures.push(Figure::new("opening the wall to a picture", "s", vec![first]));
    Ok(())
}

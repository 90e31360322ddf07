//! A browser that broadcasts: Chromium with the portrait before its camera, on a page that goes live as the map client
//! does.

use crate::server::{self, Server};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use test_studio::{CLOCK_SCRIPT, Camera, Chromium};

const START: &str = "mutation($input: StartStreamInput!) { startStream(input: $input) {
    stream { id } publishToken ingest { whipUrl } } }";
const PAGE: &str = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/src/broadcaster.html");

/// A browser with an open camera.
pub struct Broadcaster {
    pub browser: Chromium,
    _film: TempDir,
}

/// A broadcast under way.
pub struct OnAir {
    /// When `startStream` was sent, in milliseconds of the system's clock.
    pub began: f64,
    pub id: String,
    pub token: String,
}

impl Broadcaster {
    /// Opens a browser whose camera gives this picture.
    pub async fn open(camera: Camera) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let film = camera.film(folder.path()).await?;
        let mut browser = Chromium::open(PAGE, &film).await?;
        browser.evaluate(CLOCK_SCRIPT).await?;
        let ((width, height), has_clock) = (camera.size, camera.has_clock);
        browser.evaluate(&format!("openCamera({width}, {height}, {has_clock})")).await?;
        Ok(Self { browser, _film: folder })
    }

    /// Goes live.
    pub async fn go_live(&mut self, server: &Server) -> Result<OnAir> {
        let (base, query) = (json!(server.base()), json!(START));
        let live = self.browser.evaluate(&format!("goLive({base}, {query}, {})", server::subject())).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("not live: {live}"));
        Ok(OnAir {
            began: live["began"].as_f64().context("no beginning")?,
            id: text(&live["id"])?,
            token: text(&live["token"])?,
        })
    }

    /// Lets go of the connection, as a closed page does.
    pub async fn leave(&mut self) -> Result<()> {
        self.browser.evaluate("leave()").await?;
        Ok(())
    }
}

/// Now, on the clock that browsers tell too, in milliseconds.
pub fn now_ms() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3)
}

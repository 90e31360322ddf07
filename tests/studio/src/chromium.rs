//! A real browser: headless Chromium with a film before its camera, driven over the DevTools protocol.
//!
//! Ended when it is dropped. Pages that are local files are trusted enough to open the camera.

use crate::stage::DEADLINE;
use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// A browser may take long to start on a busy machine.
const START: Duration = Duration::from_mins(1);
/// Any one command of ours is short.
const ANSWER: Duration = Duration::from_secs(30);

/// How often is looked whether something has come.
const POLL: Duration = Duration::from_millis(20);

/// The browser, with a page open.
pub struct Chromium {
    process: Child,
    address: String,
    first: Page,
    _profile: TempDir,
}

/// A page of a browser; one cannot be closed alone.
pub struct Page {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    session: String,
    commands: u64,
}

/// The address of a page that publishes over WHIP; see there for what it can be told.
pub fn publisher() -> String {
    format!("file://{}", concat!(env!("CARGO_MANIFEST_DIR"), "/src/publisher.html"))
}

impl Chromium {
    /// Starts the browser with `camera` (an MJPEG file, played again and again) before its camera, and opens a page.
    pub async fn open(page: &str, camera: &Path) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            // A page goes on when another lies above it.
            .args(["--disable-background-timer-throttling", "--disable-renderer-backgrounding"])
            .arg("--disable-backgrounding-occluded-windows")
            .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
            .arg(format!("--use-file-for-fake-video-capture={}", camera.display()))
            .args(["--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromium is needed (Debian: chromium)")?;
        let address =
            tokio::time::timeout(START, devtools(profile.path())).await.context("Chromium does not start")??;
        let first = Page::open(&address, page).await?;
        Ok(Self { process, address, first, _profile: profile })
    }

    /// Opens another page.
    pub async fn another(&self, url: &str) -> anyhow::Result<Page> {
        Page::open(&self.address, url).await
    }

    /// The value of a JavaScript expression on the first page, awaited.
    pub async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        self.first.evaluate(expression).await
    }

    /// Like [`Page::until`], on the first page.
    pub async fn until(&mut self, expression: &str, done: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        self.first.until(expression, done).await
    }

    /// Ends the browser as a crash does: without a word to anybody.
    pub async fn crash(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}

impl Page {
    async fn open(browser: &str, url: &str) -> anyhow::Result<Self> {
        let (socket, _) = connect_async(browser).await?;
        let mut page = Self { socket, session: String::new(), commands: 0 };
        let target = page.command("Target.createTarget", json!({ "url": url, "newWindow": true })).await?;
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = page.command("Target.attachToTarget", target).await?;
        attached["sessionId"].as_str().context("not attached")?.clone_into(&mut page.session);
        tokio::time::timeout(START, page.loaded()).await.context("the page does not load")??;
        Ok(page)
    }

    /// The value of a JavaScript expression, awaited.
    pub async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let arguments = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.command("Runtime.evaluate", arguments).await?;
        ensure!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        Ok(answer["result"]["value"].take())
    }

    /// Asks for an expression's value until it is as wanted.
    pub async fn until(&mut self, expression: &str, done: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let start = Instant::now();
        loop {
            let value = self.evaluate(expression).await?;
            if done(&value) {
                return Ok(value);
            }
            ensure!(start.elapsed() < DEADLINE, "waited in vain for {expression}: {value}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the page is there.
    async fn loaded(&mut self) -> anyhow::Result<()> {
        let complete = "location.href !== 'about:blank' && document.readyState === 'complete'";
        // What is asked while one document gives way to another may be lost with it.
        while !self.evaluate(complete).await.is_ok_and(|complete| complete == true) {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn command(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.commands += 1;
        let mut command = json!({ "id": self.commands, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = self.session.clone().into();
        }
        self.socket.send(Message::text(command.to_string())).await?;
        let answer = async {
            while let Some(message) = self.socket.next().await {
                let mut message: Value = serde_json::from_str(message?.to_text()?)?;
                if message["id"] == self.commands {
                    ensure!(message["error"].is_null(), "{method}: {}", message["error"]);
                    return Ok(message["result"].take());
                }
            }
            bail!("Chromium is gone")
        };
        tokio::time::timeout(ANSWER, answer).await.with_context(|| format!("{method} is not answered"))?
    }
}

/// The address of the browser's DevTools, which it writes into its profile.
async fn devtools(profile: &Path) -> anyhow::Result<String> {
    let file = profile.join("DevToolsActivePort");
    loop {
        let text = tokio::fs::read_to_string(&file).await.unwrap_or_default();
        if let Some((port, path)) = text.trim().split_once('\n') {
            return Ok(format!("ws://127.0.0.1:{port}{path}"));
        }
        tokio::time::sleep(POLL).await;
    }
}

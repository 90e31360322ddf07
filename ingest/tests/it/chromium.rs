//! A real browser as publisher: headless Chromium with a portrait before its camera, driven over the DevTools protocol.
//!
//! One process per test, ended with it. The page is a local file, which Chromium trusts enough to open the camera.

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
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

/// The browser, with its page open.
pub struct Chromium {
    process: Child,
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    session: String,
    commands: u64,
    _profile: TempDir,
}

impl Chromium {
    /// Starts the browser with `camera` (an MJPEG file, played again and again) before its camera, and opens `page`.
    pub async fn open(page: &Path, camera: &Path) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
            .arg(format!("--use-file-for-fake-video-capture={}", camera.display()))
            .args(["--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", page.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromium is needed (Debian: chromium)")?;
        let address =
            tokio::time::timeout(START, devtools(profile.path())).await.context("Chromium does not start")??;
        let (socket, _) = connect_async(address).await?;
        let mut chromium = Self { process, socket, session: String::new(), commands: 0, _profile: profile };
        let targets = chromium.command("Target.getTargets", json!({})).await?;
        let page = targets["targetInfos"].as_array().into_iter().flatten().find(|target| target["type"] == "page");
        let page = page.context("no page is open")?["targetId"].clone();
        let attached = chromium.command("Target.attachToTarget", json!({ "targetId": page, "flatten": true })).await?;
        chromium.session = attached["sessionId"].as_str().context("not attached")?.to_owned();
        tokio::time::timeout(START, chromium.loaded()).await.context("the page does not load")??;
        Ok(chromium)
    }

    /// The value of a JavaScript expression, awaited.
    pub async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let arguments = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.command("Runtime.evaluate", arguments).await?;
        ensure!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        Ok(answer["result"]["value"].take())
    }

    /// Ends the browser as a crash does: without a word to anybody.
    pub async fn crash(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    async fn loaded(&mut self) -> anyhow::Result<()> {
        while self.evaluate("location.protocol === 'file:' && document.readyState === 'complete'").await? != true {
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

/// What the camera sees: a portrait that wanders through the picture, made from the one picture the tests carry.
pub async fn camera(folder: &Path, (width, height): (u32, u32)) -> anyhow::Result<PathBuf> {
    let file = folder.join("camera.mjpeg");
    let portrait = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/astronaut.png");
    let scene = format!(
        "[1]scale=-2:{height}*3/4[face];[0][face]overlay=x='(W-w)/2+(W-w)/3*sin(t*PI/2)':y='(H-h)/2+(H-h)/3*cos(t*PI/2)'"
    );
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &format!("testsrc2=size={width}x{height}:rate=30:duration=4")])
        .args(["-loop", "1", "-t", "4", "-r", "30", "-i", portrait])
        .args(["-filter_complex", &scene, "-t", "4", "-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "mjpeg"])
        .arg(&file)
        .kill_on_drop(true)
        .status()
        .await?;
    ensure!(made.success(), "ffmpeg made no picture for the camera");
    Ok(file)
}

//! The server that is measured: `emergency-time serve` on loopback, with a folder of its own, and what is asked of it.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::{
    env,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

/// How long anything of the server's may take before it counts as not coming.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often is asked: how exact a time is that was measured by asking.
pub const POLL: Duration = Duration::from_millis(20);

const START: &str = "mutation($input: StartStreamInput!) { startStream(input: $input) {
    stream { id } publishToken ingest { rtmpUrl streamKey } } }";
const STOP: &str = "mutation($input: StopStreamInput!) { stopStream(input: $input) { error { code } } }";
const REPLAY: &str = "query($id: ID!) { stream(id: $id) { status vod { status durationMs playbackUrl withheldReason
    redaction { frames facesBlurred gaps } } } }";

/// A running server, ended when dropped.
pub struct Server {
    base: String,
    http: reqwest::Client,
    process: Child,
    /// What it prints goes on being taken.
    _out: Option<BufReader<ChildStdout>>,
    folder: TempDir,
}

/// A broadcast that was announced.
pub struct Announced {
    pub id: String,
    pub token: String,
    /// Address and key for a broadcast app.
    pub rtmp: String,
}

impl Server {
    /// Starts `engine`, or the one beside this program, and waits until it answers.
    pub async fn start(engine: Option<&Path>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        let program = engine.map_or_else(beside, |engine| Ok(engine.to_owned()))?;
        let mut process = Command::new(&program)
            .arg("serve")
            .env("DATA_DIR", folder.path().join("data"))
            .envs([("BIND", "127.0.0.1:0"), ("RTMP_BIND", "127.0.0.1:0"), ("WHIP_UDP_BIND", "127.0.0.1:0")])
            // The face model is found from the tree's root.
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let mut said = String::new();
        let mut out = process.stdout.take().map(BufReader::new);
        if let Some(out) = &mut out {
            out.read_line(&mut said)?;
        }
        let base = said.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
        let mut server =
            Self { base: base.unwrap_or_default(), http: reqwest::Client::new(), process, _out: out, folder };
        ensure!(!server.base.is_empty(), "the server does not start: {said}{}", server.log());
        let ready = format!("{}/health/ready", server.base);
        let begun = Instant::now();
        while server.get(&ready).await.is_err() {
            ensure!(server.process.try_wait()?.is_none(), "the server has ended: {}", server.log());
            ensure!(begun.elapsed() < PATIENCE, "the server is not ready: {}", server.log());
            sleep(POLL).await;
        }
        Ok(server)
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The end of what it logged.
    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().fold(String::new(), |all, line| all + line + "\n")
    }

    /// Asks the API.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.http.post(format!("{}/graphql", self.base)).json(&body).send().await?;
        let mut answer: Value = answer.json().await?;
        ensure!(answer["errors"].is_null(), "{}", answer["errors"]);
        Ok(answer["data"].take())
    }

    /// Fetches something that must be there.
    pub async fn get(&self, address: &str) -> Result<Vec<u8>> {
        let answer = self.http.get(address).send().await?;
        let (status, bytes) = (answer.status(), answer.bytes().await?);
        ensure!(status.is_success(), "{status} for {address}: {}", String::from_utf8_lossy(&bytes));
        Ok(bytes.to_vec())
    }

    /// Announces a broadcast.
    pub async fn announce(&self) -> Result<Announced> {
        let data = self.ask(START, json!({ "input": subject() })).await?;
        let payload = &data["startStream"];
        let text =
            |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("no broadcast: {payload}"));
        let ingest = &payload["ingest"];
        Ok(Announced {
            id: text(&payload["stream"]["id"])?,
            token: text(&payload["publishToken"])?,
            rtmp: format!("{}/{}", text(&ingest["rtmpUrl"])?, text(&ingest["streamKey"])?),
        })
    }

    /// Waits for the first segment that can be played.
    pub async fn first_segment(&self, id: &str) -> Result<()> {
        let playlist = format!("{}/live/{id}/index.m3u8", self.base);
        let begun = Instant::now();
        // On air, the server answers with the first segment and not before.
        while !self.get(&playlist).await.is_ok_and(|text| String::from_utf8_lossy(&text).contains("#EXTINF")) {
            ensure!(begun.elapsed() < PATIENCE, "nothing can be watched: {}", self.log());
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Ends a broadcast.
    pub async fn stop(&self, id: &str, token: &str) -> Result<()> {
        let data = self.ask(STOP, json!({ "input": { "id": id, "publishToken": token } })).await?;
        ensure!(data["stopStream"]["error"].is_null(), "{data}");
        Ok(())
    }

    /// Waits until the replay is ready; gives it.
    pub async fn replay(&self, id: &str) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let vod = self.ask(REPLAY, json!({ "id": id })).await?["stream"]["vod"].take();
            match vod["status"].as_str() {
                Some("READY") => return Ok(vod),
                Some("WITHHELD" | "REMOVED") => bail!("the replay is not shown: {vod}"),
                _ => ensure!(begun.elapsed() < PATIENCE, "the replay does not come: {vod} {}", self.log()),
            }
            sleep(POLL).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever has ended already cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What every broadcast of the bench is about.
pub fn subject() -> Value {
    let position = json!({ "longitude": 126.9784, "latitude": 37.5667 });
    json!({ "title": "a portrait on its way", "category": "OTHER", "position": position })
}

fn beside() -> Result<PathBuf> {
    let own = env::current_exe().context("the bench's own binary is gone")?;
    let engine = own.with_file_name("emergency-time");
    ensure!(engine.exists(), "{} is missing: `make bench-live` builds it", engine.display());
    Ok(engine)
}

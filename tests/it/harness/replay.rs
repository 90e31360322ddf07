//! A replay as a player fetches it: the playlist over HTTP, then every segment it names.

use crate::harness::client::Client;
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};

/// A downloaded replay.
pub struct Replay {
    /// The playlist on disk, its segments beside it.
    pub playlist: PathBuf,
    /// The playlist's lines.
    pub lines: Vec<String>,
    /// The segments that were downloaded, in order.
    pub segments: Vec<PathBuf>,
}

impl Replay {
    /// Fetches everything into a folder. Segments marked as gaps are not fetched: they have no object.
    pub async fn fetch(client: &Client, playback_url: &str, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (status, kind, body) = client.get(playback_url).await?;
        ensure!(status == 200, "{status} for {playback_url}");
        ensure!(kind.starts_with("application/vnd.apple.mpegurl"), "a playlist of type {kind}");
        let text = String::from_utf8(body).context("a playlist that is no text")?;
        let lines: Vec<String> = text.lines().map(String::from).collect();
        let playlist = folder.join("index.m3u8");
        std::fs::write(&playlist, &text)?;
        let base = url::Url::parse(playback_url)?;
        let (mut segments, mut gap) = (Vec::new(), false);
        for line in &lines {
            if line == "#EXT-X-GAP" {
                gap = true;
            } else if !line.starts_with('#') && !line.is_empty() && !std::mem::take(&mut gap) {
                segments.push(fetch_segment(client, base.join(line)?.as_str(), &folder.join(line)).await?);
            }
        }
        Ok(Self { playlist, lines, segments })
    }

    /// How many segments are marked as gaps.
    pub fn gaps(&self) -> usize {
        self.lines.iter().filter(|line| *line == "#EXT-X-GAP").count()
    }
}

async fn fetch_segment(client: &Client, url: &str, file: &Path) -> Result<PathBuf> {
    let (status, kind, body) = client.get(url).await?;
    ensure!(status == 200, "{status} for {url}");
    ensure!(kind == "video/mp2t", "a segment of type {kind}");
    std::fs::write(file, body)?;
    Ok(file.to_owned())
}

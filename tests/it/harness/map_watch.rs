//! Looks at the map again and again while a broadcast goes its way, and keeps every view.

use crate::harness::client::{Client, Item};
use anyhow::{Context as _, Result, ensure};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// A watch over the whole earth.
pub struct MapWatch {
    stop: CancellationToken,
    watching: JoinHandle<Result<Vec<Vec<Item>>>>,
}

impl MapWatch {
    /// Begins to look.
    pub fn start(client: &Client) -> Self {
        let (client, stop) = (client.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let watching = tokio::spawn(async move {
            let mut views = Vec::new();
            while !stopped.is_cancelled() {
                views.push(client.map().await?.items);
                tokio::time::sleep(INTERVAL).await;
            }
            views.push(client.map().await?.items);
            Ok(views)
        });
        Self { stop, watching }
    }

    /// Looks a last time and gives every view.
    pub async fn end(self) -> Result<Vec<Vec<Item>>> {
        self.stop.cancel();
        self.watching.await?
    }
}

/// A stream stands on the map live, then its replay in its place until it is ready; never is there neither.
pub fn hands_over(views: &[Vec<Item>], stream: &str) -> Result<()> {
    let status = |view: &[Item]| {
        let live = view.iter().find(|item| item.id == stream).and_then(|item| item.stream_status.clone());
        let replays = |item: &&Item| item.stream.as_ref().is_some_and(|replayed| replayed.id == stream);
        live.or_else(|| view.iter().find(replays).and_then(|item| item.vod_status.clone()))
    };
    let tale: Vec<Option<String>> = views.iter().map(|view| status(view)).collect();
    let first = tale.iter().position(Option::is_some).context("it was never on the map")?;
    let mut words: Vec<&str> = tale[first..].iter().map(|word| word.as_deref().unwrap_or("NOTHING")).collect();
    words.dedup();
    ensure!(words.first() == Some(&"LIVE") && words.last() == Some(&"READY"), "{words:?}");
    ensure!(!words.contains(&"NOTHING"), "it was gone for a while: {words:?}");
    Ok(())
}

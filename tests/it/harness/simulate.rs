//! A broadcast played by the product's own `simulate`: a broadcaster, a recorder and a live provider in one command.

use crate::harness::{clip::Clip, deadline, process::Process, site::Site};
use anyhow::{Result, ensure};

/// How a clip is played.
pub struct Play<'a> {
    /// The broadcast's title; a test finds its stream by it.
    pub title: &'a str,
    /// What is played.
    pub clip: Clip,
    /// Times faster than life, or `max`.
    pub speed: &'a str,
}

/// A broadcast under way.
pub struct Playing {
    title: String,
    process: Process,
}

impl Play<'_> {
    /// Begins to play; the command ends when everything is written and sent.
    pub fn begin(&self, site: &Site) -> Result<Playing> {
        let clip = self.clip.render()?;
        let segment = crate::harness::clip::SEGMENT_S.to_string();
        let clip = clip.to_string_lossy();
        let arguments = [
            "simulate",
            &*clip,
            "--at",
            "126.9784,37.5667",
            "--title",
            self.title,
            "--speed",
            self.speed,
            "--segment",
            &segment,
            "--server",
            site.client.base(),
            "--no-wait",
        ];
        let log = site.folder().join(format!("simulate-{}.log", self.title.replace(' ', "-")));
        let process = Process::start(&format!("simulate {}", self.title), &arguments, site.variables(), log)?;
        Ok(Playing { title: self.title.to_owned(), process })
    }
}

impl Playing {
    /// The stream's id, once it is started.
    pub async fn stream(&mut self, site: &Site) -> Result<String> {
        let records = site.records()?;
        deadline::until(&format!("{} is started", self.title), deadline::SOON, || {
            let (ended, title) = (self.process.ended(), self.title.clone());
            async move {
                let found = records.stream_titled(&title).await?;
                // It may have started and ended between two looks, but not ended without having started.
                ensure!(found.is_some() || ended?.is_none(), "{title} ended without having started");
                Ok(found.map(|stream| stream.id.to_string()).ok_or_else(|| "no such stream".to_owned()))
            }
        })
        .await
    }

    /// Waits until everything is written and sent.
    pub async fn end(mut self) -> Result<()> {
        let status = self.process.finish().await?;
        ensure!(status.success(), "simulate ended with {status}\n{}", self.process.log_tail());
        Ok(())
    }
}

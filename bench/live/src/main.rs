//! `bench-live`: how soon a broadcast can be watched and replayed, and what taking it costs, with real publishers and
//! the real server. What comes out is judged; a wrong answer fails, a slow one is shown beside what is wanted.

mod arguments;
mod broadcaster;
mod cost;
mod delay;
mod ready;
mod report;
mod server;
mod start;

use anyhow::{Context as _, Result, bail};
use arguments::{Arguments, What};
use clap::Parser as _;
use report::Report;
use server::Server;
use std::{fs, process::ExitCode};
use test_studio::Camera;
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

/// What every publisher sends.
const SIZE: (u32, u32) = (1_280, 720);
const SECONDS_OF_A_MINUTE: u64 = 60;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut report = Report::default();
    // Whatever ends it, what it started ends with it.
    let outcome = tokio::select! {
        outcome = bench(&arguments, &mut report) => outcome,
        told = told_to_end() => told,
    };
    print!("{report}");
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report).context("the report cannot be written down")?;
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    for fault in &report.faults {
        eprintln!("bench-live: {fault}");
    }
    outcome?;
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn bench(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let (plain, clocked) = (Camera { size: SIZE, has_clock: false }, Camera { size: SIZE, has_clock: true });
    let Arguments { runs, seconds, minutes, .. } = *arguments;
    let folder = tempfile::tempdir()?;
    let clip = clocked.clip(folder.path()).await?;
    // First, since nothing of it goes on behind what is measured next.
    if arguments.wants(What::Cost) {
        cost::rtmp(&clip, seconds, report).await?;
        cost::whip(plain, seconds, report).await?;
    }
    let server = Server::start(arguments.engine.as_deref()).await?;
    if arguments.wants(What::Start) {
        start::measure(&server, plain, runs, report).await?;
    }
    if arguments.wants(What::Delay) {
        delay::measure(&server, clocked, seconds, report).await?;
    }
    if arguments.wants(What::Ready) {
        ready::rtmp(&server, &clip, (runs, seconds), report).await?;
        ready::whip(&server, plain, (runs, seconds), report).await?;
        if minutes > 0 {
            ready::rtmp(&server, &clip, (1, minutes * SECONDS_OF_A_MINUTE), report).await?;
        }
    }
    Ok(())
}

/// Waits until this process is told to end, and says so.
async fn told_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    bail!("told to end before everything was measured")
}

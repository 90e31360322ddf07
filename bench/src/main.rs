//! `bench`: what blurring costs. Every clip is blurred and plainly transcoded in turns, in one run on one machine, so
//! that what is printed are ratios, which outlast the machine; and what came out is judged, since a fast wrong answer
//! is worth nothing.
#![expect(clippy::cast_precision_loss, reason = "frames, bytes and microseconds are far below 2^52")]

mod arguments;
mod check;
mod clips;
mod measure;
mod memory;
mod report;
mod rounds;
mod tools;

use anyhow::{Context as _, Result};
use arguments::Arguments;
use clap::Parser as _;
use report::Report;
use std::{fs, process::ExitCode};
use tools::Engine;

fn main() -> Result<ExitCode> {
    if let Some(command) = measure::asked_for() {
        measure::run_and_tell(&command)?;
        return Ok(ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse();
    let report = bench(&arguments)?;
    print!("{report}");
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report).context("the report cannot be written down")?;
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    for fault in &report.faults {
        eprintln!("bench: {fault}");
    }
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn bench(arguments: &Arguments) -> Result<Report> {
    tools::need("ffmpeg")?;
    tools::need("ffprobe")?;
    let engine = Engine::find(arguments.engine.as_deref(), arguments.threads)?;
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let mut report = Report { repetitions: arguments.repetitions, ..Report::default() };
    for subject in clips::subjects(arguments.days, &arguments.clips, folder.path())? {
        eprintln!("bench: {}", subject.name);
        let result = rounds::run(&subject, &engine, arguments, folder.path())?;
        report.faults.extend(check::faults(&result));
        report.clips.push(result);
    }
    if let Some(minutes) = arguments.memory {
        let memory = memory::compare(&engine, minutes, folder.path())?;
        report.faults.extend(memory.fault());
        report.memory = Some(memory);
    }
    Ok(report)
}

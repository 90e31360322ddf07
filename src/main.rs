//! The binary `emergency-time`: reads what it is told, starts what it was told to, and says how it ended.
//!
//! Exit codes: 0 done, 1 failed (the reason on stderr), 2 told wrongly (every fault on stderr).

mod blur;
mod cli;
mod config;
mod database;
mod import;
mod migrate;
mod process;
mod shutdown;
mod simulate;

use clap::Parser as _;
use cli::{Cli, Command};
use config::Faults;
use std::{future::Future, process::ExitCode};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emergency-time: {error:#}");
            ExitCode::from(if error.is::<Faults>() { 2 } else { 1 })
        }
    }
}

fn run(Cli { log, command }: Cli) -> anyhow::Result<()> {
    let log = log.check();
    match command {
        Command::Serve(flags) => {
            let config = started(log, flags.check())?;
            block_on(process::serve(config))
        }
        Command::Api(flags) => {
            let config = started(log, flags.check())?;
            block_on(process::api(config))
        }
        Command::Worker(flags) => {
            let config = started(log, flags.check())?;
            block_on(process::worker(config))
        }
        Command::Migrate(command) => {
            let database = started(log, command.check())?;
            block_on(migrate::run(&command, database))
        }
        Command::Schema => {
            started(log, Ok(()))?;
            print!("{}", api::schema::sdl());
            Ok(())
        }
        Command::Blur(command) => {
            let redaction = started(log, command.check())?;
            blur::run(&command, &redaction)
        }
        Command::Import(command) => {
            let rows = started(log, command.rows.check())?;
            block_on(import::run(&command, rows))
        }
        Command::Simulate(command) => {
            let config = started(log, command.target.check())?;
            block_on(simulate::run(&command, config))
        }
    }
}

/// Starts the log and gives the configuration, if both are right; otherwise the faults of both.
fn started<T>(log: Result<config::Log, Faults>, config: Result<T, Faults>) -> Result<T, Faults> {
    let (log, config) = Faults::both(log, config)?;
    log.start();
    Ok(config)
}

fn block_on(task: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(task);
    // A redaction that was not finished in time runs on a thread of its own, which nothing can stop but the end of the
    // process; waiting for it here would put that off.
    runtime.shutdown_background();
    outcome
}

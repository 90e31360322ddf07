//! Runs a program and tells what it took. Between the bench and the program stands a small process of the bench's own:
//! the kernel counts for a process's children as a whole, and for their peak memory also that of whoever forked.

use anyhow::{Context as _, Result, ensure};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::{TimeVal, TimeValLike as _},
};
use serde::{Deserialize, Serialize};
use std::{
    env,
    ffi::OsString,
    process::{Command, Stdio},
    time::Instant,
};

/// What one run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// User's and system's time of all its threads, in seconds.
    pub cpu_seconds: f64,
    /// From its start to its end, in seconds.
    pub wall_seconds: f64,
    /// Most memory it held at a time, in bytes.
    pub peak_bytes: u64,
}

/// What the process between prints.
#[derive(Serialize, Deserialize)]
struct Told {
    usage: Usage,
    succeeded: bool,
    output: String,
}

/// Tells the bench's own binary to be the process between.
const FLAG: &str = "--measure";
/// Bytes in the unit that Linux counts peak memory in.
const KIBIBYTE: u64 = 1_024;

/// The command to measure, if this process is the one between.
pub fn asked_for() -> Option<Vec<OsString>> {
    let mut arguments = env::args_os().skip(1);
    (arguments.next()? == FLAG).then(|| arguments.collect())
}

/// Runs `command` to its end and prints what it took.
pub fn run_and_tell(command: &[OsString]) -> Result<()> {
    let told = run(command)?;
    println!("{}", serde_json::to_string(&told)?);
    Ok(())
}

/// Runs the command in a process of its own and gives what it took and what it printed.
///
/// # Errors
/// When it cannot be started or fails.
pub fn measure(command: &Command) -> Result<(Usage, String)> {
    let program = command.get_program();
    let between = env::current_exe().context("the bench's own binary is gone")?;
    let output = Command::new(between)
        .arg(FLAG)
        .arg(program)
        .args(command.get_args())
        .stderr(Stdio::inherit())
        .output()
        .context("the bench's own binary cannot be run")?;
    ensure!(output.status.success(), "{} cannot be run", program.display());
    let told: Told = serde_json::from_slice(&output.stdout).context("the measurement cannot be read")?;
    ensure!(told.succeeded, "{} failed", program.display());
    Ok((told.usage, told.output))
}

fn run(command: &[OsString]) -> Result<Told> {
    let (program, arguments) = command.split_first().context("no program to measure")?;
    let begun = Instant::now();
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let wall_seconds = begun.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    let usage = Usage {
        cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
        wall_seconds,
        peak_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * KIBIBYTE,
    };
    let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Told { usage, succeeded: output.status.success(), output: output_text })
}

/// The middle one of `values`, or the mean of the two in the middle; 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// The median of each part by itself.
pub fn middle(runs: &[Usage]) -> Usage {
    Usage {
        cpu_seconds: median(runs.iter().map(|run| run.cpu_seconds)),
        wall_seconds: median(runs.iter().map(|run| run.wall_seconds)),
        peak_bytes: runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Told {
        run(&["sh", "-c", script].map(OsString::from)).unwrap()
    }

    #[test]
    fn work_is_cpu_time_and_what_was_printed_is_told() {
        let busy = shell("i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo done");
        assert!(busy.succeeded && busy.output == "done\n");
        let usage = busy.usage;
        assert!(usage.cpu_seconds > 0.01 && usage.cpu_seconds < 4.0 * usage.wall_seconds, "{usage:?}");
        assert!(usage.peak_bytes > 500 * KIBIBYTE, "{usage:?}");
    }

    #[test]
    fn a_failure_is_told() {
        assert!(!shell("exit 3").succeeded);
        assert!(run(&[OsString::from("no-such-program")]).is_err());
        assert!(run(&[]).is_err());
    }

    #[test]
    fn a_median_is_not_moved_by_one_slow_run() {
        assert!((median([2.0, 90.0, 1.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 2.0]) - 3.0).abs() < 1e-9);
        assert!(median([]).abs() < 1e-9);
        let run = |cpu_seconds, wall_seconds, peak_bytes| Usage { cpu_seconds, wall_seconds, peak_bytes };
        let runs = [run(1.0, 9.0, 5), run(3.0, 2.0, 7), run(2.0, 3.0, 6)];
        assert_eq!(middle(&runs), run(2.0, 3.0, 7), "the most memory counts, since it must be there");
    }
}

//! A child process that cannot outlive this one: a shell holds it and kills it when our end of a pipe closes, which the
//! kernel does for us even when we are killed. A test that is stopped for taking too long thus leaves no node behind.

use anyhow::{Context, Result};
use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Runs its arguments in the background; sends them the signal named on standard input, or SIGKILL when that ends, and
/// waits for their end. The process stays unreaped until then, so its number cannot have passed to another one.
const HOLD: &str = r#""$@" & held=$!; read -r signal; kill -"${signal:-KILL}" "$held" 2>/dev/null; wait "$held""#;

/// A running program; SIGKILLed, and its end awaited, when this is dropped.
pub(crate) struct Leash {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Leash {
    /// Starts what `configure` makes of the command; `program` must become the process itself (`exec`, no forking).
    pub(crate) fn start(program: &str, configure: impl FnOnce(&mut Command) -> &mut Command) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", HOLD, "leash", program]);
        // Its own group: whoever kills the group of the test must not kill the one that cleans up after it.
        configure(&mut command).stdin(Stdio::piped()).process_group(0);
        let mut shell = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }
}

impl Leash {
    /// Asks the program to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> Result<()> {
        let mut pipe = self.pipe.take().context("the leash is cut")?;
        writeln!(pipe, "TERM").context("the leash is cut")?;
        self.shell.wait()?;
        Ok(())
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // The only failure is that there is no such child any more, which is what is wanted.
        let _ = self.shell.wait();
    }
}

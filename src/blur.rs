//! `blur`: the engine of the replays on any file.

use crate::config::{Faults, Redaction, RedactionFlags};
use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use redact::{Engine, Options, Progress, Stage};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Blurs every face in a video file.
#[derive(Debug, clap::Args)]
pub struct Command {
    /// The video: mp4, mov, ts, mkv or webm.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Where the blurred video goes; its ending chooses the container.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Writes over OUT if it is there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    redaction: RedactionFlags,
}

impl Command {
    /// Checks the flags.
    pub fn check(&self) -> Result<Redaction, Faults> {
        let mut faults = Faults::default();
        let redaction = self.redaction.check(&mut faults);
        faults.finish(redaction)
    }
}

/// Runs it: a progress bar on stderr, the receipt on stdout.
pub fn run(command: &Command, redaction: &Redaction) -> Result<()> {
    let (input, output) = (command.input.as_path(), command.output.as_path());
    refuse_overwriting(input, output, command.force)?;
    let options = Options { threads: redaction.threads.get().try_into().unwrap_or(u32::MAX), ..Options::default() };
    let engine = Engine::new(&redaction.model, options)?;
    let bar = Bar::new();
    let receipt = engine.blur_file(input, output, &mut |progress| bar.show(progress));
    bar.clear();
    let receipt = serde_json::to_string_pretty(&receipt?).context("the receipt cannot be printed")?;
    println!("{receipt}");
    Ok(())
}

fn refuse_overwriting(input: &Path, output: &Path, force: bool) -> Result<()> {
    fs::metadata(input).with_context(|| format!("{} cannot be read", input.display()))?;
    match fs::metadata(output) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be written", output.display())),
        Ok(_) => {}
    }
    if same(input, output)? {
        bail!("{} is both IN and OUT", input.display());
    }
    if !force {
        bail!("{} is there already; --force writes over it", output.display());
    }
    Ok(())
}

/// Whether both are one file, whatever links lead there.
fn same(a: &Path, b: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    Ok(identity(a)? == identity(b)?)
}

/// One bar, begun anew by each stage.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = "{msg:10} {bar:40} {pos}/{len} frames, {per_sec}, {eta} left";
        // A template that is wrong leaves the default style, which shows the same numbers.
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn show(&self, progress: Progress) {
        let stage = match progress.stage {
            Stage::Examining => "examining",
            Stage::Blurring => "blurring",
        };
        if self.0.message() != stage {
            self.0.reset();
            self.0.set_message(stage);
        }
        if let Some(total) = progress.frames_total {
            self.0.set_length(total);
        }
        self.0.set_position(progress.frames_done);
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_written_over_unasked_and_never_over_itself() {
        let folder = tempfile::tempdir().unwrap();
        let [input, other, link, new] = ["in.mp4", "other.mp4", "link.mp4", "new.mp4"].map(|n| folder.path().join(n));
        fs::write(&input, b"in").unwrap();
        fs::write(&other, b"other").unwrap();
        std::os::unix::fs::symlink(&input, &link).unwrap();
        refuse_overwriting(&input, &new, false).unwrap();
        refuse_overwriting(&input, &other, true).unwrap();
        for (output, force) in [(&other, false), (&input, true), (&link, true)] {
            let error = refuse_overwriting(&input, output, force).unwrap_err().to_string();
            assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
        }
        assert!(refuse_overwriting(&new, &other, true).is_err(), "IN is missing");
    }
}

//! `blur`: the engine of the replays on any file.

use crate::config::{Faults, Redaction, RedactionFlags};
use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use redact::{Engine, Looking, Options, Progress, Stage};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Blurs every face in a video file.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
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
    /// Leaves the sound out. Voices tell who somebody is, too.
    #[arg(long, conflicts_with = "keep_audio")]
    mute: bool,
    /// Keeps the sound as it is, which is the default.
    #[arg(long)]
    keep_audio: bool,
    /// Keeps closed captions (CEA-608/708) in the frames. All other text and data is left out.
    #[arg(long)]
    captions: bool,
    /// What becomes of a face.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    strength: Strength,
    /// Smallest face that is blurred, in pixels of the video. Absent: all that are found.
    #[arg(long, value_name = "PIXELS", default_value_t = 0)]
    min_face: u32,
    /// From 0, only what is surely a face, to 1, all that might be one.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = sensitivity)]
    sensitivity: f32,
    /// What runs the face model.
    #[arg(long, value_enum, default_value_t, value_name = "WHERE")]
    backend: Backend,
    #[command(flatten)]
    redaction: RedactionFlags,
}

/// What becomes of a face.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Strength {
    /// A few blocks, drawn as a smooth surface.
    #[default]
    Pixelate,
    /// Soft, by weighted means.
    Gaussian,
    /// One colour.
    Solid,
}

/// What runs the face model.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Backend {
    /// Our own code for CenterFace, OpenCV for others.
    #[default]
    Native,
    /// OpenCV on the processor.
    Cpu,
    /// OpenCV on the graphics card by OpenCL.
    Opencl,
    /// OpenCV on NVIDIA's CUDA.
    Cuda,
    /// The same with half the precision.
    CudaFp16,
    /// OpenCV on Intel's OpenVINO.
    Openvino,
    /// OpenCV on Vulkan.
    Vulkan,
}

impl From<Strength> for redact::Strength {
    fn from(strength: Strength) -> Self {
        match strength {
            Strength::Pixelate => Self::Pixelate,
            Strength::Gaussian => Self::Gaussian,
            Strength::Solid => Self::Solid,
        }
    }
}

impl From<Backend> for redact::Backend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Native => Self::Native,
            Backend::Cpu => Self::Cpu,
            Backend::Opencl => Self::OpenCl,
            Backend::Cuda => Self::Cuda,
            Backend::CudaFp16 => Self::CudaFp16,
            Backend::Openvino => Self::OpenVino,
            Backend::Vulkan => Self::Vulkan,
        }
    }
}

/// A share from 0 to 1.
fn sensitivity(text: &str) -> Result<f32, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("{text:?} is not a number from 0 to 1"))
}

impl Command {
    /// The engine's settings.
    fn options(&self, redaction: &Redaction) -> Options {
        let looking = Looking { min_face: self.min_face, ..Looking::default() }.with_sensitivity(self.sensitivity);
        Options {
            looking,
            strength: self.strength.into(),
            mute: self.mute,
            captions: self.captions,
            backend: self.backend.into(),
            threads: redaction.threads.get().try_into().unwrap_or(u32::MAX),
            ..Options::default()
        }
    }

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
    let engine = Engine::new(&redaction.model, command.options(redaction))?;
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

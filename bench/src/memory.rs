//! Whether memory grows with the length of a file: it must not, since broadcasts last for hours.

use crate::{clips::count_frames, tools::Engine};
use anyhow::{Context as _, Result, ensure};
use ground_truth::cases;
use serde::Serialize;
use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::Command,
};

/// Frames that are rendered; the files repeat them.
const FRAMES: usize = 100;
/// Memory of the long file over that of the short one, from which it grows.
const GROWTH: f64 = 1.10;
/// Most memory that may be held, whatever the length.
const MAX_BYTES: u64 = 600_000_000;

/// Peak memory of two 1080p files.
#[derive(Debug, Serialize)]
pub struct Memory {
    pub minutes: u32,
    pub short_bytes: u64,
    pub long_bytes: u64,
}

impl Memory {
    pub fn ratio(&self) -> f64 {
        self.long_bytes as f64 / self.short_bytes.max(1) as f64
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let (ratio, minutes) = (self.ratio(), self.minutes);
        let bytes = self.short_bytes.max(self.long_bytes);
        if bytes > MAX_BYTES {
            return Some(format!("{} MB are held, more than {}", bytes / 1_000_000, MAX_BYTES / 1_000_000));
        }
        (ratio > GROWTH).then(|| format!("memory grows: {ratio:.2} times as much for {minutes} minutes as for one"))
    }
}

/// Blurs a file of one minute and one of `minutes`.
pub fn compare(engine: &Engine, minutes: NonZeroU32, folder: &Path) -> Result<Memory> {
    let clip = cases::easy_street(FRAMES);
    let options = ["-vf", "scale=1920:1080", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast"];
    let piece = clip.encode("mp4", &[], &options);
    let peak = |minutes: u32| -> Result<u64> {
        eprintln!("bench: a 1080p file of {minutes} min");
        let file = repeated(&piece.path, minutes, clip.rate, folder)?;
        let output = folder.join("long-blurred.mp4");
        let usage = engine.blur(&file, &output)?.0;
        ensure!(count_frames(&output)? == count_frames(&file)?, "frames were lost in {minutes} min");
        Ok(usage.peak_bytes)
    };
    Ok(Memory { minutes: minutes.get(), short_bytes: peak(1)?, long_bytes: peak(minutes.get())? })
}

/// The piece again and again, without encoding it again.
fn repeated(piece: &Path, minutes: u32, rate: u32, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(format!("{minutes}-minutes.mp4"));
    let times = minutes * 60 * rate / u32::try_from(FRAMES)? - 1;
    let ended = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-stream_loop", &times.to_string(), "-i"])
        .arg(piece)
        .args(["-c", "copy"])
        .arg(&path)
        .status()
        .context("ffmpeg cannot be run")?;
    ensure!(ended.success(), "{} cannot be made", path.display());
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_may_differ_a_little_and_not_grow() {
        let memory = |long_bytes| Memory { minutes: 10, short_bytes: 100, long_bytes };
        assert!(memory(109).fault().is_none());
        assert!(memory(90).fault().is_none());
        assert!(memory(200).fault().is_some_and(|fault| fault.contains("2.00 times")));
        let large = Memory { minutes: 10, short_bytes: 700_000_000, long_bytes: 700_000_000 };
        assert!(large.fault().is_some_and(|fault| fault.contains("700 MB")));
    }

    #[test]
    fn a_file_is_as_long_as_it_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let clip = ground_truth::Clip::new(160, 96, FRAMES, |_| Vec::new());
        let piece = clip.encode("mp4", &[], &["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]);
        let file = repeated(&piece.path, 1, clip.rate, folder.path()).unwrap();
        assert_eq!(count_frames(&file).unwrap(), 1_500);
    }
}

//! What is measured: clips whose faces are known, and whatever files the user names.

use anyhow::{Context as _, Result, bail};
use ground_truth::{Clip, cases};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Frames of a rendered clip: enough for starting to weigh little.
const FRAMES: usize = 200;
/// How the rendered clips are recorded: as an ordinary broadcast is.
const RECORDING: [&str; 8] = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"];

/// A clip to measure.
pub struct Subject {
    pub name: String,
    pub path: PathBuf,
    /// Frames, counted by decoding.
    pub frames: u64,
    /// Where its faces are, if that is known.
    pub truth: Option<Clip>,
}

/// The rendered clips, the busy street on so many other `days`, and the files named.
pub fn subjects(days: u32, files: &[PathBuf], folder: &Path) -> Result<Vec<Subject>> {
    let mut rendered = vec![
        ("busy street".to_owned(), cases::busy_street(FRAMES)),
        ("swinging street".to_owned(), cases::swinging_street(FRAMES)),
        ("easy street".to_owned(), cases::easy_street(FRAMES)),
        ("empty street".to_owned(), cases::empty_street(FRAMES)),
    ];
    rendered.extend((1..=days).map(|day| (format!("busy street, day {day}"), cases::busy_street_of(day, FRAMES))));
    let mut subjects = Vec::new();
    for (name, clip) in rendered {
        eprintln!("bench: rendering the {name}");
        subjects.push(render(&name, clip, folder)?);
    }
    for path in files {
        let frames = count_frames(path)?;
        subjects.push(Subject { name: path.display().to_string(), path: path.clone(), frames, truth: None });
    }
    Ok(subjects)
}

fn render(name: &str, clip: Clip, folder: &Path) -> Result<Subject> {
    let path = folder.join(format!("{}.mp4", name.replace([' ', ','], "-")));
    let encoded = clip.encode("mp4", &[], &RECORDING);
    fs::copy(&encoded.path, &path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Subject { name: name.to_owned(), frames: count_frames(&path)?, path, truth: Some(clip) })
}

/// Frames of a video's picture, counted by decoding all of them.
pub fn count_frames(path: &Path) -> Result<u64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-count_frames"])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "default=noprint_wrappers=1:nokey=1"])
        .arg(path)
        .output()
        .context("ffprobe cannot be run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(count) = text.lines().next().and_then(|line| line.trim().parse().ok()) else {
        bail!("{} cannot be read: {}", path.display(), String::from_utf8_lossy(&output.stderr).trim());
    };
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_by_what_can_be_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let subject = render("a short walk", Clip::panning(320, 176, 7), folder.path()).unwrap();
        assert_eq!(subject.frames, 7);
        assert!(subject.path.ends_with("a-short-walk.mp4"));
        let error = count_frames(&folder.path().join("missing.mp4")).unwrap_err().to_string();
        assert!(error.contains("missing.mp4"), "{error}");
    }
}

//! Clips whose true faces are known, rendered once by the `ffmpeg` command from a portrait and a moving background.
//!
//! A rendered clip is kept under the name of its recipe, so that a changed recipe is a new clip and nothing stale is
//! ever played.

use crate::harness::{binary, scratch};
use anyhow::{Context as _, Result, ensure};
use std::{
    collections::hash_map::DefaultHasher,
    fs::File,
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

/// Frames a second of every clip.
pub const FRAME_RATE: u32 = 15;
/// Between keyframes, and so the length of a segment: seconds.
pub const SEGMENT_S: u32 = 2;

/// A recipe.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Clip {
    width: u32,
    height: u32,
    seconds: u32,
    portrait: bool,
}

/// A part of a picture: pixels from its left upper corner.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

/// Side of the square portrait in the picture.
const PORTRAIT: u32 = 240;
/// Its upper edge.
const PORTRAIT_TOP: u32 = 70;
/// It swings around this left edge, by [`SWING`] pixels, once in [`PERIOD_S`].
const PORTRAIT_LEFT: u32 = 100;
const SWING: u32 = 80;
const PERIOD_S: u32 = 6;

impl Clip {
    /// One portrait, swinging over the left half of a 640×360 picture.
    pub const fn with_a_face(seconds: u32) -> Self {
        Self { width: 640, height: 360, seconds, portrait: true }
    }

    /// No face, and small: for tests of everything but pictures.
    pub const fn without_faces(seconds: u32) -> Self {
        Self { width: 320, height: 180, seconds, portrait: false }
    }

    /// Width in pixels.
    pub const fn width(&self) -> usize {
        self.width as usize
    }

    /// Height in pixels.
    pub const fn height(&self) -> usize {
        self.height as usize
    }

    /// How many frames it has.
    pub const fn frames(&self) -> u32 {
        self.seconds * FRAME_RATE
    }

    /// How many segments it is cut into.
    pub const fn segments(&self) -> u32 {
        self.seconds.div_ceil(SEGMENT_S)
    }

    /// Where the inner face (brows to chin, cheek to cheek) is in a frame.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "20 to 180")]
    pub fn face(frame: u32) -> Region {
        let seconds = f64::from(frame) / f64::from(FRAME_RATE);
        let swing = f64::from(SWING) * (std::f64::consts::TAU * seconds / f64::from(PERIOD_S)).sin();
        let left = (f64::from(PORTRAIT_LEFT) + swing).round();
        // Measured in the portrait as it is pasted: the face spans 76..154 × 62..160 of its 240 × 240 pixels.
        Region { x: left as usize + 76, y: PORTRAIT_TOP as usize + 62, width: 78, height: 98 }
    }

    /// A part of the picture that the portrait never comes near.
    pub fn far_from_faces() -> Region {
        Region { x: 460, y: 20, width: 160, height: 320 }
    }

    /// The clip as a file: rendered now, or by an earlier test.
    pub fn render(&self) -> Result<PathBuf> {
        let folder = scratch().join("clips");
        std::fs::create_dir_all(&folder)?;
        let arguments = self.recipe();
        let mut hasher = DefaultHasher::new();
        arguments.hash(&mut hasher);
        let clip = folder.join(format!("{:016x}.mp4", hasher.finish()));
        // Tests run in several processes: one renders, the others wait for it.
        let lock = File::create(clip.with_extension("lock"))?;
        lock.lock()?;
        if !clip.is_file() {
            let unfinished = clip.with_extension("unfinished.mp4");
            let target = unfinished.to_string_lossy().into_owned();
            let output = Command::new("ffmpeg").args(&arguments).arg(&target).output().context("ffmpeg")?;
            ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
            std::fs::rename(unfinished, &clip)?;
        }
        Ok(clip)
    }

    fn recipe(&self) -> Vec<String> {
        let Self { width, height, seconds, portrait } = self;
        let background = format!(
            "gradients=s={width}x{height}:r={FRAME_RATE}:c0=0x203850:c1=0x809060:c2=0xa08070:nb_colors=3:seed=7:\
             speed=0.02:d={seconds},drawgrid=w=40:h=40:t=2:color=white@0.3"
        );
        let tone = format!("sine=frequency=440:sample_rate=48000:d={seconds}");
        let face = binary::workspace().join("tests/fixtures/astronaut.png").to_string_lossy().into_owned();
        let mut recipe: Vec<String> = ["-v", "error", "-y", "-f", "lavfi", "-i"].map(String::from).to_vec();
        recipe.extend([background, "-f".into(), "lavfi".into(), "-i".into(), tone]);
        let filter = if *portrait {
            recipe.extend(["-loop".into(), "1".into(), "-framerate".into(), FRAME_RATE.to_string(), "-i".into(), face]);
            format!(
                "[2:v]crop=260:260:100:0,scale={PORTRAIT}:{PORTRAIT}[portrait];[0:v][portrait]overlay=\
                 x='{PORTRAIT_LEFT}+{SWING}*sin(2*PI*t/{PERIOD_S})':y={PORTRAIT_TOP}:shortest=1,format=yuv420p[v]"
            )
        } else {
            "[0:v]format=yuv420p[v]".to_owned()
        };
        let keyframes = (FRAME_RATE * SEGMENT_S).to_string();
        recipe.extend(["-filter_complex".into(), filter, "-map".into(), "[v]".into(), "-map".into(), "1:a".into()]);
        recipe.extend(["-t".into(), seconds.to_string(), "-g".into(), keyframes.clone()]);
        recipe.extend(["-keyint_min".into(), keyframes]);
        let coding = "-c:v libx264 -preset veryfast -crf 16 -bf 0 -sc_threshold 0 -threads 1 -c:a aac -b:a 64k -ac 1";
        recipe.extend(coding.split(' ').map(String::from));
        recipe
    }
}

/// Cuts a clip into MPEG-TS files on its keyframes, as a live provider's recorder does; in order.
pub fn cut(clip: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(clip)
        .args(["-c", "copy", "-f", "segment", "-segment_time"])
        .arg(SEGMENT_S.to_string())
        .args(["-segment_format", "mpegts"])
        .arg(folder.join("%06d.ts"))
        .output()
        .context("ffmpeg")?;
    ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    let mut pieces: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    pieces.sort();
    Ok(pieces)
}

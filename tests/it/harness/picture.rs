//! Judges pictures by their pixels: what a file holds, how much of a face is left, how much else was damaged.
#![expect(clippy::cast_precision_loss, reason = "counts of pixels are far below 2^52")]

use crate::harness::clip::Region;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::{path::Path, process::Command};

/// What `ffprobe` finds in a file or playlist.
#[derive(Debug, PartialEq)]
pub struct Probe {
    /// Frames of the video, by decoding all of them.
    pub frames: u64,
    /// Between the first picture and the end of the last, seconds.
    pub video_s: f64,
    /// The codec of the sound, if there is any.
    pub audio: Option<String>,
    /// Packets of the sound.
    pub audio_packets: u64,
}

#[derive(Deserialize)]
struct Report {
    streams: Vec<StreamReport>,
    #[serde(default)]
    frames: Vec<FrameReport>,
}

#[derive(Deserialize)]
struct StreamReport {
    codec_type: String,
    codec_name: String,
    nb_read_packets: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct FrameReport {
    best_effort_timestamp_time: String,
}

/// Time and digest of every frame, decoded, and of every audio packet, undecoded.
pub fn digests(file: &Path) -> Result<String> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-copyts", "-i"])
        .arg(file)
        .args(["-map", "0:v", "-map", "0:a", "-c:a", "copy", "-vsync", "passthrough", "-f", "framemd5", "-"])
        .output()
        .context("ffmpeg")?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && complaints.is_empty(), "{} does not decode: {complaints}", file.display());
    Ok(String::from_utf8(output.stdout)?)
}

/// Width and height of an image.
pub fn size(image: &Path) -> Result<(u32, u32)> {
    let report: Report = ffprobe(image, &["-count_packets", "-show_streams"])?;
    let stream = report.streams.first().context("no picture")?;
    Ok((stream.width.context("no width")?, stream.height.context("no height")?))
}

/// Decodes a file and counts. `rate` is its frames a second, for the length of the last frame.
pub fn probe(file: &Path, rate: u32) -> Result<Probe> {
    let streams: Report = ffprobe(file, &["-count_packets", "-show_streams"])?;
    let frames: Report = ffprobe(
        file,
        &[
            "-select_streams",
            "v:0",
            "-show_frames",
            "-show_entries",
            "frame=best_effort_timestamp_time",
            "-show_streams",
            "-count_packets",
        ],
    )?;
    let times =
        frames.frames.iter().map(|frame| frame.best_effort_timestamp_time.parse()).collect::<Result<Vec<f64>, _>>()?;
    let (first, last) = (times.first().context("no picture")?, times.last().context("no picture")?);
    ensure!(times.is_sorted(), "pictures go back in time in {}", file.display());
    let audio = streams.streams.iter().find(|stream| stream.codec_type == "audio");
    Ok(Probe {
        frames: times.len() as u64,
        video_s: last - first + 1.0 / f64::from(rate),
        audio: audio.map(|stream| stream.codec_name.clone()),
        audio_packets: audio.map_or(Ok(0), |stream| stream.nb_read_packets.parse())?,
    })
}

fn ffprobe(file: &Path, arguments: &[&str]) -> Result<Report> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(arguments)
        .arg(file)
        .output()
        .context("ffprobe")?;
    ensure!(output.status.success(), "ffprobe: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("ffprobe's report")
}

/// All frames of a file, brightness only, 8 bits a pixel.
pub struct Frames {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Frames {
    /// Decodes a file whose size is known.
    pub fn decode(file: &Path, width: usize, height: usize) -> Result<Self> {
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(file)
            .args(["-map", "0:v", "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
            .output()
            .context("ffmpeg")?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && complaints.is_empty(), "{} does not decode: {complaints}", file.display());
        ensure!(output.stdout.len().is_multiple_of(width * height), "{} has another size", file.display());
        Ok(Self { width, height, bytes: output.stdout })
    }

    /// One frame of a file or an image, by its number, through filters of ffmpeg, at a size.
    pub fn one(file: &Path, number: u32, filters: &str, width: usize, height: usize) -> Result<Self> {
        let filters = format!("select=eq(n\\,{number}),{filters},scale={width}:{height}");
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(file)
            .args(["-vf", &filters, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
            .output()
            .context("ffmpeg")?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && complaints.is_empty(), "{} does not decode: {complaints}", file.display());
        ensure!(output.stdout.len() == width * height, "{} has no frame {number}", file.display());
        Ok(Self { width, height, bytes: output.stdout })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.bytes.len() / (self.width * self.height)
    }

    /// One part of one frame, as floating-point brightness, row by row.
    fn crop(&self, frame: usize, region: Region) -> Vec<f64> {
        let start = frame * self.width * self.height;
        (region.y..region.y + region.height)
            .flat_map(|y| &self.bytes[start + y * self.width + region.x..][..region.width])
            .map(|&pixel| f64::from(pixel))
            .collect()
    }
}

/// Peak signal-to-noise ratio of one region over all frames, in decibels; infinite where nothing changed.
pub fn psnr_db(original: &Frames, other: &Frames, region: Region) -> f64 {
    let frames = original.count().min(other.count());
    let mut squares = 0.0;
    for frame in 0..frames {
        let pixels = original.crop(frame, region).into_iter().zip(other.crop(frame, region));
        squares += pixels.map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    }
    let mean = squares / (frames * region.width * region.height) as f64;
    10.0 * (255.0_f64.powi(2) / mean).log10()
}

/// What is left of the fine structure of a region: of both pictures less their own blur (radius: an eighth of the
/// region).
#[derive(Clone, Copy, Debug)]
pub struct Likeness {
    /// Of both fine structures, −1 to 1.
    correlation: f64,
    /// Of the other's fine structure, as a share of the original's.
    energy: f64,
}

impl Likeness {
    /// Whether a face could be known again: what is there is alike, and there is enough of it. An encoder alone
    /// leaves 0.9 and more of both.
    pub fn is_recognisable(self) -> bool {
        self.correlation > 0.5 && self.energy > 0.3
    }
}

/// Compares one region of one frame.
pub fn likeness(original: &Frames, other: &Frames, frame: usize, region: Region) -> Likeness {
    let fine = |frames: &Frames| {
        let crop = frames.crop(frame, region);
        let blurred = box_blur(&crop, region.width, region.height, region.width / 8);
        let fine: Vec<f64> = crop.iter().zip(blurred).map(|(sharp, soft)| sharp - soft).collect();
        let mean = fine.iter().sum::<f64>() / fine.len() as f64;
        fine.into_iter().map(|pixel| pixel - mean).collect::<Vec<f64>>()
    };
    let (fine, left) = (fine(original), fine(other));
    let norm = |values: &[f64]| values.iter().map(|value| value.powi(2)).sum::<f64>().sqrt();
    let both: f64 = fine.iter().zip(&left).map(|(a, b)| a * b).sum();
    // A region without any structure has no likeness; the least of a denominator keeps it from being none.
    let (norm, left) = (norm(&fine).max(1e-6), norm(&left).max(1e-6));
    Likeness { correlation: both / (norm * left), energy: left / norm }
}

/// The mean of a square around each pixel, cut at the edges: along the rows, then along the columns.
fn box_blur(pixels: &[f64], width: usize, height: usize, radius: usize) -> Vec<f64> {
    let along = |pixels: &[f64], at: usize, step: usize, place: usize, length: usize| {
        let near = place.saturating_sub(radius)..(place + radius + 1).min(length);
        let first = at - place * step;
        near.clone().map(|other| pixels[first + other * step]).sum::<f64>() / near.len() as f64
    };
    let rows: Vec<f64> = (0..pixels.len()).map(|at| along(pixels, at, 1, at % width, width)).collect();
    (0..pixels.len()).map(|at| along(&rows, at, width, at / width, height)).collect()
}

#[test]
fn a_picture_resembles_itself_and_not_its_blur() -> Result<()> {
    use crate::harness::{clip::Clip, scratch};
    let clip = Clip::with_a_face(2);
    let original = clip.render()?;
    let blurred = scratch().join("all-blurred.mp4");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&original)
        .args(["-vf", "gblur=sigma=14", "-c:v", "libx264", "-preset", "veryfast", "-crf", "16"])
        .arg(&blurred)
        .status()?;
    ensure!(status.success());
    let original = Frames::decode(&original, clip.width(), clip.height())?;
    let blurred = Frames::decode(&blurred, clip.width(), clip.height())?;
    ensure!(original.count() == blurred.count() && original.count() == clip.frames() as usize);
    ensure!(psnr_db(&original, &original, Clip::far_from_faces()).is_infinite());
    for frame in 0..original.count() {
        let face = Clip::face(u32::try_from(frame)?);
        ensure!(likeness(&original, &original, frame, face).is_recognisable());
        let left = likeness(&original, &blurred, frame, face);
        ensure!(!left.is_recognisable(), "frame {frame}: {left:?}");
    }
    Ok(())
}

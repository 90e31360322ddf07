//! Every setting and bound of the engine, once; they go into the receipt.

use serde::{Deserialize, Serialize};

/// Settings of an [`Engine`](crate::Engine). The defaults are what the project's measurements were made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Longest side, in pixels, of the reduced picture that faces are looked for in.
    pub analysis_side: u32,
    /// The detector runs on every so many frames.
    pub detect_every: u32,
    /// The same within the neighbouring segments, which are context only.
    pub detect_every_context: u32,
    /// How much of each neighbouring segment is examined, in milliseconds.
    pub context_ms: u32,
    /// Score from which a detection starts a track.
    pub start_score: f32,
    /// Score from which a detection continues a track.
    pub continue_score: f32,
    /// How detections become tracks.
    pub linking: Linking,
    /// Width and height of the blurred ellipse over those of the face's box.
    pub grow: f32,
    /// Blocks across a face. What is finer than a block is gone for good; at 6 and more, faces begin to be known again.
    pub blocks: u32,
    /// x264's constant rate factor.
    pub crf: u8,
    /// x264's preset.
    pub preset: String,
    /// Threads that one input may use for decoding, detecting and encoding. OpenCV has one such number for the whole
    /// process: that of the engine made last.
    pub threads: u32,
    /// Longest segment accepted, in frames.
    pub segment_frames: u64,
}

/// How detections are linked over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Linking {
    /// How long a face may stay undetected within its track, in milliseconds.
    pub bridge_ms: u32,
    /// How long a face is followed before its first and after its last detection, in milliseconds, while the picture
    /// still resembles it.
    pub extend_ms: u32,
    /// How long it stays covered there when the picture no longer resembles it, in milliseconds.
    pub hold_ms: u32,
    /// Likeness (normalised correlation, -1 to 1) below which following has lost a face.
    pub likeness: f32,
    /// A track needs one detection of this score, or two from `start_score` on.
    pub sure_score: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            analysis_side: 640,
            detect_every: 5,
            detect_every_context: 10,
            context_ms: 1_000,
            start_score: 0.35,
            continue_score: 0.15,
            linking: Linking::default(),
            grow: 1.34,
            blocks: 4,
            crf: 18,
            preset: "veryfast".to_owned(),
            threads: 1,
            segment_frames: 7_200,
        }
    }
}

impl Default for Linking {
    fn default() -> Self {
        Self { bridge_ms: 1_000, extend_ms: 700, hold_ms: 200, likeness: 0.5, sure_score: 0.6 }
    }
}

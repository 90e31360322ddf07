//! What the engine says about its work: numbers only, never a picture, a crop or a measure of a face, so that a receipt
//! can be published beside the replay.

use serde::{Deserialize, Serialize};

/// What was done to one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Frames decoded and examined.
    pub frames: u64,
    /// Frames on which the detector ran; the others were followed from these.
    pub frames_detected: u64,
    /// Faces the detector found and a track took up.
    pub detections: u64,
    /// Faces followed through time.
    pub face_tracks: u64,
    /// Face-frames covered by following, not by a detection on that frame.
    pub frames_filled: u64,
    /// Face-frames blurred.
    pub faces_blurred: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The part of `seconds` that looking for faces took.
    pub examine_seconds: f64,
    /// The part of `seconds` that blurring and encoding took.
    pub rewrite_seconds: f64,
    /// The face model.
    pub model: Model,
    /// The settings it ran with.
    pub settings: crate::Options,
    /// Version of this crate.
    pub version: String,
}

/// Which face model looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its name: `CenterFace`, or the file's name when it is none that is known.
    pub name: String,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Frames done in this stage.
    pub frames_done: u64,
    /// Frames there are in all; unknown while examining a container that does not say.
    pub frames_total: Option<u64>,
}

/// The two passes over an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Faces are looked for and followed.
    Examining,
    /// Faces are blurred and the picture encoded; skipped when there are none.
    Blurring,
}

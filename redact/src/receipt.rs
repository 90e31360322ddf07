//! What the engine says about its work: numbers only, never a picture, a crop or a measure of a face, so that a receipt
//! can be published beside the replay.

use serde::{Deserialize, Serialize};

/// What was done to one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Frames decoded and examined.
    pub frames: u64,
    /// Frames on which the detector looked, those of neighbouring segments included, now or when it was a neighbour;
    /// faces were followed through the others.
    pub frames_detected: u64,
    /// How often it looked at a whole picture.
    pub looks: u64,
    /// How often it looked at a whole picture turned on its side or upside down.
    pub turned_looks: u64,
    /// The most consecutive frames on which something that had come into view was shown before the detector looked
    /// there; 0 when it looked at everything on the very frame on which it came up.
    pub longest_unseen_frames: u64,
    /// How often it looked at what had changed and at faces in doubt.
    pub glances: u64,
    /// Faces the detector found and a track took up.
    pub detections: u64,
    /// Faces followed through time.
    pub face_tracks: u64,
    /// Face-frames covered by following, not by a detection on that frame.
    pub frames_filled: u64,
    /// Face-frames blurred.
    pub faces_blurred: u64,
    /// Frames whose packets were copied, without metadata, since nothing near them was to be blurred.
    pub frames_copied: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// How long looking for faces took.
    pub examine_seconds: f64,
    /// How long blurring and encoding took; with two and more threads it runs beside the looking.
    pub rewrite_seconds: f64,
    /// The face model.
    pub model: Model,
    /// The settings it ran with.
    pub settings: crate::Options,
    /// Version of this crate.
    pub version: String,
    /// Versions of what decoded, looked and encoded.
    pub libraries: Libraries,
}

/// Versions of the libraries that were used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Libraries {
    /// libavcodec, which decodes and encodes.
    pub avcodec: String,
    /// OpenCV, which runs the face model.
    pub opencv: String,
}

impl Libraries {
    /// Those that this program is linked with.
    pub(crate) fn linked() -> Self {
        let opencv = opencv::core::get_version_string().unwrap_or_else(|_| "unknown".to_owned());
        Self { avcodec: media::avcodec_version(), opencv }
    }
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
    /// Faces are blurred and the frames encoded; skipped when there are none.
    Blurring,
}

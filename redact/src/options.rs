//! Every setting and bound of the engine, once; they go into the receipt.

use serde::{Deserialize, Serialize};

/// Settings of an [`Engine`](crate::Engine). The defaults are what the project's measurements were made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// How faces are looked for.
    pub looking: Looking,
    /// How detections become tracks.
    pub linking: Linking,
    /// What becomes of a face.
    pub strength: Strength,
    /// Width and height of the blurred ellipse over those of the face's box.
    pub grow: f32,
    /// Blocks across a face. What is finer than a block is gone for good; at 6 and more, faces begin to be known again.
    pub blocks: u32,
    /// Whether the sound is left out of a file.
    pub mute: bool,
    /// Whether closed captions in the frames are kept: text that somebody wrote.
    pub captions: bool,
    /// x264's constant rate factor.
    pub crf: u8,
    /// x264's preset.
    pub preset: String,
    /// Where the face model runs.
    pub backend: Backend,
    /// Threads that one input may use. With 2 and more, decoding, looking and encoding overlap. OpenCV has one such
    /// number for the whole process: that of the engine made last.
    pub threads: u32,
    /// Longest segment accepted, in frames.
    pub segment_frames: u64,
    /// How long one segment may take, in milliseconds; 0 for no limit.
    pub segment_ms: u64,
}

/// Where and how often faces are looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looking {
    /// Longest side, in pixels, of the reduced picture that faces are looked for in.
    pub analysis_side: u32,
    /// Longest side, in pixels, of the picture that small and doubtful faces are looked at in.
    pub detail_side: u32,
    /// How far apart looks at the whole picture are while much of it changes and faces are at all heights, in
    /// milliseconds.
    pub look_ms: u32,
    /// The same while faces are at one height, whose rows are looked at by themselves.
    pub wide_ms: u32,
    /// The same while there are none.
    pub calm_ms: u32,
    /// The same while all that changes can be looked at by itself.
    pub rest_ms: u32,
    /// How far apart looks at the rows with faces are, in milliseconds.
    pub rows_ms: u32,
    /// How far apart looks at what has changed, and at faces in doubt, are in milliseconds.
    pub glance_ms: u32,
    /// How far apart looks at the picture turned by a quarter, either way, are in milliseconds: the detector finds upright
    /// faces only. Where nothing has changed none is taken.
    pub turned_ms: u32,
    /// The same for the picture turned by half.
    pub upside_down_ms: u32,
    /// How much of each neighbouring segment is examined, in milliseconds.
    pub context_ms: u32,
    /// Smallest face that is blurred, in pixels of the video; 0 for all that are found.
    pub min_face: u32,
    /// Score from which a detection starts a track.
    pub start_score: f32,
    /// Score from which a detection continues a track.
    pub continue_score: f32,
    /// Score from which something is looked at again in detail.
    pub doubt_score: f32,
}

/// How detections are linked over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Linking {
    /// How long a face may stay undetected within its track, in milliseconds.
    pub bridge_ms: u32,
    /// How long a face is followed before its first detection, in milliseconds, while the picture still resembles it.
    pub before_ms: u32,
    /// The same after its last detection.
    pub after_ms: u32,
    /// How long it stays covered there when the picture no longer resembles it, in milliseconds.
    pub hold_ms: u32,
    /// The same near the frame's edge while the camera moves.
    pub hold_edge_ms: u32,
    /// How far back a detection may still change what is blurred, in milliseconds: by so much blurring lags behind
    /// looking.
    pub horizon_ms: u32,
    /// Likeness (normalised correlation, -1 to 1) below which following has lost a face.
    pub likeness: f32,
    /// A track needs one detection of this score, or two from `start_score` on.
    pub sure_score: f32,
}

/// What becomes of a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// A few blocks across the face, drawn as a smooth surface.
    #[default]
    Pixelate,
    /// Weighted means of the surroundings: softer to look at.
    Gaussian,
    /// One colour: nothing of the face at all.
    Solid,
}

/// What runs the face model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Our own code, where the model is CenterFace and the processor has AVX2 and FMA; elsewhere as [`Backend::Cpu`].
    #[default]
    Native,
    /// OpenCV's own code on the processor.
    Cpu,
    /// OpenCV's own code on the graphics card, by OpenCL.
    OpenCl,
    /// NVIDIA's CUDA.
    Cuda,
    /// NVIDIA's CUDA with half the precision.
    CudaFp16,
    /// Intel's OpenVINO on the processor.
    OpenVino,
    /// Vulkan.
    Vulkan,
}

/// Sensitivities, from "only what is surely a face" to "all that might be one".
const SENSITIVITY: std::ops::RangeInclusive<f32> = 0.0..=1.0;

/// By how much the scores rise or fall from the default to either end, over the half of the way.
const STRICTER: f32 = 1.4;
const LOOSER: f32 = 0.86;

impl Looking {
    /// Sets the scores that `sensitivity` stands for: 0 takes only what is surely a face, 1 all that might be one, 0.5
    /// is the default.
    #[must_use]
    pub fn with_sensitivity(self, sensitivity: f32) -> Self {
        let sensitivity = sensitivity.clamp(*SENSITIVITY.start(), *SENSITIVITY.end());
        let away = 0.5 - sensitivity;
        let scale = 1.0 + away * if away > 0.0 { STRICTER } else { LOOSER };
        Self {
            start_score: self.start_score * scale,
            continue_score: self.continue_score * scale,
            doubt_score: self.doubt_score * scale,
            ..self
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            looking: Looking::default(),
            linking: Linking::default(),
            strength: Strength::default(),
            grow: 1.34,
            blocks: 4,
            mute: false,
            captions: false,
            crf: 18,
            preset: "veryfast".to_owned(),
            backend: Backend::default(),
            threads: 1,
            segment_frames: 7_200,
            segment_ms: 300_000,
        }
    }
}

impl Default for Looking {
    fn default() -> Self {
        Self {
            analysis_side: 640,
            detail_side: 1_280,
            look_ms: 160,
            wide_ms: 400,
            calm_ms: 480,
            rest_ms: 2_000,
            rows_ms: 120,
            glance_ms: 160,
            turned_ms: 500,
            upside_down_ms: 1_000,
            context_ms: 1_000,
            min_face: 0,
            start_score: 0.3,
            continue_score: 0.15,
            doubt_score: 0.08,
        }
    }
}

impl Default for Linking {
    fn default() -> Self {
        Self {
            bridge_ms: 1_000,
            before_ms: 1_000,
            after_ms: 500,
            hold_ms: 120,
            hold_edge_ms: 300,
            horizon_ms: 2_000,
            likeness: 0.5,
            sure_score: 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_sensitivity_is_the_default_and_more_of_it_takes_more_for_faces() {
        let scores = |sensitivity| {
            let looking = Looking::default().with_sensitivity(sensitivity);
            (looking.start_score, looking.continue_score)
        };
        assert_eq!(Looking::default().with_sensitivity(0.5), Looking::default());
        assert!(scores(0.0).0 > scores(0.5).0 && scores(0.5).0 > scores(1.0).0 && scores(1.0).1 > 0.05);
    }
}

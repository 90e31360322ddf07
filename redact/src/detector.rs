//! What looks for faces: a colour picture in, scored boxes out, whatever the network behind it.

use crate::{Error, geometry::Region};

/// Boxes that share more of their area than this are the same face.
const SAME_FACE: f32 = 0.3;
/// Most faces taken from one picture, the best first.
const MAX_FACES: usize = 400;

/// A face found on one picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detection {
    /// Where, in pixels of the picture that was looked at.
    pub region: Region,
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// Whether it may go on beyond the part of the picture that was looked at; its box is then not to be trusted.
    pub is_cut: bool,
}

/// Red, green and blue, 0 to 255, plane after plane. Sides are multiples of [`GRID`].
pub(crate) struct Rgb {
    /// Pixels across.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The samples, `3 * width * height`.
    pub data: Vec<f32>,
}

/// Sides of pictures for detectors are multiples of this many pixels.
pub(crate) const GRID: usize = 32;

/// A network that finds faces; one per thread that uses it.
pub(crate) trait Detector: Send {
    /// The faces on `picture` with at least `least` as score, at most [`MAX_FACES`], each once.
    fn detect(&mut self, picture: &Rgb, least: f32) -> Result<Vec<Detection>, Error>;
}

/// Keeps the best of boxes that overlap, best first.
pub(crate) fn suppress(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for detection in found {
        if kept.len() == MAX_FACES {
            break;
        }
        if kept.iter().all(|other| other.region.overlap(detection.region) <= SAME_FACE) {
            kept.push(detection);
        }
    }
    kept
}

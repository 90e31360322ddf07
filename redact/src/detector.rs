//! What looks for faces: a colour picture in, scored boxes out, whatever the network behind it.

use crate::{Error, geometry::Region};
use media::Rotation;

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
    /// What the picture was turned by when it was found: that brings the face upright.
    pub turn: Rotation,
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

impl Rgb {
    /// This picture turned by `turn`.
    pub fn turned(self, turn: Rotation) -> Self {
        if turn == Rotation::None {
            return self;
        }
        let Self { width, height, data } = self;
        let (across, down) = if turn.swaps_sides() { (height, width) } else { (width, height) };
        let mut turned = Vec::with_capacity(data.len());
        for plane in data.chunks_exact(width * height) {
            for y in 0..down {
                turned.extend((0..across).map(|x| match turn {
                    Rotation::None => plane[y * width + x],
                    Rotation::Quarter => plane[(height - 1 - x) * width + y],
                    Rotation::Half => plane[(height - 1 - y) * width + width - 1 - x],
                    Rotation::ThreeQuarters => plane[x * width + width - 1 - y],
                }));
            }
        }
        Self { width: across, height: down, data: turned }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_turned_clockwise_plane_by_plane() {
        let picture = || Rgb { width: 3, height: 2, data: (0..18).map(|at| at as f32).collect() };
        let turned = picture().turned(Rotation::Quarter);
        assert_eq!((turned.width, turned.height), (2, 3));
        assert_eq!(turned.data[..8], [3.0, 0.0, 4.0, 1.0, 5.0, 2.0, 9.0, 6.0]);
        for turn in Rotation::ALL {
            assert_eq!(picture().turned(turn).turned(turn.inverse()).data, picture().data, "{turn:?}");
        }
    }
}

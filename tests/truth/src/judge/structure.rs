//! What is left of a face: how far its fine structure, from which it is known again, is still there. What hides a face
//! is never counted as a part of it, since it may stay as it is.

use crate::{
    face::Bounds,
    plane::Plane,
    shot::{Shot, TrueFace},
};

/// Correlation of its fine structure from which a face is known again.
const KNOWN_AGAIN: f32 = 0.5;
/// Strength of what is left over that of what was there, from which it is seen at all.
const STRONG: f32 = 0.3;
/// Correlation and strength from which something is left at all. A detector alone is no witness: hair, collar and an oval
/// where the face was, however well that is blurred, are a face to it with a score of up to 0.7; of the structure there
/// remained up to 0.13 of the strength then, with a correlation of up to 0.23.
const NOTICED: f32 = 0.2;
const FAINT: f32 = 0.15;
/// Fine is what a Gaussian takes away whose sigma is this share of the face's shorter side.
const FINENESS: f32 = 1.0 / 8.0;
/// Share of a face's box that is looked at, about its middle: its rim is hair and street.
const CORE: f32 = 0.8;
/// A face of which less can be seen is none; nor is one of fewer pixels.
const VISIBLE: f32 = 0.25;
const FEWEST_PIXELS: usize = 25;

/// How far a face's fine structure is still there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// Its correlation with what was there, from -1 to 1.
    pub correlation: f32,
    /// Its strength over that of what was there.
    pub strength: f32,
}

impl Left {
    pub fn is_known_again(self) -> bool {
        self.strength > STRONG && self.correlation > KNOWN_AGAIN
    }

    /// Whether enough is left for a detector to be believed.
    pub fn is_noticed(self) -> bool {
        self.strength >= FAINT && self.correlation >= NOTICED
    }
}

/// The pixels of a rectangle that are in the frame.
pub(super) struct Area {
    pub left: usize,
    pub right: usize,
    pub rows: std::ops::Range<usize>,
}

impl Area {
    pub fn within(plane: &Plane, bounds: Bounds) -> Self {
        let clip = |at: f32, length: usize| (at.max(0.0) as usize).min(length);
        let (left, right) = (clip(bounds.left, plane.width), clip(bounds.right, plane.width));
        Self { left, right, rows: clip(bounds.top, plane.height)..clip(bounds.bottom, plane.height) }
    }
}

/// How much of a face's fine structure is left; `None` when the face cannot be seen in the first place.
pub(super) fn left(shot: &Shot, index: usize, face: TrueFace, before: &Plane, after: &Plane) -> Option<Left> {
    if face.visible <= VISIBLE {
        return None;
    }
    let sigma = (face.bounds.side() * FINENESS).max(1.0);
    let margin = 3.0 * sigma;
    let Bounds { left, top, right, bottom } = face.bounds;
    let around = Bounds { left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin };
    let area = Area::within(before, around);
    let (width, height) = (area.right - area.left, area.rows.len());
    let middle = |column: usize, row: usize| ((area.left + column) as f32 + 0.5, (area.rows.start + row) as f32 + 0.5);
    // What is before the face is neither its structure nor what it is compared with.
    let screen = shot.before(index);
    let open = Plane::new(width, height, |column, row| {
        let (x, y) = middle(column, row);
        if screen.hides(x, y) { 0.0 } else { 1.0 }
    });
    let core = face.bounds.grown(CORE);
    let looked_at: Vec<usize> = (0..width * height)
        .filter(|at| {
            let (x, y) = middle(at % width, at / width);
            open.values[*at] > 0.0 && core.holds(x, y)
        })
        .collect();
    if looked_at.len() < FEWEST_PIXELS {
        return None;
    }
    let near = open.smooth(sigma);
    let fine = |plane: &Plane| fine(plane, &area, &open, &near, sigma, &looked_at);
    let (a, b) = (fine(before), fine(after));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (power_a, power_b) = (dot(&a, &a).sqrt(), dot(&b, &b).sqrt());
    let correlation = dot(&a, &b) / (power_a * power_b).max(f32::EPSILON);
    Some(Left { correlation, strength: power_b / power_a.max(f32::EPSILON) })
}

/// What is finer than `sigma` in `area` at the places looked at, its mean taken away; where it is not `open`, nothing
/// is known of the picture.
fn fine(plane: &Plane, area: &Area, open: &Plane, near: &Plane, sigma: f32, looked_at: &[usize]) -> Vec<f32> {
    let get = |column: usize, row: usize| plane.values[(area.rows.start + row) * plane.width + area.left + column];
    let shown = Plane::new(open.width, open.height, |x, y| get(x, y) * open.values[y * open.width + x]);
    let coarse = shown.smooth(sigma);
    let values: Vec<f32> =
        looked_at.iter().map(|at| shown.values[*at] - coarse.values[*at] / near.values[*at]).collect();
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.into_iter().map(|value| value - mean).collect()
}

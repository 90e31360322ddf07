//! Faces that leave a shaken, dim picture over its edges: covered until they are gone.

use super::small;
use crate::{clip::Clip, face::Face, shot::Shot};

const WIDTH: f32 = 70.0;

/// A face whose place in the street is `place`, as a hand-held camera sees it at dusk.
fn shaken(scene: u32, place: impl Fn(f32) -> (f32, f32)) -> Clip {
    small(50, |at| {
        let shift = (18.0 * (at * 1.7).sin(), 12.0 * (at * 2.3).cos());
        let (x, y) = place(at);
        let faces = vec![Face::at(x + shift.0, y + shift.1, WIDTH)];
        Shot { scene, shift, faces, gain: 0.35, noise: 4.0, ..Shot::default() }
    })
}

/// How far a face has gone that stands still for a while and then leaves.
fn gone(at: f32) -> f32 {
    6.0 * (at - 14.0).max(0.0)
}

pub fn left() -> Clip {
    shaken(81, |at| (110.0 - gone(at), 180.0))
}

pub fn right() -> Clip {
    shaken(82, |at| (530.0 + gone(at), 170.0))
}

pub fn upper() -> Clip {
    shaken(83, |at| (330.0, 110.0 - gone(at)))
}

pub fn lower() -> Clip {
    shaken(84, |at| (300.0, 250.0 + gone(at)))
}

/// Somebody who runs out of the picture while the camera is shaken harder, its two ways beginning at `phases`.
fn hurrying(scene: u32, phases: (f32, f32), gain: f32, face: impl Fn(f32) -> Face) -> Clip {
    small(40, |at| {
        let shift = (22.0 * (at * 1.7 + phases.0).sin(), 16.0 * (at * 2.3 + phases.1).cos());
        let face = face(9.0 * (at - 10.0).max(0.0));
        let faces = vec![Face { x: face.x + shift.0, y: face.y + shift.1, ..face }];
        Shot { scene, shift, faces, gain, noise: 4.0, ..Shot::default() }
    })
}

pub fn right_in_a_hurry() -> Clip {
    hurrying(86, (50.0, 9.0), 0.35, |far| Face::at(530.0 + far, 170.0, 50.0))
}

pub fn upper_in_a_hurry() -> Clip {
    hurrying(87, (95.0, 9.0), 0.25, |far| Face::at(330.0, 110.0 - far, 95.0))
}

/// Half of it stays beyond the edge for ten frames, as far as the shaking lets it.
pub fn half_out() -> Clip {
    shaken(85, |at| {
        let away = ((at - 24.5).abs() - 5.0).max(0.0);
        (640.0 - (7.0 * away).min(120.0), 170.0)
    })
}

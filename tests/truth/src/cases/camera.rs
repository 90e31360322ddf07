//! What the camera and the light do to a face: movement of either, zoom, shaking, darkness.

use super::{large, small};
use crate::{clip::Clip, face::Face, shot::Shot};

pub fn walk() -> Clip {
    large(40, |at| Shot { scene: 1, faces: vec![Face::at(380.0 + 7.0 * at, 330.0, 64.0)], ..Shot::default() })
}

pub fn pan() -> Clip {
    small(50, |at| {
        let shift = (-9.0 * at, 6.0 * (at * 0.11).sin());
        let faces = vec![Face::at(520.0 + shift.0, 190.0 + shift.1, 46.0)];
        Shot { scene: 2, shift, faces, ..Shot::default() }
    })
}

pub fn zoom() -> Clip {
    small(50, |at| {
        let zoom = 1.035_f32.powf(at);
        // The face is a little beside the middle, from which everything flies away.
        let faces = vec![Face::at(320.0 - 14.0 * zoom, 180.0 - 6.0 * zoom, 26.0 * zoom)];
        Shot { scene: 3, zoom, faces, ..Shot::default() }
    })
}

pub fn approach() -> Clip {
    small(42, |at| Shot { scene: 4, faces: vec![Face::at(320.0, 180.0, 24.0 * 1.05_f32.powf(at))], ..Shot::default() })
}

pub fn shake() -> Clip {
    small(50, |at| {
        let shift = (18.0 * (at * 1.7).sin(), 12.0 * (at * 2.3).cos());
        let faces = vec![Face::at(300.0 + shift.0, 180.0 + shift.1, 44.0)];
        Shot { scene: 5, shift, faces, ..Shot::default() }
    })
}

pub fn upright() -> Clip {
    Clip::of(360, 640, 30, |at| Shot {
        scene: 6,
        faces: vec![Face::at(150.0 + 2.0 * at, 250.0, 60.0)],
        ..Shot::default()
    })
}

pub fn dark() -> Clip {
    small(40, |at| Shot {
        scene: 7,
        faces: vec![Face::at(180.0 + 3.0 * at, 170.0, 54.0), Face::at(470.0 - at, 200.0, 70.0)],
        gain: 0.25,
        noise: 3.5,
        ..Shot::default()
    })
}

pub fn run() -> Clip {
    small(27, |at| Shot { scene: 8, faces: vec![Face::at(30.0 + 22.0 * at, 180.0, 48.0)], ..Shot::default() })
}

/// The shutter is open for half of the time.
pub fn smear() -> Clip {
    small(40, |at| {
        let (way, speed) = (300.0 - 200.0 * (at * 0.125).cos(), 200.0 * 0.125 * (at * 0.125).sin());
        let face = Face { smear: (speed * 0.5, 0.0), ..Face::at(way, 175.0, 72.0) };
        Shot { scene: 9, faces: vec![face], ..Shot::default() }
    })
}

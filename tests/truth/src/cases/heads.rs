//! Heads that do not look straight into the camera.

use super::small;
use crate::{clip::Clip, face::Face, shot::Shot};

pub fn lean() -> Clip {
    small(50, |at| {
        let face = Face { tilt: 0.75 * (at * 0.13).sin(), ..Face::at(280.0 + at, 160.0, 58.0) };
        Shot { scene: 11, faces: vec![face], ..Shot::default() }
    })
}

/// As somebody does who lies down and gets up again.
pub fn roll() -> Clip {
    small(60, |at| {
        let far = ((1.0 - (at * 0.105).cos()) / 2.0).clamp(0.0, 1.0);
        let face = Face { tilt: 1.5 * far, ..Face::at(330.0, 150.0 + 40.0 * far, 60.0) };
        Shot { scene: 10, faces: vec![face], ..Shot::default() }
    })
}

pub fn turn() -> Clip {
    small(50, |at| {
        // From the front to about 0.45 of the width and back, chin and brow apart.
        let away = (1.0 - (at * 0.126).cos()) / 2.0;
        let face = Face { turn: 1.0 - 0.55 * away, shear: 0.22 * away, ..Face::at(260.0 + 2.0 * at, 170.0, 84.0) };
        Shot { scene: 12, faces: vec![face], ..Shot::default() }
    })
}

pub fn bare() -> Clip {
    small(30, |at| {
        let faces = [Face::at(200.0 + 3.0 * at, 160.0, 56.0), Face::at(500.0 - at, 220.0, 34.0)];
        Shot { scene: 13, faces: faces.map(|face| Face { bare: true, ..face }).to_vec(), ..Shot::default() }
    })
}

//! Cuts from one scene to the next: a face is there at once, wherever the detector was about to look.

use super::small;
use crate::{clip::Clip, face::Face, shot::Shot};

pub fn from_a_cut_on() -> Clip {
    small(50, |at| match at as u32 {
        0..17 => Shot { scene: 31, ..Shot::default() },
        17..33 => Shot { scene: 32, faces: vec![Face::at(180.0 + 2.0 * at, 150.0, 56.0)], ..Shot::default() },
        _ => Shot { scene: 33, faces: vec![Face::at(480.0 - 2.0 * at, 190.0, 40.0)], ..Shot::default() },
    })
}

pub fn between_two_cuts() -> Clip {
    small(50, |at| match at as u32 {
        11..14 => Shot { scene: 34, faces: vec![Face::at(420.0, 150.0, 50.0)], ..Shot::default() },
        26..29 => Shot { scene: 35, faces: vec![Face::at(150.0, 190.0, 72.0)], ..Shot::default() },
        38..41 => Shot { scene: 36, faces: vec![Face::at(330.0, 170.0, 36.0)], ..Shot::default() },
        frame => Shot { scene: 37 + frame / 14, ..Shot::default() },
    })
}

/// The same street on both sides of the cut, so that only the faces tell.
pub fn elsewhere() -> Clip {
    small(44, |at| {
        let faces = match at as u32 {
            0..13 => [Face::at(150.0 + at, 170.0, 46.0), Face::at(420.0, 150.0, 60.0)],
            13..29 => [Face::at(520.0 - at, 180.0, 52.0), Face::at(260.0, 160.0, 40.0)],
            _ => [Face::at(90.0 + at, 150.0, 58.0), Face::at(380.0, 200.0, 44.0)],
        };
        Shot { scene: 41, faces: faces.to_vec(), ..Shot::default() }
    })
}

/// A face that fills the frame, then nobody, then somebody elsewhere: nothing of the first is left after its cut.
pub fn away() -> Clip {
    away_at(&Shot::default())
}

/// The same at night, when one street differs little from the next.
pub fn away_in_the_dark() -> Clip {
    away_at(&Shot { gain: 0.3, noise: 3.5, ..Shot::default() })
}

fn away_at(light: &Shot) -> Clip {
    small(48, |at| {
        let (scene, face) = match at as u32 {
            0..17 => (38, Some(Face::at(290.0 + at, 185.0, 250.0))),
            17..31 => (39, None),
            _ => (40, Some(Face::at(540.0 - at, 150.0, 60.0))),
        };
        Shot { scene, faces: face.into_iter().collect(), ..light.clone() }
    })
}

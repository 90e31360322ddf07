//! What comes between a face and the camera: a pillar, other people, the picture's edges.

use super::small;
use crate::{clip::Clip, face::Face, shot::Shot};

pub fn pillar() -> Clip {
    small(60, |at| Shot {
        scene: 14,
        faces: vec![Face::at(180.0 + 4.0 * at, 180.0, 48.0)],
        pillars: vec![(280.0, 340.0)],
        ..Shot::default()
    })
}

/// Somebody runs by a gap, three times: the whole face can be seen on three frames each, parts of it on three more.
pub fn glimpse() -> Clip {
    small(54, |at| {
        let faces = vec![Face::at(180.0 + 20.0 * (at % 18.0), 180.0, 46.0)];
        Shot { scene: 44, faces, pillars: vec![(150.0, 290.0), (396.0, 560.0)], ..Shot::default() }
    })
}

pub fn passer() -> Clip {
    small(50, |at| Shot {
        scene: 15,
        faces: vec![Face::at(330.0 + 0.4 * at, 160.0, 46.0), Face::at(60.0 + 11.0 * at, 130.0, 78.0)],
        ..Shot::default()
    })
}

pub fn crossing() -> Clip {
    small(50, |at| Shot {
        scene: 16,
        faces: vec![Face::at(200.0 + 5.0 * at, 180.0, 50.0), Face::at(440.0 - 5.0 * at, 190.0, 58.0)],
        ..Shot::default()
    })
}

/// A face whose middle goes 130 pixels beyond a place and comes back.
fn over_an_edge(scene: u32, middle: impl Fn(f32) -> (f32, f32)) -> Clip {
    small(50, |at| {
        let (x, y) = middle((at - 25.0).abs() * 6.0);
        Shot { scene, faces: vec![Face::at(x, y, 56.0)], ..Shot::default() }
    })
}

/// A head comes in from the side for six frames and is gone again, three times.
pub fn peep() -> Clip {
    small(54, |at| {
        let far = (at % 17.0 - 8.0).abs();
        Shot { scene: 45, faces: vec![Face::at(655.0 - 15.0 * (5.0 - far), 170.0, 54.0)], ..Shot::default() }
    })
}

pub fn left_edge() -> Clip {
    over_an_edge(17, |far| (75.0 - far, 180.0))
}

pub fn right_edge() -> Clip {
    over_an_edge(18, |far| (565.0 + far, 180.0))
}

pub fn upper_edge() -> Clip {
    over_an_edge(19, |far| (320.0, 75.0 - far))
}

pub fn lower_edge() -> Clip {
    over_an_edge(20, |far| (320.0, 285.0 + far))
}

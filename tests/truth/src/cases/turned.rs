//! Faces that do not stand upright: because the video lies on its side or on its head, because the people do, or because
//! the phone is being turned.

use super::{large, small};
use crate::{clip::Clip, face::Face, orientation::Orientation, shot::Shot};
use std::f32::consts::{FRAC_PI_2, PI};

/// Three people who walk through a street.
fn walkers(scene: u32) -> Clip {
    small(50, |at| {
        let faces = vec![
            Face::at(120.0 + 3.0 * at, 190.0 + 2.0 * (at * 0.5).sin(), 34.0),
            Face::at(560.0 - 4.0 * at, 170.0 + 3.0 * (at * 0.4).sin(), 46.0),
            Face::at(330.0 + 1.5 * at, 150.0 + 3.0 * (at * 0.45).cos(), 62.0),
        ];
        Shot { scene, faces, ..Shot::default() }
    })
}

pub fn on_the_right_side() -> Clip {
    walkers(61).turned(Orientation::turned(1))
}

pub fn on_the_left_side() -> Clip {
    walkers(62).turned(Orientation::turned(3))
}

pub fn on_its_head() -> Clip {
    walkers(63).turned(Orientation::turned(2))
}

/// People who walk far from the camera and nearer to it.
fn far_walkers(scene: u32) -> Clip {
    large(40, |at| {
        let walker = |x: f32, y: f32, width: f32, pace: f32| {
            Face::at(x + pace * at, y + 0.04 * width * (at * 0.5 + x).sin(), width)
        };
        let faces = vec![
            walker(540.0, 400.0, 34.0, 1.2),
            walker(220.0, 390.0, 27.0, -0.8),
            walker(800.0, 360.0, 44.0, -1.5),
            walker(1_090.0, 330.0, 60.0, 1.0),
        ];
        Shot { scene, faces, ..Shot::default() }
    })
}

pub fn far_on_the_left_side() -> Clip {
    far_walkers(68).turned(Orientation::turned(3))
}

pub fn far_on_its_head() -> Clip {
    far_walkers(69).turned(Orientation::turned(2))
}

/// Nothing tells that the video lies on its side until somebody comes in.
pub fn empty_at_first() -> Clip {
    let clip = small(66, |at| {
        let faces = vec![Face::at(-190.0 + 7.0 * at, 165.0 + 2.0 * (at * 0.5).sin(), 52.0)];
        Shot { scene: 64, shift: by_hand(at), faces, ..Shot::default() }
    });
    clip.turned(Orientation::turned(1))
}

/// Two who lie, one to either side, before two who walk by.
pub fn lying() -> Clip {
    small(50, |at| {
        let (x, y) = by_hand(at);
        let lying = |to: f32, left: f32, down: f32| Face { tilt: to * FRAC_PI_2, ..Face::at(left + x, down + y, 44.0) };
        let faces = vec![
            Face::at(140.0 + 4.0 * at + x, 120.0 + y, 42.0),
            Face::at(540.0 - 3.0 * at + x, 110.0 + y, 48.0),
            lying(1.0, 255.0, 285.0),
            lying(-1.0, 400.0, 300.0),
        ];
        Shot { scene: 65, shift: (x, y), faces, ..Shot::default() }
    })
}

/// Four who lie far from the camera, and one who walks there.
pub fn lying_far_away() -> Clip {
    small(40, |at| {
        let (x, y) = by_hand(at);
        let lying = |to: f32, left: f32, down: f32, width: f32| Face {
            tilt: to * FRAC_PI_2,
            ..Face::at(left + x, down + y, width)
        };
        let faces = vec![
            Face::at(330.0 + 1.5 * at + x, 165.0 + y, 36.0),
            lying(1.0, 200.0, 240.0, 27.0),
            lying(-1.0, 450.0, 245.0, 30.0),
            lying(1.0, 175.0, 315.0, 34.0),
            lying(-1.0, 490.0, 322.0, 38.0),
        ];
        Shot { scene: 70, shift: (x, y), faces, ..Shot::default() }
    })
}

/// Three who hang head down far from the camera, and one who stands there.
pub fn hanging_far_away() -> Clip {
    small(40, |at| {
        let hanging = |x: f32, y: f32, width: f32| {
            let swing = 10.0 * (at * 0.16 + x).sin();
            Face { tilt: PI - 0.01 * swing, ..Face::at(x + swing, y, width) }
        };
        let faces = vec![
            Face::at(560.0 - 1.5 * at, 200.0, 40.0),
            hanging(110.0, 150.0, 27.0),
            hanging(240.0, 175.0, 31.0),
            hanging(400.0, 165.0, 36.0),
        ];
        Shot { scene: 77, faces, ..Shot::default() }
    })
}

/// A phone that films on while it hangs from a hand, more than a quarter of a circle askew.
pub fn askew() -> Clip {
    small(40, |at| {
        let faces = vec![
            Face::at(250.0 + 0.8 * at, 110.0, 44.0),
            Face::at(430.0 - 0.7 * at, 150.0, 50.0),
            Face::at(300.0 + 0.4 * at, 225.0, 60.0),
        ];
        let swing = 0.05 * (at * 0.2).sin();
        Shot { scene: 78, faces, ..Shot::default() }.rolled(2.3 + swing, (640, 360))
    })
}

/// One who hangs head down from above, between two who stand.
pub fn hanging() -> Clip {
    small(50, |at| {
        let swing = 26.0 * (at * 0.16).sin();
        let faces = vec![
            Face::at(110.0 + 1.5 * at, 180.0, 44.0),
            Face::at(560.0 - 2.0 * at, 190.0, 52.0),
            Face { tilt: PI - 0.004 * swing, ..Face::at(330.0 + swing, 170.0, 48.0) },
        ];
        Shot { scene: 66, faces, ..Shot::default() }
    })
}

/// Frames on which the phone begins to be turned and on which it lies on its side: within 0.4 seconds.
const TURNING: (f32, f32) = (22.0, 32.0);

/// Two whom the phone saw before it was turned, and one who comes in afterwards.
pub fn phone() -> Clip {
    small(70, |at| {
        let far = ((at - TURNING.0) / (TURNING.1 - TURNING.0)).clamp(0.0, 1.0);
        let faces = vec![
            Face::at(250.0 + at, 165.0, 58.0),
            Face::at(410.0 - 0.8 * at, 170.0, 54.0),
            // Once it lies, only the middle of the street is still in the frame.
            Face::at(930.0 - 9.5 * at, 200.0, 50.0),
        ];
        // A quarter of the circle, and no sudden start or end of it.
        let spin = FRAC_PI_2 * far * far * (3.0 - 2.0 * far);
        Shot { scene: 67, shift: (0.0, 0.0), faces, ..Shot::default() }.rolled(spin, (640, 360))
    })
}

fn by_hand(at: f32) -> (f32, f32) {
    (3.0 * (at * 0.23).sin(), 2.0 * (at * 0.31).cos())
}

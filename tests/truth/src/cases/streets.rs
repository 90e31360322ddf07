//! Streets of any length: with many people, with one, with none.

use crate::{
    clip::Clip,
    face::Face,
    shot::{Shot, Thing},
};

/// Somebody who walks through the street and back.
struct Walker {
    /// Where they turn, and how far, in pixels of the street.
    middle: f32,
    reach: f32,
    y: f32,
    width: f32,
    /// Radians for each frame.
    pace: f32,
}

/// From far to near; ten people, of whom some are always outside the picture or behind somebody.
const WALKERS: [Walker; 10] = [
    Walker { middle: 300.0, reach: 160.0, y: 385.0, width: 21.0, pace: 0.021 },
    Walker { middle: 980.0, reach: 220.0, y: 390.0, width: 24.5, pace: 0.024 },
    Walker { middle: 640.0, reach: 420.0, y: 380.0, width: 28.0, pace: 0.017 },
    Walker { middle: 120.0, reach: 200.0, y: 376.0, width: 32.0, pace: 0.026 },
    Walker { middle: 1120.0, reach: 330.0, y: 370.0, width: 36.0, pace: 0.022 },
    Walker { middle: 500.0, reach: 350.0, y: 366.0, width: 42.0, pace: 0.025 },
    Walker { middle: 860.0, reach: 480.0, y: 360.0, width: 48.0, pace: 0.019 },
    Walker { middle: 200.0, reach: 520.0, y: 350.0, width: 58.0, pace: 0.023 },
    Walker { middle: 1000.0, reach: 640.0, y: 340.0, width: 74.0, pace: 0.02 },
    Walker { middle: 400.0, reach: 900.0, y: 320.0, width: 110.0, pace: 0.018 },
];

/// Up to ten faces from 21 to 110 pixels, a camera held by hand, a bus.
pub fn busy_street(frames: usize) -> Clip {
    busy_street_of(0, frames)
}

/// The same street on another `day`: everybody comes from elsewhere, and passes others.
pub fn busy_street_of(day: u32, frames: usize) -> Clip {
    street(day, frames, by_hand)
}

/// The busy street, filmed by somebody who runs.
pub fn swinging_street(frames: usize) -> Clip {
    street(0, frames, |at| (90.0 * (at * 0.31).sin(), 45.0 * (at * 0.47).cos()))
}

/// The street on a day, seen by a camera that is shifted so over time.
fn street(day: u32, frames: usize, camera: impl Fn(f32) -> (f32, f32)) -> Clip {
    Clip::of(1280, 720, frames, |at| {
        let shift = camera(at);
        let walker = |(index, walker): (usize, &Walker)| {
            let phase = at * walker.pace + index as f32 * (1.9 + day as f32);
            let step = walker.width * 0.04 * (at * 0.5 + index as f32).sin();
            let turn = 1.0 - 0.3 * (1.0 - phase.cos().abs()).powi(2);
            let x = walker.middle + walker.reach * phase.sin() + shift.0;
            Face { turn, ..Face::at(x, walker.y + step + shift.1, walker.width) }
        };
        let faces = WALKERS.iter().enumerate().map(walker).collect();
        Shot { scene: 51 + 100 * day, shift, faces, things: vec![bus(at, shift)], noise: 3.0, ..Shot::default() }
    })
}

/// One face, a camera at rest.
pub fn easy_street(frames: usize) -> Clip {
    Clip::of(1280, 720, frames, |at| {
        let face = Face::at(640.0 + 380.0 * (at * 0.02).sin(), 320.0 + 3.0 * (at * 0.5).sin(), 80.0);
        Shot { scene: 52, faces: vec![face], ..Shot::default() }
    })
}

/// Nobody; buses, and a camera held by hand.
pub fn empty_street(frames: usize) -> Clip {
    Clip::of(1280, 720, frames, |at| {
        let shift = by_hand(at);
        let cart = Thing { x: 1_100.0 - 5.0 * at + shift.0, y: 430.0 + shift.1, width: 170.0, height: 120.0, paint: 7 };
        Shot { scene: 53, shift, things: vec![bus(at, shift), cart], ..Shot::default() }
    })
}

fn by_hand(at: f32) -> (f32, f32) {
    (40.0 * (at * 0.031).sin() + 3.0 * (at * 0.43).sin(), 12.0 * (at * 0.047).sin() + 2.0 * (at * 0.61).cos())
}

/// A bus that comes by again and again.
fn bus(at: f32, shift: (f32, f32)) -> Thing {
    let x = (at * 8.0).rem_euclid(2_600.0) - 700.0;
    Thing { x: x + shift.0, y: 330.0 + shift.1, width: 620.0, height: 190.0, paint: 3 }
}

//! Faces of every size in a picture of 1280 by 720.

use super::large;
use crate::{clip::Clip, face::Face, shot::Shot};

/// People of about one size who walk about.
fn walking(scene: u32, frames: usize, widths: &[f32]) -> Clip {
    large(frames, |at| {
        let count = widths.len() as f32;
        let walker = |(index, width): (usize, &f32)| {
            let place = (index as f32 + 0.5) / count;
            let way = if index.is_multiple_of(2) { 0.05 } else { -0.04 } * width * at;
            let sway = (at * 0.3 + index as f32).sin() * width * 0.03;
            Face::at(1280.0 * place + way, 330.0 + 60.0 * (place * 9.0).sin() + sway, *width)
        };
        Shot { scene, faces: widths.iter().enumerate().map(walker).collect(), ..Shot::default() }
    })
}

pub fn of_20() -> Clip {
    walking(21, 40, &[20.0, 23.0, 21.0, 22.0, 20.0])
}

pub fn of_24() -> Clip {
    walking(22, 30, &[24.1, 26.0, 25.0])
}

pub fn of_32() -> Clip {
    walking(23, 25, &[32.0, 34.0])
}

pub fn of_48() -> Clip {
    walking(24, 25, &[48.0, 46.0])
}

pub fn of_96() -> Clip {
    walking(25, 25, &[96.0, 90.0])
}

pub fn of_160() -> Clip {
    walking(26, 25, &[160.0])
}

pub fn of_300() -> Clip {
    walking(27, 25, &[300.0])
}

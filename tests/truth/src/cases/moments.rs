//! Faces that are there for a few frames and gone again, at places and times that follow no rule: on a street at rest,
//! under a camera that pans, and before pictures of which nothing stays as it was.

use super::small;
use crate::{clip::Clip, face::Face, shot::Shot};

/// For how many frames a face is there, one after another, and how many show nobody before.
const MOMENTS: [(usize, usize); 12] =
    [(1, 7), (3, 11), (2, 6), (5, 13), (1, 9), (8, 7), (2, 10), (1, 5), (10, 11), (3, 8), (2, 13), (5, 9)];
/// Where they are, as shares of the frame.
const PLACES: [(f32, f32); 5] = [(0.36, 0.42), (0.8, 0.5), (0.55, 0.34), (0.24, 0.6), (0.68, 0.58)];
/// Frames with nobody at the end.
const END: usize = 6;
/// How far the camera pans within a frame, in pixels.
const PAN: f32 = 8.0;

/// What is seen at a moment: since how many frames there is a face, and where it came up.
type Glimpse = Option<(f32, (f32, f32))>;

/// A clip with all moments of `least` frames and more, whose frame at a time is what `shot` makes of the glimpse.
fn glimpses(least: usize, shot: impl Fn(f32, Glimpse) -> Shot) -> Clip {
    let moments = MOMENTS.into_iter().filter(|(frames, _)| *frames >= least);
    let mut glimpses: Vec<Glimpse> = Vec::new();
    for ((frames, before), place) in moments.zip(PLACES.into_iter().cycle()) {
        let place = (640.0 * place.0, 360.0 * place.1);
        glimpses.extend(std::iter::repeat_n(None, before));
        glimpses.extend((0..frames).map(|since| Some((since as f32, place))));
    }
    glimpses.extend([None; END]);
    small(glimpses.len(), |at| shot(at, glimpses[at as usize]))
}

fn at_rest(scene: u32, width: f32) -> Clip {
    glimpses(1, |_, glimpse| {
        let faces = glimpse.map(|(_, (x, y))| Face::at(x, y, width)).into_iter().collect();
        Shot { scene, faces, ..Shot::default() }
    })
}

fn panned(scene: u32, width: f32) -> Clip {
    glimpses(1, |at, glimpse| {
        let faces = glimpse.map(|(since, (x, y))| Face::at(x - PAN * since, y, width)).into_iter().collect();
        Shot { scene, shift: (-PAN * at, 0.0), faces, ..Shot::default() }
    })
}

/// Before a picture that spins: what a frame shows is nowhere like what the one before showed there. A face of less
/// than three frames is not asked for.
fn spinning(scene: u32, width: f32) -> Clip {
    glimpses(3, |at, glimpse| {
        let faces = glimpse.map(|(_, (x, y))| Face::at(x, y, width)).into_iter().collect();
        Shot { scene, carpet: true, spin: 0.37 * at, faces, noise: 1.0, ..Shot::default() }
    })
}

/// Before a street that is another one on every frame.
fn ever_new(scene: u32, width: f32) -> Clip {
    glimpses(3, |at, glimpse| {
        let faces = glimpse.map(|(_, (x, y))| Face::at(x, y, width)).into_iter().collect();
        Shot { scene: scene + at as u32, faces, ..Shot::default() }
    })
}

pub fn large_at_rest() -> Clip {
    at_rest(71, 100.0)
}

pub fn medium_at_rest() -> Clip {
    at_rest(72, 40.0)
}

pub fn large_panned() -> Clip {
    panned(73, 100.0)
}

pub fn medium_panned() -> Clip {
    panned(74, 40.0)
}

pub fn large_spinning() -> Clip {
    spinning(75, 100.0)
}

pub fn medium_spinning() -> Clip {
    spinning(76, 40.0)
}

pub fn large_ever_new() -> Clip {
    ever_new(1_000, 100.0)
}

pub fn medium_ever_new() -> Clip {
    ever_new(2_000, 40.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_face_is_there_for_its_frames_and_no_longer() {
        for (least, clip) in [(1, medium_at_rest()), (1, large_panned()), (3, large_spinning()), (3, medium_ever_new())]
        {
            let shows =
                clip.truth().iter().map(|faces| faces.iter().any(|face| face.visible > 0.9)).collect::<Vec<_>>();
            let runs: Vec<usize> = shows.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[bool]>::len).collect();
            let expected: Vec<usize> =
                MOMENTS.map(|(frames, _)| frames).into_iter().filter(|it| *it >= least).collect();
            assert_eq!(runs, expected);
        }
    }
}

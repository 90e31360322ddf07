//! Faces at the border of two segments, each of which is redacted with the other as its context.

use super::small;
use crate::{clip::Clip, face::Face, shot::Shot};

/// The frame on which the second segment begins.
pub const AT: usize = 25;

/// Somebody steps out from behind a pillar.
pub fn before() -> Clip {
    small(50, |at| {
        let since = at - (AT as f32 - 5.0);
        let faces = vec![Face::at(230.0 + (since * 16.0).clamp(0.0, 220.0), 170.0, 50.0)];
        Shot { scene: 42, faces, pillars: vec![(175.0, 275.0)], ..Shot::default() }
    })
}

/// Somebody steps behind a pillar.
pub fn after() -> Clip {
    let mut clip = before();
    clip.shots.reverse();
    clip
}

/// One comes in over an edge, one goes out.
pub fn across() -> Clip {
    small(50, |at| Shot {
        scene: 43,
        faces: vec![Face::at(-130.0 + 6.0 * at, 160.0, 52.0), Face::at(500.0 + 7.0 * at, 200.0, 44.0)],
        ..Shot::default()
    })
}

//! Faces that are hard to follow: small, cut by an edge, hidden for a while, crossing, shaken, sudden.

use crate::{
    clip::{Clip, Face},
    engine,
    judge::{self, assert_redacted},
};
use redact::{Output, SegmentInput};

/// Redacts `clip` and asserts that it shows no face any more and is otherwise as it was.
fn assert_covered(clip: &Clip) {
    let source = clip.segment(0.0);
    let input = SegmentInput { name: "clip", before: None, target: &source, after: None };
    let redacted = engine().segment(input).expect("the segment is redacted");
    let Output::Reencoded(bytes) = redacted.output else { panic!("no face was found") };
    assert_redacted(clip, &judge::segment(&source).frames, &judge::segment(&bytes).frames);
}

#[test]
fn faces_from_20_pixels_on_in_720p() {
    for width in [20.0, 26.0, 40.0] {
        assert_covered(&Clip::new(1280, 720, 25, |at| {
            vec![
                Face { x: 500.0 + 2.0 * at, y: 300.0 + at, width },
                Face { x: 900.0 - at, y: 420.0, width: width * 1.2 },
            ]
        }));
    }
}

#[test]
fn a_face_that_fills_the_picture() {
    assert_covered(&Clip::new(640, 360, 25, |at| vec![Face { x: 300.0 + at, y: 190.0, width: 200.0 + at }]));
}

#[test]
fn faces_that_come_in_and_leave_over_every_edge() {
    let way = |at: f32| (at - 25.0).abs() * 6.0;
    let edges: [fn(f32) -> (f32, f32); 4] =
        [|far| (40.0 - far, 180.0), |far| (600.0 + far, 180.0), |far| (320.0, 50.0 - far), |far| (320.0, 310.0 + far)];
    for edge in edges {
        assert_covered(&Clip::new(640, 360, 50, |at| {
            let (x, y) = edge(way(at));
            vec![Face { x, y, width: 56.0 }]
        }));
    }
}

#[test]
fn a_face_that_passes_behind_a_pillar() {
    let mut clip = Clip::new(640, 360, 60, |at| vec![Face { x: 180.0 + 4.0 * at, y: 180.0, width: 48.0 }]);
    clip.shots.iter_mut().for_each(|shot| shot.pillar = Some((280.0, 340.0)));
    assert_covered(&clip);
}

#[test]
fn two_faces_that_cross() {
    assert_covered(&Clip::new(640, 360, 50, |at| {
        vec![Face { x: 200.0 + 5.0 * at, y: 180.0, width: 50.0 }, Face { x: 440.0 - 5.0 * at, y: 190.0, width: 58.0 }]
    }));
}

#[test]
fn a_face_in_a_shaken_picture() {
    let shake = |at: f32| (18.0 * (at * 1.7).sin(), 12.0 * (at * 2.3).cos());
    let mut clip =
        Clip::new(640, 360, 50, |at| vec![Face { x: 300.0 + shake(at).0, y: 180.0 + shake(at).1, width: 44.0 }]);
    for (at, shot) in clip.shots.iter_mut().enumerate() {
        shot.shift = shake(at as f32);
    }
    assert_covered(&clip);
}

#[test]
fn a_face_that_runs_through_the_picture() {
    assert_covered(&Clip::new(640, 360, 25, |at| vec![Face { x: 40.0 + 22.0 * at, y: 180.0, width: 48.0 }]));
}

#[test]
fn a_face_that_comes_nearer_fast() {
    assert_covered(&Clip::new(640, 360, 40, |at| vec![Face { x: 320.0, y: 180.0, width: 22.0 * 1.05_f32.powf(at) }]));
}

#[test]
fn a_portrait_picture() {
    assert_covered(&Clip::new(360, 640, 25, |at| vec![Face { x: 150.0 + 2.0 * at, y: 200.0, width: 60.0 }]));
}

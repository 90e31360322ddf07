//! The judge itself: it passes what is right, and everything it judges by can fail.

use super::*;
use crate::{
    face::Face,
    render::Renderer,
    shot::{Shot, Thing},
    video::Video,
};

const H264: [&str; 4] = ["-pix_fmt", "yuv420p", "-c:v", "libx264"];

/// Two faces, a bus, noise and a moving camera.
fn clip() -> Clip {
    Clip::of(480, 272, 12, |at| Shot {
        scene: 3,
        shift: (-2.0 * at, 0.0),
        faces: vec![Face::at(120.0 + 3.0 * at, 110.0, 40.0), Face::at(360.0, 120.0, 22.0)],
        things: vec![Thing { x: 200.0 + 4.0 * at, y: 120.0, width: 120.0, height: 60.0, paint: 1 }],
        noise: 3.0,
        ..Shot::default()
    })
}

/// The clip as a camera's encoder leaves it.
fn recorded(clip: &Clip) -> Vec<Frame> {
    Video::of_file(&clip.encode("mp4", &[], &[&H264[..], &["-preset", "veryfast"]].concat()).path).frames
}

/// What `change` makes of every frame, without any encoder.
fn changed(frames: &[Frame], change: impl Fn(usize, &mut Plane)) -> Vec<Frame> {
    let frame = |(index, frame): (usize, &Frame)| {
        let mut plane = plane(frame, Orientation::UPRIGHT);
        change(index, &mut plane);
        let luma = plane.values.iter().map(|value| (value + 0.5) as u8).collect();
        Frame { luma, ..*frame }
    };
    frames.iter().enumerate().map(frame).collect()
}

/// Leaves nothing in an ellipse but its mean.
fn wipe(plane: &mut Plane, ellipse: Bounds) {
    let (x, y) = (ellipse.left.midpoint(ellipse.right), ellipse.top.midpoint(ellipse.bottom));
    let (rx, ry) = (ellipse.right - x, ellipse.bottom - y);
    let width = plane.width;
    let inside = |at: &usize| {
        let (column, row) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        ((column - x) / rx).hypot((row - y) / ry) < 1.0
    };
    let pixels: Vec<usize> = (0..plane.values.len()).filter(inside).collect();
    let mean = pixels.iter().map(|at| plane.values[*at]).sum::<f32>() / pixels.len().max(1) as f32;
    for at in pixels {
        plane.values[at] = mean;
    }
}

/// Every face wiped, its ellipse being as many times its box and shifted by as many widths.
fn wiped(clip: &Clip, frames: &[Frame], grow: f32, shift: f32) -> Vec<Frame> {
    let truth = clip.truth();
    changed(frames, |index, plane| {
        for face in &truth[index] {
            let bounds = face.bounds.grown(grow);
            let far = shift * (face.bounds.right - face.bounds.left);
            wipe(plane, Bounds { left: bounds.left + far, right: bounds.right + far, ..bounds });
        }
    })
}

#[test]
fn wiped_faces_are_not_known_again_and_nothing_else_was_touched() {
    let clip = clip();
    let frames = recorded(&clip);
    let verdict = Verdict::of(&clip, &frames, &wiped(&clip, &frames, 1.3, 0.0));
    assert_eq!((verdict.faces, verdict.small_faces), (Tally { all: 12, bad: 0 }, Tally { all: 12, bad: 0 }));
    assert_eq!(verdict.outside.bad, 0);
    assert!(verdict.likeness() > 60.0, "{verdict}");
}

#[test]
fn an_unredacted_clip_leaks_on_every_frame() {
    let clip = clip();
    let frames = recorded(&clip);
    let verdict = Verdict::of(&clip, &frames, &changed(&frames, |_, _| {}));
    assert_eq!((verdict.faces.bad, verdict.small_faces.bad, verdict.leaks.len()), (12, 12, 24));
    assert_eq!(verdict.outside.bad, 0);
}

#[test]
fn a_reencoded_face_leaks_and_encoding_touches_nothing() {
    for gain in [1.0, 0.25] {
        let mut clip = clip();
        clip.shots.iter_mut().for_each(|shot| shot.gain = gain);
        let first = clip.encode("mp4", &[], &[&H264[..], &["-preset", "veryfast"]].concat());
        for crf in ["18", "23"] {
            let again = first.beside("again.mp4");
            let ended = std::process::Command::new("ffmpeg")
                .args(["-v", "error", "-y", "-i"])
                .arg(&first.path)
                .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", crf])
                .arg(&again)
                .status();
            assert!(ended.expect("the ffmpeg command is installed").success());
            let (before, after) = (Video::of_file(&first.path).frames, Video::of_file(&again).frames);
            let verdict = Verdict::of(&clip, &before, &after);
            assert_eq!((verdict.faces.bad, verdict.small_faces.bad), (12, 12), "{verdict}");
            assert!(verdict.outside.percent() < 0.1, "crf {crf}, gain {gain}: {verdict}");
        }
    }
}

/// What a judge says who asks the detector too.
fn detected(clip: &Clip, original: &[Frame], redacted: &[Frame]) -> Verdict {
    let mut judge = Judge::with_detector(clip);
    original.iter().zip(redacted).for_each(|(original, redacted)| judge.see(original, redacted));
    judge.verdict
}

#[test]
fn the_detector_finds_a_bare_face_however_it_lies_and_none_that_is_wiped() {
    for tilt in [0.0, 1.5, 3.1] {
        let lying = |face: &Face| Face { tilt, ..*face };
        let mut clip = clip();
        // The first ones of a face that does not stand upright do not count.
        clip.shots.extend_from_within(..);
        clip.shots.iter_mut().for_each(|shot| shot.faces = shot.faces.iter().map(lying).collect());
        let frames = recorded(&clip);
        let bare = detected(&clip, &frames, &frames);
        assert!(bare.faces.all >= 11 && bare.finds.len() as u64 == bare.faces.all, "tilt {tilt}: {bare}");
        let wiped = detected(&clip, &frames, &wiped(&clip, &frames, 1.3, 0.0));
        assert_eq!(wiped.finds, [], "tilt {tilt}");
    }
}

#[test]
fn the_detector_finds_a_face_of_which_half_is_covered_so_that_its_structure_is_doubtful() {
    let clip = Clip::new(480, 272, 4, |_| vec![Face::at(240.0, 110.0, 64.0)]);
    let frames = recorded(&clip);
    let finds = |shift: f32| detected(&clip, &frames, &wiped(&clip, &frames, 1.3, shift)).finds;
    assert_eq!(finds(0.5).iter().map(|find| find.frame).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(finds(0.2), []);
}

#[test]
fn a_shifted_ellipse_leaks_and_is_touched_where_it_should_not_be() {
    let clip = clip();
    let frames = recorded(&clip);
    let verdict = Verdict::of(&clip, &frames, &wiped(&clip, &frames, 1.3, 0.9));
    assert_eq!(verdict.faces.bad, 12, "{verdict}");
    assert!(verdict.outside.percent() > 0.5, "{verdict}");
}

#[test]
fn a_single_bare_frame_is_found_and_named() {
    let clip = clip();
    let frames = recorded(&clip);
    let mut redacted = wiped(&clip, &frames, 1.3, 0.0);
    redacted[7].luma.clone_from(&frames[7].luma);
    let verdict = Verdict::of(&clip, &frames, &redacted);
    let places: Vec<_> = verdict.leaks.iter().map(|leak| (leak.frame, leak.face)).collect();
    assert_eq!(places, [(7, 0), (7, 1)]);
    assert!(verdict.leaks.iter().all(|leak| leak.correlation > 0.99));
}

#[test]
fn a_blur_of_known_size_is_touched_by_as_much() {
    let clip = Clip::of(480, 272, 3, |_| Shot { scene: 5, ..Shot::default() });
    let frames = recorded(&clip);
    let disc = Bounds { left: 140.0, top: 90.0, right: 280.0, bottom: 230.0 };
    let verdict = Verdict::of(&clip, &frames, &changed(&frames, |_, plane| wipe(plane, disc)));
    let area = 3.0 * std::f64::consts::PI * 70.0 * 70.0;
    let found = verdict.outside.bad as f64 / area;
    assert!((0.85..1.15).contains(&found), "{found:.2} of the disc");
    assert!(verdict.likeness() < 30.0, "{verdict}");
}

#[test]
fn what_is_blurred_around_a_face_counts_from_half_again_its_size_on() {
    let clip = clip();
    let frames = recorded(&clip);
    let touched = |grow: f32| Verdict::of(&clip, &frames, &wiped(&clip, &frames, grow, 0.0)).outside.percent();
    assert!(touched(1.35) < 0.01, "{}", touched(1.35));
    let faces: f32 = clip.truth()[0]
        .iter()
        .map(|face| (face.bounds.right - face.bounds.left) * (face.bounds.bottom - face.bounds.top))
        .sum();
    let share = f64::from((std::f32::consts::PI * 0.25 * 9.0 - 2.25) * faces) / (480.0 * 272.0) * 100.0;
    let found = touched(3.0) / share;
    assert!((0.7..1.3).contains(&found), "{found:.2} of {share:.2} %");
}

#[test]
fn a_face_outside_or_hidden_is_no_face_and_its_occluder_is_no_part_of_it() {
    let hidden = |face: Face, pillars: &[(f32, f32)]| {
        let clip = Clip::of(480, 272, 2, |_| Shot {
            scene: 3,
            faces: vec![face],
            pillars: pillars.to_vec(),
            ..Shot::default()
        });
        let frames = recorded(&clip);
        Verdict::of(&clip, &frames, &wiped(&clip, &frames, 1.3, 0.0)).faces
    };
    assert_eq!(hidden(Face::at(-12.0, 120.0, 40.0), &[]).all, 0, "outside");
    assert_eq!(hidden(Face::at(200.0, 120.0, 40.0), &[(150.0, 230.0)]).all, 0, "behind a pillar");
    assert_eq!(hidden(Face::at(200.0, 120.0, 40.0), &[(205.0, 260.0)]), Tally { all: 2, bad: 0 });
    // The face is wiped, the pillar before the other half of it is as it was.
    let shot =
        Shot { scene: 3, faces: vec![Face::at(200.0, 120.0, 60.0)], pillars: vec![(205.0, 260.0)], ..Shot::default() };
    let clip = Clip { shots: vec![shot], ..Clip::new(480, 272, 0, |_| Vec::new()) };
    let frames = recorded(&clip);
    let redacted = changed(&frames, |_, plane| {
        let before = plane.clone();
        wipe(plane, clip.truth()[0][0].bounds.grown(1.3));
        for at in (0..plane.values.len()).filter(|at| (205..260).contains(&(at % 480))) {
            plane.values[at] = before.values[at];
        }
    });
    assert_eq!(Verdict::of(&clip, &frames, &redacted).faces, Tally { all: 1, bad: 0 });
    assert_eq!(Verdict::of(&clip, &frames, &frames).faces, Tally { all: 1, bad: 1 });
}

#[test]
fn a_turned_clip_is_judged_where_its_faces_are_then() {
    for orientation in Orientation::all() {
        let clip = clip().part(0..3).turned(orientation);
        let frames = recorded(&clip);
        assert_eq!((frames[0].width, frames[0].height), clip.size(), "{orientation:?}");
        // Whoever stands upright counts from the first frame on, whoever does not is new.
        let counted = |verdict: &Verdict| [verdict.faces, verdict.fresh_turned][usize::from(orientation.quarters > 0)];
        let wiped = Verdict::of(&clip, &frames, &wiped(&clip, &frames, 1.3, 0.0));
        assert_eq!((counted(&wiped), wiped.outside.bad), (Tally { all: 3, bad: 0 }, 0), "{orientation:?}");
        assert_eq!(counted(&Verdict::of(&clip, &frames, &frames)), Tally { all: 3, bad: 3 }, "{orientation:?}");
    }
}

#[test]
fn a_turned_face_counts_half_a_second_after_it_is_first_seen_and_an_upright_one_at_once() {
    let verdict = |tilt: f32| {
        let clip = Clip::new(320, 192, 20, |at| {
            // For five frames it is outside.
            vec![Face { tilt, ..Face::at(if at < 5.0 { -200.0 } else { 160.0 }, 96.0, 40.0) }]
        });
        let frames = recorded(&clip);
        Verdict::of(&clip, &frames, &frames)
    };
    for tilt in [1.5, -1.5, 3.1] {
        let lying = verdict(tilt);
        assert_eq!((lying.fresh_turned, lying.faces), (Tally { all: 13, bad: 13 }, Tally { all: 2, bad: 2 }));
        assert_eq!(lying.leaks.iter().map(|leak| leak.frame).collect::<Vec<_>>(), [18, 19]);
    }
    let leaning = verdict(0.75);
    assert_eq!((leaning.fresh_turned.all, leaning.faces), (0, Tally { all: 15, bad: 15 }));
}

#[test]
fn what_is_left_of_a_blur_after_a_cut_to_nobody_is_found() {
    let clip = Clip::of(320, 192, 20, |at| match at as u32 {
        0..8 => Shot { scene: 3, faces: vec![Face::at(160.0, 96.0, 60.0)], ..Shot::default() },
        8..16 => Shot { scene: 4, ..Shot::default() },
        // A street for a frame each is no scene.
        frame => Shot { scene: frame, ..Shot::default() },
    });
    let frames = recorded(&clip);
    let verdict = |until: usize| {
        let ellipse = clip.truth()[0][0].bounds.grown(1.3);
        let redacted = changed(&frames, |index, plane| {
            if index < until {
                wipe(plane, ellipse);
            }
        });
        Verdict::of(&clip, &frames, &redacted)
    };
    assert_eq!(verdict(8).remnants, []);
    let frames_of = |verdict: &Verdict| verdict.remnants.iter().map(|remnant| remnant.frame).collect::<Vec<_>>();
    assert_eq!(frames_of(&verdict(9)), [8]);
    // Later on it is too much blur, but none that the cut has left.
    assert_eq!(frames_of(&verdict(20)), [8, 9, 10]);
}

#[test]
fn the_same_shot_is_drawn_alike_and_noise_differs_from_frame_to_frame() {
    let clip = clip();
    let draw = |number: usize| Renderer::new(&clip).render(&clip.shots[0], number);
    assert_eq!(draw(0), draw(0));
    assert_ne!(draw(0), draw(1));
}

#[test]
#[should_panic(expected = "the output has every frame")]
fn a_missing_frame_is_no_verdict() {
    let clip = clip();
    let frames = recorded(&clip);
    let _ = Verdict::of(&clip, &frames, &frames[1..]);
}

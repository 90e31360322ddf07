//! Thumbnails, judged by what an image viewer would show of them.

use crate::engine;
use ground_truth::{Clip, Frame, Video};
use media::StillFormat;
use redact::{Error, SegmentInput, thumbnail};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Brightness of an image file, row by row, as the ffmpeg command decodes it.
fn brightness(image: &[u8]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg")
        .args(["-v", "error", "-i", "pipe:0", "-vf", "extractplanes=y", "-f", "rawvideo", "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the ffmpeg command is installed");
    command.stdin.take().expect("its input").write_all(image).expect("it reads");
    command.wait_with_output().expect("it ends").stdout
}

/// A frame's brightness, each sample the mean of those that fall on it at another size.
fn reduced(frame: &Frame, width: usize, height: usize) -> Vec<u8> {
    let span = |at: usize, new: usize, old: usize| at * old / new..((at + 1) * old).div_ceil(new).min(old);
    let mean = |x: usize, y: usize| {
        let (columns, rows) = (span(x, width, frame.width), span(y, height, frame.height));
        let count = (columns.len() * rows.len()) as u32;
        let cells = rows.flat_map(|row| columns.clone().map(move |column| row * frame.width + column));
        (cells.map(|at| u32::from(frame.luma[at])).sum::<u32>() / count) as u8
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect()
}

/// Mean distance of two pictures' brightness.
fn distance(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len(), "pictures of one size");
    one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / one.len() as f64
}

/// A clip as an MPEG-TS segment, through a filter.
fn filtered(clip: &Clip, filter: &str) -> Vec<u8> {
    clip.encode("ts", &[], &["-vf", filter, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast"]).bytes()
}

#[test]
fn a_clip_that_begins_black_shows_its_first_picture_with_content() {
    let segment = filtered(&Clip::panning(640, 360, 50), "drawbox=color=black:t=fill:enable='lt(t,0.99)'");
    let shown = thumbnail(&segment).expect("it decodes").expect("it has content");
    assert_eq!((shown.width, shown.height, shown.format), (480, 270, StillFormat::WebP));
    let frames = Video::of_segment(&segment).frames;
    let pixels = brightness(&shown.bytes);
    let distances: Vec<f64> = frames.iter().map(|frame| distance(&pixels, &reduced(frame, 480, 270))).collect();
    assert!(distances[25] < 5.0, "it is the picture after the black second: {:.1}", distances[25]);
    assert!(distances[24] > 40.0, "and not the black one before it: {:.1}", distances[24]);
    assert!(distances[25] < distances[40], "nor a later one");
}

#[test]
fn a_picture_keeps_its_shape_and_is_never_enlarged() {
    for ((width, height), expected) in
        [((1280, 720), (480, 270)), ((720, 1280), (480, 854)), ((360, 640), (360, 640)), ((322, 180), (322, 180))]
    {
        let segment = filtered(&Clip::panning(width, height, 3), "null");
        let shown = thumbnail(&segment).expect("it decodes").expect("it has content");
        assert_eq!((shown.width, shown.height), expected, "of {width}x{height}");
        assert_eq!(
            brightness(&shown.bytes).len(),
            (expected.0 * expected.1) as usize,
            "the file is as large as it says"
        );
    }
    let narrow_samples = filtered(&Clip::panning(480, 480, 3), "setsar=16/9");
    let shown = thumbnail(&narrow_samples).expect("it decodes").expect("it has content");
    assert_eq!((shown.width, shown.height), (480, 270), "as a player shows it");
}

#[test]
fn black_a_single_colour_and_the_noise_of_a_covered_lens_are_no_content() {
    let clip = Clip::panning(640, 360, 10);
    for nothing in ["black", "0x3060a0", "white"] {
        let segment = filtered(&clip, &format!("drawbox=color={nothing}:t=fill"));
        assert_eq!(thumbnail(&segment).expect("it decodes"), None, "{nothing}");
    }
    let covered = filtered(&clip, "drawbox=color=black:t=fill,noise=alls=8:allf=t");
    assert_eq!(thumbnail(&covered).expect("it decodes"), None);
}

#[test]
fn what_is_damaged_is_an_error() {
    let segment = Clip::panning(640, 360, 10).segment(0.0);
    let noise: Vec<u8> = (0..60_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    let torn = [&segment[..188 * 12], &segment[188 * 14..]].concat();
    for (what, damaged) in [("nothing", &[][..]), ("noise", &noise), ("its first picture is torn", &torn)] {
        let error = thumbnail(damaged).expect_err(what);
        assert!(matches!(error, Error::Unreadable { .. }), "{what}: {error:?}");
    }
    let silent = Clip::panning(640, 360, 10).encode(
        "ts",
        &["-f", "lavfi", "-i", "sine=duration=1"],
        &["-map", "1:a", "-c:a", "aac"],
    );
    assert!(matches!(thumbnail(&silent.bytes()), Err(Error::NoVideo { .. })));
}

#[test]
fn a_face_is_as_blurred_as_in_the_segment_it_was_made_of() {
    let clip = Clip::panning(640, 360, 15);
    let bare = clip.segment(0.0);
    let input = SegmentInput { name: "a face", before: None, target: &bare, after: None };
    let redacted = engine().segment(input).expect("it is redacted").bytes;
    let shown = thumbnail(&redacted).expect("it decodes").expect("it has content");
    let face = clip.shots[0].faces[0].bounds();
    let pixel = |at: f32| (at.max(0.0) * 480.0 / 640.0) as usize;
    let on_face = |pixels: &[u8]| -> Vec<u8> {
        let (columns, rows) = (pixel(face.left)..pixel(face.right), pixel(face.top)..pixel(face.bottom));
        rows.flat_map(|y| pixels[y * 480 + columns.start..y * 480 + columns.end].to_vec()).collect()
    };
    let face_of = |segment: &[u8]| on_face(&reduced(&Video::of_segment(segment).frames[0], 480, 270));
    let pixels = on_face(&brightness(&shown.bytes));
    let (from_redacted, from_bare) = (distance(&pixels, &face_of(&redacted)), distance(&pixels, &face_of(&bare)));
    assert!(from_redacted < 3.0, "it shows the published face: {from_redacted:.1}");
    assert!(from_bare > 3.0 * from_redacted, "and not the recorded one: {from_bare:.1} to {from_redacted:.1}");
}

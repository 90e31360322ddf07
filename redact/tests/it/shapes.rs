//! Frames that change their size within a segment or file, and frames that are stored turned or mirrored: each comes out
//! in its own size and is shown as before.

use crate::engine;
use ground_truth::{Clip, Encoded, Face, Frame, Orientation, Verdict, Video, joined, judge::LIKENESS, matrix};
use redact::SegmentInput;
use std::{path::Path, process::Command};

/// Somebody who walks, at every size the same.
fn walking(width: usize, height: usize, frames: usize, first: usize) -> Clip {
    let (across, down) = (width as f32, height as f32);
    let side = across.min(down);
    Clip::new(width, height, frames, |at| {
        let way = (at + first as f32) * 0.004;
        vec![Face::at(across * (0.25 + way), down * 0.45, side * 0.18)]
    })
}

/// Clips of these sizes and lengths, through which one person walks.
fn parts(shapes: &[(usize, usize, usize)]) -> Vec<Clip> {
    let mut first = 0;
    let part = |&(width, height, frames): &(usize, usize, usize)| {
        let clip = walking(width, height, frames, first);
        first += frames;
        clip
    };
    shapes.iter().map(part).collect()
}

const ONTO_ITS_SIDE: &[(usize, usize, usize)] = &[(640, 360, 50), (360, 640, 50)];
const LARGER: &[(usize, usize, usize)] = &[(640, 360, 30), (1280, 720, 20)];
const THREE: &[(usize, usize, usize)] = &[(640, 360, 21), (360, 640, 17), (480, 272, 26)];

/// Asserts that every frame of `clips` came out in its size and at its time, without a face that can be known again and
/// otherwise alike.
fn assert_kept(clips: &[Clip], before: &[Frame], after: &[Frame], what: &str) {
    let expected: Vec<_> = clips.iter().map(|clip| (clip.size(), clip.shots.len())).collect();
    assert_eq!(sizes(before), expected, "{what}: the source has every frame in its size");
    assert_eq!(sizes(after), expected, "{what}: every frame is there, each in its size");
    for (before_it, after_it) in before.iter().zip(after) {
        let since = |frame: &Frame, first: &Frame| frame.seconds - first.seconds;
        let off = since(before_it, &before[0]) - since(after_it, &after[0]);
        assert!(off.abs() < 0.0015, "{what}: the frame at {} s is {off} s off", before_it.seconds);
    }
    let mut start = 0;
    for clip in clips {
        let part = start..start + clip.shots.len();
        let verdict = Verdict::of(clip, &before[part.clone()], &after[part.clone()]);
        println!("{what:40} from frame {start:3} {verdict}");
        assert!(verdict.leaks.is_empty(), "{what}: known again from frame {start} on: {:?}", verdict.leaks);
        assert!(
            verdict.likeness() >= LIKENESS,
            "{what}: {:.1} dB outside faces from frame {start}",
            verdict.likeness()
        );
        start = part.end;
    }
}

/// The sizes of frames in turn, and how many frames have each.
fn sizes(frames: &[Frame]) -> Vec<((usize, usize), usize)> {
    let size = |frame: &Frame| (frame.width, frame.height);
    frames.chunk_by(|a, b| size(a) == size(b)).map(|alike| (size(&alike[0]), alike.len())).collect()
}

fn hold_in_a_segment(shapes: &[(usize, usize, usize)]) {
    let clips = parts(shapes);
    let source = joined(&clips).bytes();
    let input = SegmentInput { name: "shapes", before: None, target: &source, after: None };
    let redacted = engine().segment(input).expect("the segment is redacted");
    assert!(redacted.receipt.faces_blurred > 0, "faces were found");
    let output = &redacted.bytes;
    let [before, after] = [&source, output].map(|bytes| Video::of_segment(bytes).frames);
    assert_kept(&clips, &before, &after, "segment");
    assert_eq!(redacted.receipt.frames, before.len() as u64);
    let times = |frames: &[Frame]| frames.iter().map(|frame| frame.pts).collect::<Vec<_>>();
    assert_eq!(times(&before), times(&after), "it fits where it was");
}

fn hold_in_files(shapes: &[(usize, usize, usize)]) {
    let clips = parts(shapes);
    let source = joined(&clips);
    let matroska = source.beside("clip.mkv");
    remuxed(&source.path, &matroska);
    for (input, name) in [(&matroska, "out.mkv"), (&matroska, "out.mp4"), (&source.path, "out.ts")] {
        let output = source.beside(name);
        let receipt = engine().blur_file(input, &output, &mut |_| {}).expect("the file is redacted");
        let [before, after] = [input, &output].map(|path| Video::of_file(path).frames);
        assert_kept(&clips, &before, &after, name);
        assert_eq!(receipt.frames, before.len() as u64, "{name}");
    }
}

fn remuxed(input: &Path, output: &Path) {
    let copied =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(input).args(["-c", "copy"]).arg(output).status();
    assert!(copied.expect("the ffmpeg command is installed").success());
}

#[test]
fn a_segment_whose_frames_are_turned_onto_their_side_keeps_them() {
    hold_in_a_segment(ONTO_ITS_SIDE);
}

#[test]
fn a_segment_whose_frames_grow_keeps_them() {
    hold_in_a_segment(LARGER);
}

#[test]
fn a_segment_with_frames_of_three_sizes_keeps_them() {
    hold_in_a_segment(THREE);
}

#[test]
fn a_file_whose_frames_are_turned_onto_their_side_keeps_them() {
    hold_in_files(ONTO_ITS_SIDE);
}

#[test]
fn a_file_whose_frames_grow_keeps_them() {
    hold_in_files(LARGER);
}

#[test]
fn a_file_with_frames_of_three_sizes_keeps_them() {
    hold_in_files(THREE);
}

/// The clip, stored so that it is upright once it is turned by `orientation`.
fn lying(clip: &Clip, orientation: Orientation) -> Encoded {
    let stored = clip.clone().turned(orientation.inverse());
    let encoded = stored.encode("mp4", &[], &["-pix_fmt", "yuv420p", "-c:v", "libx264"]);
    matrix::set_orientation(&encoded.path, orientation);
    encoded
}

/// Whether anything in the file has a player turn its frames.
fn is_turned_by_players(path: &Path) -> bool {
    let listed = Command::new("ffprobe").args(["-v", "error", "-show_streams"]).arg(path).output();
    let listed = String::from_utf8_lossy(&listed.expect("the ffprobe command is installed").stdout).to_lowercase();
    ["displaymatrix", "display matrix", "rotat"].iter().any(|word| listed.contains(word))
}

#[test]
fn frames_stored_in_any_of_eight_ways_are_examined_upright_and_shown_as_before() {
    let clip = walking(320, 192, 10, 0);
    for orientation in Orientation::all() {
        let source = lying(&clip, orientation);
        let before = Video::of_file(&source.path);
        assert_eq!(before.orientation, orientation, "the source says how it lies");
        assert_eq!(is_turned_by_players(&source.path), orientation != Orientation::UPRIGHT, "and players know");
        for name in ["out.mp4", "out.mkv", "out.ts"] {
            let what = format!("{orientation:?} to {name}");
            let output = source.beside(name);
            engine().blur_file(&source.path, &output, &mut |_| {}).expect("the file is redacted");
            let after = Video::of_file(&output);
            assert_kept(std::slice::from_ref(&clip), &before.frames, &after.frames, &what);
            if name != "out.mp4" {
                assert!(!is_turned_by_players(&output), "{what}: nothing turns it once more");
            }
        }
    }
}

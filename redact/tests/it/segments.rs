//! Segments: what is published fits where the recorded segment was.

use crate::{engine, splices::assert_copied};
use ground_truth::{
    Clip, Face, Frame, Shot, Video,
    judge::{assert_redacted, bare_faces},
};
use media::{Demuxer, Source};
use redact::{Redacted, SegmentInput};
use std::time::Duration;

fn alone<'a>(name: &'a str, target: &'a [u8]) -> SegmentInput<'a> {
    SegmentInput { name, before: None, target, after: None }
}

fn redact(input: SegmentInput<'_>) -> Redacted {
    engine().segment(input).expect("the segment is redacted")
}

fn bytes(redacted: &Redacted) -> &[u8] {
    assert!(redacted.receipt.faces_blurred > 0, "no face was found");
    &redacted.bytes
}

#[test]
fn a_panning_face_is_blurred_on_every_frame_and_nothing_else_is_touched() {
    let clip = Clip::panning(640, 360, 50);
    let source = clip.segment(10.0);
    let redacted = redact(alone("panning", &source));
    let output = Video::of_segment(bytes(&redacted));
    assert_redacted(&clip, &Video::of_segment(&source).frames, &output.frames);
    assert_eq!(output.codec, "h264");
    assert_eq!(redacted.duration, Duration::from_secs(2));
    let receipt = &redacted.receipt;
    assert_eq!((receipt.frames, receipt.face_tracks, receipt.faces_blurred), (50, 1, 50));
    assert_eq!(receipt.detections + receipt.frames_filled, 50);
    assert_eq!(receipt.model.name, "CenterFace");
}

#[test]
fn a_frame_that_was_looked_at_counts_once_and_is_not_looked_at_again() {
    let source = Clip::panning(640, 352, 40).segment(77.0);
    let [first, again] = [(); 2].map(|()| redact(alone("twice", &source)).receipt);
    assert!((1..=first.looks + first.glances).contains(&first.frames_detected), "{first:?}");
    assert!(first.frames_detected <= first.frames);
    assert_eq!((again.frames_detected, again.looks, again.glances), (first.frames_detected, 0, 0));
}

#[test]
fn what_is_encoded_anew_keeps_the_profile_of_the_source() {
    for name in ["baseline", "main", "high"] {
        let options = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", name, "-f", "mpegts"];
        let encoded = Clip::panning(480, 272, 25).encode("ts", &[], &options);
        let redacted = redact(alone(name, &std::fs::read(&encoded.path).expect("a segment")));
        let written = Demuxer::open(&Source::Segment(bytes(&redacted).to_vec().into())).expect("a segment");
        let video = written.video().expect("a picture");
        assert_eq!(written.h264_profile(video.index), Some(name));
    }
}

#[test]
fn a_segment_without_faces_is_copied_frame_by_frame_and_to_the_tick() {
    let clip = Clip::new(640, 360, 40, |_| Vec::new());
    // The last start lies so near the wrap of MPEG-TS's 33 bits that the segment crosses it.
    for start in [0.0, 3_600.0, 95_442.9] {
        let source = clip.segment(start);
        let redacted = redact(alone("empty street", &source));
        assert_copied(&source, &redacted.bytes);
        let receipt = &redacted.receipt;
        assert_eq!((receipt.frames, receipt.frames_copied, receipt.faces_blurred), (40, 40, 0));
        assert_eq!(redacted.duration, Duration::from_millis(1_600));
    }
}

#[test]
fn a_track_with_the_packet_identifier_of_our_own_table_keeps_it() {
    let clip = Clip::new(320, 180, 25, |_| Vec::new());
    let identifiers = ["-mpegts_pmt_start_pid", "512", "-streamid", "0:4096"];
    let options = [&["-pix_fmt", "yuv420p", "-c:v", "libx264"][..], &identifiers].concat();
    let source = clip.encode("ts", &[], &options).bytes();
    let redacted = redact(alone("at 4096", &source));
    assert_copied(&source, &redacted.bytes);
    let has = |bytes: &[u8], start: [u8; 3]| bytes.chunks(188).any(|packet| packet.starts_with(&start));
    assert!(has(&source, [0x47, 0x50, 0]) && has(&redacted.bytes, [0x47, 0x50, 0]), "a frame begins on 4096");
}

#[test]
fn a_segment_of_a_codec_whose_packets_are_not_copied_is_encoded_anew() {
    let clip = Clip::new(640, 360, 25, |_| Vec::new());
    let source = clip.encode("ts", &[], &["-pix_fmt", "yuv420p", "-c:v", "mpeg2video", "-q:v", "2"]).bytes();
    let redacted = redact(alone("mpeg2", &source));
    let [before, after] = [&source, &redacted.bytes].map(|bytes| Video::of_segment(bytes));
    assert_eq!((after.codec, redacted.receipt.frames_copied), ("h264", 0));
    let times = |video: &Video| video.frames.iter().map(|frame| frame.pts).collect::<Vec<_>>();
    assert_eq!(times(&before), times(&after));
}

#[test]
fn frames_times_and_sound_are_those_of_the_source() {
    // The last start lies so near the wrap of MPEG-TS's 33 bits that the segment crosses it.
    for start in [0.0, 3_600.0, 95_442.9] {
        let source = Clip::panning(480, 272, 50).segment(start);
        let redacted = redact(alone("times", &source));
        let (before, after) = (Video::of_segment(&source), Video::of_segment(bytes(&redacted)));
        let times = |video: &Video| video.frames.iter().map(|frame| frame.pts).collect::<Vec<_>>();
        assert_eq!(times(&before), times(&after), "pictures from {start} s");
        assert!(!before.sound.is_empty(), "the source has sound");
        assert_eq!(before.sound, after.sound, "sound from {start} s");
        assert_eq!(before.dts.first(), after.dts.first(), "first decoding time from {start} s");
        assert!(after.dts.is_sorted_by(|a, b| a < b), "decoding times grow");
        assert!(after.dts.last() <= before.dts.last(), "and do not reach into the next segment");
    }
}

#[test]
fn rewritten_and_copied_segments_play_on_in_one_another() {
    let clip = Clip::panning(480, 272, 75);
    let parts = [0..25, 25..50, 50..75].map(|part| clip.part(part.clone()).segment(20.0 + part.start as f64 / 25.0));
    let middle = redact(SegmentInput { before: Some(&parts[0]), after: Some(&parts[2]), ..alone("middle", &parts[1]) });
    let played = [Video::of_segment(&parts[0]), Video::of_segment(bytes(&middle)), Video::of_segment(&parts[2])];
    let dts: Vec<i64> = played.iter().flat_map(|video| video.dts.clone()).collect();
    assert_eq!(dts.len(), 75);
    assert!(dts.is_sorted_by(|a, b| a < b), "decoding times grow across the borders: {dts:?}");
    let pts: Vec<i64> = played.iter().flat_map(|video| video.frames.iter().map(|frame| frame.pts)).collect();
    assert!(pts.is_sorted_by(|a, b| a < b), "pictures stay in order: {pts:?}");
}

/// A face that slides in over the left edge: up to frame 14 so little of it is there that nothing recognises it.
fn sliding_in(frames: usize) -> Clip {
    Clip::new(640, 360, frames, |at| vec![Face::at(at.mul_add(0.9, -21.0), 180.0, 50.0)])
}

#[test]
fn a_face_only_recognised_in_the_next_segment_is_covered_before() {
    let clip = sliding_in(70);
    let (first, second) = (clip.part(0..14), clip.part(14..70));
    let (target, after) = (first.segment(0.0), second.segment(0.56));
    let redacted = redact(SegmentInput { after: Some(&after), ..alone("sliding in", &target) });
    let original = Video::of_segment(&target).frames;
    let bare = bare_faces(&first, &original, &Video::of_segment(bytes(&redacted)).frames);
    assert!(bare.is_empty(), "bare on {bare:?}");
    assert!(bare_alone(&first, &target, &original), "only the context shows it");
}

#[test]
fn a_face_only_recognised_in_the_segment_before_is_covered_after() {
    let mut clip = sliding_in(70);
    clip.shots.reverse();
    let (first, second) = (clip.part(0..56), clip.part(56..70));
    let (before, target) = (first.segment(0.0), second.segment(2.24));
    let redacted = redact(SegmentInput { before: Some(&before), ..alone("sliding out", &target) });
    let original = Video::of_segment(&target).frames;
    let bare = bare_faces(&second, &original, &Video::of_segment(bytes(&redacted)).frames);
    assert!(bare.is_empty(), "bare on {bare:?}");
    assert!(bare_alone(&second, &target, &original), "only the context shows it");
}

/// Whether a face stays bare when `target` is redacted without its neighbours.
fn bare_alone(clip: &Clip, target: &[u8], original: &[Frame]) -> bool {
    let bytes = redact(alone("alone", target)).bytes;
    !bare_faces(clip, original, &Video::of_segment(&bytes).frames).is_empty()
}

#[test]
fn broken_neighbours_are_left_out() {
    let clip = Clip::panning(480, 272, 25);
    let source = clip.segment(0.0);
    let broken = [&b""[..], &b"not a video"[..], &source[..source.len() / 3]];
    for neighbour in broken {
        let input = SegmentInput { before: Some(neighbour), after: Some(neighbour), ..alone("between", &source) };
        let output = Video::of_segment(bytes(&redact(input))).frames;
        assert_redacted(&clip, &Video::of_segment(&source).frames, &output);
    }
}

const OPEN_GROUPS: [&str; 6] = [
    "-pix_fmt",
    "yuv420p",
    "-c:v",
    "libx264",
    "-x264-params",
    "open-gop=1:keyint=25:min-keyint=25:bframes=3:b-adapt=0:scenecut=0",
];

/// The clip in segments of a second, whose first pictures refer to the segment before.
fn cut_within_groups<const COUNT: usize>(clip: &Clip) -> [Vec<u8>; COUNT] {
    let cut = ["-f", "segment", "-segment_time", "1", "-segment_format", "mpegts"];
    let encoded = clip.encode("%d.ts", &[], &[&OPEN_GROUPS[..], &cut].concat());
    std::array::from_fn(|index| std::fs::read(encoded.beside(&format!("clip.{index}.ts"))).expect("a segment"))
}

#[test]
fn what_comes_after_a_segment_that_needs_the_one_before_is_context_too() {
    let mut clip = Clip::new(640, 360, 37, |_| Vec::new());
    clip.shots.extend(sliding_in(38).shots);
    let [before, target, after] = cut_within_groups(&clip);
    let input = SegmentInput { before: Some(&before), ..alone("open", &target) };
    assert_eq!(redact(input).receipt.faces_blurred, 0, "without it nothing is found");
    let output = Video::of_segment(bytes(&redact(SegmentInput { after: Some(&after), ..input }))).frames;
    let whole = Video::of_file(&clip.encode("ts", &[], &OPEN_GROUPS).path).frames;
    let first = whole.iter().position(|frame| frame.pts == output[0].pts).expect("its first picture");
    let shown = first..first + output.len();
    let leaks = bare_faces(&clip.part(shown.clone()), &whole[shown], &output);
    assert!(leaks.is_empty(), "bare on {leaks:?}");
}

#[test]
fn a_segment_whose_first_pictures_need_the_one_before_is_decoded_with_it() {
    let clip = Clip::panning(480, 272, 50);
    let [before, target] = cut_within_groups(&clip);
    let error = engine().segment(alone("open", &target)).expect_err("alone it cannot be decoded");
    assert!(error.to_string().starts_with("open "), "{error}");
    let redacted = redact(SegmentInput { before: Some(&before), ..alone("open", &target) });
    let output = Video::of_segment(bytes(&redacted)).frames;
    let whole = Video::of_file(&clip.encode("ts", &[], &OPEN_GROUPS).path).frames;
    let skipped = whole.len() - output.len();
    assert!((20..=25).contains(&skipped), "{skipped} frames are in the segment before");
    assert_redacted(&clip.part(skipped..50), &whole[skipped..], &output);
}

#[test]
fn a_scene_cut_neither_bares_nor_smears_a_face() {
    let face = Face::at(200.0, 150.0, 56.0);
    let shots = (0..50).map(|at| match at {
        0..18 => Shot { scene: 1, ..Shot::default() },
        18..31 => Shot { faces: vec![face], scene: 2, ..Shot::default() },
        _ => Shot { scene: 5, ..Shot::default() },
    });
    let clip = Clip { shots: shots.collect(), ..Clip::new(640, 360, 0, |_| Vec::new()) };
    let source = clip.segment(0.0);
    let output = Video::of_segment(bytes(&redact(alone("cut", &source))));
    let bare = bare_faces(&clip, &Video::of_segment(&source).frames, &output.frames);
    assert!(bare.is_empty(), "bare on {bare:?}");
}

/// Somebody who stands still, the same at every size, for a second.
fn standing(width: usize, height: usize) -> Clip {
    let (across, down) = (width as f32, height as f32);
    Clip::new(width, height, 25, |_| vec![Face::at(across * 0.62, down * 0.4, down * 0.3)])
}

#[test]
fn a_broadcast_whose_picture_changes_its_size_is_covered_in_every_segment() {
    // As a browser does when the network or its processor is slow, and when it is not any more.
    let sizes = [(320, 180), (480, 270), (640, 360), (960, 540), (360, 640), (320, 180)];
    let clips = sizes.map(|(width, height)| standing(width, height));
    let segments: Vec<Vec<u8>> = clips.iter().enumerate().map(|(at, clip)| clip.segment(at as f64)).collect();
    for (at, clip) in clips.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| segments[before].as_slice());
        let after = segments.get(at + 1).map(Vec::as_slice);
        let redacted = redact(SegmentInput { name: "sizes", before, target: &segments[at], after });
        let [original, output] = [&segments[at][..], bytes(&redacted)].map(|bytes| Video::of_segment(bytes).frames);
        assert_redacted(clip, &original, &output);
    }
}

#[test]
fn a_segment_that_announces_sound_and_holds_none_is_redacted() {
    let clip = Clip::panning(480, 272, 25);
    let picture = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-muxdelay", "0"];
    let silent = ["-c:a", "aac", "-frames:a", "0"];
    let source =
        clip.encode("ts", &["-f", "lavfi", "-i", "sine=duration=1"], &[&picture[..], &silent].concat()).bytes();
    let redacted = redact(alone("silent", &source));
    let [original, output] = [&source[..], bytes(&redacted)].map(Video::of_segment);
    assert_redacted(&clip, &original.frames, &output.frames);
    assert_eq!(output.sound, original.sound, "there is none");
}

#[test]
fn one_engine_serves_several_threads() {
    let clip = Clip::panning(480, 272, 15);
    let source = clip.segment(0.0);
    let original = Video::of_segment(&source).frames;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let redacted = redact(alone("shared", &source));
                assert_redacted(&clip, &original, &Video::of_segment(bytes(&redacted)).frames);
            });
        }
    });
}

//! Whole files: containers, sizes, pixels, rotation, rates; and no output when something is wrong.

use crate::engine;
use ground_truth::{Clip, Encoded, Face, Frame, Orientation, Video, judge::assert_redacted};
use redact::{Error, Progress, Receipt, Stage};
use std::path::PathBuf;

const H264: [&str; 4] = ["-pix_fmt", "yuv420p", "-c:v", "libx264"];
const SOUND: [&str; 4] = ["-f", "lavfi", "-i", "sine=duration=1"];

fn blur(clip: &Encoded, name: &str) -> Result<(PathBuf, Receipt), Error> {
    let output = clip.beside(name);
    engine().blur_file(&clip.path, &output, &mut |_| {}).map(|receipt| (output, receipt))
}

/// Redacts `encoded` to the file `name`, asserts that its faces are gone, and gives both videos.
fn assert_blurred(clip: &Clip, encoded: &Encoded, name: &str) -> (Video, Video) {
    let (output, _) = blur(encoded, name).expect("the file is redacted");
    let (before, after) = (Video::of_file(&encoded.path), Video::of_file(&output));
    assert_redacted(clip, &before.frames, &after.frames);
    (before, after)
}

#[test]
fn every_container_keeps_its_frames_and_its_sound() {
    let clip = Clip::panning(480, 272, 25);
    for (extension, video, sound) in [
        ("mp4", "libx264", "aac"),
        ("mov", "libx264", "aac"),
        ("ts", "libx264", "aac"),
        ("mkv", "libx264", "libopus"),
        ("webm", "libvpx", "libvorbis"),
    ] {
        let options = ["-pix_fmt", "yuv420p", "-c:v", video, "-b:v", "2M", "-c:a", sound, "-shortest"];
        let encoded = clip.encode(extension, &SOUND, &options);
        let (before, after) = assert_blurred(&clip, &encoded, &format!("out.{extension}"));
        assert_eq!(before.size, after.size, "{extension}");
        let bytes = |video: &Video| video.sound.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
        assert!(!before.sound.is_empty(), "{extension} has sound");
        assert_eq!(bytes(&before), bytes(&after), "sound in {extension}");
    }
}

#[test]
fn progress_is_told_for_both_passes() {
    let encoded = Clip::panning(480, 272, 10).encode("mp4", &[], &H264);
    let mut told: Vec<Progress> = Vec::new();
    engine()
        .blur_file(&encoded.path, &encoded.beside("out.mp4"), &mut |progress| told.push(progress))
        .expect("the file is redacted");
    let of =
        |stage: Stage| told.iter().filter(move |progress| progress.stage == stage).map(|progress| progress.frames_done);
    assert!(of(Stage::Examining).eq(1..=10));
    assert!(of(Stage::Blurring).eq(1..=10));
    assert!(told.iter().all(|progress| progress.frames_total == Some(10)));
}

#[test]
fn an_odd_size_is_kept() {
    let clip = Clip::panning(427, 241, 15);
    for (extension, options) in
        [("mkv", ["-pix_fmt", "yuv444p", "-c:v", "libx264"]), ("webm", ["-pix_fmt", "yuv420p", "-c:v", "libvpx-vp9"])]
    {
        let options = [
            &options[..],
            &["-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"][..if extension == "webm" { 6 } else { 0 }],
        ]
        .concat();
        let encoded = clip.encode(extension, &[], &options);
        let (_, after) = assert_blurred(&clip, &encoded, "out.mp4");
        assert_eq!(after.size, (427, 241));
    }
}

#[test]
fn pixels_of_ten_bits_and_of_other_layouts_are_blurred() {
    let clip = Clip::panning(480, 272, 10);
    for format in ["yuv420p10le", "yuv422p", "yuv444p", "yuvj420p", "gray"] {
        let encoded = clip.encode("mkv", &[], &["-pix_fmt", format, "-c:v", "libx264"]);
        assert_blurred(&clip, &encoded, "out.mp4");
    }
}

#[test]
fn a_rotated_picture_is_examined_upright_and_plays_upright() {
    // Stored on its side: turning the stored picture clockwise shows the clip.
    let clip = Clip::new(272, 480, 20, |at| vec![Face::at(120.0 + at, 200.0, 60.0)]);
    let lying = clip.encode("mp4", &[], &[&H264[..], &["-vf", "transpose=cclock"]].concat());
    let rotated = lying.beside("rotated.mp4");
    let status = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&lying.path)
        .args(["-c", "copy", "-metadata:s:v", "rotate=270"])
        .arg(&rotated)
        .status()
        .expect("the ffmpeg command is installed");
    assert!(status.success());
    let before = Video::of_file(&rotated);
    assert_eq!(before.orientation, Orientation::turned(1), "the source says how it lies");
    for (name, stored, orientation) in
        [("out.mp4", (480, 272), before.orientation), ("out.mkv", (272, 480), Orientation::UPRIGHT)]
    {
        let output = lying.beside(name);
        engine().blur_file(&rotated, &output, &mut |_| {}).expect("the file is redacted");
        let after = Video::of_file(&output);
        assert_eq!((after.size, after.orientation), (stored, orientation), "{name}");
        let upright = |frame: &Frame| (frame.width, frame.height) == (272, 480);
        assert!(before.frames.iter().chain(&after.frames).all(upright), "{name} is upright");
        assert_redacted(&clip, &before.frames, &after.frames);
    }
}

#[test]
fn a_variable_rate_is_kept() {
    let clip = Clip::panning(480, 272, 12);
    let uneven = "setpts='(N+if(gt(N,3),5,0)+if(gt(N,7),0.5,0))/25/TB'";
    let options = [&H264[..], &["-vf", uneven, "-vsync", "vfr", "-video_track_timescale", "90000"]].concat();
    let encoded = clip.encode("mp4", &[], &options);
    let (before, after) = assert_blurred(&clip, &encoded, "out.mp4");
    let times = |video: &Video| {
        let first = video.frames[0].pts;
        video.frames.iter().map(|frame| frame.pts - first).collect::<Vec<_>>()
    };
    assert_eq!(times(&before), times(&after));
    assert_eq!(times(&after)[4], 9 * 3_600, "there is a gap to keep");
}

#[test]
fn a_single_frame_is_blurred() {
    let clip = Clip::panning(480, 272, 1);
    assert_blurred(&clip, &clip.encode("mp4", &[], &H264), "out.mp4");
}

#[test]
fn a_cover_is_not_taken_along() {
    let clip = Clip::panning(480, 272, 10);
    let cover = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/astronaut.png");
    let options = [
        "-map",
        "0:v",
        "-map",
        "1:v",
        "-pix_fmt:v:0",
        "yuv420p",
        "-c:v:0",
        "libx264",
        "-c:v:1",
        "copy",
        "-disposition:v:1",
        "attached_pic",
    ];
    let encoded = clip.encode("mp4", &["-i", cover], &options);
    let (_, after) = assert_blurred(&clip, &encoded, "out.mp4");
    assert_eq!(after.tracks, 1);
    let listed = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0"])
        .arg(encoded.beside("out.mp4"))
        .output()
        .expect("the ffprobe command is installed");
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "video");
}

#[test]
fn a_file_without_faces_is_copied() {
    let clip = Clip::new(480, 272, 20, |_| Vec::new());
    let encoded = clip.encode("mp4", &SOUND, &[&H264[..], &["-c:a", "aac", "-shortest"]].concat());
    let (output, receipt) = blur(&encoded, "out.mp4").expect("the file is examined");
    assert_eq!(receipt.faces_blurred, 0);
    let (before, after) = (Video::of_file(&encoded.path), Video::of_file(&output));
    let same = before.frames.iter().zip(&after.frames).all(|(a, b)| a.luma == b.luma && a.pts == b.pts);
    assert!(same && before.frames.len() == after.frames.len(), "every picture is the very same");
}

#[test]
fn sound_that_the_container_cannot_hold_is_named() {
    let encoded =
        Clip::panning(480, 272, 5).encode("mkv", &SOUND, &[&H264[..], &["-c:a", "pcm_s16le", "-shortest"]].concat());
    let error = blur(&encoded, "out.mp4").expect_err("nothing comes out").to_string();
    assert!(error.contains("pcm_s16le") && error.contains("mp4"), "{error}");
}

#[test]
fn nothing_is_left_behind_by_a_failure() {
    let encoded = Clip::panning(480, 272, 25).encode("mp4", &[], &[&H264[..], &["-movflags", "+faststart"]].concat());
    let mut bytes = encoded.bytes();
    bytes.truncate(bytes.len() * 2 / 3);
    std::fs::write(&encoded.path, bytes).expect("the file is cut off");
    for name in ["out.mp4", "out.mkv"] {
        let error = blur(&encoded, name).expect_err("nothing comes out");
        assert!(matches!(&error, Error::Unreadable { what, .. } if what.ends_with("clip.mp4")), "{error:?}");
    }
    let directory = encoded.path.parent().expect("a directory");
    let left: Vec<_> = std::fs::read_dir(directory).expect("it can be listed").filter_map(Result::ok).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn an_unknown_extension_and_a_missing_file_are_named() {
    let encoded = Clip::panning(480, 272, 2).encode("mp4", &[], &H264);
    let error = blur(&encoded, "out.gif").expect_err("nothing comes out").to_string();
    assert!(error.contains("out.gif"), "{error}");
    let missing = encoded.beside("missing.mp4");
    let error = engine().blur_file(&missing, &encoded.beside("out.mp4"), &mut |_| {}).expect_err("nothing comes out");
    assert!(error.to_string().contains("missing.mp4"), "{error}");
}

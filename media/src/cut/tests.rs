//! Cuts clips rendered by the ffmpeg program and judges the pieces with ffprobe: another reader than the writer.

use super::*;
use std::{collections::BTreeMap, convert::Infallible, fs, process::Command};

const TARGET_MS: u64 = 2_000;
/// A frame of 25 a second, in ticks.
const FRAME_TICKS: i64 = 3_600;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{program} {arguments:?} complains");
    String::from_utf8(output.stdout).unwrap()
}

/// A moving test picture of 25 frames a second and a tone, coded as told.
fn render(folder: &Path, name: &str, seconds: u32, coding: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let picture = format!("testsrc2=size=320x180:rate=25:duration={seconds}");
    let tone = format!("sine=frequency=440:duration={seconds}");
    let mut arguments = vec!["-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone];
    arguments.extend_from_slice(coding);
    arguments.extend_from_slice(&["-pix_fmt", "yuv420p", "-y", path.to_str().unwrap()]);
    run("ffmpeg", &arguments);
    path
}

fn pieces(input: &Path) -> (Outline, Vec<Segment>) {
    let mut segments = Vec::new();
    let outline = cut(input, TARGET_MS, &mut |segment| {
        segments.push(segment);
        Ok::<(), Infallible>(())
    });
    (outline.unwrap(), segments)
}

/// Times (pts, dts) of a file's packets of one kind, in ticks, in the order of coding, and whether they are keyframes.
fn packets(file: &Path, kind: &str) -> Vec<(i64, i64, bool)> {
    let entries = "packet=pts,dts,flags";
    let listing = ["-v", "error", "-select_streams", kind, "-show_entries", entries, "-of", "compact=p=0"];
    let listing = run("ffprobe", &[&listing[..], &[file.to_str().unwrap()]].concat());
    listing.lines().filter(|line| line.contains("pts=")).map(packet).collect()
}

fn packet(line: &str) -> (i64, i64, bool) {
    let fields: BTreeMap<_, _> = line.split('|').filter_map(|field| field.split_once('=')).collect();
    (fields["pts"].parse().unwrap(), fields["dts"].parse().unwrap(), fields["flags"].starts_with('K'))
}

/// A digest of every decoded frame of the picture.
fn frames(file: &Path) -> Vec<String> {
    let digests = run("ffmpeg", &["-v", "error", "-i", file.to_str().unwrap(), "-map", "0:v", "-f", "framemd5", "-"]);
    let digest = |line: &str| line.rsplit(',').next().unwrap_or_default().trim().to_owned();
    digests.lines().filter(|line| !line.starts_with('#')).map(digest).collect()
}

fn written(folder: &Path, segments: &[Segment]) -> Vec<PathBuf> {
    let write = |segment: &Segment| {
        let path = folder.join(format!("{}.ts", segment.number));
        fs::write(&path, &segment.bytes).unwrap();
        path
    };
    segments.iter().map(write).collect()
}

/// What must hold of any pieces: numbered from 0, joined in time, each starting on a keyframe and decodable alone,
/// timestamps running on without a jump.
fn assert_sound(folder: &Path, segments: &[Segment]) -> Vec<String> {
    let files = written(folder, segments);
    let (mut decoded, mut shown, mut end_ms) = (Vec::new(), Vec::new(), 0);
    for (at, (segment, file)) in segments.iter().zip(&files).enumerate() {
        assert_eq!((segment.number as usize, segment.starts_ms), (at, end_ms));
        end_ms += segment.duration_ms;
        let packets = packets(file, "v");
        assert!(packets[0].2, "segment {at} starts on a keyframe");
        let alone = frames(file);
        assert_eq!(alone.len(), packets.len(), "segment {at} decodes alone");
        decoded.extend(alone);
        shown.extend(packets.iter().map(|(pts, ..)| *pts));
    }
    shown.sort_unstable();
    assert!(shown.windows(2).all(|pair| pair[1] - pair[0] == FRAME_TICKS), "the picture runs on: {shown:?}");
    decoded
}

#[test]
fn a_clip_with_regular_keyframes_is_copied_frame_by_frame() {
    let folder = tempfile::tempdir().unwrap();
    let coding = ["-c:v", "libx264", "-bf", "2", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0", "-c:a", "aac"];
    let clip = render(folder.path(), "clip.mp4", 7, &coding);
    let (outline, segments) = pieces(&clip);
    assert_eq!((outline.picture, outline.sound), (Picture::Copied, Sound::Copied));
    assert_eq!((outline.duration_ms, outline.frames), (7_000, 175));
    assert_eq!((outline.width, outline.height, outline.frame_rate), (320, 180, 25.0));
    assert_eq!(segments.iter().map(|segment| segment.duration_ms).collect::<Vec<_>>(), [2_000, 2_000, 2_000, 1_000]);
    assert_eq!(assert_sound(folder.path(), &segments), frames(&clip));
}

#[test]
fn every_sound_packet_is_in_the_segment_of_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let coding = ["-c:v", "libx264", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-c:a", "aac"];
    let clip = render(folder.path(), "clip.mkv", 6, &coding);
    let (outline, segments) = pieces(&clip);
    assert_eq!(outline.picture, Picture::Copied);
    let files = written(folder.path(), &segments);
    let origin = packets(&files[0], "v")[0].0;
    let mut total = 0;
    for (segment, file) in segments.iter().zip(&files) {
        let sounds = packets(file, "a");
        let starts = origin + i64::try_from(segment.starts_ms).unwrap() * 90;
        let ends = starts + i64::try_from(segment.duration_ms).unwrap() * 90;
        let is_last = segment.number as usize + 1 == segments.len();
        let belongs = |pts: i64| (segment.number == 0 || pts >= starts) && (is_last || pts < ends);
        let strays: Vec<_> = sounds.iter().filter(|(pts, ..)| !belongs(*pts)).collect();
        assert!(strays.is_empty(), "segment {}, {starts} to {ends}: {strays:?}", segment.number);
        total += sounds.len();
    }
    assert_eq!(total, packets(&clip, "a").len(), "no sound is lost");
}

#[test]
fn the_pieces_join_into_one_stream_that_no_reader_complains_about() {
    let folder = tempfile::tempdir().unwrap();
    let coding = ["-c:v", "libx264", "-bf", "2", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0", "-c:a", "aac"];
    let (_, segments) = pieces(&render(folder.path(), "clip.mp4", 5, &coding));
    let whole = folder.path().join("whole.ts");
    fs::write(&whole, segments.iter().flat_map(|segment| segment.bytes.to_vec()).collect::<Vec<_>>()).unwrap();
    // `run` fails on any word about continuity counters or timestamps.
    run("ffmpeg", &["-v", "warning", "-xerror", "-i", whole.to_str().unwrap(), "-f", "null", "-"]);
    assert_eq!(frames(&whole).len(), 125);
}

#[test]
fn a_clip_with_rare_keyframes_is_encoded_with_one_at_every_cut() {
    let folder = tempfile::tempdir().unwrap();
    let coding = ["-c:v", "libx264", "-g", "1000", "-sc_threshold", "0", "-c:a", "aac"];
    let (outline, segments) = pieces(&render(folder.path(), "clip.mp4", 7, &coding));
    assert_eq!((outline.picture, outline.sound), (Picture::Encoded(Reason::Keyframes), Sound::Copied));
    assert_eq!(segments.iter().map(|segment| segment.duration_ms).collect::<Vec<_>>(), [2_000, 2_000, 2_000, 1_000]);
    assert_eq!(assert_sound(folder.path(), &segments).len(), 175);
}

#[test]
fn another_codec_is_encoded_and_another_sound_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (outline, segments) = pieces(&render(folder.path(), "clip.mkv", 3, &["-c:v", "mpeg4", "-c:a", "flac"]));
    assert_eq!(outline.picture, Picture::Encoded(Reason::Codec));
    assert_eq!(outline.sound, Sound::LeftOut("flac".into()));
    assert_eq!(assert_sound(folder.path(), &segments).len(), 75);
    assert!(written(folder.path(), &segments).iter().all(|file| packets(file, "a").is_empty()));
}

#[test]
fn a_clip_stored_turned_comes_out_upright() {
    let folder = tempfile::tempdir().unwrap();
    let clip = render(folder.path(), "clip.mp4", 2, &["-c:v", "libx264", "-g", "25", "-an"]);
    let turned = folder.path().join("turned.mp4");
    let turned_name = turned.to_str().unwrap();
    let turn = ["-v", "error", "-i", clip.to_str().unwrap(), "-c", "copy", "-metadata:s:v", "rotate=90", turned_name];
    run("ffmpeg", &turn);
    let (outline, segments) = pieces(&turned);
    assert_eq!((outline.picture, outline.width), (Picture::Encoded(Reason::Turned), 180));
    let piece = &written(folder.path(), &segments)[0];
    // ffmpeg turns what a display matrix asks to be turned, so both must look alike.
    let compare = "[0:v][1:v]psnr=stats_file=-";
    let inputs =
        ["-v", "error", "-i", turned_name, "-i", piece.to_str().unwrap(), "-lavfi", compare, "-f", "null", "-"];
    let report = run("ffmpeg", &inputs);
    let worst = report.lines().filter_map(|line| line.split("psnr_avg:").nth(1)?.split(' ').next()?.parse().ok());
    let worst = worst.fold(f64::INFINITY, f64::min);
    assert!(worst.is_finite() && worst > 30.0, "{worst} dB\n{report}");
}

#[test]
fn a_file_that_is_no_video_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing.mp4");
    let words = folder.path().join("words.mp4");
    let tone = folder.path().join("tone.mp4");
    fs::write(&nothing, b"").unwrap();
    fs::write(&words, "no video at all".repeat(1_000)).unwrap();
    run("ffmpeg", &["-v", "error", "-f", "lavfi", "-i", "sine=duration=1", tone.to_str().unwrap()]);
    for file in [nothing, words, tone, folder.path().join("missing.mp4")] {
        let error = cut(&file, TARGET_MS, &mut |_| Ok::<(), Infallible>(())).unwrap_err().to_string();
        assert!(error.starts_with(file.to_str().unwrap()), "{error}");
    }
}

#[test]
fn whoever_refuses_a_segment_gets_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let clip = render(folder.path(), "clip.mp4", 6, &["-c:v", "libx264", "-g", "25", "-an"]);
    let mut given = 0;
    let refused = cut(&clip, TARGET_MS, &mut |_| {
        given += 1;
        if given == 2 { Err("enough") } else { Ok(()) }
    });
    assert!(matches!(refused, Err(Error::Refused("enough"))));
    assert_eq!(given, 2);
}

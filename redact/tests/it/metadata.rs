//! Only pixels, audio and timing of an input come out: a marker is planted wherever cameras and programs write text, and
//! no byte of the output may hold it.

use crate::{
    engine, model,
    splices::{assert_copied, passing},
};
use ground_truth::{Clip, Encoded, Video, judge::assert_redacted};
use media::{Demuxer, Source};
use redact::{Engine, ModelSource, Options, Receipt, SegmentInput, thumbnail};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

const MARKER: &str = "Marker-37.5N127E";
const H264: [&str; 8] = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"];
/// Has ffmpeg put the marker behind the identifier of user data (SEI payload type 5) on every keyframe.
const USER_DATA: &str = "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+Marker-37.5N127E";
/// Length of a packet of MPEG-TS.
const PACKET: usize = 188;

fn street() -> Clip {
    Clip::new(320, 180, 12, |_| Vec::new())
}

/// A street without faces, as H.264 in a file whose name ends in `extension`.
fn encoded(extension: &str) -> Encoded {
    street().encode(extension, &[], &H264)
}

/// Runs ffmpeg with these arguments beside `clip`; gives the file `name` that it wrote.
fn ffmpeg(clip: &Encoded, arguments: &[&str], name: &str) -> PathBuf {
    let output = clip.beside(name);
    let folder = output.parent().expect("a folder");
    let mut command = Command::new("ffmpeg");
    let status = command.current_dir(folder).args(["-v", "error", "-y"]).args(arguments).arg(&output).status();
    assert!(status.expect("the ffmpeg command is installed").success(), "{arguments:?}");
    output
}

fn input_of(clip: &Encoded) -> &str {
    clip.path.to_str().expect("a path in UTF-8")
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("it was written")
}

/// Whether `bytes` hold `text`, be it spread over packets of MPEG-TS.
fn holds(bytes: &[u8], text: &str) -> bool {
    let is_in = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let mut payloads: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    if bytes.len().is_multiple_of(PACKET) {
        for packet in bytes.chunks(PACKET).filter(|packet| packet[0] == 0x47) {
            let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
            let adaptation = if packet[3] & 0x20 == 0 { 0 } else { 1 + usize::from(packet[4]) };
            payloads.entry(pid).or_default().extend_from_slice(packet.get(4 + adaptation..).unwrap_or_default());
        }
    }
    is_in(bytes) || payloads.values().any(|payload| is_in(payload))
}

/// Redacts the file `input`, which holds `text`, into the file `name` beside it, which must not.
fn assert_gone(input: &Path, text: &str, name: &str) -> Receipt {
    assert!(holds(&read(input), text), "{} does not hold {text}, so that nothing is proved", input.display());
    let output = input.with_file_name(name);
    let receipt = engine().blur_file(input, &output, &mut |_| {}).expect("the file is redacted");
    assert!(!holds(&read(&output), text), "{name} holds {text}");
    let [before, after] = [input, &output].map(|path| Video::of_file(path).frames);
    assert_eq!(before.len(), after.len(), "{name}");
    receipt
}

/// The same into each container, where the packets of the frames are copied.
fn assert_gone_when_copied(input: &Path, text: &str) {
    for name in ["out.mp4", "out.mkv", "out.ts"] {
        let receipt = assert_gone(input, text, name);
        assert_eq!(receipt.frames_copied, receipt.frames, "{name} is a copy");
    }
}

/// The same of a segment, all of which is copied.
fn assert_gone_from_segment(source: &[u8]) -> Vec<u8> {
    assert!(holds(source, MARKER), "nothing is proved");
    let input = SegmentInput { name: "marked", before: None, target: source, after: None };
    let redacted = engine().segment(input).expect("the segment is redacted");
    assert!(!holds(&redacted.bytes, MARKER));
    assert_copied(source, &redacted.bytes);
    assert_eq!(redacted.receipt.frames_copied, redacted.receipt.frames);
    redacted.bytes
}

/// An SEI message of the payload type `kind` with the marker, as a NAL unit with this header.
fn message(header: &[u8], kind: u8) -> Vec<u8> {
    let payload = [b"\xb5\xff\x3c\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab", MARKER.as_bytes()].concat();
    [header, &[kind, 32], &payload, &[0x80]].concat()
}

/// `stream`, of NAL units behind start codes, with `message` before every slice.
fn planted(stream: &[u8], message: &[u8], is_slice: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, byte) in stream.iter().enumerate() {
        if stream[..at].ends_with(&[0, 0, 1]) && is_slice(*byte) {
            out.extend_from_slice(message);
            out.extend_from_slice(&[0, 0, 1]);
        }
        out.push(*byte);
    }
    out
}

/// A clip in a file of its own, `name`, with `message` before every slice.
fn with_message(raw: &Encoded, message: &[u8], is_slice: impl Fn(u8) -> bool, name: &str) -> PathBuf {
    let marked = raw.beside(&format!("marked.{}", raw.path.extension().expect("an extension").display()));
    std::fs::write(&marked, planted(&raw.bytes(), message, is_slice)).expect("it is written");
    ffmpeg(raw, &["-framerate", "25", "-i", marked.to_str().expect("UTF-8"), "-c", "copy"], name)
}

fn is_h264_slice(header: u8) -> bool {
    matches!(header & 0x1f, 1 | 5)
}

fn is_hevc_slice(header: u8) -> bool {
    header >> 1 < 32
}

#[test]
fn unregistered_user_data_of_h264_is_gone() {
    let clip = encoded("mp4");
    for name in ["marked.mp4", "marked.ts"] {
        let marked = ffmpeg(&clip, &["-i", input_of(&clip), "-c", "copy", "-bsf:v", USER_DATA], name);
        assert_gone_when_copied(&marked, MARKER);
    }
}

#[test]
fn registered_user_data_of_h264_is_gone() {
    let raw = encoded("h264");
    for name in ["marked.mp4", "marked.mkv"] {
        assert_gone_when_copied(&with_message(&raw, &message(&[6], 4), is_h264_slice, name), MARKER);
    }
}

#[test]
fn a_unit_of_h264_of_an_unspecified_type_is_gone() {
    let unit = [&[30], MARKER.as_bytes()].concat();
    assert_gone_when_copied(&with_message(&encoded("h264"), &unit, is_h264_slice, "marked.mp4"), MARKER);
}

#[test]
fn user_data_of_hevc_is_gone_from_its_packets_and_its_header() {
    let hevc = ["-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast"];
    let hevc = [&hevc[..], &["-x265-params", "bframes=0:log-level=none"]].concat();
    let raw = street().encode("hevc", &[], &hevc);
    for kind in [4, 5] {
        let marked = with_message(&raw, &message(&[39 << 1, 1], kind), is_hevc_slice, "marked.mp4");
        assert_gone_when_copied(&marked, MARKER);
    }
    let whole = street().encode("mp4", &[], &hevc);
    assert_gone_when_copied(&whole.path, "x265 (build");
}

#[test]
fn user_data_is_gone_from_a_segment_that_is_copied() {
    let clip = encoded("ts");
    let sei = ffmpeg(&clip, &["-i", input_of(&clip), "-c", "copy", "-bsf:v", USER_DATA], "marked.ts");
    let published = assert_gone_from_segment(&read(&sei));
    assert!(!holds(&published, "x264 - core"), "that of the encoder, too");
}

#[test]
fn user_data_is_gone_from_a_segment_that_is_copied_in_part() {
    let clip = passing();
    let source = clip.in_groups(25, "bframes=2", "ts");
    let marked = read(&ffmpeg(&source, &["-i", input_of(&source), "-c", "copy", "-bsf:v", USER_DATA], "marked.ts"));
    assert!(holds(&marked, MARKER), "nothing is proved");
    let input = SegmentInput { name: "marked", before: None, target: &marked, after: None };
    let redacted = engine().segment(input).expect("the segment is redacted");
    let receipt = &redacted.receipt;
    assert!((1..receipt.frames).contains(&receipt.frames_copied), "{receipt:?}");
    for text in [MARKER, "x264 - core"] {
        assert!(!holds(&redacted.bytes, text), "{text}");
    }
    let [original, output] = [&marked, &redacted.bytes].map(|bytes| Video::of_segment(bytes));
    assert_redacted(&clip, &original.frames, &output.frames);
    assert_eq!(original.sound, output.sound);
    let text = serde_json::to_string(receipt).expect("a receipt is JSON");
    assert!(!holds(text.as_bytes(), MARKER), "{text}");
    let shown = thumbnail(&redacted.bytes).expect("it decodes").expect("it has content");
    assert!(!holds(&shown.bytes, MARKER));
}

#[test]
fn titles_positions_and_names_of_devices_are_gone() {
    let clip = encoded("mp4");
    for tag in ["title", "artist", "comment", "make", "model", "com.apple.quicktime.location.ISO6709"] {
        let tag = format!("{tag}={MARKER}");
        let arguments =
            ["-i", input_of(&clip), "-c", "copy", "-movflags", "use_metadata_tags", "-metadata", tag.as_str()];
        for name in ["marked.mp4", "marked.mkv", "marked.mov"] {
            let marked = ffmpeg(&clip, &arguments, name);
            assert_gone(&marked, MARKER, "out.mov");
            assert_gone_when_copied(&marked, MARKER);
        }
    }
    let place = "location=+37.5667+126.9784/";
    let marked = ffmpeg(&clip, &["-i", input_of(&clip), "-c", "copy", "-metadata", place], "placed.mov");
    assert_gone_when_copied(&marked, "+37.5667");
}

#[test]
fn names_of_tracks_are_gone() {
    let clip = encoded("mp4");
    for (tag, name) in [("handler_name", "marked.mp4"), ("title", "marked.mkv"), ("language_note", "marked.mkv")] {
        let tag = format!("{tag}={MARKER}");
        let marked = ffmpeg(&clip, &["-i", input_of(&clip), "-c", "copy", "-metadata:s:v", &tag], name);
        assert_gone_when_copied(&marked, MARKER);
    }
}

#[test]
fn chapters_subtitles_and_attachments_are_gone() {
    let clip = encoded("mp4");
    let write = |name: &str, text: String| std::fs::write(clip.beside(name), text).expect("it is written");
    write("chapters.txt", format!(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=3\ntitle={MARKER}\n"));
    write("words.srt", format!("1\n00:00:00,000 --> 00:00:00,300\n{MARKER}\n"));
    write("notes.bin", MARKER.to_owned());
    let copied = ["-i", input_of(&clip), "-i"];
    let kinds: [(&[&str], &str); 4] = [
        (&["chapters.txt", "-map_metadata", "1", "-c", "copy"], "chapters.mp4"),
        (&["words.srt", "-map", "0", "-map", "1", "-c:v", "copy", "-c:s", "mov_text"], "words.mp4"),
        (&["words.srt", "-map", "0", "-map", "1", "-c:v", "copy", "-c:s", "srt"], "words.mkv"),
        (
            &["words.srt", "-c", "copy", "-sn", "-attach", "notes.bin", "-metadata:s:t", "mimetype=text/plain"],
            "notes.mkv",
        ),
    ];
    for (arguments, name) in kinds {
        assert_gone_when_copied(&ffmpeg(&clip, &[&copied[..], arguments].concat(), name), MARKER);
    }
}

#[test]
fn a_cover_is_gone() {
    let clip = encoded("mp4");
    let cover = ffmpeg(&clip, &["-i", input_of(&clip), "-frames:v", "1"], "cover.jpg");
    let image = read(&cover);
    let (begin, rest) = image.split_at(2);
    let length = u8::try_from(2 + MARKER.len()).expect("it is short");
    let comment = [&[0xff, 0xfe, 0, length], MARKER.as_bytes()].concat();
    std::fs::write(&cover, [begin, &comment, rest].concat()).expect("it is written");
    let arguments = ["-i", input_of(&clip), "-i", "cover.jpg", "-map", "0", "-map", "1", "-c", "copy"];
    let arguments = [&arguments[..], &["-disposition:v:1", "attached_pic"]].concat();
    assert_gone_when_copied(&ffmpeg(&clip, &arguments, "covered.mp4"), MARKER);
}

#[test]
fn a_second_video_track_and_a_track_of_timecodes_are_gone() {
    let clip = encoded("mp4");
    let small = ["-i", input_of(&clip), "-vf", "scale=160:90", "-c:v", "libx264", "-bsf:v", USER_DATA];
    let small = ffmpeg(&clip, &small, "small.mp4");
    let both = ["-i", input_of(&clip), "-i", small.to_str().expect("UTF-8"), "-map", "0", "-map", "1", "-c", "copy"];
    assert_gone_when_copied(&ffmpeg(&clip, &both, "both.mp4"), MARKER);
    let coded = ["-i", input_of(&clip), "-c", "copy", "-timecode", "01:02:03:04"];
    assert_gone_when_copied(&ffmpeg(&clip, &coded, "coded.mov"), "tmcd");
}

#[test]
fn names_of_a_service_are_gone() {
    let clip = encoded("ts");
    for tag in ["service_name", "service_provider"] {
        let tag = format!("{tag}={MARKER}");
        let marked = ffmpeg(&clip, &["-i", input_of(&clip), "-c", "copy", "-metadata", &tag], "marked.ts");
        assert_gone_from_segment(&read(&marked));
    }
}

#[test]
fn a_track_of_data_in_a_segment_is_gone() {
    let clip = encoded("ts");
    std::fs::write(clip.beside("data.bin"), MARKER).expect("it is written");
    let data = ["-i", input_of(&clip), "-f", "data", "-i", "data.bin", "-map", "0", "-map", "1", "-c", "copy"];
    let source = read(&ffmpeg(&clip, &data, "data.ts"));
    assert_gone_from_segment(&source);
    let id3 = with_timed_id3(source);
    let demuxer = Demuxer::open(&Source::Segment(id3.clone().into())).expect("it opens");
    assert!((0..3).any(|track| demuxer.codec(track) == "timed_id3"));
    assert_gone_from_segment(&id3);
}

/// `segment` with its track of private data (stream type 6) announced as ID3, as HLS carries it: stream type 21 and a
/// metadata descriptor.
fn with_timed_id3(mut segment: Vec<u8>) -> Vec<u8> {
    const TABLE: u16 = 0x1000;
    const ID3: &[u8] = b"\x15\xe1\x01\xf0\x0f\x26\x0d\xff\xffID3 \xffID3 \0\x0f";
    let mut announced = 0;
    for packet in segment.chunks_mut(PACKET).filter(|packet| packet[1..3] == (0x4000 | TABLE).to_be_bytes()) {
        let length = usize::from(packet[7]);
        // The track is the last in the table, behind which there is a sum of four bytes.
        let at = 8 + length - 4 - 5;
        assert_eq!(packet[at..at + 5], [6, 0xe1, 1, 0xf0, 0], "the track is announced");
        let end = at + ID3.len();
        packet[at..end].copy_from_slice(ID3);
        packet[7] = u8::try_from(end + 4 - 8).expect("it is short");
        let sum = checksum(&packet[5..end]);
        packet[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        announced += 1;
    }
    assert!(announced > 0, "there is a program map table");
    segment
}

/// The CRC of MPEG-TS (ISO/IEC 13818-1, annex A).
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, byte| {
        let sum = sum ^ u32::from(*byte) << 24;
        (0..8).fold(sum, |sum, _| sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    })
}

/// A packet of MPEG-TS with the marker as private data of its adaptation field, and with nothing else.
fn private_data(pid: u16) -> Vec<u8> {
    let [high, low] = pid.to_be_bytes();
    let length = u8::try_from(MARKER.len()).expect("it is short");
    let mut packet = [&[0x47, high, low, 0x20, 183, 0x02, length], MARKER.as_bytes()].concat();
    packet.resize(PACKET, 0xff);
    packet
}

#[test]
fn private_data_of_packets_and_packets_of_an_unlisted_track_are_gone() {
    let source = encoded("ts").bytes();
    let (begin, end) = source.split_at(source.len() / PACKET / 2 * PACKET);
    assert_gone_from_segment(&[begin, &private_data(0x100), end].concat());
    // With a payload that begins a packet of the stream `private_stream_2`.
    let mut unlisted = [&[0x47, 0x41, 0xff, 0x10, 0, 0, 1, 0xbf, 0, 178], MARKER.as_bytes()].concat();
    unlisted.resize(PACKET, 0xff);
    assert_gone_from_segment(&[begin, &unlisted, end].concat());
}

#[test]
fn comments_in_the_header_of_vorbis_are_gone() {
    let vp8 = ["-pix_fmt", "yuv420p", "-c:v", "libvpx", "-b:v", "1M", "-c:a", "libvorbis", "-shortest"];
    for extension in ["webm", "mkv"] {
        let clip = street().encode(extension, &["-f", "lavfi", "-i", "sine=duration=1"], &vp8);
        for (planted, text) in [("Xiph.Org libVorbis", "Marker_in_a_vendor"), ("encoder=Lavc", "Marker_on_it")] {
            let mut bytes = clip.bytes();
            let at = bytes.windows(planted.len()).position(|window| window == planted.as_bytes());
            let at = at.expect("the encoder names itself");
            bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
            let marked = clip.beside(&format!("marked.{extension}"));
            std::fs::write(&marked, bytes).expect("it is written");
            for name in [format!("out.{extension}"), "out.mkv".to_owned()] {
                let receipt = assert_gone(&marked, text, &name);
                assert_eq!(receipt.frames_copied, receipt.frames);
                let [before, after] = [marked.clone(), clip.beside(&name)].map(|path| Video::of_file(&path).sound);
                assert!(!before.is_empty() && before == after, "the audio itself stays");
            }
        }
    }
}

#[test]
fn frames_of_a_codec_whose_packets_are_not_copied_are_encoded_anew() {
    let clip = street().encode("mkv", &[], &["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"]);
    // The encoder names itself in user data of MPEG-4.
    assert_eq!(assert_gone(&clip.path, "Lavc59", "out.mkv").frames_copied, 0);
    assert_eq!(Video::of_file(&clip.beside("out.mkv")).codec, "h264");
}

#[test]
fn closed_captions_are_kept_on_request_only() {
    let captions = b"\xb5\0\x31GA94\x03\xc5\xff\xfcMa\xfcrk\xfcer\xfc-3\xfc7.\xff";
    let unit = [&[6, 4, u8::try_from(captions.len()).expect("short")], &captions[..], &[0x80]].concat();
    let raw = encoded("h264");
    let marked = with_message(&raw, &unit, is_h264_slice, "marked.mp4");
    assert_gone_when_copied(&marked, "GA94");
    let options = Options { captions: true, ..Options::default() };
    let asked = Engine::new(&ModelSource::CenterFace(model()), options).expect("the engine starts");
    let output = raw.beside("asked.mp4");
    asked.blur_file(&marked, &output, &mut |_| {}).expect("the file is redacted");
    assert!(holds(&read(&output), "GA94"));
    assert!(!holds(&read(&output), "x264 - core"), "the rest goes all the same");
}

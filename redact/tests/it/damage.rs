//! Damaged and hostile inputs: a clear error that names them, and never an output.

use crate::{clip::Clip, engine, judge};
use redact::{Error, Output, SegmentInput};

/// Size of an MPEG-TS packet.
const TS_PACKET: usize = 188;

fn redact(name: &str, target: &[u8]) -> Result<Output, Error> {
    engine().segment(SegmentInput { name, before: None, target, after: None }).map(|redacted| redacted.output)
}

fn assert_unreadable(name: &str, target: &[u8]) {
    let error = redact(name, target).expect_err("nothing comes out");
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    assert!(error.is_permanent());
    assert!(error.to_string().starts_with(name), "{error}");
}

#[test]
fn nothing_at_all_is_unreadable() {
    assert_unreadable("segment 3", b"");
}

#[test]
fn noise_is_unreadable() {
    let noise: Vec<u8> = (0..60_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    assert_unreadable("segment 4", &noise);
}

#[test]
fn a_playlist_that_names_other_files_is_not_followed() {
    let clip = Clip::panning(480, 272, 5).encode("ts", &[], &["-pix_fmt", "yuv420p", "-c:v", "libx264"]);
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{}\n", clip.path.display());
    assert_unreadable("segment 5", playlist.as_bytes());
}

#[test]
fn sound_without_a_picture_is_no_video() {
    let sound = Clip::panning(480, 272, 5).encode(
        "ts",
        &["-f", "lavfi", "-i", "sine=duration=1"],
        &["-map", "1:a", "-c:a", "aac"],
    );
    let error = redact("segment 6", &sound.bytes()).expect_err("nothing comes out");
    assert!(matches!(&error, Error::NoVideo { what } if what == "segment 6"), "{error:?}");
}

#[test]
fn two_pictures_in_one_segment_are_refused() {
    let options = ["-map", "0:v", "-map", "0:v", "-pix_fmt", "yuv420p", "-c:v", "libx264"];
    let two = Clip::new(480, 272, 10, |_| Vec::new()).encode("ts", &[], &options);
    let error = redact("segment 7", &two.bytes()).expect_err("nothing comes out");
    assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
}

#[test]
fn a_lost_or_broken_packet_of_the_picture_is_an_error_with_and_without_faces() {
    for clip in [Clip::panning(480, 272, 25), Clip::new(480, 272, 25, |_| Vec::new())] {
        let source = clip.segment(0.0);
        let packets = source.len() / TS_PACKET;
        for at in [packets / 4, packets / 2, packets * 3 / 4] {
            let at = next_picture_packet(&source, at);
            let (from, to) = (at * TS_PACKET, (at + 1) * TS_PACKET);
            let lost = [&source[..from], &source[to..]].concat();
            assert_unreadable("lost", &lost);
            let mut broken = source.clone();
            broken[from + 4..to].fill(0x5a);
            assert_unreadable("broken", &broken);
        }
    }
}

/// The first packet from `at` on that continues a picture: of the first track, without a header of its own.
fn next_picture_packet(source: &[u8], at: usize) -> usize {
    let packets = source.chunks_exact(TS_PACKET).enumerate().skip(at);
    let mut found =
        packets.filter(|(_, packet)| packet[1] & 0x5f == 0x01 && packet[2] == 0x00 && packet[3] & 0x30 == 0x10);
    found.next().expect("a packet of the picture").0
}

#[test]
fn a_truncated_segment_is_an_error_or_ends_with_its_last_whole_picture() {
    let clip = Clip::panning(480, 272, 25);
    let source = clip.segment(0.0);
    let original = judge::segment(&source).frames;
    let mut refused = 0;
    for tenth in 1..10 {
        let cut = &source[..source.len() * tenth / 10];
        match redact("truncated", cut) {
            Err(error) => {
                assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
                refused += 1;
            }
            Ok(Output::Unchanged) => panic!("a bare face at {tenth} tenths"),
            Ok(Output::Reencoded(bytes)) => {
                let frames = judge::segment(&bytes).frames;
                let bare = judge::bare_faces(&clip, &original, &frames);
                assert!(bare.is_empty(), "bare on {bare:?} at {tenth} tenths");
            }
        }
    }
    assert!(refused > 0, "some cuts go through a picture");
}

//! Damaged and hostile inputs: a clear error that names them, and never an output.

use crate::engine;
use ground_truth::{Clip, Video, judge::bare_faces};
use redact::{Error, SegmentInput};

/// Size of an MPEG-TS packet.
const TS_PACKET: usize = 188;

fn redact(name: &str, target: &[u8]) -> Result<Vec<u8>, Error> {
    engine().segment(SegmentInput { name, before: None, target, after: None }).map(|redacted| redacted.bytes)
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
fn a_lost_packet_of_the_picture_is_an_error_with_and_without_faces() {
    for clip in [Clip::panning(480, 272, 25), Clip::new(480, 272, 25, |_| Vec::new())] {
        let source = clip.segment(0.0);
        let packets = picture_packets(&source);
        for at in [packets.len() / 4, packets.len() / 2, packets.len() - 1].map(|at| packets[at]) {
            let (from, to) = (at * TS_PACKET, (at + 1) * TS_PACKET);
            let lost = [&source[..from], &source[to..]].concat();
            assert_unreadable("lost", &lost);
        }
    }
}

/// The packets that continue a picture: of the first track, without a header of their own.
fn picture_packets(source: &[u8]) -> Vec<usize> {
    let continues = |packet: &[u8]| packet[1] & 0x5f == 0x01 && packet[2] == 0x00 && packet[3] & 0x30 == 0x10;
    let packets = source.chunks_exact(TS_PACKET).enumerate();
    packets.filter(|(_, packet)| continues(packet)).map(|(at, _)| at).collect()
}

/// Bits that are wrong but can be decoded cannot be told from right ones; every decoder shows the same for them, so that
/// what was examined is what is seen.
#[test]
fn a_broken_packet_of_the_picture_is_an_error_or_decodes_alike_for_all() {
    let clip = Clip::panning(480, 272, 25);
    let source = clip.segment(0.0);
    let original = Video::of_segment(&source).frames;
    let packets = picture_packets(&source);
    let mut refused = 0;
    for (step, filling) in [0x00, 0x5a, 0xff, 0x81].into_iter().cycle().take(12).enumerate() {
        let at = packets[packets.len() * step / 12];
        let mut broken = source.clone();
        broken[at * TS_PACKET + 4..(at + 1) * TS_PACKET].fill(filling);
        match redact("broken", &broken) {
            Err(error) => {
                assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
                refused += 1;
            }
            Ok(bytes) => {
                let bare = bare_faces(&clip, &original, &Video::of_segment(&bytes).frames);
                assert!(bare.is_empty(), "bare on {bare:?}, packet {at}");
            }
        }
    }
    assert!(refused >= 8, "{refused} of 12 were noticed");
}

#[test]
fn a_truncated_segment_is_an_error_or_ends_with_its_last_whole_picture() {
    let clip = Clip::panning(480, 272, 25);
    let source = clip.segment(0.0);
    let original = Video::of_segment(&source).frames;
    let mut refused = 0;
    for tenth in 1..10 {
        let cut = &source[..source.len() * tenth / 10];
        match redact("truncated", cut) {
            Err(error) => {
                // With some of its pictures gone from among B-frames, times may be left that no container takes.
                let expected = matches!(error, Error::Unreadable { .. } | Error::Encode { .. });
                assert!(expected, "{error:?} at {tenth} tenths");
                refused += 1;
            }
            Ok(bytes) => {
                let frames = Video::of_segment(&bytes).frames;
                let bare = bare_faces(&clip, &original, &frames);
                assert!(bare.is_empty(), "bare on {bare:?} at {tenth} tenths");
            }
        }
    }
    assert!(refused > 0, "some cuts go through a picture");
}

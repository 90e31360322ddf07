//! Segments out of real pictures, encoded once and shown again and again, for as many hours as a test wants.
#![allow(clippy::panic, reason = "a test that cannot go on must fail")]

use super::*;
use crate::pictures::{RATE, pictures};
use media::{Demuxer, Source};

const FRAME: i64 = TICKS_PER_SECOND / RATE;
/// Of an AAC frame at 48 kHz.
const SOUND_FRAME: i64 = 1_024 * TICKS_PER_SECOND / 48_000;

fn config() -> Unit {
    AacConfig { sample_rate: 48_000, channels: 2, description: Bytes::from_static(&[0x11, 0x90]) }.into()
}

fn picture(dts: i64, key: bool, data: &Bytes) -> Unit {
    Sample { track: Track::Video, dts, pts: dts, key, data: data.clone() }.into()
}

/// An AAC frame of silence.
fn sound(dts: i64) -> Unit {
    let data = Bytes::from_static(&[0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c]);
    Sample { track: Track::Audio, dts, pts: dts, key: true, data }.into()
}

fn push(segmenter: &mut Segmenter, unit: Unit) -> Option<Segment> {
    segmenter.push(unit, Timestamp::UNIX_EPOCH).unwrap()
}

/// Pushes `pictures` from time `from` on, with sound if there is any; gives the segments.
fn play(segmenter: &mut Segmenter, pictures: &[Bytes], from: i64, with_sound: bool) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut heard = from;
    for (dts, data) in (0..).map(|n| from + n * FRAME).zip(pictures) {
        segments.extend(push(segmenter, picture(dts, dts == from, data)));
        while with_sound && heard < dts + FRAME {
            segments.extend(push(segmenter, sound(heard)));
            heard += SOUND_FRAME;
        }
    }
    segments
}

fn tracks(segment: &Segment) -> (usize, usize) {
    let demuxer = Demuxer::open(&Source::Segment(segment.bytes.clone())).unwrap();
    (1, demuxer.audio().len())
}

/// The number that stands for the sampling rate in the header of the first AAC frame.
fn sampling(segment: &Segment) -> u8 {
    let mut demuxer = Demuxer::open(&Source::Segment(segment.bytes.clone())).unwrap();
    let track = demuxer.audio()[0];
    let mut packets = std::iter::from_fn(|| demuxer.next().unwrap());
    let frame = packets.find(|packet| packet.track() == track).unwrap();
    (frame.data()[2] >> 2) & 0b1111
}

/// Memory of this process, in bytes.
fn resident() -> u64 {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[test]
fn two_hours_go_through_in_segments_of_two_seconds_and_no_more_memory_than_ten_minutes() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    push(&mut segmenter, config());
    let (mut count, mut early) = (0, 0);
    for round in 0..3_600 {
        for segment in play(&mut segmenter, &pictures, round * 2 * TICKS_PER_SECOND, true) {
            assert_eq!((segment.duration, segment.discontinuity), (2 * TICKS_PER_SECOND, false), "segment {count}");
            assert_eq!((segment.size, segment.pictures), ((320, 180), 50));
            count += 1;
        }
        if round == 300 {
            early = resident();
        }
    }
    assert!(segmenter.interrupt().unwrap().is_some());
    assert_eq!(count, 3_599);
    let grown = resident().saturating_sub(early);
    assert!(grown < 16 * 1024 * 1024, "{grown} bytes more after two hours");
}

#[test]
fn a_segment_holds_no_sei_message_that_decoders_do_not_need() {
    let text = b"x264 - core";
    let is_in = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    let pictures = pictures("320x180");
    assert!(is_in(&pictures[0]), "the encoder names itself");
    let mut segmenter = Segmenter::new(&Settings::default());
    play(&mut segmenter, &pictures, 0, false);
    let segment = segmenter.interrupt().unwrap().unwrap();
    let mut demuxer = Demuxer::open(&Source::Segment(segment.bytes.clone())).unwrap();
    let packets: Vec<_> = std::iter::from_fn(|| demuxer.next().unwrap()).collect();
    assert_eq!(packets.len(), pictures.len());
    assert!(!packets.iter().any(|packet| is_in(packet.data())));
}

#[test]
fn another_size_begins_a_segment_of_its_own_that_breaks_with_the_one_before() {
    let (small, large) = (pictures("320x180"), pictures("640x360"));
    let mut segmenter = Segmenter::new(&Settings::default());
    let mut segments = play(&mut segmenter, &small[..10], 0, false);
    segments.extend(play(&mut segmenter, &large, 10 * FRAME, false));
    segments.extend(segmenter.interrupt().unwrap());
    let seen: Vec<_> = segments.iter().map(|segment| (segment.size, segment.pictures, segment.discontinuity)).collect();
    assert_eq!(seen, [((320, 180), 10, false), ((640, 360), 50, true)]);
}

#[test]
fn a_segment_has_a_track_of_sound_only_if_there_is_sound_in_it() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    let mut segments = Vec::new();
    // Sound of which nobody said how it is coded, then with it, then silence, then sound again, then a crash that no
    // sound came before.
    for (round, with_sound) in [true, true, false, true].into_iter().enumerate() {
        if round == 1 {
            push(&mut segmenter, config());
        }
        let from = i64::try_from(round).unwrap() * 2 * TICKS_PER_SECOND;
        segments.extend(play(&mut segmenter, &pictures, from, with_sound));
    }
    segments.extend(play(&mut segmenter, &pictures[..2], 8 * TICKS_PER_SECOND, false));
    segments.extend(segmenter.interrupt().unwrap());
    let seen: Vec<_> = segments.iter().map(|segment| (tracks(segment), segment.discontinuity)).collect();
    let (silent, heard) = ((1, 0), (1, 1));
    assert_eq!(seen, [(silent, false), (heard, true), (silent, true), (heard, true), (silent, true)]);
}

#[test]
fn sound_that_is_told_of_within_a_segment_is_in_it_and_sound_coded_in_another_way_waits_for_the_next() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    play(&mut segmenter, &pictures, 0, true);
    push(&mut segmenter, config());
    push(&mut segmenter, sound(TICKS_PER_SECOND));
    let other = AacConfig { sample_rate: 44_100, channels: 2, description: Bytes::from_static(&[0x12, 0x10]) };
    push(&mut segmenter, other.into());
    push(&mut segmenter, sound(TICKS_PER_SECOND + SOUND_FRAME));
    let mut segments = play(&mut segmenter, &pictures, 2 * TICKS_PER_SECOND, true);
    segments.extend(segmenter.interrupt().unwrap());
    let seen: Vec<_> = segments.iter().map(|segment| (sampling(segment), segment.discontinuity)).collect();
    assert_eq!(seen, [(3, false), (4, true)], "48 kHz, then 44.1 kHz");
}

#[test]
fn a_jump_in_time_is_a_break_and_leaves_no_hole() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    let mut segments = Vec::new();
    for from in [0, 3_600 * TICKS_PER_SECOND, 20 * TICKS_PER_SECOND] {
        segments.extend(play(&mut segmenter, &pictures, from, false));
    }
    segments.extend(segmenter.interrupt().unwrap());
    let seen: Vec<_> = segments.iter().map(|segment| (segment.duration, segment.discontinuity)).collect();
    assert_eq!(seen, [(2 * TICKS_PER_SECOND, false), (2 * TICKS_PER_SECOND, true), (2 * TICKS_PER_SECOND, true)]);
    assert_eq!(segmenter.next, FIRST_TICK + 6 * TICKS_PER_SECOND);
}

#[test]
fn what_comes_before_the_first_keyframe_is_left_out() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    push(&mut segmenter, config());
    push(&mut segmenter, picture(0, false, &pictures[1]));
    push(&mut segmenter, picture(FRAME, true, &pictures[1]));
    push(&mut segmenter, sound(0));
    assert!(!segmenter.is_running() && segmenter.interrupt().unwrap().is_none(), "no parameter sets, no keyframe");
    play(&mut segmenter, &pictures, 2 * FRAME, false);
    assert_eq!(segmenter.interrupt().unwrap().unwrap().pictures, 50);
}

#[test]
fn a_segment_that_finds_no_end_is_refused_by_its_length_and_by_its_size() {
    let pictures = pictures("320x180");
    let endless = |settings: Settings| {
        let mut segmenter = Segmenter::new(&settings);
        let later = std::iter::repeat_n(&pictures[1], 1_000);
        let all = (0..).zip(std::iter::once(&pictures[0]).chain(later));
        let mut pushed = all.map(|(n, data)| segmenter.push(picture(n * FRAME, n == 0, data), Timestamp::UNIX_EPOCH));
        pushed.find_map(Result::err)
    };
    assert_eq!(endless(Settings::default()), Some(Closed::NoKeyframe));
    assert_eq!(endless(Settings { segment_bytes: 50_000, ..Settings::default() }), Some(Closed::TooFast));
    assert_eq!(endless(Settings { pixels: 320 * 179, ..Settings::default() }), Some(Closed::TooLarge));
}

#[test]
fn a_coding_that_changes_with_every_picture_is_refused_and_one_that_changes_now_and_then_is_not() {
    let (small, large) = (pictures("320x180"), pictures("640x360"));
    let key = |n: i64| if n % 2 == 0 { &small[0] } else { &large[0] };
    let changing = |step: i64, count: i64| {
        let mut segmenter = Segmenter::new(&Settings::default());
        (0..count).find_map(|n| segmenter.push(picture(n * step, true, key(n)), Timestamp::UNIX_EPOCH).err())
    };
    assert_eq!(changing(FRAME, 20), Some(Closed::Unreadable));
    assert_eq!(changing(2 * TICKS_PER_SECOND, 100), None);
}

#[test]
fn who_was_refused_for_too_many_segments_is_taken_again_with_longer_ones() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    let tries = (0..100).map(|_| {
        push(&mut segmenter, picture(0, true, &pictures[0]));
        segmenter.interrupt().is_ok()
    });
    let taken = tries.filter(|taken| *taken).count();
    assert!((10..15).contains(&taken), "{taken} pictures made a segment each");
    assert_eq!(play(&mut segmenter, &pictures, 0, false), []);
    assert!(segmenter.interrupt().unwrap().is_some_and(|segment| segment.discontinuity));
}

#[test]
fn a_segment_lasts_however_its_sender_orders_its_pictures() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    let late = 3 * TICKS_PER_SECOND;
    let first = Sample { track: Track::Video, dts: 0, pts: late, key: true, data: pictures[0].clone() };
    assert_eq!(push(&mut segmenter, first.into()), None);
    let segment = push(&mut segmenter, picture(2 * TICKS_PER_SECOND, true, &pictures[0])).unwrap();
    assert_eq!(segment.duration, 2 * TICKS_PER_SECOND);
}

#[test]
fn a_keyframe_that_comes_too_late_for_its_segment_begins_another_run() {
    let pictures = pictures("320x180");
    let settings = Settings::default();
    let mut segmenter = Segmenter::new(&settings);
    for second in 0..12 {
        let unit = picture(second * TICKS_PER_SECOND, second == 0, &pictures[usize::from(second > 0)]);
        assert_eq!(push(&mut segmenter, unit), None);
    }
    let mut segments = play(&mut segmenter, &pictures, 11 * TICKS_PER_SECOND + JUMP, false);
    segments.extend(segmenter.interrupt().unwrap());
    let seen: Vec<_> = segments.iter().map(|segment| (segment.duration, segment.discontinuity)).collect();
    assert_eq!(seen, [(12 * TICKS_PER_SECOND, false), (2 * TICKS_PER_SECOND, true)]);
}

#[test]
fn a_frame_of_sound_that_is_none_is_left_out() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    push(&mut segmenter, config());
    push(&mut segmenter, picture(0, true, &pictures[0]));
    for data in [&[][..], &[0x21]] {
        let data = Bytes::from_static(data);
        push(&mut segmenter, Sample { track: Track::Audio, dts: FRAME, pts: FRAME, key: true, data }.into());
    }
    assert_eq!(tracks(&segmenter.interrupt().unwrap().unwrap()), (1, 0));
}

#[test]
fn a_segment_that_cannot_be_written_leaves_nothing_for_the_next() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    push(&mut segmenter, config());
    play(&mut segmenter, &pictures, 0, true);
    let (dts, data) = (segmenter.last[1].unwrap() + SOUND_FRAME, Bytes::from_static(&[0x21]));
    segmenter.held.push(Sample { track: Track::Audio, dts, pts: dts, key: true, data });
    assert!(segmenter.interrupt().is_err_and(|reason| reason == Closed::Unreadable));
    assert!(segmenter.next > FIRST_TICK + 2 * TICKS_PER_SECOND && !segmenter.is_running());
    push(&mut segmenter, config());
    play(&mut segmenter, &pictures, 0, true);
    let segment = segmenter.interrupt().unwrap().unwrap();
    let mut demuxer = Demuxer::open(&Source::Segment(segment.bytes)).unwrap();
    let sound = demuxer.audio()[0];
    let packets = std::iter::from_fn(|| demuxer.next().unwrap());
    assert_eq!(packets.filter(|packet| packet.track() != sound).count(), 50);
}

#[test]
fn a_segment_is_as_long_as_its_pictures_even_if_the_next_is_shown_a_tick_after_its_first() {
    let pictures = pictures("320x180");
    let mut segmenter = Segmenter::new(&Settings::default());
    let key =
        |dts: i64, pts: i64| Sample { track: Track::Video, dts, pts, key: true, data: pictures[0].clone() }.into();
    assert_eq!(push(&mut segmenter, key(0, 3 * TICKS_PER_SECOND)), None);
    let segment = push(&mut segmenter, key(2 * TICKS_PER_SECOND, 3 * TICKS_PER_SECOND + 1)).unwrap();
    assert_eq!(segment.duration, 2 * TICKS_PER_SECOND);
}

//! Access units by hand, each with something that must go and something that must stay.

use super::*;

const MARKER: &[u8] = b"37.5667N 126.9784E";
const SPS: &[u8] = &[0x67, 66, 0xc0, 30, 0xda];
const PPS: &[u8] = &[0x68, 0xce];
const IDR: &[u8] = &[0x65, 0x88, 0x84, 0, 0, 3, 1, 7];
/// A recovery point.
const RECOVERY: &[u8] = &[6, 1, 0xc4];

fn user_data(kind: u8) -> Vec<u8> {
    [&[kind, u8::try_from(16 + MARKER.len()).unwrap()][..], &[0xab; 16], MARKER].concat()
}

fn captions() -> Vec<u8> {
    let cc = b"\xb5\0\x31GA94\x03\xc2\xff\xfchi\xfcyo\xff";
    [&[4, u8::try_from(cc.len()).unwrap()][..], cc].concat()
}

/// An SEI unit with these messages, escaped.
fn information(header: &[u8], messages: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for byte in messages.concat().into_iter().chain([0x80]) {
        if body.ends_with(&[0, 0]) && byte <= 3 {
            body.push(3);
        }
        body.push(byte);
    }
    [header, &body].concat()
}

fn h264(messages: &[&[u8]]) -> Vec<u8> {
    information(&[6], messages)
}

fn with_start_codes(nals: &[&[u8]]) -> Vec<u8> {
    nals.iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect()
}

fn with_lengths(nals: &[&[u8]], size: usize) -> Vec<u8> {
    nals.iter().flat_map(|nal| [&nal.len().to_be_bytes()[8 - size..], nal].concat()).collect()
}

fn avcc(size: u8) -> Vec<u8> {
    let sets = [&[0xe1, 0, 5][..], SPS, &[1, 0, 2], PPS].concat();
    [&[1, 66, 0xc0, 30, 0xfc | (size - 1)][..], &sets].concat()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// In both framings, `nals` become `left`.
fn assert_left(nals: &[&[u8]], left: &[&[u8]]) {
    let stripped = Strip::h264().unit(&with_start_codes(nals)).unwrap().into_owned();
    assert_eq!(stripped, with_start_codes(left), "behind start codes");
    for size in [1, 2, 4] {
        let strip = Strip::of(Id::H264, &avcc(size), false).unwrap();
        let size = usize::from(size);
        let stripped = strip.unit(&with_lengths(nals, size)).unwrap().into_owned();
        assert_eq!(stripped, with_lengths(left, size), "behind lengths of {size}");
    }
}

#[test]
fn user_data_goes_and_frames_and_parameter_sets_stay() {
    for kind in [4, 5, 22, 77] {
        let sei = h264(&[&user_data(kind)]);
        assert_left(&[&[9, 0xf0], SPS, PPS, &sei, IDR, IDR], &[&[9, 0xf0], SPS, PPS, IDR, IDR]);
    }
}

#[test]
fn messages_that_decoders_use_stay_with_their_escapes() {
    let timing: &[u8] = &[1, 4, 0, 0, 1, 0];
    let mixed = h264(&[&user_data(5), timing, &user_data(4), RECOVERY, &captions()]);
    assert_left(&[&mixed, IDR], &[&h264(&[timing, RECOVERY]), IDR]);
    let needed = h264(&[timing, RECOVERY]);
    assert_left(&[&needed, IDR], &[&needed, IDR]);
}

#[test]
fn a_needed_message_that_is_longer_than_its_syntax_goes() {
    let long = [&[47, u8::try_from(MARKER.len()).unwrap()][..], MARKER].concat();
    assert_left(&[&h264(&[&long, RECOVERY]), IDR], &[&h264(&[RECOVERY]), IDR]);
}

#[test]
fn captions_stay_only_on_request_and_only_as_long_as_they_say() {
    let behind = [&captions()[..], MARKER].concat();
    let mut longer = behind.clone();
    longer[1] += u8::try_from(MARKER.len()).unwrap();
    let unit = with_start_codes(&[&h264(&[&captions()]), &h264(&[&user_data(4)]), &h264(&[&longer]), IDR]);
    let asked = Strip { captions: true, ..Strip::h264() };
    assert_eq!(*asked.unit(&unit).unwrap(), with_start_codes(&[&h264(&[&captions()]), IDR]));
    assert_eq!(*Strip::h264().unit(&unit).unwrap(), with_start_codes(&[IDR]));
}

#[test]
fn damaged_messages_go_whole() {
    let whole = h264(&[RECOVERY, &user_data(5)]);
    for damaged in [&whole[..whole.len() - 1], &whole[..6], &[6], &[6, 0x80], &[6, 0xff, 0xff], &[6, 6, 200, 1, 0x80]] {
        assert_left(&[SPS, damaged, IDR], &[SPS, IDR]);
    }
}

#[test]
fn units_that_no_decoder_here_reads_go() {
    for kind in [0, 2, 3, 4, 12, 13, 14, 15, 16, 18, 19, 20, 21, 23, 24, 28, 31] {
        assert_left(&[&[&[0x60 | kind], MARKER].concat(), IDR], &[IDR]);
    }
    for mark in [9, 10, 11, 0x85] {
        assert_left(&[IDR, &[&[mark], MARKER].concat()], &[IDR]);
    }
}

#[test]
fn bytes_between_units_go() {
    let unit = [MARKER, &with_start_codes(&[IDR])[1..]].concat();
    assert_eq!(*Strip::h264().unit(&unit).unwrap(), with_start_codes(&[IDR])[1..]);
    assert!(Strip::h264().unit(MARKER).unwrap().is_empty(), "no unit at all");
    assert!(Strip::h264().unit(b"").unwrap().is_empty());
}

#[test]
fn what_needs_no_change_is_not_copied() {
    let unit = [&with_start_codes(&[&[9, 0xf0], SPS, PPS]), &[0, 0, 1][..], IDR, &[0, 0]].concat();
    assert!(matches!(Strip::h264().unit(&unit).unwrap(), Cow::Borrowed(_)));
    let strip = Strip::of(Id::VP9, b"", false).unwrap();
    assert!(matches!(strip.unit(&unit).unwrap(), Cow::Borrowed(_)));
}

#[test]
fn the_first_start_code_stays_long_when_its_unit_goes() {
    let unit = [&with_start_codes(&[&h264(&[&user_data(5)])]), &[0, 0, 1][..], IDR].concat();
    assert_eq!(*Strip::h264().unit(&unit).unwrap(), with_start_codes(&[IDR]));
}

#[test]
fn a_packet_whose_framing_cannot_be_read_is_not_copied() {
    let strip = Strip::of(Id::H264, &avcc(4), false).unwrap();
    let whole = with_lengths(&[IDR], 4);
    let hidden = with_lengths(&[&with_start_codes(&[IDR, &h264(&[&user_data(5)])])[4..]], 4);
    let mut zero = whole.clone();
    zero.extend_from_slice(&[0; 4]);
    for unit in [&whole[..whole.len() - 1], &[&whole[..], b"\0\0"].concat(), &hidden, &zero] {
        assert!(matches!(strip.unit(unit), Err(Error::Mux(_))), "{unit:?}");
    }
    assert!(strip.unit(&with_start_codes(&[IDR, IDR])).is_err(), "start codes where lengths are announced");
    assert!(Strip::of(Id::H264, MARKER, false).is_err());
    assert!(Strip::of(Id::MPEG4, b"", false).is_err());
}

#[test]
fn hevc_loses_the_same_and_its_upper_layers() {
    let [prefix, suffix]: [&[u8]; 2] = [&[39 << 1, 1], &[40 << 1, 1]];
    let [vps, idr, filler, upper, dolby]: [Vec<u8>; 5] =
        [(32, 1), (19, 1), (38, 1), (1, 9), (62, 1)].map(|(kind, second)| [&[kind << 1, second], MARKER].concat());
    let seen = information(prefix, &[&[137, 24], &[7; 24]]);
    let mixed = information(prefix, &[&user_data(5), &[137, 24], &[7; 24], &user_data(4)]);
    let hash = information(suffix, &[&[132, 17], &[7; 17]]);
    let aud: &[u8] = &[35 << 1, 1, 0x50];
    let nals = [aud, &vps, &mixed, &information(prefix, &[&user_data(5)]), &idr, &upper, &dolby, &hash, &filler, &[78]];
    let mut extradata = vec![1; 23];
    extradata[21] = 3;
    let strip = Strip::of(Id::HEVC, &extradata, false).unwrap();
    assert_eq!(*strip.unit(&with_lengths(&nals, 4)).unwrap(), with_lengths(&[aud, &vps, &seen, &idr], 4));
    let strip = Strip::of(Id::HEVC, b"", false).unwrap();
    assert_eq!(*strip.unit(&with_start_codes(&nals)).unwrap(), with_start_codes(&[aud, &vps, &seen, &idr]));
}

#[test]
fn extradata_keeps_its_parameter_sets_only() {
    let sei = h264(&[&user_data(5)]);
    let clean = avcc(4);
    assert_eq!(parameter_sets(Id::H264, &clean).unwrap(), clean);
    let length = u8::try_from(sei.len()).unwrap();
    let sets = [&[0xe2, 0, 5][..], SPS, &[0, length], &sei, &[1, 0, 2], PPS, MARKER].concat();
    let stripped = parameter_sets(Id::H264, &[&clean[..5], &sets].concat()).unwrap();
    assert!(stripped.starts_with(&clean) && !holds(&stripped, MARKER));
    let annex_b = with_start_codes(&[SPS, PPS, &sei]);
    assert_eq!(parameter_sets(Id::H264, &annex_b).unwrap(), with_start_codes(&[SPS, PPS]));
    assert!(parameter_sets(Id::H264, &clean[..8]).is_err());
    assert!(parameter_sets(Id::VP9, MARKER).unwrap().is_empty());

    let array = |kind: u8, nal: &[u8]| [&[0x80 | kind, 0, 1, 0, u8::try_from(nal.len()).unwrap()][..], nal].concat();
    let (vps, user) = ([32 << 1, 1, 7], information(&[39 << 1, 1], &[&user_data(5)]));
    let head = [&[1][..], &[0; 20], &[3]].concat();
    let all = [&head[..], &[3], &array(32, &vps), &array(39, &user), &array(33, &user), MARKER].concat();
    assert_eq!(parameter_sets(Id::HEVC, &all).unwrap(), [&head[..], &[1], &array(32, &vps)].concat());
}

#[test]
fn comments_of_audio_are_emptied() {
    let identification = [&b"\x01vorbis"[..], &[1; 23]].concat();
    let comment = [&b"\x03vorbis"[..], MARKER, &[0; 300], MARKER].concat();
    let setup = b"\x05vorbis and books";
    let lacing = [2, 30, 255, u8::try_from(comment.len() - 255).unwrap()];
    let laced = [&lacing, &identification[..], &comment, setup].concat();
    let sized = |part: &[u8]| [&u16::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat();
    let sized = [sized(&identification), sized(&comment), sized(setup)].concat();
    for extradata in [laced, sized] {
        let stripped = comments(Id::VORBIS, &extradata).unwrap();
        assert!(holds(&stripped, &identification) && stripped.ends_with(setup) && !holds(&stripped, MARKER));
    }
    assert!(comments(Id::VORBIS, MARKER).is_err());
    let info = [7; 34];
    let flac = [b"fLaC\0\0\0\x22", &info[..], b"\x84\0\0\x12", MARKER].concat();
    assert_eq!(comments(Id::FLAC, &flac).unwrap(), info);
    assert_eq!(comments(Id::FLAC, &info).unwrap(), info);
}

/// Numbers that look random, the same each time (Marsaglia, "Xorshift RNGs", 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

#[test]
fn nothing_that_is_damaged_panics_grows_or_is_left_with_more_to_strip() {
    let mixed = h264(&[&user_data(5), &[1, 4, 0, 0, 1, 0], &user_data(4), RECOVERY]);
    let hevc = information(&[39 << 1, 1], &[&user_data(5), &[137, 24], &[7; 24]]);
    let nals: [&[u8]; 6] = [&[9, 0xf0], SPS, PPS, &mixed, &hevc, IDR];
    let seeds = [with_start_codes(&nals), with_lengths(&nals, 4), with_lengths(&nals, 1), avcc(4)];
    let hvcc = [&[1][..], &[0; 20], &[3]].concat();
    let strips = [
        Strip::h264(),
        Strip { captions: true, ..Strip::of(Id::H264, &avcc(4), true).unwrap() },
        Strip::of(Id::H264, &avcc(1), false).unwrap(),
        Strip::of(Id::HEVC, b"", false).unwrap(),
        Strip::of(Id::HEVC, &hvcc, false).unwrap(),
    ];
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for _ in 0..20_000 {
        let mut unit = seeds[numbers.below(seeds.len())].clone();
        unit.truncate(unit.len() - numbers.below(4));
        for _ in 0..numbers.below(6) {
            let at = numbers.below(unit.len());
            unit[at] = [0, 1, 3, 6, 0xff, 0x80, u8::try_from(numbers.below(256)).unwrap()][numbers.below(7)];
        }
        for strip in strips {
            if let Ok(once) = strip.unit(&unit) {
                assert!(once.len() <= unit.len(), "{unit:?}");
                assert_eq!(strip.unit(&once).unwrap(), once, "{unit:?}");
            }
        }
        for codec in [Id::H264, Id::HEVC, Id::VP8] {
            drop(parameter_sets(codec, &unit));
        }
        drop(comments(Id::VORBIS, &unit));
        drop(comments(Id::FLAC, &unit));
    }
}

//! Extradata: what a container's header says about a track, without what decoding does not need.
//!
//! Encoders put SEI messages beside the parameter sets, and audio formats have room for comments. A muxer writes all of
//! it into the new file.

use super::{Coding, Framing, Strip, Verdict, nal::start_code, sei::number};
use crate::Error;
use ffmpeg_next::codec::Id;

/// Bytes of an avcC and of an hvcC before their lists of NAL units (ISO/IEC 14496-15, 5.3.3 and 8.3.3).
const AVCC_HEAD: usize = 5;
const HVCC_HEAD: usize = 22;
/// Length of FLAC's STREAMINFO, and what comes before it in a whole header: a mark and the block's own header.
const STREAMINFO: usize = 34;
const BEFORE_STREAMINFO: usize = 8;
/// Length of Vorbis's identification header.
const IDENTIFICATION: usize = 30;
/// Vorbis's comment header with an empty vendor, no comments and the framing bit (Vorbis I, 5.2.1).
const NO_COMMENTS: &[u8] = b"\x03vorbis\0\0\0\0\0\0\0\0\x01";

/// Extradata of a video track of `codec` with nothing but parameter sets and the SEI messages that are needed.
///
/// # Errors
/// [`Error::Mux`] when it cannot be read, or packets of the codec must not be copied.
pub(crate) fn parameter_sets(codec: Id, extradata: &[u8]) -> Result<Vec<u8>, Error> {
    let strip = Strip::of(codec, extradata, false)?;
    let unreadable = || Error::Mux(format!("the extradata of {} cannot be read", codec.name()));
    match (strip.coding, strip.framing) {
        // The muxers here make their own from the frame's format.
        (Coding::Bare, _) => Ok(Vec::new()),
        (_, Framing::StartCodes) => strip.unit(extradata).map(std::borrow::Cow::into_owned),
        (Coding::H264, Framing::Lengths(_)) => avcc(extradata).ok_or_else(unreadable),
        (Coding::Hevc, Framing::Lengths(_)) => strip.hvcc(extradata).ok_or_else(unreadable),
    }
}

/// Extradata of an audio track of `codec` without comments.
///
/// # Errors
/// [`Error::Unsupported`] when comments may be in it and it cannot be read.
pub(crate) fn comments(codec: Id, extradata: &[u8]) -> Result<Vec<u8>, Error> {
    let unreadable = || Error::Unsupported(format!("its {} audio has a header that cannot be read", codec.name()));
    match codec {
        Id::VORBIS if !extradata.is_empty() => vorbis(extradata).ok_or_else(unreadable),
        Id::FLAC if !extradata.is_empty() => flac(extradata).ok_or_else(unreadable),
        _ => Ok(extradata.to_vec()),
    }
}

/// The next NAL unit, which would become two where start codes are written if it held one.
fn next_unit<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    sized(rest).filter(|unit| start_code(unit, 0).is_none())
}

fn put_unit(out: &mut Vec<u8>, unit: &[u8]) -> Option<()> {
    out.extend_from_slice(&u16::try_from(unit.len()).ok()?.to_be_bytes());
    out.extend_from_slice(unit);
    Some(())
}

/// Sequence and picture parameter sets; extensions describe auxiliary frames, which are not kept.
fn avcc(extradata: &[u8]) -> Option<Vec<u8>> {
    let (head, mut rest) = extradata.split_at_checked(AVCC_HEAD)?;
    let mut out = head.to_vec();
    out[AVCC_HEAD - 1] |= 0xfc;
    for (kind, count_bits) in [(7, 0x1f), (8, 0xff)] {
        let (count, behind) = rest.split_first()?;
        rest = behind;
        let units = (0..count & count_bits).map(|_| next_unit(&mut rest)).collect::<Option<Vec<_>>>()?;
        let sets: Vec<&[u8]> =
            units.into_iter().filter(|unit| unit.first().is_some_and(|b| b & 0x9f == kind)).collect();
        out.push(!count_bits | u8::try_from(sets.len()).ok()?);
        sets.iter().try_for_each(|set| put_unit(&mut out, set))?;
    }
    if let [chroma, luma_depth, chroma_depth, _, ..] = *rest {
        out.extend_from_slice(&[0xfc | chroma, 0xf8 | luma_depth, 0xf8 | chroma_depth, 0]);
    }
    Some(out)
}

impl Strip {
    /// Arrays of parameter sets, and of SEI messages that are needed.
    fn hvcc(&self, extradata: &[u8]) -> Option<Vec<u8>> {
        let (head, rest) = extradata.split_at_checked(HVCC_HEAD)?;
        let (arrays, mut rest) = rest.split_first()?;
        let mut kept = Vec::new();
        for _ in 0..*arrays {
            let (kind, behind) = rest.split_first()?;
            let (count, behind) = behind.split_first_chunk()?;
            rest = behind;
            let units = (0..u16::from_be_bytes(*count)).map(|_| next_unit(&mut rest)).collect::<Option<Vec<_>>>()?;
            let units: Vec<Vec<u8>> = units.into_iter().filter_map(|unit| self.of_kind(*kind & 0x3f, unit)).collect();
            if !units.is_empty() {
                kept.push((*kind & 0xbf, units));
            }
        }
        let mut out = [head, &[u8::try_from(kept.len()).ok()?]].concat();
        for (kind, units) in kept {
            out.push(kind);
            out.extend_from_slice(&u16::try_from(units.len()).ok()?.to_be_bytes());
            units.iter().try_for_each(|unit| put_unit(&mut out, unit))?;
        }
        Some(out)
    }

    /// What is left of `unit`, which must be a parameter set or an SEI unit of the `kind` its array is for.
    fn of_kind(&self, kind: u8, unit: &[u8]) -> Option<Vec<u8>> {
        let is_so = matches!(kind, 32..=34 | 39 | 40) && unit.first().is_some_and(|first| first >> 1 & 0x3f == kind);
        match self.judge(unit) {
            Verdict::Keep if is_so => Some(unit.to_vec()),
            Verdict::Replace(bytes) if is_so => Some(bytes),
            _ => None,
        }
    }
}

/// STREAMINFO alone, as libav keeps it.
fn flac(extradata: &[u8]) -> Option<Vec<u8>> {
    let begin = if extradata.starts_with(b"fLaC") { BEFORE_STREAMINFO } else { 0 };
    extradata.get(begin..begin + STREAMINFO).map(<[u8]>::to_vec)
}

/// The three headers with an empty one in the middle, laced as Matroska does.
fn vorbis(extradata: &[u8]) -> Option<Vec<u8>> {
    let (identification, setup) = if extradata.starts_with(&[0, 30]) {
        let mut rest = extradata;
        let [identification, _, setup] = [(); 3].map(|()| sized(&mut rest));
        (identification?, setup?)
    } else {
        laced(extradata)?
    };
    let whole = identification.len() == IDENTIFICATION && setup.starts_with(b"\x05vorbis");
    let lacing = [2, u8::try_from(IDENTIFICATION).ok()?, u8::try_from(NO_COMMENTS.len()).ok()?];
    whole.then(|| [&lacing, identification, NO_COMMENTS, setup].concat())
}

/// What comes next, behind its length in two bytes.
fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk()?;
    let (header, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = behind;
    Some(header)
}

/// The first and the third of three headers in Xiph lacing: their count less one, the lengths of all but the last.
fn laced(extradata: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = extradata.strip_prefix(&[2])?;
    let (first, second) = (number(&mut rest)?, number(&mut rest)?);
    let (identification, rest) = rest.split_at_checked(first)?;
    Some((identification, rest.get(second..)?))
}

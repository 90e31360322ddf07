//! NAL units in an access unit: between start codes (annex B of H.264 and H.265) or behind lengths (ISO/IEC 14496-15).
//!
//! Bytes that belong to no NAL unit are lost in the split: decoders skip them, and anything may be written there.

use crate::Error;

/// How NAL units stand in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Each behind a start code.
    StartCodes,
    /// Each behind its length in so many bytes.
    Lengths(usize),
}

/// A NAL unit with its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nal<'a> {
    /// Its bytes, without what frames it and without the zeros that may follow.
    pub bytes: &'a [u8],
    /// Whether its start code has four bytes.
    pub is_long: bool,
}

const LONG_START: [u8; 4] = [0, 0, 0, 1];
/// Where in an avcC and in an hvcC the size of lengths is, and how many bytes come before their lists.
const AVCC_SIZE_AT: usize = 4;
const HVCC_SIZE_AT: usize = 21;

impl Framing {
    /// What this extradata of H.264 says. An avcC begins with its version, 1.
    pub fn of_h264(extradata: &[u8]) -> Result<Self, Error> {
        Self::told(extradata, AVCC_SIZE_AT)
    }

    /// The same of HEVC.
    pub fn of_hevc(extradata: &[u8]) -> Result<Self, Error> {
        Self::told(extradata, HVCC_SIZE_AT)
    }

    fn told(extradata: &[u8], size_at: usize) -> Result<Self, Error> {
        match (extradata, extradata.get(size_at)) {
            ([] | [0, 0, 1, ..] | [0, 0, 0, 1, ..], _) => Ok(Self::StartCodes),
            ([1, ..], Some(size)) => Ok(Self::Lengths(usize::from(size & 3) + 1)),
            _ => Err(Error::Mux("the extradata does not tell how packets are framed".to_owned())),
        }
    }

    /// The NAL units of `unit`.
    pub fn split(self, unit: &[u8]) -> Result<Vec<Nal<'_>>, Error> {
        match self {
            Self::StartCodes => Ok(between_start_codes(unit)),
            Self::Lengths(size) => {
                behind_lengths(unit, size).ok_or_else(|| Error::Mux("a packet is not framed as announced".to_owned()))
            }
        }
    }

    /// Whether `unit` has no bytes before its first NAL unit.
    pub fn is_tight(self, unit: &[u8]) -> bool {
        self != Self::StartCodes || unit.iter().position(|byte| *byte != 0).is_some_and(|at| at > 1 && unit[at] == 1)
    }

    /// Appends `nal` of `unit` to `out`. An access unit that began with a long start code does so without its first NAL
    /// unit, too (annex B, `zero_byte`).
    pub fn put(self, out: &mut Vec<u8>, unit: &[u8], nal: Nal<'_>) {
        match self {
            Self::StartCodes => {
                let is_long = nal.is_long || out.is_empty() && unit.starts_with(&LONG_START);
                out.extend_from_slice(if is_long { &LONG_START } else { &LONG_START[1..] });
            }
            Self::Lengths(size) => {
                // It is not longer than the NAL unit in its place, whose length fitted.
                let length = nal.bytes.len().to_be_bytes();
                out.extend_from_slice(&length[length.len() - size..]);
            }
        }
        out.extend_from_slice(nal.bytes);
    }
}

fn between_start_codes(unit: &[u8]) -> Vec<Nal<'_>> {
    let mut nals = Vec::new();
    let mut next = start_code(unit, 0);
    while let Some(at) = next {
        let begin = at + 3;
        next = start_code(unit, begin);
        let bytes = without_zeros(&unit[begin..next.unwrap_or(unit.len())]);
        if !bytes.is_empty() {
            nals.push(Nal { bytes, is_long: at > 0 && unit[at - 1] == 0 });
        }
    }
    nals
}

/// A start code within a NAL unit would begin another one as soon as a muxer writes start codes.
fn behind_lengths(unit: &[u8], size: usize) -> Option<Vec<Nal<'_>>> {
    let (mut nals, mut rest) = (Vec::new(), unit);
    while !rest.is_empty() {
        let (length, behind) = rest.split_at_checked(size)?;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (bytes, behind) = behind.split_at_checked(length)?;
        // A first NAL unit of one byte is a start code that was taken for a length.
        let is_start_code = nals.is_empty() && length == 1 && !behind.is_empty();
        if bytes.is_empty() || is_start_code || start_code(bytes, 0).is_some() {
            return None;
        }
        nals.push(Nal { bytes, is_long: false });
        rest = behind;
    }
    Some(nals)
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..length]
}

/// Where the next start code of three bytes begins, from `from` on.
pub(super) fn start_code(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some([first, second, third]) = bytes.get(at..at + 3) {
        match (first, second, third) {
            (0, 0, 1) => return Some(at),
            (_, _, 2..) => at += 3,
            (_, 1.., _) => at += 2,
            _ => at += 1,
        }
    }
    None
}

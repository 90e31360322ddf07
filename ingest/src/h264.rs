//! H.264 as bytes: NAL units with start codes (ITU-T H.264 annex B) or with lengths (ISO/IEC 14496-15).
//!
//! Nothing is decoded; what is cut off or lies about its length is refused, never read past.

use bytes::{BufMut as _, Bytes, BytesMut};

/// NAL unit types (ITU-T H.264, table 7-1).
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;

const START_CODE: &[u8] = &[0, 0, 0, 1];

/// What came is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("H.264 that cannot be read")]
pub(crate) struct Malformed;

/// The NAL units of an access unit with start codes.
pub(crate) fn units(access_unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(access_unit);
    std::iter::from_fn(move || {
        let unit = rest?;
        let end = (0..unit.len()).find(|&at| matches!(unit[at..], [0, 0, 1, ..] | [0, 0, 0, 1, ..]));
        rest = end.and_then(|end| after_start_code(&unit[end..]));
        Some(&unit[..end.unwrap_or(unit.len())])
    })
    .filter(|unit| !unit.is_empty())
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.windows(3).position(|window| window == [0, 0, 1])?;
    bytes.get(at + 3..)
}

fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1f)
}

/// The parameter sets in an access unit, one after the other: when they change, so does the coding.
pub(crate) fn parameter_sets(access_unit: &[u8]) -> Vec<u8> {
    let sets = units(access_unit).take_while(|unit| !(1..=IDR).contains(&kind(unit)));
    sets.filter(|unit| matches!(kind(unit), SPS | PPS)).fold(Vec::new(), |mut all, unit| {
        all.extend_from_slice(START_CODE);
        all.extend_from_slice(unit);
        all
    })
}

/// What an AVCDecoderConfigurationRecord says (ISO/IEC 14496-15, 5.3.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Configuration {
    length_bytes: usize,
    /// With start codes.
    parameter_sets: Bytes,
}

impl Configuration {
    /// Reads a record.
    pub(crate) fn parse(record: &[u8]) -> Result<Self, Malformed> {
        let [1, _, _, _, sizes, rest @ ..] = record else { return Err(Malformed) };
        let length_bytes = usize::from(sizes & 3) + 1;
        let mut parameter_sets = BytesMut::new();
        let (count, rest) = rest.split_first().ok_or(Malformed)?;
        let rest = take_sets(rest, count & 0x1f, &mut parameter_sets)?;
        let (count, rest) = rest.split_first().ok_or(Malformed)?;
        take_sets(rest, *count, &mut parameter_sets)?;
        if length_bytes == 3 || parameter_sets.is_empty() {
            return Err(Malformed);
        }
        Ok(Self { length_bytes, parameter_sets: parameter_sets.freeze() })
    }

    /// Rewrites an access unit whose NAL units have lengths into one with start codes, parameter sets before every IDR
    /// picture. Returns it and whether it is one.
    pub(crate) fn access_unit(&self, mut from: &[u8]) -> Result<(Bytes, bool), Malformed> {
        let mut to = BytesMut::with_capacity(from.len() + self.parameter_sets.len() + 64);
        let (mut key, mut has_sets) = (false, false);
        while !from.is_empty() {
            let (length, rest) = from.split_at_checked(self.length_bytes).ok_or(Malformed)?;
            let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            let (unit, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
            from = rest;
            match kind(unit) {
                // The muxer writes delimiters of its own.
                DELIMITER => continue,
                SPS => has_sets = true,
                IDR if !key => {
                    key = true;
                    if !has_sets {
                        to.put_slice(&self.parameter_sets);
                    }
                }
                _ => {}
            }
            if !unit.is_empty() {
                to.put_slice(START_CODE);
                to.put_slice(unit);
            }
        }
        if to.is_empty() { Err(Malformed) } else { Ok((to.freeze(), key)) }
    }
}

fn take_sets<'a>(mut from: &'a [u8], count: u8, to: &mut BytesMut) -> Result<&'a [u8], Malformed> {
    for _ in 0..count {
        let (length, rest) = from.split_first_chunk::<2>().ok_or(Malformed)?;
        let (set, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(Malformed)?;
        to.put_slice(START_CODE);
        to.put_slice(set);
        from = rest;
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 1, 2, 1, 0, 2, 0x68, 3];

    #[test]
    fn units_are_found_behind_long_and_short_start_codes() {
        let bytes = [0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65, 1, 2];
        assert_eq!(units(&bytes).collect::<Vec<_>>(), [&[0x67, 9][..], &[0x68], &[0x65, 1, 2]]);
        assert_eq!(units(&[]).count() + units(&[1, 2, 3]).count() + units(&[0, 0, 1]).count(), 0);
    }

    #[test]
    fn lengths_become_start_codes_and_every_idr_picture_gets_its_parameter_sets() {
        let configuration = Configuration::parse(RECORD).unwrap();
        let (unit, key) = configuration.access_unit(&[0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 2, 0x65, 7]).unwrap();
        assert!(key);
        assert_eq!(&unit[..], [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 7]);
        assert_eq!(parameter_sets(&unit), configuration.parameter_sets);
        let (unit, key) = configuration.access_unit(&[0, 0, 0, 2, 0x41, 7]).unwrap();
        assert_eq!((&unit[..], key), (&[0, 0, 0, 1, 0x41, 7][..], false));
    }

    #[test]
    fn what_is_cut_off_anywhere_is_refused() {
        for end in 0..RECORD.len() {
            assert_eq!(Configuration::parse(&RECORD[..end]), Err(Malformed), "{end} bytes");
        }
        let configuration = Configuration::parse(RECORD).unwrap();
        let unit = [0, 0, 0, 2, 0x65, 7];
        for end in 0..unit.len() {
            assert_eq!(configuration.access_unit(&unit[..end]), Err(Malformed), "{end} bytes");
        }
        assert_eq!(configuration.access_unit(&[0xff, 0xff, 0xff, 0xff, 0x65]), Err(Malformed));
    }
}

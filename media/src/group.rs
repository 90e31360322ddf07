//! Groups of H.264 pictures that can be decoded by themselves, whatever stands before them in the track.
//!
//! Only such a group can be taken over as it is between others that were encoded anew: with it come all parameter sets
//! that its slices refer to (ITU-T H.264, 7.3.2 and 7.3.3), and nothing in it refers to a picture outside (an IDR
//! picture begins it). Only headers are read, and what cannot be read does not stand alone.

use std::collections::{BTreeMap, BTreeSet};

/// NAL unit types (ITU-T H.264, table 7-1).
const SLICE: u8 = 1;
const IDR: u8 = 5;
const INFORMATION: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;

/// Bytes of a unit that its identifiers lie in: five numbers of at most 32 bits each and what escapes them.
const HEADER_BYTES: usize = 64;
/// Where in a sequence parameter set, behind the NAL header, its first number lies: profile, constraints and level come
/// before it.
const SPS_NUMBERS: usize = 3;

/// Whether a group may begin with this access unit: an IDR picture with its parameter sets before it.
pub fn begins_group(unit: &[u8]) -> bool {
    let mut sets = Sets::default();
    sets.take(unit) == Some(IDR)
}

/// Whether these access units, one after the other, can be decoded by themselves.
pub fn stands_alone<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut sets = Sets::default();
    let mut kinds = units.into_iter().map(|unit| sets.take(unit));
    kinds.next() == Some(Some(IDR)) && kinds.all(|kind| kind == Some(SLICE))
}

/// The parameter sets that were given: for each picture parameter set the sequence parameter set it refers to.
#[derive(Default)]
struct Sets {
    sequences: BTreeSet<u32>,
    pictures: BTreeMap<u32, u32>,
}

impl Sets {
    /// Takes an access unit; gives the kind of its slices, all of one kind and all with known parameter sets.
    fn take(&mut self, unit: &[u8]) -> Option<u8> {
        let mut slices = None;
        for unit in units(unit) {
            let kind = unit.first()? & 0x1f;
            match kind {
                SPS => drop(self.sequences.insert(Bits::of(unit.get(1 + SPS_NUMBERS..)?).number()?)),
                PPS => {
                    let mut bits = Bits::of(&unit[1..]);
                    let picture = bits.number()?;
                    self.pictures.insert(picture, bits.number()?);
                }
                SLICE | IDR => {
                    let mut bits = Bits::of(&unit[1..]);
                    let (_first_macroblock, _slice_type) = (bits.number()?, bits.number()?);
                    let sequence = self.pictures.get(&bits.number()?)?;
                    if !self.sequences.contains(sequence) || slices.is_some_and(|slices| slices != kind) {
                        return None;
                    }
                    slices = Some(kind);
                }
                INFORMATION | DELIMITER | FILLER => {}
                // Data partitions, further views and layers, ends of sequences: seen in no broadcast.
                _ => return None,
            }
        }
        slices
    }
}

/// The NAL units between start codes (annex B), without the zeros that may follow them.
fn units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> = (3..=bytes.len()).filter(|at| bytes[at - 3..*at] == [0, 0, 1]).collect();
    let ends: Vec<usize> = starts.iter().skip(1).map(|start| start - 3).chain([bytes.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| {
        let unit = &bytes[start..end];
        let length = unit.iter().rposition(|byte| *byte != 0)? + 1;
        Some(&unit[..length])
    })
}

/// The bits of the beginning of a unit, without the bytes that keep start codes out of it.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn of(unit: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        for byte in unit.iter().take(HEADER_BYTES) {
            if !(*byte == 3 && bytes.ends_with(&[0, 0])) {
                bytes.push(*byte);
            }
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    /// An unsigned Exp-Golomb number (ITU-T H.264, 9.1).
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
        }
        if zeros > 31 {
            return None;
        }
        let mut rest = 0;
        for _ in 0..zeros {
            rest = rest << 1 | self.bit()?;
        }
        Some((1 << zeros) - 1 + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameter sets with the identifiers 0 and 0, as x264 writes their beginnings.
    const SETS: &[u8] = &[0, 0, 0, 1, 0x67, 66, 0xc0, 30, 0xda, 0, 0, 1, 0x68, 0xce];
    /// A slice of picture parameter set 0: the numbers 0, 7 and 0.
    const IDR_SLICE: &[u8] = &[0, 0, 1, 0x65, 0x88, 0x84];
    /// Another: the numbers 0, 5 and 0.
    const LATER: &[u8] = &[0, 0, 1, 0x41, 0x9a, 0x10];

    fn joined(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn a_group_begins_with_an_idr_picture_and_its_parameter_sets() {
        assert!(begins_group(&joined(&[SETS, IDR_SLICE])));
        assert!(begins_group(&joined(&[&[0, 0, 1, 9, 0xf0], SETS, IDR_SLICE, IDR_SLICE])));
        assert!(!begins_group(IDR_SLICE), "no parameter sets");
        assert!(!begins_group(&joined(&[IDR_SLICE, SETS])), "they come too late");
        assert!(!begins_group(&joined(&[SETS, LATER])), "no IDR picture");
        assert!(!begins_group(&joined(&[SETS, IDR_SLICE, LATER])), "of two minds");
        assert!(!begins_group(b""));
    }

    #[test]
    fn what_refers_to_other_parameter_sets_does_not_stand_alone() {
        let first = joined(&[SETS, IDR_SLICE]);
        assert!(stands_alone([&first[..], LATER, LATER]));
        // The numbers 0, 5 and 1.
        let other: &[u8] = &[0, 0, 1, 0x41, 0x99, 0x20];
        assert!(!stands_alone([&first[..], LATER, other]));
        assert!(!stands_alone([LATER, LATER]));
        assert!(!stands_alone([&first[..], &first[..]]), "two groups");
        assert!(!stands_alone([&first[..], b"\0\0\x01\x02\x80"]), "a partition");
        assert!(!stands_alone(std::iter::empty()));
    }

    #[test]
    fn escaped_bytes_are_no_part_of_a_number() {
        // 00 00 03 01: fifteen and more zeros, then a one.
        let mut bits = Bits::of(&[0, 0, 3, 1, 0xff, 0xff, 0xff]);
        assert_eq!(bits.number(), Some((1 << 23) - 1 + 0x7f_ffff));
        assert_eq!(Bits::of(&[0, 0, 0, 0, 0, 0, 0, 0]).number(), None);
        assert_eq!(Bits::of(&[]).number(), None);
    }
}

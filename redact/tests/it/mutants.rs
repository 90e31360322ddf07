//! Damaged inputs by the hundred: bits flipped, bytes lost, pieces exchanged, headers of another clip. Whatever comes of
//! it, the engine neither breaks down nor hangs, and what it publishes shows no face.
//!
//! `MUTANTS` says how many, 60 if absent; each is made from its number alone, so that one that fails can be made again.

use crate::model;
use ground_truth::{Clip, damage::Subject};
use redact::{Engine, Error, ModelSource, Options, SegmentInput};
use std::time::{Duration, Instant};

/// How many, if nobody says.
const MUTANTS: u64 = 60;
/// What the engine is told to give up after, and how much longer it may take to notice.
const LIMIT: Duration = Duration::from_secs(20);
const NOTICE: Duration = Duration::from_secs(20);
/// Length of a packet of MPEG-TS.
const PACKET: usize = 188;

/// Numbers that look random, the same for the same seed (Marsaglia, "Xorshift RNGs", 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// The mutant of `source` with this number; `other` lends it headers.
fn mutant(number: u64, source: &[u8], other: &[u8]) -> Vec<u8> {
    let mut numbers = Numbers((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut bytes = source.to_vec();
    match number % 5 {
        0 => (0..=numbers.below(8)).for_each(|_| {
            let at = numbers.below(bytes.len());
            bytes[at] ^= 1 << numbers.below(8);
        }),
        1 => bytes.truncate(numbers.below(bytes.len())),
        2 => {
            let from = numbers.below(bytes.len());
            let length = numbers.below(20 * PACKET).min(bytes.len() - from);
            bytes.drain(from..from + length);
        }
        3 => {
            let (a, b) = (numbers.below(bytes.len() / PACKET), numbers.below(bytes.len() / PACKET));
            for offset in 0..PACKET {
                bytes.swap(a * PACKET + offset, b * PACKET + offset);
            }
        }
        _ => {
            let packets = 1 + numbers.below(12);
            let length = (packets * PACKET).min(other.len()).min(bytes.len());
            bytes[..length].copy_from_slice(&other[..length]);
        }
    }
    bytes
}

#[test]
fn a_damaged_segment_is_refused_or_shows_no_face() {
    let count = std::env::var("MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(MUTANTS);
    let (full, coming) = (Subject::full(), Subject::coming());
    let other = Clip::panning(256, 160, 6).segment(3.0);
    let limited = Options { segment_ms: LIMIT.as_millis() as u64, ..Options::default() };
    let engine = Engine::new(&ModelSource::CenterFace(model()), limited).expect("the engine starts");
    let (mut refused, mut copied) = (0, 0);
    for number in 0..count {
        let is_full = number % 3 != 2;
        let subject = if is_full { &full } else { &coming };
        let bytes = mutant(number, &subject.segment, &other);
        let begun = Instant::now();
        let input = SegmentInput { name: "a mutant", before: None, target: &bytes, after: None };
        let outcome = engine.segment(input);
        assert!(begun.elapsed() < LIMIT + NOTICE, "mutant {number} was not given up in time");
        match outcome {
            Err(Error::Model { name, reason }) => panic!("mutant {number} broke the model {name}: {reason}"),
            Err(_) => refused += 1,
            Ok(done) => {
                copied += u64::from(done.receipt.frames_copied > 0);
                let all_copied = done.receipt.frames_copied == done.receipt.frames;
                assert!(!(is_full && all_copied), "mutant {number} of a clip full of faces is copied as a whole");
                let bare = subject.bare(&done.bytes);
                assert!(bare.is_empty(), "mutant {number} is bare on {bare:?}");
            }
        }
    }
    println!("{count} mutants, {refused} refused, {copied} copied in part");
    assert!(refused > 0 && refused < count, "some are harmless, some are not: {refused} of {count}");
}

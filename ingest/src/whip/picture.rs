//! Which pictures go on, and when a keyframe is asked for.
//!
//! What goes on can be decoded without damage: after a gap nothing passes until the next whole keyframe, because the
//! redaction refuses a segment with a damaged picture, and a short freeze is better than a hole in the replay.

use std::time::{Duration, Instant};

/// A request for a keyframe that was not answered is repeated after this long; browsers answer no faster.
const PATIENCE: Duration = Duration::from_millis(300);

/// What one access unit turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// An IDR picture with its parameter sets before it.
    Key,
    /// A picture that needs others.
    Delta,
    /// Not a picture from its first slice on.
    Damaged,
}

/// The pictures of one publisher.
pub(super) struct Pictures {
    /// Whether nothing passes until the next keyframe.
    waiting: bool,
    /// How long after a keyframe the next one is asked for.
    interval: Duration,
    last_key: Instant,
    asked: Instant,
    /// Time of the latest picture that passed.
    latest: Option<i64>,
}

impl Pictures {
    /// A publisher that has just connected, and begins with a keyframe by itself.
    pub(super) fn new(now: Instant, interval: Duration) -> Self {
        Self { waiting: true, interval, last_key: now, asked: now, latest: None }
    }

    /// Whether the access unit goes on, and if so, whether it is a keyframe. `whole`: no packet is missing between the
    /// one before and this one. `time` is on any clock that grows.
    pub(super) fn admit(&mut self, unit: &[u8], whole: bool, time: i64, now: Instant) -> Option<bool> {
        let shape = shape(unit);
        // Pictures that are shown in another order than they come in cannot be told from a broken clock.
        let in_order = self.latest.is_none_or(|latest| time > latest);
        match shape {
            Shape::Key if in_order => {
                (self.waiting, self.last_key) = (false, now);
            }
            Shape::Delta if in_order && whole && !self.waiting => {}
            _ => {
                self.lose();
                return None;
            }
        }
        self.latest = Some(time);
        Some(shape == Shape::Key)
    }

    /// A picture was lost: nothing passes until the next keyframe.
    pub(super) fn lose(&mut self) {
        self.waiting = true;
    }

    /// When the next keyframe is to be asked for.
    pub(super) fn due(&self) -> Instant {
        let again = self.asked + PATIENCE;
        if self.waiting { again } else { again.max(self.last_key + self.interval) }
    }

    /// A keyframe has been asked for.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked = now;
    }
}

/// Looks at the NAL units (ITU-T H.264, 7.3.1) of an access unit in Annex B form up to its first slice.
fn shape(unit: &[u8]) -> Shape {
    let (mut sequence, mut picture) = (false, false);
    for nal in nals(unit) {
        let first_of_picture = || nal.get(1).is_some_and(|byte| byte & 0x80 != 0);
        match nal[0] & 0x1f {
            7 => sequence = true,
            8 => picture = true,
            // The slice header begins with first_mb_in_slice, whose zero is a single set bit.
            5 if first_of_picture() && sequence && picture => return Shape::Key,
            1 if first_of_picture() => return Shape::Delta,
            1..=5 => return Shape::Damaged,
            _ => {}
        }
    }
    Shape::Damaged
}

/// The NAL units of a byte stream, none of them empty.
fn nals(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = stream[at..].windows(3).position(|code| code == [0, 0, 1])? + at + 3;
        at = start;
        stream.get(start..)
    })
    .filter(|nal| !nal.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 1, 0, 0, 0, 1, 0x65, 0x88];
    const BARE_KEY: &[u8] = &[0, 0, 0, 1, 0x65, 0x88];
    const DELTA: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a];
    const SECOND_HALF: &[u8] = &[0, 0, 0, 1, 0x41, 0x1a];

    #[test]
    fn nothing_passes_before_the_first_keyframe_or_between_a_gap_and_the_next() {
        let now = Instant::now();
        let mut pictures = Pictures::new(now, Duration::from_secs(2));
        let mut admit = |unit, whole, time| pictures.admit(unit, whole, time, now);
        assert_eq!(admit(DELTA, true, 0), None);
        assert_eq!(admit(BARE_KEY, true, 1), None, "a keyframe without parameter sets decodes nowhere");
        assert_eq!(admit(KEY, false, 2), Some(true), "the gap was before the keyframe");
        assert_eq!(admit(DELTA, true, 3), Some(false));
        assert_eq!(admit(DELTA, false, 4), None, "a picture is missing");
        assert_eq!(admit(DELTA, true, 5), None, "refers to what is missing");
        assert_eq!(admit(KEY, true, 6), Some(true));
        assert_eq!(admit(SECOND_HALF, true, 7), None, "the upper half is missing");
        assert_eq!(admit(KEY, true, 6), None, "time does not run back");
        assert_eq!(admit(KEY, true, 8), Some(true));
        assert_eq!(admit(b"", true, 9), None);
    }

    #[test]
    fn a_keyframe_is_asked_for_after_the_interval_and_soon_after_a_loss() {
        let start = Instant::now();
        let interval = Duration::from_millis(1900);
        let mut pictures = Pictures::new(start, interval);
        assert_eq!(pictures.due(), start + PATIENCE, "the first keyframe is on its way");
        let key = start + Duration::from_millis(150);
        pictures.admit(KEY, true, 0, key);
        assert_eq!(pictures.due(), key + interval);
        let later = start + Duration::from_secs(1);
        pictures.lose();
        assert!(pictures.due() <= later, "asked for at once");
        pictures.asked(later);
        assert_eq!(pictures.due(), later + PATIENCE, "and again when it does not come");
    }
}

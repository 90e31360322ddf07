//! Remembers what was detected on which frame of which segment: a segment is looked at up to three times, as what comes
//! after, as the target and as what comes before, and looking is the dear part.
//!
//! Segments are told apart by their content, so that a memory can never be another segment's. Only boxes and scores
//! are kept.

use crate::{detector::Detection, look::Look};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Segments remembered.
const SEGMENTS: usize = 64;

/// Which segment.
pub(crate) type Segment = [u8; 32];

/// Which segment, reduced to which size: as a neighbour its pictures are reduced as the target's are, and boxes in
/// pixels of one size mean nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Which segment.
    pub segment: Segment,
    /// Width and height of its reduced pictures.
    pub size: (usize, usize),
}

/// What is remembered of a segment.
#[derive(Default)]
struct Remembered {
    /// Looks and what they found, by the number of the frame.
    frames: HashMap<u64, Vec<Seen>>,
    /// Whether all of it was examined, as a target is.
    examined: bool,
}

/// What was looked at on a frame, and what was found.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// What was looked at.
    pub look: Look,
    /// Faces, in pixels of the reduced picture.
    pub found: Vec<Detection>,
    /// Whether something there might be a face.
    pub lively: bool,
}

/// Detections on frames of recent segments.
#[derive(Default)]
pub(crate) struct Memo(Mutex<VecDeque<(Key, Remembered)>>);

/// What tells a segment from others.
pub(crate) fn segment(segment: &[u8]) -> Segment {
    Sha256::digest(segment).into()
}

impl Memo {
    /// The looks at frame `frame` of segment `key`, in their order, and whether all of the segment was examined.
    pub fn recall(&self, key: &Key, frame: u64) -> (Vec<Seen>, bool) {
        let segments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = segments.iter().find(|(known, _)| known == key).map(|(_, remembered)| remembered);
        known.map_or((Vec::new(), false), |it| (it.frames.get(&frame).cloned().unwrap_or_default(), it.examined))
    }

    /// Remembers one more look at it.
    pub fn remember(&self, key: Key, frame: u64, seen: Seen) {
        self.change(key, |remembered| remembered.frames.entry(frame).or_default().push(seen));
    }

    /// Remembers that all of it was examined.
    pub fn finish(&self, key: Key) {
        self.change(key, |remembered| remembered.examined = true);
    }

    /// Changes what is remembered of a segment; the one that came first is forgotten when there are too many.
    fn change(&self, key: Key, change: impl FnOnce(&mut Remembered)) {
        let mut segments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, remembered)) = segments.iter_mut().find(|(known, _)| *known == key) {
            return change(remembered);
        }
        if segments.len() == SEGMENTS {
            segments.pop_front();
        }
        let mut remembered = Remembered::default();
        change(&mut remembered);
        segments.push_back((key, remembered));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Region;
    use media::Rotation;

    #[test]
    fn what_was_seen_is_recalled_until_too_many_segments_came_since() {
        let memo = Memo::default();
        let key = |bytes: &[u8]| Key { segment: segment(bytes), size: (640, 352) };
        let found = vec![Detection {
            region: Region { x: 1.0, y: 2.0, w: 3.0, h: 4.0 },
            score: 0.5,
            is_cut: false,
            turn: Rotation::None,
        }];
        let look = Look::Whole(Rotation::None);
        memo.remember(key(b"first"), 5, Seen { look: look.clone(), found, lively: true });
        memo.remember(key(b"first"), 5, Seen { look: Look::Whole(Rotation::Half), found: Vec::new(), lively: false });
        let (looks, examined) = memo.recall(&key(b"first"), 5);
        assert_eq!(looks.iter().map(|seen| seen.found.len()).collect::<Vec<_>>(), [1, 0]);
        assert!(!examined);
        memo.finish(key(b"first"));
        assert!(matches!(memo.recall(&key(b"first"), 6), (looks, true) if looks.is_empty()));
        assert!(memo.recall(&key(b"second"), 5).0.is_empty());
        assert!(memo.recall(&Key { size: (480, 288), ..key(b"first") }, 5).0.is_empty(), "boxes of another size");
        for number in 0..SEGMENTS {
            let look = look.clone();
            memo.remember(key(&number.to_be_bytes()), 0, Seen { look, found: Vec::new(), lively: false });
        }
        assert!(memo.recall(&key(b"first"), 5).0.is_empty());
    }
}

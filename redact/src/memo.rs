//! Remembers what was detected on which frame of which segment: a segment is looked at up to three times, as what comes
//! after, as the target and as what comes before, and looking is the dear part.
//!
//! Segments are told apart by their content, so that a memory can never be another segment's. Only boxes and scores
//! are kept.

use crate::{attention::Look, detector::Detection};
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

/// What is remembered of a segment: detections by the number of the frame in it.
type Frames = HashMap<u64, Seen>;

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
pub(crate) struct Memo(Mutex<VecDeque<(Key, Frames)>>);

/// What tells a segment from others.
pub(crate) fn segment(segment: &[u8]) -> Segment {
    Sha256::digest(segment).into()
}

impl Memo {
    /// What was detected on frame `frame` of segment `key`, if the detector ran there.
    pub fn recall(&self, key: &Key, frame: u64) -> Option<Seen> {
        let segments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        segments.iter().find(|(known, _)| known == key)?.1.get(&frame).cloned()
    }

    /// Remembers what was detected there; the segment that came first is forgotten when there are too many.
    pub fn remember(&self, key: Key, frame: u64, seen: Seen) {
        let mut segments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frames)) = segments.iter_mut().find(|(known, _)| *known == key) {
            frames.insert(frame, seen);
            return;
        }
        if segments.len() == SEGMENTS {
            segments.pop_front();
        }
        segments.push_back((key, HashMap::from([(frame, seen)])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Region;

    #[test]
    fn what_was_seen_is_recalled_until_too_many_segments_came_since() {
        let memo = Memo::default();
        let key = |bytes: &[u8]| Key { segment: segment(bytes), size: (640, 352) };
        let found = vec![Detection { region: Region { x: 1.0, y: 2.0, w: 3.0, h: 4.0 }, score: 0.5, is_cut: false }];
        memo.remember(key(b"first"), 5, Seen { look: Look::Whole, found, lively: true });
        assert_eq!(memo.recall(&key(b"first"), 5).map(|seen| seen.found.len()), Some(1));
        assert!(memo.recall(&key(b"first"), 6).is_none());
        assert!(memo.recall(&key(b"second"), 5).is_none());
        assert!(memo.recall(&Key { size: (480, 288), ..key(b"first") }, 5).is_none(), "boxes of another size");
        for number in 0..SEGMENTS {
            memo.remember(key(&number.to_be_bytes()), 0, Seen { look: Look::Whole, found: Vec::new(), lively: false });
        }
        assert!(memo.recall(&key(b"first"), 5).is_none());
    }
}

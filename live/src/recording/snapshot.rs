//! What a reading of a recording's folder came to, and the messages that follow from it.
//!
//! The messages' ids follow from what they say: a reading that two processes do, or one does twice, says it once.

use crate::event::{LiveEvent, LiveEventKind, RecordedSegment, RecordingRef};
use entity::time::Timestamp;

/// A recording as it lies in the store now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its segments from the first to the last before one that is listed but not there yet.
    pub segments: Vec<RecordedSegment>,
    /// How many segments its playlist lists. More than `segments` has: the others are still being written, or too many
    /// for one reading, or lost.
    pub listed: u32,
    /// Whether the provider says that it has ended, well or not.
    pub ended: bool,
    /// Whether its playlist says that no segment will follow.
    pub has_endlist: bool,
}

impl Snapshot {
    /// Whether it has ended and every segment listed is there.
    pub fn is_complete(&self) -> bool {
        self.ended && u32::try_from(self.segments.len()).is_ok_and(|there| there == self.listed)
    }

    /// The messages for a reader who knows the first `already_known` segments: the new ones, and the end if all is
    /// there.
    pub fn into_events(
        self,
        channel_arn: &str,
        recording: &RecordingRef,
        already_known: u32,
        at: Timestamp,
    ) -> Vec<LiveEvent> {
        let complete = self.is_complete().then_some(self.listed);
        let new: Vec<_> = self.segments.into_iter().filter(|segment| segment.number >= already_known).collect();
        let event = |id: String, kind| LiveEvent {
            id: format!("{}/{id}", recording.id),
            at,
            channel_arn: channel_arn.into(),
            kind,
        };
        let mut events = Vec::new();
        if let (Some(first), Some(last)) = (new.first(), new.last()) {
            let id = format!("segments/{}-{}", first.number, last.number);
            events.push(event(id, LiveEventKind::SegmentsWritten { recording: recording.clone(), segments: new }));
        }
        if complete.is_some() {
            let kind = LiveEventKind::RecordingEnded { recording: recording.clone(), segments: complete };
            events.push(event("complete".into(), kind));
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(there: u32, listed: u32, ended: bool) -> Snapshot {
        let segment = |number| RecordedSegment {
            number,
            key: format!("rec/{number}.ts"),
            duration_ms: 2_000,
            discontinuity: false,
        };
        Snapshot { segments: (0..there).map(segment).collect(), listed, ended, has_endlist: ended }
    }

    fn said(snapshot: Snapshot, known: u32) -> Vec<(String, Vec<u32>)> {
        let recording = RecordingRef { id: "rec-1".into(), prefix: "rec".into() };
        let events = snapshot.into_events("arn", &recording, known, Timestamp::UNIX_EPOCH);
        events
            .into_iter()
            .map(|event| match event.kind {
                LiveEventKind::SegmentsWritten { segments, .. } => {
                    (event.id, segments.iter().map(|s| s.number).collect())
                }
                LiveEventKind::RecordingEnded { segments, .. } => (event.id, segments.into_iter().collect()),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn only_what_is_new_is_said() {
        assert_eq!(said(snapshot(3, 3, false), 0), [("rec-1/segments/0-2".into(), vec![0, 1, 2])]);
        assert_eq!(said(snapshot(3, 3, false), 2), [("rec-1/segments/2-2".into(), vec![2])]);
        assert_eq!(said(snapshot(3, 3, false), 3), []);
        assert_eq!(said(snapshot(0, 0, false), 0), []);
    }

    #[test]
    fn the_end_is_said_once_every_listed_segment_is_there() {
        assert_eq!(said(snapshot(2, 3, true), 2), []);
        assert_eq!(
            said(snapshot(3, 3, true), 2),
            [("rec-1/segments/2-2".into(), vec![2]), ("rec-1/complete".into(), vec![3])]
        );
        assert_eq!(said(snapshot(0, 0, true), 0), [("rec-1/complete".into(), vec![0])]);
    }
}

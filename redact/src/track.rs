//! One face through time: where it was detected, where it was followed to, and where it is only assumed to be.
//!
//! A track covers every frame from its first to its last sample without a hole; that is what makes a missed detection
//! harmless.

use crate::{detector::Detection, geometry::Region};
use media::Rotation;
use std::collections::VecDeque;

/// How a sample came about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    /// The detector found it.
    Detected,
    /// The picture of the face was found again.
    Followed,
    /// It is assumed, since the picture no longer resembles it.
    Held,
}

/// Whether following still sees a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InSight {
    /// It was followed from its last detection on.
    Yes,
    /// It has been lost since: it may have turned, or been smeared.
    Lost,
    /// It has been lost since, and nothing like it was there any more.
    Gone,
}

/// Where a face is on one frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Its box.
    pub region: Region,
    /// How it came about.
    pub how: How,
}

/// A face through time.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// Frame of the first sample.
    pub first: u64,
    /// One sample for every frame from `first` on.
    pub samples: VecDeque<Sample>,
    /// Frame of the last detection.
    pub detected: u64,
    /// Own movement per frame, without the camera's, once it is known.
    pub velocity: Option<(f32, f32)>,
    /// Whether its picture is still there.
    pub sight: InSight,
    /// Frame on which following lost it last.
    pub lost: Option<u64>,
    /// How alike it was to the frame before when it was followed last, -1 to 1; and the frame on which that fell so
    /// suddenly that something else may have taken its place.
    pub likeness: f32,
    pub suspect: Option<u64>,
    /// The turn that brings it upright, and how sure the detector was of it there the last time.
    pub turn: Rotation,
    turn_score: f32,
    /// Detections that could have started it.
    pub starts: u32,
    /// Detections of any score.
    pub hits: u32,
    /// Best score of a detection.
    pub best: f32,
    /// Whether it was found to be a face and extended to before its first detection.
    pub confirmed: bool,
    /// Frame of its first detection, and whether that one could have started it.
    pub begun: u64,
    pub begun_well: bool,
    /// Frame of the first look at where it is, in its turn, that did not find it since it was detected last.
    pub missed: Option<u64>,
    /// Frame of the last look at where it is, whatever was found there, and how many such looks there were.
    pub looked: u64,
    pub looks: u32,
    /// Whether the plan has it already.
    pub planned: bool,
}

impl Track {
    /// A track that begins with a detection on `frame`.
    pub fn begin(frame: u64, detection: &Detection, starts: bool) -> Self {
        let Detection { region, score, turn, .. } = *detection;
        Self {
            first: frame,
            samples: VecDeque::from([Sample { region, how: How::Detected }]),
            detected: frame,
            velocity: None,
            sight: InSight::Yes,
            lost: None,
            likeness: 1.0,
            suspect: None,
            turn,
            turn_score: score,
            starts: u32::from(starts),
            hits: 1,
            best: score,
            confirmed: false,
            begun: frame,
            begun_well: starts,
            missed: None,
            looked: frame,
            looks: 1,
            planned: false,
        }
    }

    /// Frame after the last one it covers.
    pub fn end(&self) -> u64 {
        self.first + self.samples.len() as u64
    }

    /// Forgets what was before `frame`, but for one sample, which tells how the face moved.
    pub fn forget(&mut self, frame: u64) {
        while self.first + 1 < frame && self.samples.len() > 1 {
            self.samples.pop_front();
            self.first += 1;
        }
    }

    /// Its box on the last frame it covers.
    pub fn region(&self) -> Region {
        self.samples.back().map_or(Region { x: 0.0, y: 0.0, w: 0.0, h: 0.0 }, |sample| sample.region)
    }

    /// A look at `frame` did not find it: what was followed to there was none, if that was doubtful anyway.
    pub fn miss(&mut self, frame: u64) {
        self.missed = self.missed.or(Some(frame));
        if self.suspect == Some(frame) && self.sight == InSight::Yes {
            (self.sight, self.lost) = (InSight::Gone, Some(frame));
            if let Some(sample) = self.samples.back_mut() {
                sample.how = How::Held;
            }
        }
    }

    /// Its box where it was detected last.
    pub fn found(&self) -> Region {
        self.samples.get(self.index(self.detected)).map_or(self.region(), |sample| sample.region)
    }

    /// Number of frames it covers from its first up to and including `frame`.
    fn index(&self, frame: u64) -> usize {
        usize::try_from(frame.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Joins a detection on the last frame it covers, and bends the way there from the detection before: following
    /// drifts, and by how much is known only now. If the face was only half seen until now (`was_partial`), it gets its
    /// whole size from there on.
    pub fn meet(&mut self, frame: u64, detection: &Detection, (starts, was_partial): (bool, bool)) {
        let Detection { region, score, turn, .. } = *detection;
        if self.detected == frame {
            self.meet_again(detection);
            return;
        }
        let (from, to) = (self.index(self.detected), self.index(frame));
        let Some(last) = self.samples.get(to).copied() else { return };
        let Some(start) = self.samples.get(from).map(|sample| sample.region) else { return };
        let span = (to - from).max(1) as f32;
        let held_from = (from + 1..to).find(|at| self.samples[*at].how == How::Held);
        for at in from + 1..to {
            let share = (at - from) as f32 / span;
            let sample = &mut self.samples[at];
            sample.region = if held_from.is_some_and(|held| at >= held) {
                start.towards(region, share)
            } else {
                corrected(sample.region, last.region, region, share)
            };
        }
        if was_partial {
            for sample in self.samples.range_mut(from..to) {
                (sample.region.w, sample.region.h) = (sample.region.w.max(region.w), sample.region.h.max(region.h));
            }
        }
        self.samples[to] = Sample { region, how: How::Detected };
        self.detected = frame;
        self.missed = None;
        self.sight = InSight::Yes;
        self.stand(turn, score);
        self.hits += 1;
        self.starts += u32::from(starts);
        self.best = self.best.max(score);
    }

    /// Joins what another look at the same frame found: it says more of where the face is, but not that it is one.
    fn meet_again(&mut self, detection: &Detection) {
        if let Some(sample) = self.samples.back_mut() {
            sample.region = sample.region.with(detection.region);
        }
        self.best = self.best.max(detection.score);
        self.stand(detection.turn, detection.score);
    }

    /// Takes the turn of a detection if it is surer than the one it had; a face at a slant is found in several.
    fn stand(&mut self, turn: Rotation, score: f32) {
        if turn == self.turn || score > self.turn_score {
            (self.turn, self.turn_score) = (turn, score);
        }
    }

    /// Forgets what was followed after the last detection but for `extend` frames, or `hold` of those where it was only
    /// assumed. As long as nobody looked, it is no word against a face that it was not detected.
    pub fn trim(&mut self, extend: usize, hold: usize) {
        let from = self.index(self.detected) + 1;
        let unseen = self.missed.map_or(self.samples.len(), |missed| self.index(missed)).saturating_sub(from);
        let extend = extend.max(unseen);
        let followed = self.samples.iter().skip(from).take(extend).take_while(|sample| sample.how != How::Held).count();
        self.samples.truncate(from + followed + hold);
    }
}

/// `followed`, moved by `share` of how far following had gone astray by the time of the next detection.
fn corrected(followed: Region, arrived: Region, detected: Region, share: f32) -> Region {
    Region {
        x: followed.x + (detected.x - arrived.x) * share,
        y: followed.y + (detected.y - arrived.y) * share,
        w: followed.w * (detected.w / arrived.w.max(1.0)).powf(share),
        h: followed.h * (detected.h / arrived.h.max(1.0)).powf(share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Region {
        Region { x, y: 50.0, w: 20.0, h: 20.0 }
    }

    fn followed(track: &mut Track, xs: &[f32], how: How) {
        track.samples.extend(xs.iter().map(|x| Sample { region: at(*x), how }));
    }

    fn found(x: f32, score: f32) -> Detection {
        Detection { region: at(x), score, is_cut: false, turn: Rotation::None }
    }

    fn xs(track: &Track) -> Vec<f32> {
        track.samples.iter().map(|sample| sample.region.x).collect()
    }

    #[test]
    fn drift_is_spread_over_the_way_from_detection_to_detection() {
        let mut track = Track::begin(7, &found(100.0, 0.9), true);
        followed(&mut track, &[102.0, 104.0, 106.0, 108.0], How::Followed);
        track.meet(11, &found(112.0, 0.9), (true, false));
        assert_eq!(xs(&track), [100.0, 103.0, 106.0, 109.0, 112.0]);
    }

    #[test]
    fn where_the_face_was_hidden_it_goes_straight_from_detection_to_detection() {
        let mut track = Track::begin(0, &found(100.0, 0.9), true);
        followed(&mut track, &[100.0, 100.0, 100.0, 100.0], How::Held);
        track.meet(4, &found(120.0, 0.3), (false, false));
        assert_eq!(xs(&track), [100.0, 105.0, 110.0, 115.0, 120.0]);
    }

    #[test]
    fn what_is_assumed_after_the_last_detection_is_kept_shorter_than_what_is_seen() {
        let mut track = Track::begin(0, &found(0.0, 0.9), true);
        followed(&mut track, &[1.0, 2.0, 3.0], How::Followed);
        followed(&mut track, &[3.0; 10], How::Held);
        track.missed = Some(1);
        let mut short = track.clone();
        track.trim(20, 2);
        assert_eq!(track.samples.len(), 1 + 3 + 2);
        short.trim(2, 0);
        assert_eq!(short.samples.len(), 1 + 2);
    }

    #[test]
    fn a_face_stays_covered_until_somebody_looked_and_did_not_find_it() {
        let mut track = Track::begin(0, &found(0.0, 0.9), true);
        followed(&mut track, &[1.0; 20], How::Followed);
        let mut missed = Track { missed: Some(9), ..track.clone() };
        track.trim(5, 0);
        assert_eq!(track.samples.len(), 21);
        missed.trim(5, 0);
        assert_eq!(missed.samples.len(), 9);
    }
}

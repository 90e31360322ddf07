//! The plan between the passes: which ellipses to blur on which frame. It is all that the second pass is told.

use crate::{
    geometry::{Ellipse, Region},
    track::{How, Track},
};
use media::Rotation;
use std::ops::Range;

/// Share of a face's movement since the frame before that the ellipse is widened by.
const MOTION_MARGIN: f32 = 0.25;
/// By how much the ellipse grows with every frame on which the face is only assumed.
const HELD_GROWTH: f32 = 0.03;
/// Most that it grows so.
const HELD_GROWTH_MAX: f32 = 0.3;

/// Which ellipses to blur on which frame.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// For every frame of the target.
    pub frames: Vec<Vec<Ellipse>>,
    /// Faces detected.
    pub detections: u64,
    /// Faces followed.
    pub tracks: u64,
    /// Face-frames that no detection was made on.
    pub filled: u64,
}

/// How boxes of the reduced picture become ellipses of the stored one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Size of the reduced picture.
    pub size: (f32, f32),
    /// How the stored picture is to be turned.
    pub rotation: Rotation,
    /// Ellipse over box.
    pub grow: f32,
}

impl Plan {
    /// The plan for the frames in `target`, counted as the tracks count them.
    pub fn new(tracks: &[Track], target: Range<u64>, frame: Frame) -> Self {
        let count = usize::try_from(target.end.saturating_sub(target.start)).unwrap_or(0);
        let mut plan = Self { frames: vec![Vec::new(); count], ..Self::default() };
        for track in tracks {
            plan.add(track, &target, frame);
        }
        plan
    }

    /// Whether there is nothing to blur.
    pub fn is_empty(&self) -> bool {
        self.frames.iter().all(Vec::is_empty)
    }

    /// Face-frames to blur.
    pub fn faces(&self) -> u64 {
        self.frames.iter().map(|frame| frame.len() as u64).sum()
    }

    fn add(&mut self, track: &Track, target: &Range<u64>, frame: Frame) {
        let mut touched = false;
        let mut before: Option<Region> = None;
        let mut held = 0.0;
        for (number, sample) in (track.first..).zip(&track.samples) {
            held = if sample.how == How::Held { held + HELD_GROWTH } else { 0.0 };
            let previous = before.replace(sample.region);
            let index = number.checked_sub(target.start).and_then(|index| usize::try_from(index).ok());
            let Some(ellipses) = index.and_then(|index| self.frames.get_mut(index)) else { continue };
            if !sample.region.is_within(frame.size.0, frame.size.1) {
                continue;
            }
            ellipses.push(ellipse(sample.region, previous, held.min(HELD_GROWTH_MAX), frame));
            touched = true;
            match sample.how {
                How::Detected => self.detections += 1,
                How::Followed | How::Held => self.filled += 1,
            }
        }
        self.tracks += u64::from(touched);
    }
}

fn ellipse(region: Region, previous: Option<Region>, held: f32, frame: Frame) -> Ellipse {
    let moved = previous.map_or((0.0, 0.0), |previous| ((region.x - previous.x).abs(), (region.y - previous.y).abs()));
    let grow = frame.grow * (1.0 + held);
    let upright = Ellipse {
        x: region.x / frame.size.0,
        y: region.y / frame.size.1,
        rx: (region.w * grow / 2.0 + moved.0 * MOTION_MARGIN) / frame.size.0,
        ry: (region.h * grow / 2.0 + moved.1 * MOTION_MARGIN) / frame.size.1,
    };
    upright.as_stored(frame.rotation)
}

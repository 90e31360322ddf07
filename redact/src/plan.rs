//! The plan between the passes: which ellipses to blur on which frame. It is all that the second pass is told, and a
//! frame is planned only when no later detection can change what is blurred on it.

use crate::{
    geometry::Ellipse,
    track::{How, Track},
};
use media::Orientation;
use std::collections::VecDeque;

/// Share of a face's movement since the frame before that the ellipse is widened by.
const MOTION_MARGIN: f32 = 0.25;
/// By how much the ellipse grows with every frame on which the face is only assumed.
const HELD_GROWTH: f32 = 0.03;
/// Most that it grows so.
const HELD_GROWTH_MAX: f32 = 0.3;
/// By how much it grows where the picture's edge cuts the face: less of it is seen there to say where it is.
const EDGE_GROWTH: f32 = 0.2;

/// How far the ellipse goes beyond, in pixels of the reduced picture: no box is known better than that.
const MARGIN: f32 = 1.0;

/// What to blur on one frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    /// When the frame is shown; the second pass must find it at its place.
    pub pts: i64,
    /// What to blur.
    pub ellipses: Vec<Ellipse>,
}

/// How boxes of the reduced picture become ellipses of the stored one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Size of the reduced picture.
    pub size: (f32, f32),
    /// How the stored picture is to be turned.
    pub orientation: Orientation,
    /// Ellipse over box.
    pub grow: f32,
}

/// What has been planned, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Faces detected.
    pub detections: u64,
    /// Faces followed through time.
    pub tracks: u64,
    /// Face-frames that no detection was made on.
    pub filled: u64,
    /// Face-frames to blur.
    pub faces: u64,
}

/// Makes the plan of the target, frame by frame.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    /// Number, as the tracks count frames, of the first frame that is not planned yet, and the times of all from there
    /// on.
    next: u64,
    times: VecDeque<i64>,
    counts: Counts,
}

impl Planner {
    /// Takes a frame of the target, which is number `number` as the tracks count.
    pub fn expect(&mut self, number: u64, pts: i64) {
        if self.times.is_empty() {
            self.next = number;
        }
        self.times.push_back(pts);
    }

    /// Plans all frames before `until`, which is out of reach for whatever is detected from now on.
    pub fn plan(&mut self, until: u64, frame: Frame, tracks: &mut [&mut Track], out: &mut dyn FnMut(Planned)) {
        while self.next < until
            && let Some(pts) = self.times.pop_front()
        {
            let ellipses = tracks.iter_mut().filter_map(|track| self.cover(track, frame)).collect();
            out(Planned { pts, ellipses });
            self.next += 1;
        }
    }

    /// What `track` needs on the next frame.
    fn cover(&mut self, track: &mut Track, frame: Frame) -> Option<Ellipse> {
        let at = usize::try_from(self.next.checked_sub(track.first)?).ok()?;
        let sample = *track.samples.get(at)?;
        if !sample.region.is_within(frame.size.0, frame.size.1) {
            return None;
        }
        self.counts.tracks += u64::from(!std::mem::replace(&mut track.planned, true));
        self.counts.faces += 1;
        match sample.how {
            How::Detected => self.counts.detections += 1,
            How::Followed | How::Held => self.counts.filled += 1,
        }
        Some(ellipse(track, at, frame))
    }

    /// Number of the first frame that is not planned yet; before the target begins, of none.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What was planned so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

fn ellipse(track: &Track, at: usize, frame: Frame) -> Ellipse {
    let region = track.samples[at].region;
    let previous = at.checked_sub(1).map_or(region, |before| track.samples[before].region);
    let moved = ((region.x - previous.x).abs(), (region.y - previous.y).abs());
    let held = track.samples.range(..=at).rev().take_while(|sample| sample.how == How::Held).count();
    let edge = if region.is_inside(frame.size.0, frame.size.1) { 0.0 } else { EDGE_GROWTH };
    let grow = frame.grow * (1.0 + edge + (held as f32 * HELD_GROWTH).min(HELD_GROWTH_MAX));
    let upright = Ellipse {
        x: region.x / frame.size.0,
        y: region.y / frame.size.1,
        rx: (region.w * grow / 2.0 + moved.0 * MOTION_MARGIN + MARGIN) / frame.size.0,
        ry: (region.h * grow / 2.0 + moved.1 * MOTION_MARGIN + MARGIN) / frame.size.1,
    };
    upright.as_stored(frame.orientation)
}

//! Judges a redaction frame by frame, by what is left of the faces and by what was done to the rest. It looks at pixels
//! and at the truth only: what the engine says about itself counts for nothing.

mod detector;
mod structure;

use crate::{
    clip::Clip,
    face::{Bounds, Face},
    orientation::Orientation,
    plane::Plane,
    video::Frame,
};
use detector::Detector;
use serde::Serialize;
use std::{collections::HashMap, fmt};
use structure::{Area, Left};

/// Shorter side, in pixels, from which a face must never be known again.
pub const SMALL: f32 = 24.0;

/// What lies within a face's box times this may be touched.
const NEAR: f32 = 1.5;
/// Likeness is measured outside faces' boxes times this.
const DOUBLED: f32 = 2.0;
/// Least likeness outside faces, in decibels.
pub const LIKENESS: f64 = 40.0;
/// Side of the blocks whose change is averaged, in pixels.
const BLOCK: usize = 8;
/// Mean change, in levels of brightness and after each pixel was averaged with its neighbours, from which a block was
/// touched: encoders stay below a half of it, whatever they do to noise.
const TOUCHED: f32 = 4.0;
/// Seconds for which a face that does not stand upright may be bare from when it is first seen: until then nobody can be
/// expected to have tried how it stands.
const FRESH: f32 = 0.5;
/// Score from which the detector has found a face, in the source as in the output.
const FOUND: f32 = 0.6;
/// Most that may be touched of a frame that shows nobody right after a cut, in per cent.
const REMNANT: f64 = 0.1;

/// What was found out about a redaction. Verdicts add up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub frames: usize,
    /// Visible faces, and how many of them can be known again: from [`SMALL`] on, and below.
    pub faces: Tally,
    pub small_faces: Tally,
    /// Faces from [`SMALL`] on that do not stand upright, during the first half second in which they are seen; they are
    /// in none of the above.
    pub fresh_turned: Tally,
    /// Pixels outside the faces, and how many of them were touched.
    pub outside: Tally,
    /// Squared differences outside the faces, and of how many pixels.
    squares: (f64, u64),
    /// Every face known again.
    pub leaks: Vec<Leak>,
    /// Every face from [`SMALL`] on that the detector finds still.
    pub finds: Vec<Find>,
    /// Every frame on which a blur has outlasted a cut.
    pub remnants: Vec<Remnant>,
}

/// How many there are, and how many of them are bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub all: u64,
    pub bad: u64,
}

/// A face that can be known again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Leak {
    pub frame: usize,
    /// Which of the shot's faces.
    pub face: usize,
    /// Its box on the frame.
    pub bounds: Bounds,
    pub correlation: f32,
}

/// A face that the detector finds still.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Find {
    pub frame: usize,
    /// Which of the shot's faces.
    pub face: usize,
    /// Its box on the frame.
    pub bounds: Bounds,
    /// How sure the detector was before and is now.
    pub before: f32,
    pub after: f32,
    /// How much of its fine structure is left.
    pub correlation: f32,
}

/// A frame that shows nobody right after a cut, and how much of it is touched, in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Remnant {
    pub frame: usize,
    pub touched: f64,
}

impl Tally {
    fn count(&mut self, bad: bool) {
        self.all += 1;
        self.bad += u64::from(bad);
    }

    fn add(&mut self, other: Self) {
        *self = Self { all: self.all + other.all, bad: self.bad + other.bad };
    }

    /// Share of the bad ones in per cent; none of none is none.
    pub fn percent(self) -> f64 {
        100.0 * self.bad as f64 / self.all.max(1) as f64
    }
}

impl Verdict {
    /// Peak signal to noise ratio outside the faces, in decibels.
    pub fn likeness(&self) -> f64 {
        let mean = self.squares.0 / self.squares.1.max(1) as f64;
        10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
    }

    /// Adds what `other` found.
    pub fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.faces.add(other.faces);
        self.small_faces.add(other.small_faces);
        self.fresh_turned.add(other.fresh_turned);
        self.outside.add(other.outside);
        self.squares = (self.squares.0 + other.squares.0, self.squares.1 + other.squares.1);
        self.leaks.extend(&other.leaks);
        self.finds.extend(&other.finds);
        self.remnants.extend(&other.remnants);
    }

    /// Judges all frames of a clip.
    ///
    /// # Panics
    /// When a frame is missing on either side, or one too many.
    pub fn of(clip: &Clip, original: &[Frame], redacted: &[Frame]) -> Self {
        assert_eq!(original.len(), clip.shots.len(), "the source has every frame");
        assert_eq!(redacted.len(), clip.shots.len(), "the output has every frame");
        let mut judge = Judge::new(clip);
        original.iter().zip(redacted).for_each(|(original, redacted)| judge.see(original, redacted));
        judge.verdict
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:4} frames | faces {:4}, leaked {:3}, found {:3} | small {:4}, leaked {:3} | touched {:6.3} % | {:5.1} dB",
            self.frames,
            self.faces.all,
            self.faces.bad,
            self.finds.len(),
            self.small_faces.all,
            self.small_faces.bad,
            self.outside.percent(),
            self.likeness()
        )?;
        if self.fresh_turned.all > 0 {
            write!(out, " | fresh and turned {:3}, leaked {:3}", self.fresh_turned.all, self.fresh_turned.bad)?;
        }
        Ok(())
    }
}

/// Sees a clip's frames one after another.
pub struct Judge<'a> {
    clip: &'a Clip,
    next: usize,
    /// The frame on which each of the shot's faces was first seen.
    first_seen: HashMap<usize, usize>,
    detector: Option<Detector>,
    pub verdict: Verdict,
}

impl<'a> Judge<'a> {
    pub fn new(clip: &'a Clip) -> Self {
        let (first_seen, verdict) = (HashMap::new(), Verdict::default());
        Self { clip, next: 0, first_seen, detector: None, verdict }
    }

    /// A judge that asks the detector too.
    ///
    /// # Panics
    /// When its model is not there.
    pub fn with_detector(clip: &'a Clip) -> Self {
        Self { detector: Some(Detector::load()), ..Self::new(clip) }
    }

    /// Judges the clip's next frame.
    ///
    /// # Panics
    /// When there is none, or the two differ in size from it.
    pub fn see(&mut self, original: &Frame, redacted: &Frame) {
        let size = self.clip.size();
        assert_eq!((original.width, original.height), size, "the source has its size");
        assert_eq!((redacted.width, redacted.height), size, "the output has its size");
        let shot = &self.clip.shots[self.next];
        let truth = shot.truth(self.clip.width, self.clip.height);
        // As the frame was drawn, whichever way it was turned then.
        let drawn = |frame: &Frame| plane(frame, self.clip.turned.inverse());
        let (before, after) = (drawn(original), drawn(redacted));
        let mut counted = Vec::new();
        for (index, face) in truth.iter().enumerate() {
            if let Some(left) = structure::left(shot, index, *face, &before, &after)
                && self.count_face(index, face.bounds, left)
            {
                counted.push((index, left));
            }
        }
        self.ask(&counted, &before, &after);
        let outside = |factor: f32| Outside::new(&before, truth.iter().map(|face| face.bounds.grown(factor)));
        let touched = self.count_touched(&before, &after, &outside(NEAR)).percent();
        if touched >= REMNANT && self.clip.is_emptied_by_a_cut(self.next) {
            self.verdict.remnants.push(Remnant { frame: self.next, touched });
        }
        self.compare(&before, &after, &outside(DOUBLED));
        self.verdict.frames += 1;
        self.next += 1;
    }

    /// Asks the detector about those faces of the next frame of whose fine structure something is left.
    fn ask(&mut self, faces: &[(usize, Left)], before: &Plane, after: &Plane) {
        let noticed: Vec<_> = faces.iter().copied().filter(|(_, left)| left.is_noticed()).collect();
        let Some(detector) = &mut self.detector else { return };
        let of_shot = &self.clip.shots[self.next].faces;
        let people: Vec<Face> = noticed.iter().map(|(index, _)| of_shot[*index]).collect();
        let [before, after] = [before, after].map(|frame| detector.scores(frame, &people));
        for (((face, left), before), after) in noticed.into_iter().zip(before).zip(after) {
            if before >= FOUND && after >= FOUND {
                let bounds = self.clip.turned.bounds(of_shot[face].bounds(), (self.clip.width, self.clip.height));
                let (frame, correlation) = (self.next, left.correlation);
                self.verdict.finds.push(Find { frame, face, bounds, before, after, correlation });
            }
        }
    }

    /// Counts a face that can be seen, of whose fine structure so much is left; gives whether it is one that must never
    /// be known again.
    fn count_face(&mut self, index: usize, bounds: Bounds, left: Left) -> bool {
        let leaked = left.is_known_again();
        let first_seen = *self.first_seen.entry(index).or_insert(self.next);
        let since = (self.next - first_seen) as f32 / self.clip.rate as f32;
        let small = bounds.side() < SMALL;
        if since < FRESH && !small && self.clip.is_turned(self.clip.shots[self.next].faces[index]) {
            self.verdict.fresh_turned.count(leaked);
            return false;
        }
        if small { &mut self.verdict.small_faces } else { &mut self.verdict.faces }.count(leaked);
        if leaked {
            let bounds = self.clip.turned.bounds(bounds, (self.clip.width, self.clip.height));
            self.verdict.leaks.push(Leak { frame: self.next, face: index, bounds, correlation: left.correlation });
        }
        !small
    }

    /// Counts the pixels of a frame that were touched.
    fn count_touched(&mut self, before: &Plane, after: &Plane, outside: &Outside) -> Tally {
        let mut frame = Tally::default();
        let (before, after) = (before.mean(1), after.mean(1));
        for block in Blocks::of(&before) {
            let pixels = block.filter(|at| outside.0[*at]);
            let (mut change, mut count) = (0.0, 0_u64);
            for at in pixels {
                change += (before.values[at] - after.values[at]).abs();
                count += 1;
            }
            frame.all += count;
            frame.bad += if change > TOUCHED * count as f32 { count } else { 0 };
        }
        self.verdict.outside.add(frame);
        frame
    }

    fn compare(&mut self, before: &Plane, after: &Plane, outside: &Outside) {
        let pairs = before.values.iter().zip(&after.values).zip(&outside.0).filter(|(_, outside)| **outside);
        for ((a, b), _) in pairs {
            self.verdict.squares.0 += f64::from(a - b).powi(2);
            self.verdict.squares.1 += 1;
        }
    }
}

fn plane(frame: &Frame, turned: Orientation) -> Plane {
    let size = (frame.width, frame.height);
    let values = turned.plane(&frame.luma, size).into_iter().map(f32::from).collect();
    let (width, height) = turned.size(size);
    Plane { width, height, values }
}

/// Which pixels lie outside all of some rectangles.
struct Outside(Vec<bool>);

impl Outside {
    fn new(plane: &Plane, inside: impl Iterator<Item = Bounds>) -> Self {
        let mut outside = vec![true; plane.values.len()];
        for bounds in inside {
            let area = Area::within(plane, bounds);
            for row in area.rows {
                outside[row * plane.width + area.left..row * plane.width + area.right].fill(false);
            }
        }
        Self(outside)
    }
}

/// The indexes of the pixels of every block of a plane.
struct Blocks;

impl Blocks {
    fn of(plane: &Plane) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let (width, height) = (plane.width, plane.height);
        let corners = (0..height).step_by(BLOCK).flat_map(move |y| (0..width).step_by(BLOCK).map(move |x| (x, y)));
        corners.map(move |(x, y)| {
            let (right, bottom) = ((x + BLOCK).min(width), (y + BLOCK).min(height));
            (y..bottom).flat_map(move |row| row * width + x..row * width + right)
        })
    }
}

/// Frame and index of every face that can be known again, as far as both sides have frames.
pub fn bare_faces(clip: &Clip, original: &[Frame], redacted: &[Frame]) -> Vec<(usize, usize)> {
    let mut judge = Judge::new(clip);
    original.iter().zip(redacted).for_each(|(original, redacted)| judge.see(original, redacted));
    judge.verdict.leaks.iter().map(|leak| (leak.frame, leak.face)).collect()
}

/// Asserts that no face of `clip` can be known again in `redacted` and that the rest of it is as in `original`.
///
/// # Panics
/// When it is not so, saying where.
pub fn assert_redacted(clip: &Clip, original: &[Frame], redacted: &[Frame]) {
    let verdict = Verdict::of(clip, original, redacted);
    assert!(verdict.leaks.is_empty(), "faces known again: {:?}", verdict.leaks);
    assert!(verdict.likeness() >= LIKENESS, "{:.1} dB outside faces", verdict.likeness());
}

#[cfg(test)]
mod tests;

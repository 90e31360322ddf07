//! When to look, and at what: the detector is the dear part of the first pass, so it sees the whole picture only as
//! often as it must. Where little changes, what does is looked at by itself. Where much does, faces come up from behind
//! one another for a few frames only; they do so at the height where faces are, since whoever films stands among those
//! who are filmed, so those rows are looked at more often than the rest.

use crate::{
    analysis::Small,
    change::{Changes, join},
    detector::GRID,
    geometry::Region,
    options::Looking,
    sheet::{Area, Sheet},
};
use std::ops::Range;

/// Milliseconds in a second.
const MS: f64 = 1_000.0;
/// Least zoom at which parts of the picture are looked at: that of the reduced picture.
const FULL: f32 = 1.0;
/// How far the rows that are looked at go beyond the faces in them, in pixels of the reduced picture and in faces.
const BEYOND: (f32, f32) = (8.0, 0.1);
/// Fewest faces whose rows are taken for the height at which faces are: one or two may be mistaken, or sit.
const FEWEST: usize = 3;
/// Most rows looked at by themselves, as a share of all: more is dearer than looking at the whole less often.
const MOST_ROWS: f32 = 0.4;

/// What to look at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    /// The whole picture, reduced.
    Whole,
    /// So many rows of it.
    Rows(Range<usize>),
    /// Parts of it, in detail.
    Parts(Sheet),
}

impl Look {
    /// Whether a point of the reduced picture is looked at.
    pub fn holds(&self, x: f32, y: f32) -> bool {
        match self {
            Self::Whole => true,
            Self::Rows(rows) => (rows.start as f32..rows.end as f32).contains(&y),
            Self::Parts(sheet) => sheet.areas().any(|area| area.holds(x, y)),
        }
    }

    /// Pixels looked at per pixel of the reduced picture.
    pub fn zoom(&self) -> f32 {
        match self {
            Self::Whole | Self::Rows(_) => FULL,
            Self::Parts(sheet) => sheet.zoom(),
        }
    }
}

/// Decides on looks.
pub(crate) struct Attention {
    /// Frames between looks at the whole while much changes and the rows with faces are looked at by themselves.
    wide: u64,
    /// The same while faces are everywhere.
    look: u64,
    /// The same while there are none.
    calm: u64,
    /// The same while all that changes can be looked at by itself.
    rest: u64,
    /// Frames between looks at rows.
    rows: u64,
    /// Frames between looks at parts.
    glance: u64,
    whole: Option<u64>,
    last: Option<u64>,
    /// Whether something that might be a face was seen lately.
    lively: bool,
    changes: Changes,
}

impl Attention {
    /// For video of `rate` frames per second.
    pub fn new(looking: &Looking, rate: f64) -> Self {
        let frames = |ms: u32| ((f64::from(ms) * rate / MS).round() as u64).max(1);
        Self {
            wide: frames(looking.wide_ms),
            look: frames(looking.look_ms),
            calm: frames(looking.calm_ms),
            rest: frames(looking.rest_ms),
            rows: frames(looking.rows_ms),
            glance: frames(looking.glance_ms),
            whole: None,
            last: None,
            lively: false,
            changes: Changes::default(),
        }
    }

    /// What to look at on frame `frame`; `wanted` are the areas of faces in doubt, `faces` those that are followed,
    /// `most` is how far the picture's detail goes beyond the reduced one.
    pub fn choose(
        &self,
        frame: u64,
        small: &Small,
        (wanted, faces): (Vec<Area>, &[Region]),
        most: f32,
    ) -> Option<Look> {
        let (Some(whole), Some(last)) = (self.whole, self.last) else { return Some(Look::Whole) };
        if frame - whole >= self.rest {
            return Some(Look::Whole);
        }
        let Some(mut areas) = self.changes.areas(small) else { return Some(Look::Whole) };
        for area in &wanted {
            join(&mut areas, *area);
        }
        if areas.is_empty() {
            return None;
        }
        let size = (small.width() as f32, small.height() as f32);
        if let Some(sheet) = Sheet::lay_out(&areas, size, FULL..=most.max(FULL)) {
            return (frame - last >= self.glance).then_some(Look::Parts(sheet));
        }
        let rows = rows(faces, &wanted, small.height()).filter(|_| self.lively);
        let due = match (&rows, self.lively) {
            (Some(_), _) => self.wide,
            (None, true) => self.look,
            (None, false) => self.calm,
        };
        if frame - whole >= due {
            return Some(Look::Whole);
        }
        rows.filter(|_| frame - last >= self.rows).map(Look::Rows)
    }

    /// Frame `frame` was looked at, and whether something there might be a face.
    pub fn looked(&mut self, frame: u64, small: &Small, look: &Look, lively: bool) {
        self.last = Some(frame);
        self.lively = lively || (self.lively && *look != Look::Whole);
        match look {
            Look::Whole => {
                self.whole = Some(frame);
                self.changes.saw_all(small);
            }
            Look::Rows(rows) => self.changes.saw(small, &Area::across(rows, small.width())),
            Look::Parts(sheet) => sheet.areas().for_each(|area| self.changes.saw(small, area)),
        }
    }
}

/// The rows of a picture of so many in which `faces` are and what is `wanted`; `None` when there are too few faces, or
/// too many rows.
fn rows(faces: &[Region], wanted: &[Area], height: usize) -> Option<Range<usize>> {
    if faces.len() < FEWEST {
        return None;
    }
    let face = |face: &Region| {
        let reach = face.h * (0.5 + BEYOND.1) + BEYOND.0;
        (face.y - reach, face.y + reach)
    };
    let spans = faces.iter().map(face).chain(wanted.iter().map(|area| (area.y, area.y + area.h)));
    let (top, bottom) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let tall = (bottom.min(height as f32) - top.max(0.0)).max(1.0);
    let count = (tall as usize).next_multiple_of(GRID);
    if count as f32 > MOST_ROWS * height as f32 {
        return None;
    }
    let first = ((top + bottom - count as f32) / 2.0).max(0.0) as usize;
    let first = first.min(height - count);
    Some(first..first + count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Shrinker;
    use media::{Layout, Picture, Rotation};

    /// A picture like no other of another `seed`, wherever one looks.
    fn small(seed: usize) -> Small {
        let mut picture = Picture::blank(Layout::Yuv420, true, 640, 352).expect("a picture");
        for plane in picture.planes_mut().expect("planes") {
            for (at, sample) in plane.data.iter_mut().enumerate() {
                let (x, y) = ((at % plane.stride) / 16, at / plane.stride / 16);
                *sample = ((x * 73 + y * 151 + seed * 97) % 256) as u8;
            }
        }
        Shrinker::new(640, Rotation::None, (640, 352)).shrink(&picture).expect("a reduced picture")
    }

    fn face(y: f32) -> Region {
        Region { x: 300.0, y, w: 16.0, h: 20.0 }
    }

    /// What is looked at, of 60 frames of which each is like no other, while `faces` are followed.
    fn looks(faces: &[Region]) -> Vec<(u64, Look)> {
        let mut attention = Attention::new(&Looking::default(), 25.0);
        let mut looks = Vec::new();
        for frame in 0..60 {
            let small = small(frame as usize);
            if let Some(look) = attention.choose(frame, &small, (Vec::new(), faces), 2.0) {
                attention.looked(frame, &small, &look, !faces.is_empty());
                looks.push((frame, look));
            }
        }
        looks
    }

    fn steps(frames: &[u64]) -> Vec<u64> {
        frames.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn where_faces_are_at_one_height_its_rows_are_looked_at_more_often_than_the_whole() {
        let faces = [face(150.0), face(160.0), face(180.0)];
        let looks = looks(&faces);
        let whole: Vec<u64> = looks.iter().filter(|(_, look)| *look == Look::Whole).map(|(at, _)| *at).collect();
        assert!(steps(&whole).iter().all(|step| *step == 10), "{whole:?}");
        let all: Vec<u64> = looks.iter().map(|(at, _)| *at).collect();
        assert!(steps(&all).iter().all(|step| *step <= 3), "{all:?}");
        for (at, look) in &looks {
            assert!(faces.iter().all(|face| look.holds(face.x, face.y - 10.0) && look.holds(face.x, face.y + 10.0)));
            assert!(*look == Look::Whole || !look.holds(300.0, 40.0), "frame {at} is looked at as a whole");
        }
    }

    #[test]
    fn where_faces_are_few_or_at_all_heights_only_the_whole_is_looked_at_and_less_often_without_them() {
        for (faces, step) in [(&[face(30.0), face(180.0), face(320.0)][..], 4), (&[face(150.0); 2], 4), (&[], 6)] {
            let looks = looks(faces);
            assert!(looks.iter().all(|(_, look)| *look == Look::Whole));
            let frames: Vec<u64> = looks.iter().map(|(at, _)| *at).collect();
            assert!(steps(&frames).iter().all(|found| *found == step), "{frames:?}");
        }
    }

    #[test]
    fn rows_lie_within_the_picture_and_fit_the_detector() {
        for (y, first, count) in [(0.0, 0, 32), (351.0, 320, 32), (176.0, 144, 64)] {
            let rows = rows(&[face(y); 3], &[], 352).expect("faces of one height");
            assert_eq!((rows.start, rows.len()), (first, count), "around {y}");
        }
        let area = Area { x: 0.0, y: 100.0, w: 50.0, h: 60.0 };
        assert_eq!(rows(&[face(150.0); 3], &[area], 352), Some(87..183), "what is wanted is in it, too");
        assert_eq!(rows(&[face(150.0); 2], &[area], 352), None);
    }
}

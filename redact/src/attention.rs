//! When to look, and at what: the detector is the dear part of the first pass, so it sees the whole picture only as
//! often as it must, and in between the parts that have changed and the faces that are in doubt.

use crate::{
    analysis::Small,
    change::{Changes, join},
    options::Looking,
    sheet::{Area, Sheet},
};

/// Milliseconds in a second.
const MS: f64 = 1_000.0;

/// What to look at.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// The whole picture, reduced.
    Whole,
    /// Parts of it, in detail.
    Parts(Sheet),
}

impl Look {
    /// Whether a point of the reduced picture is looked at.
    pub fn holds(&self, x: f32, y: f32) -> bool {
        match self {
            Self::Whole => true,
            Self::Parts(sheet) => sheet.areas().any(|area| area.holds(x, y)),
        }
    }
}

/// Decides on looks.
pub(crate) struct Attention {
    /// Frames between looks at the whole while much changes.
    look: u64,
    /// Frames between looks at the whole while little does.
    rest: u64,
    /// Frames between looks of any kind.
    glance: u64,
    whole: Option<u64>,
    last: Option<u64>,
    changes: Changes,
}

impl Attention {
    /// For video of `rate` frames per second.
    pub fn new(looking: &Looking, rate: f64) -> Self {
        let frames = |ms: u32| ((f64::from(ms) * rate / MS).round() as u64).max(1);
        Self {
            look: frames(looking.look_ms),
            rest: frames(looking.rest_ms),
            glance: frames(looking.glance_ms),
            whole: None,
            last: None,
            changes: Changes::default(),
        }
    }

    /// What to look at on frame `frame`; `wanted` gives the areas of faces in doubt, `most` is how far the picture's
    /// detail goes beyond the reduced one.
    pub fn choose(&self, frame: u64, small: &Small, wanted: impl FnOnce() -> Vec<Area>, most: f32) -> Option<Look> {
        let (Some(whole), Some(last)) = (self.whole, self.last) else { return Some(Look::Whole) };
        if frame - whole >= self.rest {
            return Some(Look::Whole);
        }
        if frame - last < self.glance {
            return None;
        }
        let Some(mut areas) = self.changes.areas(small) else { return Some(Look::Whole) };
        for area in wanted() {
            join(&mut areas, area);
        }
        if areas.is_empty() {
            return None;
        }
        let size = (small.width() as f32, small.height() as f32);
        let parts = Sheet::lay_out(&areas, size, most).map(Look::Parts);
        parts.or_else(|| (frame - whole >= self.look).then_some(Look::Whole))
    }

    /// Frame `frame` was looked at.
    pub fn looked(&mut self, frame: u64, small: &Small, look: &Look) {
        self.last = Some(frame);
        match look {
            Look::Whole => {
                self.whole = Some(frame);
                self.changes.saw_all(small);
            }
            Look::Parts(sheet) => sheet.areas().for_each(|area| self.changes.saw(small, area)),
        }
    }
}

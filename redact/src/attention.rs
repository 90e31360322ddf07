//! When to look, and at what: the detector is the dear part of the first pass, so it sees the whole picture only as
//! often as it must, and in between the parts that have changed and the faces that are in doubt. Small faces take time
//! to cross a picture, so they may wait for the whole; large ones may run through it, so what changes is looked at often,
//! and coarsely where it is much.

use crate::{
    analysis::Small,
    change::{Changes, join},
    options::Looking,
    sheet::{Area, Sheet},
};

/// Milliseconds in a second.
const MS: f64 = 1_000.0;
/// Least zoom at which what has changed is looked at, and at which a look is as good as one at the whole.
const COARSE: f32 = 0.5;
const FULL: f32 = 1.0;

/// What to look at.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// The whole picture, reduced.
    Whole,
    /// Parts of it, in detail.
    Parts(Sheet),
}

impl Look {
    /// Whether a point of the reduced picture is looked at closely.
    pub fn holds(&self, x: f32, y: f32) -> bool {
        match self {
            Self::Whole => true,
            Self::Parts(sheet) => !self.is_coarse() && sheet.areas().any(|area| area.holds(x, y)),
        }
    }

    /// Whether less is seen than on the reduced picture: enough to notice a face, too little to say where it ends.
    pub fn is_coarse(&self) -> bool {
        self.zoom() < FULL
    }

    /// Pixels looked at per pixel of the reduced picture.
    pub fn zoom(&self) -> f32 {
        match self {
            Self::Whole => FULL,
            Self::Parts(sheet) => sheet.zoom(),
        }
    }
}

/// Decides on looks.
pub(crate) struct Attention {
    /// Frames between looks at the whole while much changes and there are faces.
    look: u64,
    /// The same while there are none.
    calm: u64,
    /// The same while all that changes can be looked at by itself.
    rest: u64,
    /// Frames between looks of any kind.
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
            look: frames(looking.look_ms),
            calm: frames(looking.calm_ms),
            rest: frames(looking.rest_ms),
            glance: frames(looking.glance_ms),
            whole: None,
            last: None,
            lively: false,
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
        let all = [Area { x: 0.0, y: 0.0, w: size.0, h: size.1 }];
        let parts = Sheet::lay_out(&areas, size, COARSE..=most.max(FULL));
        let parts = parts.or_else(|| Sheet::lay_out(&all, size, COARSE..=COARSE));
        let due = frame - whole >= if self.lively { self.look } else { self.calm };
        match parts {
            Some(sheet) if sheet.zoom() >= FULL || !due => Some(Look::Parts(sheet)),
            _ => Some(Look::Whole),
        }
    }

    /// Frame `frame` was looked at, and whether something there might be a face.
    pub fn looked(&mut self, frame: u64, small: &Small, look: &Look, lively: bool) {
        self.last = Some(frame);
        self.lively = lively || (self.lively && matches!(look, Look::Parts(_)));
        match look {
            Look::Whole => {
                self.whole = Some(frame);
                self.changes.saw_all(small);
            }
            // What was looked at coarsely may still hold a small face.
            Look::Parts(_) if look.is_coarse() => {}
            Look::Parts(sheet) => sheet.areas().for_each(|area| self.changes.saw(small, area)),
        }
    }
}

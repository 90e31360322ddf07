//! Looks at the frame in one turn, so often that nothing new stays without one, and what is known is looked at again in
//! time; each time at the least expense.

use crate::{
    analysis::Small,
    attention::Times,
    change::Changes,
    detector::GRID,
    geometry::Region,
    look::{Asked, Look},
    motion::Motion,
    sheet::{Area, FULL, Sheet, View, join},
    unseen::Unseen,
};
use media::Rotation;
use std::ops::Range;

/// How far the rows that are looked at go beyond the faces in them, in pixels of the reduced picture and in faces.
const BEYOND: (f32, f32) = (8.0, 0.1);
/// Fewest faces whose rows are taken for the height at which faces are: one or two may be mistaken, or sit.
const FEWEST: usize = 3;
/// Most rows looked at by themselves, as a share of all: more is dearer than looking at the whole less often.
const MOST_ROWS: f32 = 0.4;
/// Most rows looked at for what is new in them.
const MOST_NEW_ROWS: f32 = 0.8;
/// What is new is looked at on the very frame on which it comes up as long as that costs no more than was saved: so much
/// for each frame, in looks at the whole, and so much at most. Without savings it is looked at on the next frame.
const SAVED: f32 = 0.25;
const MOST_SAVED: f32 = 2.0;

/// Looks at the picture in one turn, so often that nothing new stays without one.
pub(crate) struct Watch {
    pub turn: Rotation,
    whole: Option<u64>,
    /// Last look at anything.
    pub last: Option<u64>,
    /// Last look, of those that were due, after which nothing that had changed was left; and frames between them.
    refreshed: Option<u64>,
    glance: u64,
    /// Last look at rows.
    rows: Option<u64>,
    /// What was saved for looks at what is new, in looks at the whole.
    saved: f32,
    /// Whether something that might be a face was seen lately.
    lively: bool,
    changes: Changes,
    pub unseen: Unseen,
}

impl Watch {
    pub fn new(turn: Rotation, glance: u64) -> Self {
        let (changes, unseen) = (Changes::default(), Unseen::default());
        Self {
            turn,
            whole: None,
            last: None,
            refreshed: None,
            glance,
            rows: None,
            saved: MOST_SAVED,
            lively: false,
            changes,
            unseen,
        }
    }

    /// Takes the next frame, which moved as a whole by `motion`.
    pub fn advance(&mut self, small: &Small, motion: Motion) {
        self.unseen.advance(small, motion);
        self.saved = (self.saved + SAVED).min(MOST_SAVED);
    }

    /// What to look at on frame `frame`, if anything is due. `most` is how far the frame's detail goes beyond the reduced
    /// one.
    pub fn choose(&self, frame: u64, small: &Small, asked: &Asked, (most, times): (f32, &Times)) -> Option<Look> {
        let Some(whole) = self.whole else { return Some(Look::Whole(self.turn)) };
        if frame - whole >= times.rest {
            return Some(Look::Whole(self.turn));
        }
        let Some(changed) = self.changes.areas(small) else { return Some(Look::Whole(self.turn)) };
        let (news, oldest) = self.unseen.news(&asked.faces);
        let mut views: Vec<View> = Vec::new();
        let news = news.into_iter().map(|view| View { turn: self.turn, ..view });
        for view in news.chain(asked.of(self.turn, self.is_due(frame)).copied()) {
            join(&mut views, view);
        }
        let need = Need { urgent: asked.urgent.iter().any(|view| view.turn == self.turn), oldest, saved: self.saved };
        let again = self.again(frame, small, (changed, &views, asked), (most, times), whole);
        match again {
            // Rows that faces are in need not hold what is new.
            Some(Look::Rows(_)) if need.oldest > 0 => self.news(small, &views, need, most),
            again => again.or_else(|| self.news(small, &views, need, most)),
        }
    }

    /// A look at what is known and has changed, when it is due.
    fn again(
        &self,
        frame: u64,
        small: &Small,
        (changed, views, asked): (Vec<Area>, &[View], &Asked),
        (most, times): (f32, &Times),
        whole: u64,
    ) -> Option<Look> {
        let mut all = views.to_vec();
        for area in changed {
            join(&mut all, View { area, turn: self.turn });
        }
        if all.is_empty() {
            return None;
        }
        let size = (small.width() as f32, small.height() as f32);
        if let Some(sheet) = Sheet::enlarge(&all, size, FULL..=most.max(FULL)) {
            return self.is_due(frame).then_some(Look::Parts(sheet));
        }
        let wanted: Vec<Area> = asked.of(self.turn, true).map(|view| view.area).collect();
        let rows = rows(&asked.faces, &wanted, small.height()).filter(|_| self.lively && self.turn == Rotation::None);
        let due = match (&rows, self.lively) {
            (Some(_), _) => times.wide,
            (None, true) => times.look,
            (None, false) => times.calm,
        };
        if frame - whole >= due {
            return Some(Look::Whole(self.turn));
        }
        let banded = self.rows.map_or(whole, |rows| rows.max(whole));
        rows.filter(|_| frame - banded >= times.rows).map(Look::Rows)
    }

    /// The least expensive look that holds all `views`, when one of them must not wait.
    fn news(&self, small: &Small, views: &[View], need: Need, most: f32) -> Option<Look> {
        if views.is_empty() {
            return None;
        }
        let size = (small.width() as f32, small.height() as f32);
        let sheet = Sheet::shrink(views, size, most).map(|sheet| (sheet.cost(), Look::Parts(sheet)));
        let rows = spanned(views, small.height()).filter(|_| self.turn == Rotation::None);
        let rows = rows.map(|rows| (rows.len() as f32 / size.1, Look::Rows(rows)));
        let whole = (1.0, Look::Whole(self.turn));
        let ways = [sheet, rows, Some(whole)].into_iter().flatten();
        let (cost, look) = ways.min_by(|a, b| a.0.total_cmp(&b.0))?;
        need.now(cost).then_some(look)
    }

    /// Frame `frame` was looked at, and whether something there might be a face (`lively`).
    pub fn looked(&mut self, frame: u64, small: &Small, (look, lively): (&Look, bool)) {
        if look.turns().any(|turn| turn == self.turn) {
            self.saved = (self.saved - look.cost(small.height())).max(0.0);
        }
        match look {
            Look::Whole(turn) if *turn == self.turn => {
                self.lively = lively;
                (self.whole, self.last, self.refreshed) = (Some(frame), Some(frame), Some(frame));
                self.changes.saw_all(small);
                self.unseen.saw(None);
            }
            Look::Rows(rows) if self.turn == Rotation::None => {
                self.lively |= lively;
                (self.rows, self.last) = (Some(frame), Some(frame));
                self.saw(frame, small, &[Area::across(rows, small.width())]);
            }
            Look::Parts(sheet) => {
                let areas: Vec<Area> =
                    sheet.views().filter(|view| view.turn == self.turn).map(|view| view.area).collect();
                if !areas.is_empty() {
                    self.lively |= lively;
                    self.last = Some(frame);
                    self.saw(frame, small, &areas);
                }
            }
            _ => {}
        }
    }

    fn saw(&mut self, frame: u64, small: &Small, areas: &[Area]) {
        for area in areas {
            self.changes.saw(small, area);
        }
        self.unseen.saw(Some(areas));
        if self.is_due(frame) && self.changes.areas(small).is_some_and(|left| left.is_empty()) {
            self.refreshed = Some(frame);
        }
    }

    /// Whether it is time to look again at what has changed and at what following asks for.
    fn is_due(&self, frame: u64) -> bool {
        self.refreshed.is_none_or(|refreshed| frame - refreshed >= self.glance)
    }
}

/// How much what is new must be looked at.
#[derive(Clone, Copy, Debug)]
struct Need {
    /// A face was lost on this frame.
    urgent: bool,
    /// For how many frames something has been new.
    oldest: u32,
    /// What may be spent, in looks at the whole.
    saved: f32,
}

impl Need {
    /// Whether a look of this `cost`, in looks at the whole, is to be taken on this frame.
    fn now(self, cost: f32) -> bool {
        self.urgent || self.oldest > 0 || cost <= self.saved
    }
}

/// The rows of a picture of so many that hold all `views`; `None` when they are too many.
fn spanned(views: &[View], height: usize) -> Option<Range<usize>> {
    let spans = views.iter().map(|view| (view.area.y, view.area.y + view.area.h));
    let (top, bottom) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    band(top, bottom, height, MOST_NEW_ROWS)
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
    band(top, bottom, height, MOST_ROWS)
}

/// As many rows of a picture of `height` as the detector takes, around those from `top` to `bottom`; `None` when they are
/// more than the share `most` of all.
fn band(top: f32, bottom: f32, height: usize, most: f32) -> Option<Range<usize>> {
    let tall = (bottom.min(height as f32) - top.max(0.0)).max(1.0);
    let count = (tall as usize).next_multiple_of(GRID);
    if count as f32 > most * height as f32 {
        return None;
    }
    let first = ((top + bottom - count as f32) / 2.0).max(0.0) as usize;
    let first = first.min(height - count);
    Some(first..first + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(y: f32) -> Region {
        Region { x: 300.0, y, w: 16.0, h: 20.0 }
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

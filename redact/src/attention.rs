//! When to look, and at what. Looking is the expensive part of the first pass, so the detector sees the whole frame only
//! as often as it must; but nothing may be shown for long that it had no chance to find.
//!
//! Three needs add up. What is new ([`Unseen`]) is looked at on that frame or the next. What is known but moves is looked
//! at again in time, since a detector finds on one frame what it missed on another; where faces are at one height, its
//! rows are looked at more often than the rest. And since the detector finds upright faces only, the frame is also looked
//! at turned, more rarely: people lie on the ground, and phones are held sideways.

use crate::{
    analysis::Small,
    change::Changes,
    detector::GRID,
    geometry::Region,
    motion::Motion,
    options::Looking,
    sheet::{Area, FULL, Sheet, View, join},
    unseen::Unseen,
};
use media::Rotation;
use std::ops::Range;

/// Milliseconds in a second.
const MS: f64 = 1_000.0;
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

/// What to look at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    /// The whole picture, reduced and turned.
    Whole(Rotation),
    /// So many rows of it.
    Rows(Range<usize>),
    /// Parts of it, in detail.
    Parts(Sheet),
}

impl Look {
    /// Whether a face of the reduced picture, of `height` rows, which `turn` brings upright, is looked at as far as it is
    /// in the picture. Of one that is shown in part the detector may find a part, and take it for the face.
    pub fn shows(&self, face: Region, turn: Rotation, height: usize) -> bool {
        let (top, bottom) = (face.y - face.h / 2.0, face.y + face.h / 2.0);
        match self {
            Self::Whole(turned) => *turned == turn,
            Self::Rows(rows) => {
                let is_above = rows.start == 0 || top >= rows.start as f32;
                turn == Rotation::None && is_above && (rows.end == height || bottom <= rows.end as f32)
            }
            Self::Parts(sheet) => sheet.shows(face, turn),
        }
    }

    /// What it costs on a picture of so many rows, in looks at the whole.
    fn cost(&self, height: usize) -> f32 {
        match self {
            Self::Whole(_) => 1.0,
            Self::Rows(rows) => rows.len() as f32 / height as f32,
            Self::Parts(sheet) => sheet.cost(),
        }
    }

    /// The turns in which something is looked at.
    fn turns(&self) -> impl Iterator<Item = Rotation> {
        Rotation::ALL.into_iter().filter(|turn| match self {
            Self::Whole(whole) => whole == turn,
            Self::Rows(_) => *turn == Rotation::None,
            Self::Parts(sheet) => sheet.views().any(|view| view.turn == *turn),
        })
    }

    /// Pixels looked at per pixel of the reduced picture.
    pub fn zoom(&self) -> f32 {
        match self {
            Self::Whole(_) | Self::Rows(_) => FULL,
            Self::Parts(sheet) => sheet.zoom(),
        }
    }
}

/// What following asks for on a frame.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Where faces were lost on this very frame.
    pub urgent: Vec<View>,
    /// Where faces are in doubt, or were not looked at for long.
    pub wanted: Vec<View>,
    /// Where a face that was lost may be found in another turn.
    pub guesses: Vec<View>,
    /// Faces that are followed and will be blurred.
    pub faces: Vec<Region>,
    /// The turn that most of them stand in.
    pub turn: Rotation,
}

impl Asked {
    /// What is asked for in a turn: what is urgent and, where the time for it has come (`is_due`), the rest.
    fn of(&self, turn: Rotation, is_due: bool) -> impl Iterator<Item = &View> {
        let rest = self.wanted.iter().filter(move |_| is_due);
        self.urgent.iter().chain(rest).filter(move |view| view.turn == turn)
    }
}

/// Lengths of time in frames.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// Between looks at the whole while much changes and the rows with faces are looked at by themselves.
    wide: u64,
    /// The same while faces are everywhere.
    look: u64,
    /// The same while there are none.
    calm: u64,
    /// The same while all that changes can be looked at by itself.
    rest: u64,
    /// Between looks at rows.
    rows: u64,
    /// Between looks at parts.
    glance: u64,
    /// Between looks at the picture turned by a quarter, either way, and by half.
    turned: u64,
    upside_down: u64,
}

/// `views`, those that meet made one.
fn joined<'a>(views: impl IntoIterator<Item = &'a View>) -> Vec<View> {
    let mut joined = Vec::new();
    for view in views {
        join(&mut joined, *view);
    }
    joined
}

/// Decides on looks.
pub(crate) struct Attention {
    times: Times,
    upright: Watch,
    /// Where most faces stand otherwise: the same for their turn.
    sideways: Option<Watch>,
    turned: [Turned; 3],
    /// Last look at parts that only following asked for.
    asked: Option<u64>,
}

impl Attention {
    /// For video of `rate` frames per second.
    pub fn new(looking: &Looking, rate: f64) -> Self {
        let frames = |ms: u32| ((f64::from(ms) * rate / MS).round() as u64).max(1);
        let times = Times {
            wide: frames(looking.wide_ms),
            look: frames(looking.look_ms),
            calm: frames(looking.calm_ms),
            rest: frames(looking.rest_ms),
            rows: frames(looking.rows_ms),
            glance: frames(looking.glance_ms),
            turned: frames(looking.turned_ms),
            upside_down: frames(looking.upside_down_ms),
        };
        Self {
            times,
            upright: Watch::new(Rotation::None, times.glance),
            sideways: None,
            turned: [Rotation::Quarter, Rotation::ThreeQuarters, Rotation::Half].map(Turned::new),
            asked: None,
        }
    }

    /// Takes the next frame, which moved as a whole by `motion`.
    pub fn advance(&mut self, small: &Small, motion: Motion) {
        for watch in self.watches() {
            watch.unseen.advance(small, motion);
            watch.saved = (watch.saved + SAVED).min(MOST_SAVED);
        }
        if motion.is_cut {
            self.turned.iter_mut().for_each(Turned::begin);
        }
    }

    /// Follows most faces into their turn: from now on the whole is looked at that way as well.
    pub fn turn_to(&mut self, turn: Rotation, small: &Small) {
        if turn == Rotation::None || self.sideways.as_ref().is_some_and(|watch| watch.turn == turn) {
            return;
        }
        let mut watch = Watch::new(turn, self.times.glance);
        watch.unseen.advance(small, Motion::default());
        self.sideways = Some(watch);
    }

    /// What to look at next on frame `frame`; `None` when no more is needed on it. `most` is how far the picture's detail
    /// goes beyond the reduced one.
    pub fn choose(&self, frame: u64, small: &Small, asked: &Asked, most: f32) -> Option<Look> {
        let watches = [Some(&self.upright), self.sideways.as_ref()];
        let mut due = watches.into_iter().flatten().filter(|watch| watch.last != Some(frame));
        due.find_map(|watch| watch.choose(frame, small, asked, (most, &self.times)))
            .or_else(|| self.asked_for(frame, small, asked, most))
            .or_else(|| self.turned(frame, small, asked, most))
    }

    /// Parts that following asks for in turns that are not watched; guesses among them as far as there is room.
    fn asked_for(&self, frame: u64, small: &Small, asked: &Asked, most: f32) -> Option<Look> {
        let others = |views: &[View]| views.iter().filter(|view| !self.is_watched(view.turn)).copied().collect();
        let (urgent, wanted, mut guesses): (Vec<View>, Vec<View>, Vec<View>) =
            (others(&asked.urgent), others(&asked.wanted), others(&asked.guesses));
        let since = self.asked.map_or(u64::MAX, |last| frame - last);
        if since == 0 || (urgent.is_empty() && since < self.times.glance) {
            return None;
        }
        let views = [urgent, wanted].concat();
        let size = (small.width() as f32, small.height() as f32);
        while !(views.is_empty() && guesses.is_empty()) {
            if let Some(sheet) = Sheet::enlarge(&joined(views.iter().chain(&guesses)), size, FULL..=most.max(FULL)) {
                return Some(Look::Parts(sheet));
            }
            if guesses.pop().is_none() {
                break;
            }
        }
        let first = views.first()?;
        Some(Sheet::shrink(&joined(&views), size, most).map_or(Look::Whole(first.turn), Look::Parts))
    }

    fn is_watched(&self, turn: Rotation) -> bool {
        turn == Rotation::None || self.sideways.as_ref().is_some_and(|watch| watch.turn == turn)
    }

    /// The picture turned: all of it at first and now and then, in between what is new since it was looked at so.
    fn turned(&self, frame: u64, small: &Small, asked: &Asked, most: f32) -> Option<Look> {
        let size = (small.width() as f32, small.height() as f32);
        let mut others = self.turned.iter().filter(|turned| !self.is_watched(turned.turn));
        others.find_map(|turned| {
            let whole = Look::Whole(turned.turn);
            let every = if turned.turn == Rotation::Half { self.times.upside_down } else { self.times.turned };
            match (turned.last, turned.whole) {
                (Some(last), _) if frame - last < every => None,
                (Some(_), Some(at)) if frame - at < self.times.rest => {
                    let views = self.upright.unseen.unturned(turned.turn, &asked.faces);
                    let sheet = || Sheet::shrink(&views, size, most).map_or(whole, Look::Parts);
                    (!views.is_empty()).then(sheet)
                }
                _ => Some(whole),
            }
        })
    }

    /// Frame `frame` was looked at, and whether something there might be a face.
    pub fn looked(&mut self, frame: u64, small: &Small, look: &Look, lively: bool) {
        self.watches().for_each(|watch| watch.looked(frame, small, (look, lively)));
        let unseen = &mut self.upright.unseen;
        match look {
            Look::Whole(turn) => unseen.saw_turned(*turn, None),
            Look::Rows(_) => {}
            Look::Parts(sheet) => sheet.views().for_each(|view| unseen.saw_turned(view.turn, Some(&[view.area]))),
        }
        for turned in &mut self.turned {
            turned.looked(frame, look, unseen);
        }
        if look.turns().any(|turn| !self.is_watched(turn)) {
            self.asked = Some(frame);
        }
    }

    /// Counts the newest frame, on which nothing more will be looked at.
    pub fn count(&mut self, faces: &[Region]) {
        self.upright.unseen.count(faces);
    }

    /// The most consecutive frames on which something new was to be seen before it was looked at.
    pub fn longest_unseen(&self) -> u32 {
        self.upright.unseen.longest()
    }

    fn watches(&mut self) -> impl Iterator<Item = &mut Watch> {
        std::iter::once(&mut self.upright).chain(self.sideways.as_mut())
    }
}

/// Looks at the picture in one turn, so often that nothing new stays without one.
struct Watch {
    turn: Rotation,
    whole: Option<u64>,
    /// Last look at anything.
    last: Option<u64>,
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
    unseen: Unseen,
}

impl Watch {
    fn new(turn: Rotation, glance: u64) -> Self {
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

    fn choose(&self, frame: u64, small: &Small, asked: &Asked, (most, times): (f32, &Times)) -> Option<Look> {
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

    fn looked(&mut self, frame: u64, small: &Small, (look, lively): (&Look, bool)) {
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

/// When the picture was looked at in a turn that few faces stand in.
struct Turned {
    turn: Rotation,
    whole: Option<u64>,
    last: Option<u64>,
}

impl Turned {
    fn new(turn: Rotation) -> Self {
        Self { turn, whole: None, last: None }
    }

    /// Another scene has begun.
    fn begin(&mut self) {
        *self = Self::new(self.turn);
    }

    /// Frame `frame` was looked at; `unseen` says what is left.
    fn looked(&mut self, frame: u64, look: &Look, unseen: &Unseen) {
        let holds = |sheet: &Sheet| sheet.views().any(|view| view.turn == self.turn);
        match look {
            Look::Whole(turn) if *turn == self.turn => (self.whole, self.last) = (Some(frame), Some(frame)),
            Look::Parts(sheet) if holds(sheet) && unseen.unturned(self.turn, &[]).is_empty() => self.last = Some(frame),
            _ => {}
        }
    }
}

/// The rows of a picture of so many that hold all `views`; `None` when they are too many, or one view is turned.
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
    use crate::analysis::Shrinker;
    use media::{Layout, Orientation, Picture};

    /// A picture like no other of another `seed`, wherever one looks.
    fn noise(seed: usize) -> Small {
        picture(|x, y| ((x / 16 * 73 + y / 16 * 151 + seed * 97) % 256) as u8)
    }

    /// A street at rest, with a square of 40 pixels at the place, if there is one.
    fn street(square: Option<(usize, usize)>) -> Small {
        picture(|x, y| match square {
            Some((left, top)) if (left..left + 40).contains(&x) && (top..top + 40).contains(&y) => {
                60 + (x * 7 + y * 13) as u8 % 120
            }
            _ => 100 + ((x / 40 + y / 40) % 2 * 20) as u8,
        })
    }

    fn picture(luma: impl Fn(usize, usize) -> u8) -> Small {
        let mut picture = Picture::blank(Layout::Yuv420, true, 640, 352).expect("a picture");
        let [samples, blue, red] = picture.planes_mut().expect("planes");
        for (at, sample) in samples.data.iter_mut().enumerate() {
            *sample = luma(at % samples.stride, at / samples.stride);
        }
        blue.data.fill(128);
        red.data.fill(128);
        Shrinker::new(640, (640, 352)).shrink(&picture, Orientation::UPRIGHT, true).expect("a reduced picture")
    }

    fn face(y: f32) -> Region {
        Region { x: 300.0, y, w: 16.0, h: 20.0 }
    }

    /// Every look at so many frames, while `faces` are followed; and the most frames for which something new had none.
    fn looks(frames: u64, frame: impl Fn(u64) -> Small, faces: &[Region]) -> (Vec<(u64, Look)>, u32) {
        let mut attention = Attention::new(&Looking::default(), 25.0);
        let mut looks = Vec::new();
        for at in 0..frames {
            let small = frame(at);
            attention.advance(&small, Motion::default());
            let asked = Asked { faces: faces.to_vec(), ..Asked::default() };
            while let Some(look) = attention.choose(at, &small, &asked, 2.0) {
                attention.looked(at, &small, &look, !faces.is_empty());
                looks.push((at, look));
                assert!(looks.len() < 1_000, "frame {at} is looked at again and again");
            }
            attention.count(faces);
        }
        (looks, attention.longest_unseen())
    }

    fn turned(looks: &[(u64, Look)], turn: Rotation) -> Vec<u64> {
        looks.iter().filter(|(_, look)| *look == Look::Whole(turn)).map(|(at, _)| *at).collect()
    }

    fn steps(frames: &[u64]) -> Vec<u64> {
        frames.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn where_every_frame_is_new_every_second_one_is_looked_at() {
        for faces in [&[][..], &[face(30.0), face(180.0)]] {
            let (looks, longest) = looks(30, |at| noise(at as usize), faces);
            let upright = turned(&looks, Rotation::None);
            assert!(upright.first() == Some(&0) && steps(&upright).iter().all(|step| *step <= 2), "{upright:?}");
            assert_eq!(longest, 1);
        }
    }

    #[test]
    fn the_turned_picture_is_looked_at_at_once_and_then_twice_a_second_upside_down_once() {
        let (looks, _) = looks(60, |at| noise(at as usize), &[]);
        for (turn, step) in [(Rotation::Quarter, 13), (Rotation::ThreeQuarters, 13), (Rotation::Half, 25)] {
            let frames = turned(&looks, turn);
            assert!(frames.first() == Some(&0) && steps(&frames).iter().all(|found| *found == step), "{frames:?}");
        }
    }

    #[test]
    fn a_street_at_rest_is_looked_at_once_and_what_comes_up_there_on_that_very_frame() {
        let come = |at: u64| street((17..19).contains(&at).then_some((200, 120)));
        let (looks, longest) = looks(24, come, &[]);
        let face = Region { x: 220.0, y: 140.0, w: 38.0, h: 38.0 };
        let looked_at =
            |at: u64| looks.iter().filter(move |(frame, look)| *frame == at && look.shows(face, Rotation::None, 352));
        assert_eq!(looked_at(17).count(), 1, "{looks:?}");
        assert!(matches!(looked_at(17).next(), Some((_, Look::Parts(_)))));
        assert!(looks.iter().all(|(at, _)| *at == 0 || *at >= 17), "{looks:?}");
        assert_eq!(longest, 0);
    }

    #[test]
    fn what_the_camera_pans_over_is_known_and_what_comes_in_at_the_edge_is_not() {
        let pan = |at: u64| picture(move |x, y| ((x + 8 * at as usize) / 12 * 53 % 100 + y / 12 * 31 % 100 + 20) as u8);
        let mut unseen = Unseen::default();
        for at in 0..6 {
            unseen.advance(&pan(at), Motion { shift: (-8.0, 0.0), is_cut: false });
            if at == 0 {
                unseen.saw(None);
            }
        }
        let (views, oldest) = unseen.news(&[]);
        assert!(views.iter().all(|view| view.area.x > 640.0 - 48.0 - 40.0), "{views:?}");
        assert!(!views.is_empty() && oldest > 0);
    }

    #[test]
    fn what_is_new_beneath_a_blurred_face_needs_no_look() {
        let mut unseen = Unseen::default();
        unseen.advance(&street(None), Motion::default());
        unseen.saw(None);
        unseen.advance(&street(Some((200, 120))), Motion::default());
        assert!(!unseen.news(&[]).0.is_empty());
        let face = Region { x: 220.0, y: 140.0, w: 70.0, h: 70.0 };
        assert!(unseen.news(&[face]).0.is_empty());
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

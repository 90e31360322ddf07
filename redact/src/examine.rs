//! The first pass: takes every frame, detects on some, follows on all, and plans what to blur.

use crate::{
    Error, Options,
    analysis::Small,
    attention::Attention,
    deadline::Deadline,
    detail::Detailer,
    detector::{Detection, Detector},
    doubt,
    look::{Asked, Look},
    memo::{self, Memo, Seen},
    motion,
    plan::{Counts, Frame, Planned, Planner},
    sheet::{Area, Sheet},
    sight::{Side, Sight},
    tracker::Tracker,
};
use media::{Rotation, Track as Video};
use std::{ops::Range, sync::Arc};

/// Most looks at one frame, each with a second one in detail: one in every turn, and at faces that were lost.
const MOST_LOOKS: usize = 8;

/// What the first pass did, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Examined {
    /// Frames of the target.
    pub frames: u64,
    /// Frames of which it is known what the detector finds there, context included.
    pub detected: u64,
    /// Looks at the whole picture, context included.
    pub looks: u64,
    /// Looks at the whole picture turned, context included.
    pub turned_looks: u64,
    /// Looks at parts of it, context included.
    pub glances: u64,
    /// The most consecutive frames of the target on which something new was to be seen before it was looked at.
    pub longest_unseen: u64,
    /// What was planned.
    pub counts: Counts,
    /// Time of the target's first frame and end of its last one, in its time base.
    pub span: Option<(i64, i64)>,
}

/// The first pass over some footage.
pub(crate) struct Examiner<'a> {
    options: &'a Options,
    detector: &'a mut dyn Detector,
    memo: &'a Memo,
    deadline: Deadline<'a>,
    plan: &'a mut dyn FnMut(Planned),
    rate: f64,
    tracker: Tracker,
    attention: Attention,
    planner: Planner,
    detailer: Detailer,
    last: Option<Sight>,
    last_was_looked_at: bool,
    frame: u64,
    /// How many frames had come when one was last looked at.
    seen_at: u64,
    /// By what the target is remembered.
    target: Option<memo::Key>,
    examined: Examined,
}

impl<'a> Examiner<'a> {
    /// A first pass over the track `video`, which hands what it plans to `plan`.
    pub fn new(
        options: &'a Options,
        video: Video,
        (detector, memo): (&'a mut dyn Detector, &'a Memo),
        deadline: Deadline<'a>,
        plan: &'a mut dyn FnMut(Planned),
    ) -> Self {
        let rate = f64::from(video.frame_rate);
        Self {
            options,
            detector,
            memo,
            deadline,
            plan,
            rate,
            tracker: Tracker::new(options, rate),
            attention: Attention::new(&options.looking, rate),
            planner: Planner::default(),
            detailer: Detailer::new(options.looking.detail_side),
            last: None,
            last_was_looked_at: false,
            frame: 0,
            seen_at: 0,
            target: None,
            examined: Examined::default(),
        }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`Error::Model`] when the detector fails, [`Error::TooSlow`] when time is up.
    pub fn see(&mut self, sight: Sight) -> Result<(), Error> {
        self.deadline.check()?;
        if self.last.as_ref().is_some_and(|last| !sight.continues(last)) {
            self.end_shape()?;
        }
        let last = self.last.as_ref();
        let moved = last.map(|last| motion::between(&last.small, &sight.small)).unwrap_or_default();
        if moved.is_cut && !self.last_was_looked_at {
            self.look(&Look::Whole(Rotation::None))?;
        }
        self.tracker.advance(self.frame, &sight.small, moved);
        self.attention.advance(&sight.small, moved);
        if sight.side == Side::Target {
            let (pts, end) = (sight.picture.pts(), sight.picture.pts() + sight.picture.duration());
            self.planner.expect(self.frame, pts);
            self.examined.frames += 1;
            let (first, last) = self.examined.span.unwrap_or((pts, end));
            self.examined.span = Some((first, last.max(end)));
        }
        self.last = Some(sight);
        self.detailer.begin();
        self.last_was_looked_at = false;
        self.frame += 1;
        self.examine(moved.is_cut)?;
        let Some(frame) = self.geometry() else { return Ok(()) };
        let (mut tracks, settled) = self.tracker.settled(self.planner.next());
        self.planner.plan(settled, frame, &mut tracks, self.plan);
        Ok(())
    }

    /// Frames of the target taken so far.
    pub fn frames(&self) -> u64 {
        self.examined.frames
    }

    /// Looks at the last frame as often as is needed.
    fn examine(&mut self, is_cut: bool) -> Result<(), Error> {
        let Some(sight) = &self.last else { return Ok(()) };
        let (begins, side) = (sight.index == 0, sight.side);
        let known = sight.key.map(|key| self.memo.recall(&key, sight.index));
        let (known, was_examined) = known.unwrap_or_default();
        if side == Side::Target {
            self.target = sight.key;
        }
        for seen in known {
            self.saw(&seen);
        }
        // What comes before was examined when it was the target, as closely as it had to be.
        if was_examined && side == Side::Before {
            return Ok(());
        }
        if (begins || is_cut) && !self.last_was_looked_at {
            self.look(&Look::Whole(Rotation::None))?;
        }
        for _ in 0..MOST_LOOKS {
            let Some(look) = self.choose() else { break };
            self.look(&look)?;
        }
        if side == Side::Target {
            let covered = self.asks().faces;
            self.attention.count(&covered);
        }
        Ok(())
    }

    /// Frames of another size or orientation follow: nothing that is known of those before says where a face is on them,
    /// so what is left is planned and all begins anew.
    fn end_shape(&mut self) -> Result<(), Error> {
        self.end_examination()?;
        self.tracker = Tracker::new(self.options, self.rate);
        self.attention = Attention::new(&self.options.looking, self.rate);
        self.last = None;
        Ok(())
    }

    /// Plans all frames up to the last one, which nothing follows.
    fn end_examination(&mut self) -> Result<(), Error> {
        if !self.last_was_looked_at {
            self.look(&Look::Whole(Rotation::None))?;
        }
        self.examined.longest_unseen = self.examined.longest_unseen.max(u64::from(self.attention.longest_unseen()));
        if let Some(frame) = self.geometry() {
            self.planner.plan(u64::MAX, frame, &mut self.tracker.finish(), self.plan);
        }
        Ok(())
    }

    fn asks(&self) -> Asked {
        let Some(sight) = &self.last else { return Asked::default() };
        self.tracker.asks(self.frame - 1, (sight.small.width() as f32, sight.small.height() as f32))
    }

    fn choose(&mut self) -> Option<Look> {
        let asked = self.asks();
        let small = Arc::clone(&self.last.as_ref()?.small);
        let most = self.most_zoom((small.width() as f32, small.height() as f32));
        self.attention.turn_to(asked.turn, &small);
        self.attention.choose(self.frame - 1, &small, &asked, most)
    }

    /// Looks at the last frame, again in detail where that leaves doubts, and remembers what was found.
    fn look(&mut self, look: &Look) -> Result<(), Error> {
        let Some(sight) = &self.last else { return Ok(()) };
        let (small, place) = (Arc::clone(&sight.small), sight.key.map(|key| (key, sight.index)));
        let mut found = match look {
            Look::Whole(turn) => self.whole(&small, *turn)?,
            Look::Rows(rows) => self.scan(&small, rows.clone())?,
            Look::Parts(sheet) => self.glance(sheet)?,
        };
        let follows = |face: &Detection| self.tracker.follows(self.frame - 1, face);
        found.retain(|face| !self.tracker.is_part(self.frame - 1, face, look));
        let continues = |face: &Detection| face.score >= self.options.looking.continue_score && follows(face);
        let unknown: Vec<Detection> = found.iter().filter(|face| !continues(face)).copied().collect();
        let size = (small.width() as f32, small.height() as f32);
        if let Some(sheet) = doubt::sheet(&unknown, &self.options.looking, size, (look, self.most_zoom(size))) {
            let again = self.glance(&sheet)?;
            doubt::settle(&mut found, again, &sheet, &self.options.looking);
        }
        let lively = !found.is_empty();
        let sure = |face: &Detection| !face.is_cut && face.score >= self.options.looking.continue_score;
        let found: Vec<Detection> = found.into_iter().filter(|face| sure(face) && self.is_large_enough(face)).collect();
        let seen = Seen { look: look.clone(), found, lively };
        if let Some((key, index)) = place {
            self.memo.remember(key, index, seen.clone());
        }
        self.saw(&seen);
        Ok(())
    }

    /// What the detector finds in the whole of `small`, turned by `turn`.
    fn whole(&mut self, small: &Small, turn: Rotation) -> Result<Vec<Detection>, Error> {
        *if turn == Rotation::None { &mut self.examined.looks } else { &mut self.examined.turned_looks } += 1;
        let size = (small.width() as f32, small.height() as f32);
        let picture = small.rgb(0..small.height()).turned(turn);
        let mut found = self.detector.detect(&picture, self.options.looking.doubt_score)?;
        for face in &mut found {
            (face.region, face.turn) = (face.region.before_turn(turn, size), turn);
        }
        Ok(found)
    }

    /// What the detector finds in `rows` of `small`.
    fn scan(&mut self, small: &Small, rows: Range<usize>) -> Result<Vec<Detection>, Error> {
        self.examined.glances += 1;
        let (area, size) = (Area::across(&rows, small.width()), (small.width() as f32, small.height() as f32));
        let mut found = self.detector.detect(&small.rgb(rows), self.options.looking.doubt_score)?;
        for face in &mut found {
            face.region.y += area.y;
            face.is_cut = area.cuts(face.region, size);
        }
        Ok(found)
    }

    /// What the detector finds on `sheet` of the last frame.
    fn glance(&mut self, sheet: &Sheet) -> Result<Vec<Detection>, Error> {
        let Some(sight) = &self.last else { return Ok(Vec::new()) };
        self.examined.glances += 1;
        let fail = |error| Error::media("a frame", error);
        let drawn = sheet.draw(self.detailer.detail(&sight.picture, sight.orientation).map_err(fail)?);
        let unknown = || fail(media::Error::Unsupported("a picture of an unknown layout".to_owned()));
        let found = self.detector.detect(&drawn.ok_or_else(unknown)?, self.options.looking.doubt_score)?;
        Ok(sheet.locate(&found))
    }

    /// Takes what a look at the last frame found.
    fn saw(&mut self, seen: &Seen) {
        let Some(last) = &self.last else { return };
        self.examined.detected += u64::from(self.seen_at != self.frame);
        self.seen_at = self.frame;
        self.attention.looked(self.frame - 1, &last.small, &seen.look, seen.lively);
        self.tracker.link(self.frame - 1, &seen.found, &seen.look);
        self.last_was_looked_at |= seen.look == Look::Whole(Rotation::None);
    }

    /// How far the last frame's detail goes beyond its reduced picture, which has the size `small`.
    fn most_zoom(&self, small: (f32, f32)) -> f32 {
        let Some(sight) = &self.last else { return 1.0 };
        let (width, height) = self.detailer.size((sight.picture.width(), sight.picture.height()));
        width.max(height) as f32 / small.0.max(small.1)
    }

    fn is_large_enough(&self, face: &Detection) -> bool {
        let smallest = self.options.looking.min_face as f32;
        let Some(sight) = &self.last else { return true };
        let scale = sight.picture.width().max(sight.picture.height()) as f32
            / sight.small.width().max(sight.small.height()) as f32;
        face.region.size() * scale >= smallest
    }

    fn geometry(&self) -> Option<Frame> {
        let Sight { small, orientation, .. } = self.last.as_ref()?;
        let size = (small.width() as f32, small.height() as f32);
        Some(Frame { size, orientation: *orientation, grow: self.options.grow })
    }

    /// Plans what is left: no frame follows.
    ///
    /// # Errors
    /// As [`Examiner::see`].
    pub fn finish(mut self) -> Result<Examined, Error> {
        self.end_examination()?;
        if let Some(key) = self.target {
            self.memo.finish(key);
        }
        self.examined.counts = self.planner.counts();
        Ok(self.examined)
    }
}

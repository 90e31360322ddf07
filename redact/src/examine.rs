//! The first pass: takes every frame, detects on some, follows on all, and plans what to blur.

use crate::{
    Error, Options,
    analysis::Small,
    attention::{Attention, Look},
    deadline::Deadline,
    detail::Detailer,
    detector::{Detection, Detector},
    doubt,
    memo::{Memo, Seen},
    motion,
    plan::{Counts, Frame, Planned, Planner},
    sheet::{Area, Sheet},
    sight::{Side, Sight},
    tracker::Tracker,
};
use media::Track as Video;
use std::{ops::Range, sync::Arc};

/// What the first pass did, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Examined {
    /// Frames of the target.
    pub frames: u64,
    /// Frames of which it is known what the detector finds there, context included.
    pub detected: u64,
    /// Looks at the whole picture, context included.
    pub looks: u64,
    /// Looks at parts of it, context included.
    pub glances: u64,
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
    video: Video,
    tracker: Tracker,
    attention: Attention,
    planner: Planner,
    detailer: Detailer,
    last: Option<Sight>,
    last_was_looked_at: bool,
    frame: u64,
    /// How many frames had come when one was last looked at.
    seen_at: u64,
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
            video,
            tracker: Tracker::new(options, rate),
            attention: Attention::new(&options.looking, rate),
            planner: Planner::default(),
            detailer: Detailer::new(options.looking.detail_side, video.rotation),
            last: None,
            last_was_looked_at: false,
            frame: 0,
            seen_at: 0,
            examined: Examined::default(),
        }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`Error::Model`] when the detector fails, [`Error::TooSlow`] when time is up.
    pub fn see(&mut self, sight: Sight) -> Result<(), Error> {
        self.deadline.check()?;
        let last = self.last.as_ref();
        let moved = last.map(|last| motion::between(&last.small, &sight.small)).unwrap_or_default();
        if moved.is_cut && !self.last_was_looked_at {
            self.look(&Look::Whole)?;
        }
        self.tracker.advance(self.frame, &sight.small, moved);
        if sight.side == Side::Target {
            let (pts, end) = (sight.picture.pts(), sight.picture.pts() + sight.picture.duration());
            self.planner.expect(self.frame, pts);
            self.examined.frames += 1;
            let (first, last) = self.examined.span.unwrap_or((pts, end));
            self.examined.span = Some((first, last.max(end)));
        }
        let begins = sight.index == 0;
        let known = sight.key.and_then(|key| self.memo.recall(&key, sight.index));
        self.last = Some(sight);
        self.last_was_looked_at = false;
        self.frame += 1;
        if let Some(seen) = known {
            self.saw(&seen);
        } else if begins || moved.is_cut {
            self.look(&Look::Whole)?;
        } else if let Some(look) = self.choose() {
            self.look(&look)?;
        }
        let frame = self.geometry();
        let (mut tracks, settled) = self.tracker.settled(self.planner.next());
        self.planner.plan(settled, frame, &mut tracks, self.plan);
        Ok(())
    }

    /// Frames of the target taken so far.
    pub fn frames(&self) -> u64 {
        self.examined.frames
    }

    fn choose(&self) -> Option<Look> {
        let small = &self.last.as_ref()?.small;
        let size = (small.width() as f32, small.height() as f32);
        let frame = self.frame - 1;
        let (wanted, faces) = (self.tracker.wanted(frame, size), self.tracker.faces());
        self.attention.choose(frame, small, (wanted, &faces), self.most_zoom(size))
    }

    /// Looks at the last frame, again in detail where that leaves doubts, and remembers what was found.
    fn look(&mut self, look: &Look) -> Result<(), Error> {
        let Some(sight) = &self.last else { return Ok(()) };
        let (small, place) = (Arc::clone(&sight.small), sight.key.map(|key| (key, sight.index)));
        let least = self.options.looking.doubt_score;
        let mut found = match look {
            Look::Whole => {
                self.examined.looks += 1;
                self.detector.detect(&small.rgb(0..small.height()), least)?
            }
            Look::Rows(rows) => self.scan(&small, rows.clone())?,
            Look::Parts(sheet) => self.glance(sheet)?,
        };
        let follows = |face: &Detection| self.tracker.follows(self.frame - 1, face);
        found.retain(|face| !face.is_cut || !follows(face));
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
        let made = self.detailer.detail(&sight.picture).map_err(fail)?;
        let drawn = sheet.draw(made.as_ref().unwrap_or(&sight.picture));
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
        self.last_was_looked_at = matches!(seen.look, Look::Whole);
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

    fn geometry(&self) -> Frame {
        let size =
            self.last.as_ref().map_or((1.0, 1.0), |last| (last.small.width() as f32, last.small.height() as f32));
        Frame { size, rotation: self.video.rotation, grow: self.options.grow }
    }

    /// Plans what is left: no frame follows.
    ///
    /// # Errors
    /// As [`Examiner::see`].
    pub fn finish(mut self) -> Result<Examined, Error> {
        if !self.last_was_looked_at {
            self.look(&Look::Whole)?;
        }
        let frame = self.geometry();
        self.planner.plan(u64::MAX, frame, &mut self.tracker.finish(), self.plan);
        self.examined.counts = self.planner.counts();
        Ok(self.examined)
    }
}

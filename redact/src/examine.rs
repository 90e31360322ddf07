//! The first pass: decodes, detects on some frames, follows on all, and ends with a plan.

use crate::{
    Error, Options,
    analysis::{Shrinker, Small},
    centerface::CenterFace,
    coverage::{Frame, Plan},
    memo::{self, Memo},
    motion,
    read::{Event, Reader, last_pts},
    tracker::Tracker,
};
use media::{Rational, Rotation, Source};
use std::{ops::Range, rc::Rc};

/// Milliseconds in a second.
const MS: f64 = 1_000.0;

/// Frames after which the detector runs again when a new face is in doubt.
const LOOK_AGAIN: u64 = 2;

/// What to examine: a target, and around it what is only looked at.
pub(crate) struct Footage<'a> {
    /// How errors call the target.
    pub what: &'a str,
    /// What comes before the target.
    pub before: Option<Source<'a>>,
    /// What is to be redacted.
    pub target: Source<'a>,
    /// What comes after the target.
    pub after: Option<Source<'a>>,
    /// Whether the target's decoder needs what comes before.
    pub warm: bool,
}

/// What the first pass found.
pub(crate) struct Examined {
    /// What to blur.
    pub plan: Plan,
    /// Presentation times of the target's frames.
    pub times: Vec<i64>,
    /// End of the last frame, in the target's time base.
    pub end: i64,
    /// Unit of the times, in seconds.
    pub time_base: Rational,
    /// Decoding time of the first packet.
    pub first_dts: Option<i64>,
    /// Frames that the detector ran on, context included.
    pub frames_detected: u64,
}

/// The first pass over some footage.
pub(crate) struct Examiner<'a> {
    options: &'a Options,
    detector: &'a mut CenterFace,
    tracker: Tracker,
    shrinker: Shrinker,
    memo: &'a Memo,
    last: Option<Rc<Small>>,
    /// Segment of the last frame and its number in it.
    place: Option<(memo::Key, u64)>,
    last_was_detected: bool,
    /// A frame to detect on for the sake of faces that were seen once and not surely.
    look_again: Option<u64>,
    frame: u64,
    frames_detected: u64,
}

/// Examines `footage`, calling `progress` after every frame of the target with the number of frames done and, when
/// known, of all frames.
pub(crate) fn examine(
    footage: &Footage<'_>,
    options: &Options,
    detector: &mut CenterFace,
    memo: &Memo,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Examined, Error> {
    let fail = |error| Error::media(footage.what, error);
    let warm = footage.before.as_ref().filter(|_| footage.warm);
    let reader = Reader::open(&footage.target, warm, options.threads).map_err(fail)?;
    let track = reader.track();
    let rate = f64::from(track.frame_rate);
    let mut pass = Examiner {
        options,
        detector,
        tracker: Tracker::new(options, rate),
        shrinker: Shrinker::new(options.analysis_side, track.rotation),
        memo,
        last: None,
        place: None,
        last_was_detected: false,
        look_again: None,
        frame: 0,
        frames_detected: 0,
    };
    if let Some(before) = &footage.before {
        pass.look_around(before, Side::Before)?;
    }
    let target = pass.frame;
    let mut examined = pass.target(reader, footage, progress)?;
    let target = target..pass.frame;
    if let Some(after) = &footage.after {
        pass.look_around(after, Side::After)?;
    }
    pass.finish(&mut examined, target, track.rotation)?;
    Ok(examined)
}

/// Where a piece of context lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Before,
    After,
}

impl Examiner<'_> {
    fn target(
        &mut self,
        mut reader: Reader,
        footage: &Footage<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Examined, Error> {
        let fail = |error| Error::media(footage.what, error);
        let track = reader.track();
        let (mut times, mut end) = (Vec::new(), 0);
        let key = key(&footage.target);
        while let Some(event) = reader.next().map_err(fail)? {
            let Event::Picture(picture) = event else { continue };
            if key.is_some() && times.len() as u64 == self.options.segment_frames {
                let reason = format!("more than {} frames in one segment", self.options.segment_frames);
                return Err(Error::Unsupported { what: footage.what.to_owned(), reason });
            }
            let small = self.shrinker.shrink(&picture).map_err(fail)?;
            let index = times.len() as u64;
            let due = index.is_multiple_of(u64::from(self.options.detect_every.max(1)));
            self.see(small, key.map(|key| (key, index)), due)?;
            times.push(picture.pts());
            end = end.max(picture.pts() + picture.duration());
            progress(times.len() as u64, track.frames);
        }
        if times.is_empty() {
            return Err(Error::Unreadable { what: footage.what.to_owned(), reason: "it holds no picture".to_owned() });
        }
        let first_dts = reader.first_dts();
        Ok(Examined { plan: Plan::default(), times, end, time_base: track.time_base, first_dts, frames_detected: 0 })
    }

    /// Looks at the end of what comes before or at the beginning of what comes after. It is context only: when it is
    /// broken, the target is examined without it.
    fn look_around(&mut self, source: &Source<'_>, side: Side) -> Result<(), Error> {
        match self.context(source, side) {
            Ok(()) => Ok(()),
            Err(Context::Video(error)) => {
                tracing::warn!(%error, side = ?side, "neighbouring segment cannot be examined");
                Ok(())
            }
            Err(Context::Fault(error)) => Err(error),
        }
    }

    fn context(&mut self, source: &Source<'_>, side: Side) -> Result<(), Context> {
        let last = if side == Side::Before { Some(last_pts(source)?) } else { None };
        let mut reader = Reader::open(source, None, self.options.threads)?;
        let track = reader.track();
        let span = (f64::from(self.options.context_ms) / MS / f64::from(track.time_base)) as i64;
        let (mut index, mut first) = (0_u64, None);
        let key = key(source);
        while let Some(event) = reader.next()? {
            let Event::Picture(picture) = event else { continue };
            let first = *first.get_or_insert(picture.pts());
            if side == Side::After && picture.pts() - first >= span {
                break;
            }
            if last.is_none_or(|last| last - picture.pts() < span) {
                let small = self.shrinker.shrink(&picture)?;
                let due = index.is_multiple_of(u64::from(self.options.detect_every_context.max(1)));
                self.see(small, key.map(|key| (key, index)), due).map_err(Context::Fault)?;
            }
            index += 1;
        }
        Ok(())
    }

    /// Takes the next frame, which is at `place`; the detector runs on it when that is `due` or costs nothing.
    fn see(&mut self, small: Small, place: Option<(memo::Key, u64)>, due: bool) -> Result<(), Error> {
        let small = Rc::new(small);
        let moved = self.last.as_ref().map(|last| motion::between(last, &small)).unwrap_or_default();
        if moved.is_cut && !self.last_was_detected {
            self.detect_last()?;
        }
        self.tracker.advance(self.frame, &small, moved);
        self.last = Some(small);
        self.last_was_detected = false;
        self.place = place;
        let known = place.is_some_and(|(key, index)| self.memo.recall(&key, index).is_some());
        let again = self.look_again == Some(self.frame);
        self.frame += 1;
        if due || known || moved.is_cut || again {
            self.detect_last()?;
        }
        Ok(())
    }

    /// Runs the detector on the last frame seen, unless it is remembered what it found there.
    fn detect_last(&mut self) -> Result<(), Error> {
        let Some(last) = &self.last else { return Ok(()) };
        let remembered = self.place.and_then(|(key, index)| self.memo.recall(&key, index));
        let found = if let Some(found) = remembered {
            found
        } else {
            self.frames_detected += 1;
            self.detector.detect(last, self.options.continue_score)?
        };
        if let Some((key, index)) = self.place {
            self.memo.remember(key, index, &found);
        }
        let doubtful = self.tracker.link(self.frame - 1, &found);
        self.look_again = doubtful.then(|| self.frame - 1 + LOOK_AGAIN);
        self.last_was_detected = true;
        Ok(())
    }

    fn finish(mut self, examined: &mut Examined, target: Range<u64>, rotation: Rotation) -> Result<(), Error> {
        if !self.last_was_detected {
            self.detect_last()?;
        }
        let size = self.last.as_ref().map_or((1.0, 1.0), |small| (small.width() as f32, small.height() as f32));
        let frame = Frame { size, rotation, grow: self.options.grow };
        examined.frames_detected = self.frames_detected;
        examined.plan = Plan::new(&self.tracker.finish(), target, frame);
        Ok(())
    }
}

/// What tells a segment from others; files are read once.
fn key(source: &Source<'_>) -> Option<memo::Key> {
    match source {
        Source::Segment(bytes) => Some(memo::key(bytes)),
        Source::File(_) => None,
    }
}

/// Why a neighbour was not examined: because it is broken, which is its own affair, or because the detector is.
enum Context {
    Video(media::Error),
    Fault(Error),
}

impl From<media::Error> for Context {
    fn from(error: media::Error) -> Self {
        Self::Video(error)
    }
}

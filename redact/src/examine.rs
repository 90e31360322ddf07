//! The first pass: decodes, detects on some frames, follows on all, and ends with a plan.

use crate::{
    Error, Options,
    analysis::{Shrinker, Small},
    centerface::CenterFace,
    coverage::{Frame, Plan},
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
    last: Option<Rc<Small>>,
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
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Examined, Error> {
    let fail = |error| Error::media(footage.what, error);
    let warm = footage.before.as_ref().filter(|_| footage.warm);
    let reader = Reader::open(&footage.target, warm, options.threads).map_err(fail)?;
    let track = reader.track();
    let rate = f64::from(track.frame_rate);
    let mut examiner = Examiner {
        options,
        detector,
        tracker: Tracker::new(options, rate),
        shrinker: Shrinker::new(options.analysis_side, track.rotation),
        last: None,
        last_was_detected: false,
        look_again: None,
        frame: 0,
        frames_detected: 0,
    };
    if let Some(before) = &footage.before {
        examiner.look_around(before, Side::Before)?;
    }
    let target = examiner.frame;
    let mut examined = examiner.target(reader, footage, progress)?;
    let target = target..examiner.frame;
    if let Some(after) = &footage.after {
        examiner.look_around(after, Side::After)?;
    }
    examiner.finish(&mut examined, target, track.rotation)?;
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
        let is_segment = matches!(footage.target, Source::Segment(_));
        while let Some(event) = reader.next().map_err(fail)? {
            let Event::Picture(picture) = event else { continue };
            if is_segment && times.len() as u64 == self.options.segment_frames {
                let reason = format!("more than {} frames in one segment", self.options.segment_frames);
                return Err(Error::Unsupported { what: footage.what.to_owned(), reason });
            }
            let small = self.shrinker.shrink(&picture).map_err(fail)?;
            self.see(small, times.len() as u64 % u64::from(self.options.detect_every.max(1)) == 0)?;
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
        while let Some(event) = reader.next()? {
            let Event::Picture(picture) = event else { continue };
            let first = *first.get_or_insert(picture.pts());
            if side == Side::After && picture.pts() - first >= span {
                break;
            }
            if last.is_none_or(|last| last - picture.pts() < span) {
                let small = self.shrinker.shrink(&picture)?;
                let detect = index % u64::from(self.options.detect_every_context.max(1)) == 0;
                self.see(small, detect).map_err(Context::Fault)?;
            }
            index += 1;
        }
        Ok(())
    }

    /// Takes the next frame.
    fn see(&mut self, small: Small, detect: bool) -> Result<(), Error> {
        let small = Rc::new(small);
        let moved = self.last.as_ref().map(|last| motion::between(last, &small)).unwrap_or_default();
        if moved.is_cut && !self.last_was_detected {
            self.detect_last()?;
        }
        self.tracker.advance(self.frame, &small, moved);
        self.last = Some(small);
        self.last_was_detected = false;
        let again = self.look_again == Some(self.frame);
        self.frame += 1;
        if detect || moved.is_cut || again {
            self.detect_last()?;
        }
        Ok(())
    }

    /// Runs the detector on the last frame seen.
    fn detect_last(&mut self) -> Result<(), Error> {
        let Some(last) = &self.last else { return Ok(()) };
        let found = self.detector.detect(last, self.options.continue_score)?;
        let doubtful = self.tracker.link(self.frame - 1, &found);
        self.look_again = doubtful.then(|| self.frame - 1 + LOOK_AGAIN);
        self.frames_detected += 1;
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

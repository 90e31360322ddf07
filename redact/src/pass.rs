//! Both passes over one input. With two and more threads they overlap: one thread decodes and reduces, this one looks,
//! and a third blurs and encodes what is planned already; between them lie bounded queues. With one thread they follow
//! one another.

use crate::{
    Engine, Error, Progress, Stage,
    copy::copy,
    deadline::Deadline,
    detector::Detector,
    examine::{Examined, Examiner},
    plan::Planned,
    read::Reader,
    rewrite::{Rewrite, rewrite},
    sight::{Footage, Sight, watch},
};
use media::{Container, Demuxer, Muxer, Track};
use std::{
    sync::mpsc::{Receiver, Sender, channel, sync_channel},
    thread::{Scope, ScopedJoinHandle, scope},
    time::{Duration, Instant},
};

/// Decoded frames that may wait to be looked at.
const SIGHTS_AHEAD: usize = 6;

/// What to do with one input.
pub(crate) struct Pass<'a> {
    /// What to examine.
    pub footage: &'a Footage<'a>,
    /// What the output is.
    pub container: Container,
    /// Opens the output, which is emptied if it is there.
    pub muxer: &'a (dyn Fn() -> Result<Muxer, Error> + Sync),
    /// When to give up.
    pub deadline: Deadline<'a>,
}

/// What was done.
pub(crate) struct Done {
    /// What the first pass saw.
    pub examined: Examined,
    /// What the second pass wrote.
    pub output: Output,
    /// How long it took.
    pub timing: Timing,
    /// How long the picture lasts.
    pub duration: Duration,
}

/// What the second pass wrote: all frames, blurred.
pub(crate) struct Output {
    /// What [`Muxer::finish`] gave.
    pub bytes: Option<Vec<u8>>,
    /// Frames whose packets were copied.
    pub copied: u64,
}

/// How long it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// The first pass.
    pub examine: Duration,
    /// The second pass, which may overlap the first.
    pub rewrite: Duration,
    /// Both.
    pub all: Duration,
}

impl Pass<'_> {
    /// Runs both passes; when the first finds no face, the second only copies packets if it can.
    pub fn run(
        &self,
        engine: &Engine,
        detector: &mut dyn Detector,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Done, Error> {
        let fail = |error| Error::media(self.footage.what, error);
        let video = Demuxer::open(&self.footage.target).and_then(|demuxer| demuxer.video()).map_err(fail)?;
        let begun = Instant::now();
        scope(|scope| {
            let mut second = Second { pass: self, engine, scope, waiting: Vec::new(), running: None, has_face: false };
            let overlap = engine.options.threads > 1;
            let examined = self.examine(engine, detector, video, progress, &mut |planned| {
                second.plan(planned, overlap);
            });
            let examine = begun.elapsed();
            let output = second.finish(examined.as_ref().ok().map(|examined| examined.frames), progress);
            // Why the second pass failed does not matter when it was left alone by the first.
            let (examined, (output, rewrite)) = (examined?, output?);
            let (first, end) = examined.span.unwrap_or_default();
            let seconds = f64::from(video.time_base) * (end - first) as f64;
            let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            Ok(Done { examined, output, timing: Timing { examine, rewrite, all: begun.elapsed() }, duration })
        })
    }

    fn examine(
        &self,
        engine: &Engine,
        detector: &mut dyn Detector,
        video: Track,
        progress: &mut dyn FnMut(Progress),
        plan: &mut dyn FnMut(Planned),
    ) -> Result<Examined, Error> {
        let options = &engine.options;
        let mut examiner = Examiner::new(options, video, (detector, &engine.memo), self.deadline, plan);
        let mut see = |sight: Sight| {
            examiner.see(sight)?;
            let frames_done = examiner.frames();
            progress(Progress { stage: Stage::Examining, frames_done, frames_total: video.frames });
            Ok(())
        };
        if options.threads > 1 {
            scope(|scope| {
                let (show, sights) = sync_channel(SIGHTS_AHEAD);
                let watching = scope.spawn(move || {
                    // When the examiner has given up nobody takes what is shown, and it says why.
                    let mut show = |sight| show.send(sight).map_err(|_| self.broken());
                    watch(self.footage, options, &video, self.deadline, &mut show)
                });
                let seen = sights.into_iter().try_for_each(&mut see);
                let watched = watching.join().unwrap_or_else(|_| Err(self.broken()));
                seen.and(watched)
            })?;
        } else {
            watch(self.footage, options, &video, self.deadline, &mut see)?;
        }
        examiner.finish()
    }

    /// A thread that ended without saying why.
    fn broken(&self) -> Error {
        Error::Encode { what: self.footage.what.to_owned(), reason: "a thread broke down".to_owned() }
    }

    fn rewrite(&self, engine: &Engine, plan: &Receiver<Planned>, done: &Sender<u64>) -> Result<Output, Error> {
        let fail = |error| Error::media(self.footage.what, error);
        let warm: Vec<_> = self.footage.warm().collect();
        let reader = Reader::open(&self.footage.target, &warm, engine.options.threads).map_err(fail)?;
        let reader = if self.container == Container::MpegTs { reader.with_groups() } else { reader };
        let job = Rewrite {
            what: self.footage.what,
            options: &engine.options,
            container: self.container,
            deadline: self.deadline,
        };
        // Nobody may want to know how far it is.
        let mut progress = |frames| done.send(frames).unwrap_or_default();
        rewrite(&job, reader, (self.muxer)()?, plan, &mut progress)
    }
}

/// The second pass while the first one runs.
struct Second<'scope, 'env> {
    pass: &'env Pass<'env>,
    engine: &'env Engine,
    scope: &'scope Scope<'scope, 'env>,
    /// What is planned before the second pass runs.
    waiting: Vec<Planned>,
    has_face: bool,
    running: Option<Running<'scope>>,
}

struct Running<'scope> {
    plan: Sender<Planned>,
    done: Receiver<u64>,
    thread: ScopedJoinHandle<'scope, (Result<Output, Error>, Duration)>,
}

impl Second<'_, '_> {
    /// Takes the plan of the next frame; begins the second pass at the first face when it may `overlap` the first.
    fn plan(&mut self, planned: Planned, overlap: bool) {
        self.has_face |= !planned.ellipses.is_empty();
        match &self.running {
            // A second pass that has failed takes no more; it says why at the end.
            Some(running) => drop(running.plan.send(planned)),
            None => self.waiting.push(planned),
        }
        if overlap && self.has_face && self.running.is_none() {
            self.begin();
        }
    }

    fn begin(&mut self) {
        let (plan, planned) = channel();
        let (progress, done) = channel();
        for planned in self.waiting.drain(..) {
            drop(plan.send(planned));
        }
        let (pass, engine) = (self.pass, self.engine);
        let thread = self.scope.spawn(move || {
            let begun = Instant::now();
            (pass.rewrite(engine, &planned, &progress), begun.elapsed())
        });
        self.running = Some(Running { plan, done, thread });
    }

    /// Waits for the second pass, if there is one; when the plan is not complete, it ends with an error. `frames` is how
    /// many a complete plan has.
    fn finish(mut self, frames: Option<u64>, progress: &mut dyn FnMut(Progress)) -> Result<(Output, Duration), Error> {
        if let Some(frames) = frames
            && self.running.is_none()
        {
            let begun = Instant::now();
            if !self.has_face
                && let Some(output) = copy(self.pass, &self.engine.options, frames)?
            {
                return Ok((output, begun.elapsed()));
            }
            self.begin();
        }
        let Some(Running { plan, done, thread }) = self.running else { return Err(self.pass.broken()) };
        drop(plan);
        for frames_done in done {
            progress(Progress { stage: Stage::Blurring, frames_done, frames_total: frames });
        }
        let (output, took) = thread.join().unwrap_or_else(|_| (Err(self.pass.broken()), Duration::ZERO));
        output.map(|output| (output, took))
    }
}

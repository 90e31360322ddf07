//! The engine: one face model and one set of options, shared by any number of threads.

use crate::{
    Error, ModelSource, Options,
    deadline::Deadline,
    detector::Detector,
    memo::Memo,
    pass::{Done, Pass},
    read,
    receipt::{self, Receipt},
    sight::Footage,
};
use bytes::Bytes;
use media::{Container, Muxer, Source};
use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Finds and blurs faces. Calls from several threads run beside one another, each with a network of its own.
pub struct Engine {
    pub(crate) options: Options,
    model: crate::model::Model,
    idle: Mutex<Vec<Box<dyn Detector>>>,
    pub(crate) memo: Memo,
}

/// A segment and its neighbours, each a whole MPEG-TS file.
#[derive(Clone, Copy)]
pub struct SegmentInput<'a> {
    /// How errors call the segment.
    pub name: &'a str,
    /// The segment before; its end is examined so that a face leaving it is known.
    pub before: Option<&'a [u8]>,
    /// The segment to redact.
    pub target: &'a [u8],
    /// The segment after; its beginning is examined so that a face coming up is known.
    pub after: Option<&'a [u8]>,
}

/// The redacted segment.
#[derive(Clone)]
pub struct Redacted {
    /// What to publish: an MPEG-TS file with the same frames, audio and times, faces blurred, and nothing else of the
    /// segment. How many of the frames were copied, [`Receipt::frames_copied`] says.
    pub bytes: Vec<u8>,
    /// What was done.
    pub receipt: Receipt,
    /// How long its picture lasts.
    pub duration: Duration,
}

impl fmt::Debug for Redacted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, receipt, duration } = self;
        write!(out, "Redacted({} bytes, {duration:?}, {receipt:?})", bytes.len())
    }
}

impl Engine {
    /// An engine with the face model of `source`.
    ///
    /// # Errors
    /// [`Error::Model`] when the model cannot be read, is not the one named, cannot be loaded, or cannot run where the
    /// options say.
    pub fn new(source: &ModelSource, options: Options) -> Result<Self, Error> {
        let model = source.read()?;
        let first = model.detector(options.backend)?;
        // Looking runs beside decoding and encoding, which have threads of their own.
        let threads = i32::try_from(options.threads.div_ceil(2)).unwrap_or(1);
        opencv::core::set_num_threads(threads).map_err(|error| model.failed(error.message))?;
        Ok(Self { options, model, idle: Mutex::new(vec![first]), memo: Memo::default() })
    }

    /// Which face model looks.
    pub fn model(&self) -> &receipt::Model {
        &self.model.described
    }

    /// Redacts one segment. Neighbours that cannot be decoded are left out with a warning in the log.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when any picture of the segment cannot be decoded in full, and the others as they say. In
    /// every case there is nothing to publish.
    pub fn segment(&self, input: SegmentInput<'_>) -> Result<Redacted, Error> {
        let source = |bytes: &[u8]| Source::Segment(Bytes::copy_from_slice(bytes));
        let mut footage = Footage {
            what: input.name,
            before: input.before.map(source),
            target: source(input.target),
            after: input.after.map(source),
            warm: false,
        };
        let mut done = self.run_segment(&footage);
        // A segment before it that is too long by itself would be decoded without an end.
        let bounded = |source| read::pictures(source).is_ok_and(|pictures| pictures <= self.options.segment_frames);
        if matches!(done, Err(Error::Unreadable { .. })) && footage.before.as_ref().is_some_and(bounded) {
            // Its first pictures may refer to the segment before.
            footage.warm = true;
            done = self.run_segment(&footage).or(done);
        }
        done
    }

    fn run_segment(&self, footage: &Footage<'_>) -> Result<Redacted, Error> {
        let fail = |error| Error::media(footage.what, error);
        let muxer = || Muxer::segment().map(|muxer| muxer.with_captions(self.options.captions)).map_err(fail);
        let deadline = Deadline::after(footage.what, self.options.segment_ms);
        let pass = Pass { footage, container: Container::MpegTs, muxer: &muxer, deadline };
        let done = self.with_detector(|detector| pass.run(self, detector, &mut |_| {}))?;
        let nothing = || Error::Encode { what: footage.what.to_owned(), reason: "nothing was written".to_owned() };
        let receipt = self.receipt(&done);
        let bytes = done.output.bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(nothing)?;
        Ok(Redacted { bytes, receipt, duration: done.duration })
    }

    /// Runs `work` with a network that no other call is using.
    pub(crate) fn with_detector<T>(
        &self,
        work: impl FnOnce(&mut dyn Detector) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut detector = match idle {
            Some(detector) => detector,
            None => self.model.detector(self.options.backend)?,
        };
        let done = work(detector.as_mut());
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(detector);
        done
    }

    /// What was done, in which time.
    pub(crate) fn receipt(&self, done: &Done) -> Receipt {
        let Done { examined, output, timing, .. } = done;
        Receipt {
            frames: examined.frames,
            frames_detected: examined.detected,
            looks: examined.looks,
            turned_looks: examined.turned_looks,
            glances: examined.glances,
            longest_unseen_frames: examined.longest_unseen,
            detections: examined.counts.detections,
            face_tracks: examined.counts.tracks,
            frames_filled: examined.counts.filled,
            faces_blurred: examined.counts.faces,
            frames_copied: output.copied,
            seconds: timing.all.as_secs_f64(),
            examine_seconds: timing.examine.as_secs_f64(),
            rewrite_seconds: timing.rewrite.as_secs_f64(),
            model: self.model.described.clone(),
            settings: self.options.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            libraries: receipt::Libraries::linked(),
        }
    }
}

//! The engine: one face model and one set of options, shared by any number of threads.

use crate::{
    Error, ModelSource, Options,
    centerface::CenterFace,
    examine::{Examined, Footage, examine},
    memo::Memo,
    read::Reader,
    receipt::{self, Receipt},
    rewrite::{Rewrite, rewrite},
};
use bytes::Bytes;
use media::{Container, Muxer, Source};
use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Finds and blurs faces. Calls from several threads run beside one another, each with a network of its own.
pub struct Engine {
    pub(crate) options: Options,
    model: receipt::Model,
    bytes: Vec<u8>,
    idle: Mutex<Vec<CenterFace>>,
    memo: Memo,
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
#[derive(Clone, Debug)]
pub struct Redacted {
    /// What to publish.
    pub output: Output,
    /// What was done.
    pub receipt: Receipt,
    /// How long its picture lasts.
    pub duration: Duration,
}

/// What to publish in place of a segment.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// The segment itself: every frame was examined and none shows a face.
    Unchanged,
    /// This MPEG-TS file: same frames and times, same sound, faces blurred.
    Reencoded(Vec<u8>),
}

impl fmt::Debug for Output {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => out.write_str("Unchanged"),
            Self::Reencoded(bytes) => write!(out, "Reencoded({} bytes)", bytes.len()),
        }
    }
}

impl Engine {
    /// An engine with the face model of `source`.
    ///
    /// # Errors
    /// [`Error::Model`] when the model cannot be read, is not the one named, or cannot be loaded.
    pub fn new(source: &ModelSource, options: Options) -> Result<Self, Error> {
        let (bytes, model) = source.read()?;
        let threads = i32::try_from(options.threads.max(1)).unwrap_or(1);
        let first = CenterFace::load(&bytes, &model.name)?;
        opencv::core::set_num_threads(threads)
            .map_err(|error| Error::Model { name: model.name.clone(), reason: error.message })?;
        Ok(Self { options, model, bytes, idle: Mutex::new(vec![first]), memo: Memo::default() })
    }

    /// Which face model looks.
    pub fn model(&self) -> &receipt::Model {
        &self.model
    }

    /// Redacts one segment. Neighbours that cannot be decoded are left out with a warning in the log.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when any picture of the segment cannot be decoded in full, and the others as they say. In
    /// every case there is nothing to publish.
    pub fn segment(&self, input: SegmentInput<'_>) -> Result<Redacted, Error> {
        let begun = Instant::now();
        let source = |bytes: &[u8]| Source::Segment(Bytes::copy_from_slice(bytes));
        let mut footage = Footage {
            what: input.name,
            before: input.before.map(source),
            target: source(input.target),
            after: input.after.map(source),
            warm: false,
        };
        let mut examined = self.examine(&footage, &mut |_, _| {});
        if matches!(examined, Err(Error::Unreadable { .. })) && footage.before.is_some() {
            // Its first pictures may refer to the segment before.
            footage.warm = true;
            examined = self.examine(&footage, &mut |_, _| {}).or(examined);
        }
        let examined = examined?;
        let examine_time = begun.elapsed();
        let output =
            if examined.plan.is_empty() { Output::Unchanged } else { self.rewrite_segment(&footage, &examined)? };
        let seconds = f64::from(examined.time_base) * (examined.end - examined.times[0]) as f64;
        let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok(Redacted { output, receipt: self.receipt(&examined, examine_time, begun.elapsed()), duration })
    }

    fn rewrite_segment(&self, footage: &Footage<'_>, examined: &Examined) -> Result<Output, Error> {
        let fail = |error| Error::media(footage.what, error);
        let warm = footage.before.as_ref().filter(|_| footage.warm);
        let reader = Reader::open(&footage.target, warm, self.options.threads).map_err(fail)?;
        let muxer = Muxer::segment().map_err(fail)?;
        let job = Rewrite { what: footage.what, options: &self.options, examined, container: Container::MpegTs };
        let bytes = rewrite(&job, reader, muxer, &mut |_| {})?;
        let nothing = || Error::Encode { what: footage.what.to_owned(), reason: "nothing was written".to_owned() };
        bytes.filter(|bytes| !bytes.is_empty()).map(Output::Reencoded).ok_or_else(nothing)
    }

    /// Runs the first pass with a network that no other call is using.
    pub(crate) fn examine(
        &self,
        footage: &Footage<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Examined, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut detector = match idle {
            Some(detector) => detector,
            None => CenterFace::load(&self.bytes, &self.model.name)?,
        };
        let examined = examine(footage, &self.options, &mut detector, &self.memo, progress);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(detector);
        examined
    }

    /// What was done to `examined`, in `examine` and in `all` time.
    pub(crate) fn receipt(&self, examined: &Examined, examine: Duration, all: Duration) -> Receipt {
        Receipt {
            frames: examined.times.len() as u64,
            frames_detected: examined.frames_detected,
            detections: examined.plan.detections,
            face_tracks: examined.plan.tracks,
            frames_filled: examined.plan.filled,
            faces_blurred: examined.plan.faces(),
            seconds: all.as_secs_f64(),
            examine_seconds: examine.as_secs_f64(),
            rewrite_seconds: all.saturating_sub(examine).as_secs_f64(),
            model: self.model.clone(),
            settings: self.options.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

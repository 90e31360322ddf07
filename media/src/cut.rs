//! Cuts a video file into segments as a live provider records them: MPEG-TS, each decodable alone.
//!
//! What leaves here is continuous: no frame is lost or doubled at a border, and timestamps and continuity counters
//! run on, so that players join segments without a seam. H.264 is copied wherever its keyframes allow it, because a
//! recording must show what the camera sent.

mod bitstream;
mod encode;
mod interleave;
mod scan;
mod split;

use crate::{Demuxer, Packet, Source};
use bytes::Bytes;
use ffmpeg_next as ff;
use interleave::Interleaver;
use scan::Scan;
use split::Splitter;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One segment of a recording.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its place, from 0.
    pub number: u32,
    /// A whole MPEG-TS file.
    pub bytes: Bytes,
    /// When its first frame is shown, milliseconds after the file's first frame.
    pub starts_ms: u64,
    /// How long it lasts.
    pub duration_ms: u64,
}

/// How the picture gets into the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// As it is in the file.
    Copied,
    /// Decoded and encoded again, for the reason given.
    Encoded(Reason),
}

/// Why a picture cannot be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not H.264.
    Codec,
    /// Keyframes lie too far apart, or the first frame is none.
    Keyframes,
    /// Timestamps are missing or run backwards.
    Timestamps,
    /// The file shows only part of its frames (an edit list).
    Edited,
    /// It is stored turned, which MPEG-TS cannot say.
    Turned,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Codec => "it is not H.264",
            Self::Keyframes => "its keyframes lie too far apart",
            Self::Timestamps => "its timestamps are missing or run backwards",
            Self::Edited => "the file hides some of its frames",
            Self::Turned => "it is stored turned",
        })
    }
}

/// What becomes of the sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// There is none.
    None,
    /// AAC, as it is in the file.
    Copied,
    /// Left out: the codec named cannot be carried on.
    LeftOut(String),
}

/// What is known of a file before it is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Length of the picture.
    pub duration_ms: u64,
    /// Frames in the file.
    pub frames: u64,
    /// Pixels across, as it is to be seen.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames per second; a guess where the rate varies.
    pub frame_rate: f64,
    /// How the picture gets into the segments.
    pub picture: Picture,
    /// What becomes of the sound.
    pub sound: Sound,
}

/// Why a file could not be cut. `E` is the error of whoever takes the segments.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    /// The file cannot be opened, or is no video file.
    #[error("{}: cannot be read as a video: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What libav says.
        reason: String,
    },
    /// There is no picture in it.
    #[error("{}: has no picture", path.display())]
    NoPicture {
        /// The file.
        path: PathBuf,
    },
    /// It began well and then could not be read, decoded or written on.
    #[error("{}: {step} failed: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What was being done.
        step: &'static str,
        /// What libav says.
        reason: String,
    },
    /// A segment was not taken.
    #[error("{0}")]
    Refused(E),
}

/// What could not be done.
struct Fault {
    step: &'static str,
    reason: String,
}

/// Names the step a call belongs to.
trait During<T> {
    fn during(self, step: &'static str) -> Result<T, Fault>;
}

impl<T, E: fmt::Display> During<T> for Result<T, E> {
    fn during(self, step: &'static str) -> Result<T, Fault> {
        self.map_err(|error| Fault { step, reason: error.to_string() })
    }
}

/// Whether libav only wants more input first.
fn is_again(error: ff::Error) -> bool {
    error == ff::Error::Other { errno: ff::error::EAGAIN }
}

/// Ticks of MPEG-TS a second.
const TICKS_PER_SECOND: i64 = 90_000;

/// The time base of MPEG-TS.
const TICKS: ff::Rational = ff::Rational(1, 90_000);

fn millis(ticks: i64) -> u64 {
    u64::try_from(ticks * 1000 / TICKS_PER_SECOND).unwrap_or(0)
}

/// Looks through a file without decoding it: how long it is, and what cutting it would take.
pub fn outline(input: &Path, target_ms: u64) -> Result<Outline, Error<std::convert::Infallible>> {
    Ok(scanned(input, target_ms)?.outline())
}

/// Cuts `input` into segments of at least `target_ms` (an early keyframe counts up to 100 ms before), each given to
/// `each` as soon as it is whole. Blocks: run it on a thread of its own.
///
/// The picture is copied if it is H.264 with a keyframe at least every `2 × target_ms`, otherwise encoded with x264
/// with a keyframe at every cut; `Outline::picture` says which. AAC is copied, other sound is left out with a warning.
/// Every sound packet is in the segment whose time it belongs to.
pub fn cut<E>(
    input: &Path,
    target_ms: u64,
    each: &mut dyn FnMut(Segment) -> Result<(), E>,
) -> Result<Outline, Error<E>> {
    let scan = scanned(input, target_ms)?;
    let outline = scan.outline();
    if let Sound::LeftOut(codec) = &outline.sound {
        tracing::warn!(file = %input.display(), codec, "sound of this codec is left out");
    }
    let broken = |fault: Fault| Error::Broken { path: input.to_owned(), step: fault.step, reason: fault.reason };
    let mut cutter = Cutter::open(input, &scan, target_ms).map_err(broken)?;
    while let Some(segment) = cutter.next().map_err(broken)? {
        each(segment).map_err(Error::Refused)?;
    }
    Ok(outline)
}

fn scanned<E>(path: &Path, target_ms: u64) -> Result<Scan, Error<E>> {
    let mut demuxer = Demuxer::open(&Source::File(path)).map_err(|error| match error {
        crate::Error::NoVideo => Error::NoPicture { path: path.to_owned() },
        other => Error::Unreadable { path: path.to_owned(), reason: other.to_string() },
    })?;
    match Scan::of(&mut demuxer, target_ms) {
        Ok(Some(scan)) => Ok(scan),
        Ok(None) => Err(Error::NoPicture { path: path.to_owned() }),
        Err(fault) => Err(Error::Broken { path: path.to_owned(), step: fault.step, reason: fault.reason }),
    }
}

/// The file on its way through decoder, encoder and muxer.
struct Cutter {
    demuxer: Demuxer,
    picture: scan::Track,
    sound: Option<scan::Track>,
    way: Way,
    queue: Interleaver,
    splitter: Splitter,
    drained: bool,
}

/// The way of the picture's packets.
enum Way {
    Copy(bitstream::AnnexB),
    Encode(Box<encode::Transcoder>),
}

impl Cutter {
    fn open(path: &Path, scan: &Scan, target_ms: u64) -> Result<Self, Fault> {
        let demuxer = Demuxer::open(&Source::File(path)).during("reading")?;
        let input = &demuxer.input;
        let stream = input.stream(scan.picture.index).ok_or("its picture is gone").during("reading")?;
        let (way, parameters) = if let Picture::Copied = scan.treatment {
            let filter = bitstream::AnnexB::new(&stream)?;
            let parameters = filter.parameters()?;
            (Way::Copy(filter), parameters)
        } else {
            let transcoder = encode::Transcoder::new(&demuxer, scan, target_ms)?;
            let parameters = encode::Transcoder::parameters();
            (Way::Encode(Box::new(transcoder)), parameters)
        };
        let sound = scan.sound.as_ref().and_then(|track| input.stream(track.index)).map(|stream| stream.parameters());
        let splitter = Splitter::new(parameters, sound, target_ms, scan.end)?;
        Ok(Self {
            picture: scan.picture.clone(),
            sound: scan.sound.clone(),
            queue: Interleaver::new(scan.sound.is_some(), scan.lead.clone()),
            demuxer,
            way,
            splitter,
            drained: false,
        })
    }

    /// The next whole segment, or `None` after the last.
    fn next(&mut self) -> Result<Option<Segment>, Fault> {
        loop {
            while let Some(item) = self.queue.pop() {
                if let Some(segment) = self.splitter.write(item)? {
                    return Ok(Some(segment));
                }
            }
            if self.drained {
                return self.splitter.finish();
            }
            self.read()?;
        }
    }

    /// Takes one packet from the file into the queue, or the last ones out of the decoder.
    fn read(&mut self) -> Result<(), Fault> {
        if let Some(packet) = self.demuxer.next().during("reading")? {
            return self.take(packet);
        }
        match &mut self.way {
            Way::Copy(filter) => filter.finish(&mut |packet| self.queue.push_picture(&self.picture, packet))?,
            Way::Encode(transcoder) => transcoder.finish(&mut |packet| self.queue.push_encoded(packet))?,
        }
        self.queue.close();
        self.drained = true;
        Ok(())
    }

    fn take(&mut self, packet: Packet) -> Result<(), Fault> {
        if packet.track() == self.picture.index {
            match &mut self.way {
                Way::Copy(filter) => {
                    filter.pass(packet.0, &mut |packet| self.queue.push_picture(&self.picture, packet))?;
                }
                Way::Encode(transcoder) => transcoder.pass(&packet, &mut |packet| self.queue.push_encoded(packet))?,
            }
        } else if let Some(sound) = self.sound.as_ref().filter(|track| track.index == packet.track()) {
            self.queue.push_sound(sound, packet.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

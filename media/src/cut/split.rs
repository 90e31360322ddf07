//! The MPEG-TS muxer, cut open at keyframes.
//!
//! One muxer writes the whole file into memory and is emptied at every cut, with its tables written anew: so the
//! continuity counters run on over the borders, and every piece still opens with all that a decoder needs.

#![expect(unsafe_code, reason = "ffmpeg-next can neither flush a muxer nor set a muxer's option while it runs")]

use super::{During as _, Fault, Segment, TICKS, TICKS_PER_SECOND, interleave::Item, millis};
use bytes::Bytes;
use ff::{codec::Parameters, ffi, format::context};
use ffmpeg_next as ff;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

const STEP: &str = "writing MPEG-TS";

/// Where the first frame stands on the clock of MPEG-TS: far enough from zero that nothing before it is negative.
const FIRST_TICK: i64 = 10 * TICKS_PER_SECOND;

/// A keyframe this much early still ends a segment: cameras that send one "every 2 s" miss by a frame or two.
const EARLY_TICKS: i64 = TICKS_PER_SECOND / 10;

/// What the muxer has written since the last cut.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        Bytes::from(std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The muxer and the segment it is writing.
pub(super) struct Splitter {
    output: context::Output,
    written: Written,
    target: i64,
    end: i64,
    number: u32,
    /// When the segment's first frame is shown; `None` before the first and after the last.
    start: Option<i64>,
    last_sound: i64,
}

impl Splitter {
    /// A muxer for streams of these kinds; `end` is where the last frame ends, in ticks.
    pub(super) fn new(picture: Parameters, sound: Option<Parameters>, target_ms: u64, end: i64) -> Result<Self, Fault> {
        let written = Written::default();
        let io = context::StreamIo::from_write(written.clone()).during(STEP)?;
        let mut output = ff::format::output_to_stream(io, None, Some("mpegts")).during(STEP)?;
        for parameters in [Some(picture), sound].into_iter().flatten() {
            let mut stream = output.add_stream(ff::encoder::find(ff::codec::Id::None)).during(STEP)?;
            stream.set_parameters(parameters);
            // SAFETY: the stream is this muxer's own; a tag of another container would be refused.
            unsafe { (*(*stream.as_mut_ptr()).codecpar).codec_tag = 0 };
            stream.set_time_base(TICKS);
        }
        output.write_header().during(STEP)?;
        let target = i64::try_from(target_ms).unwrap_or(i64::MAX).saturating_mul(TICKS_PER_SECOND / 1000);
        Ok(Self { output, written, target, end, number: 0, start: None, last_sound: i64::MIN })
    }

    /// Writes a packet; if it opens a segment, the one before it comes out whole.
    pub(super) fn write(&mut self, item: Item) -> Result<Option<Segment>, Fault> {
        let Item { mut packet, is_picture, opens, .. } = item;
        let pts = packet.pts().unwrap_or(0);
        let ended = match self.start {
            Some(start) if opens && pts - start >= self.target - EARLY_TICKS => Some(self.cut(start, pts)?),
            None if is_picture => {
                self.start = Some(pts);
                None
            }
            _ => None,
        };
        if !is_picture && pts <= self.last_sound.max(-FIRST_TICK) {
            return Ok(ended); // a packet out of order, which the muxer would refuse
        }
        if !is_picture {
            self.last_sound = pts;
        }
        packet.set_stream(usize::from(!is_picture));
        packet.set_position(-1);
        packet.set_pts(Some(pts + FIRST_TICK));
        packet.set_dts(Some(packet.dts().unwrap_or(pts) + FIRST_TICK));
        packet.write(&mut self.output).during(STEP)?;
        Ok(ended)
    }

    /// The last segment; `None` if there is none (any more).
    pub(super) fn finish(&mut self) -> Result<Option<Segment>, Fault> {
        let Some(start) = self.start.take() else { return Ok(None) };
        self.output.write_trailer().during(STEP)?;
        self.flush();
        Ok(Some(self.segment(start, self.end.max(start))))
    }

    fn cut(&mut self, start: i64, end: i64) -> Result<Segment, Fault> {
        // SAFETY: the muxer has its header; a null packet asks it to write what it holds.
        let code = unsafe { ffi::av_write_frame(self.output.as_mut_ptr(), std::ptr::null_mut()) };
        if code < 0 {
            return Err(ff::Error::from(code)).during(STEP);
        }
        self.flush();
        // SAFETY: priv_data is the muxer's own option struct while the muxer lives; both texts are C strings.
        let code = unsafe {
            let muxer = (*self.output.as_mut_ptr()).priv_data;
            ffi::av_opt_set(muxer, c"mpegts_flags".as_ptr(), c"+resend_headers".as_ptr(), 0)
        };
        if code < 0 {
            return Err(ff::Error::from(code)).during(STEP);
        }
        self.start = Some(end);
        Ok(self.segment(start, end))
    }

    /// Moves what libav buffers into `written`.
    fn flush(&mut self) {
        // SAFETY: `pb` is the writer given to the muxer and lives as long as it.
        unsafe { ffi::avio_flush((*self.output.as_mut_ptr()).pb) };
    }

    fn segment(&mut self, start: i64, end: i64) -> Segment {
        let number = self.number;
        self.number += 1;
        let starts_ms = millis(start);
        Segment { number, bytes: self.written.take(), starts_ms, duration_ms: millis(end).saturating_sub(starts_ms) }
    }
}

//! MPEG-TS as it comes in: H.264 and AAC that nobody opened a file for, cut into segments while it runs.
//!
//! One muxer writes the whole broadcast and is emptied at every cut, with its tables written anew: so the continuity
//! counters run on over the borders, and every segment still opens with all that a decoder needs.

use super::{
    Memory, Muxer,
    clean::{Track, set_extradata},
    failed,
};
use crate::{Container, Error, Strip, ready};
use ff::{
    codec::Id,
    ffi,
    format::context::StreamIo,
    packet::{Flags, Mut as _},
};
use ffmpeg_next as ff;
use std::sync::PoisonError;

/// The clock of MPEG-TS.
const TICKS: ff::Rational = ff::Rational(1, 90_000);
/// Most bytes of a description of sound that are taken: real ones have two to a few dozen.
const MAX_DESCRIPTION_BYTES: usize = 1_024;

/// How the sound of a broadcast is coded.
#[derive(Clone, Copy, Debug)]
pub struct Aac<'a> {
    /// Samples per second.
    pub sample_rate: u32,
    /// How many channels.
    pub channels: u16,
    /// The AudioSpecificConfig.
    pub description: &'a [u8],
}

/// A coded picture or a frame of sound, with its times in ticks of 90 kHz.
#[derive(Clone, Copy, Debug)]
pub struct Coded<'a> {
    /// Whether it is a picture.
    pub is_picture: bool,
    /// When it is decoded: later than the one before it of its track.
    pub dts: i64,
    /// When it is shown.
    pub pts: i64,
    /// How long it lasts.
    pub duration: i64,
    /// Whether decoding can start here.
    pub key: bool,
    /// A picture: an access unit with start codes. Sound: an AAC frame without a header.
    pub data: &'a [u8],
}

impl Muxer {
    /// An MPEG-TS broadcast of H.264, and of AAC if there is sound, in memory. Its header is written already.
    ///
    /// # Errors
    /// [`Error::Mux`] when libav cannot make one.
    pub fn live(sound: Option<Aac<'_>>) -> Result<Self, Error> {
        ready()?;
        let memory = Memory::default();
        let io = StreamIo::from_write(memory.clone()).map_err(failed)?;
        let container = Container::MpegTs;
        let output = ff::format::output_to_stream(io, None, Some(container.name())).map_err(failed)?;
        let mut muxer = Self { output, container, tracks: Vec::new(), captions: false, memory: Some(memory) };
        muxer.add_coded(Id::H264)?;
        if let Some(sound) = sound {
            let index = muxer.add_coded(Id::AAC)?;
            muxer.describe(index, sound)?;
        }
        muxer.begin()?;
        Ok(muxer)
    }

    fn add_coded(&mut self, codec: Id) -> Result<usize, Error> {
        let mut track = self.output.add_stream(ff::encoder::find(Id::None)).map_err(failed)?;
        track.set_time_base(TICKS);
        let medium = if codec == Id::H264 { ff::media::Type::Video } else { ff::media::Type::Audio };
        // SAFETY: the stream was just made by this muxer; the fields are plain.
        unsafe {
            let parameters = (*track.as_mut_ptr()).codecpar;
            (*parameters).codec_type = medium.into();
            (*parameters).codec_id = codec.into();
        }
        let strip = (codec == Id::H264).then(Strip::h264);
        self.tracks.push(Track { time_base: TICKS, strip });
        Ok(track.index())
    }

    fn describe(&mut self, index: usize, sound: Aac<'_>) -> Result<(), Error> {
        let length = sound.description.len();
        if length > MAX_DESCRIPTION_BYTES {
            return Err(Error::Mux("the description of the sound is too long".to_owned()));
        }
        let mut track = self.output.stream_mut(index).ok_or_else(|| Error::Mux(format!("no track {index}")))?;
        set_extradata(&mut track, sound.description)?;
        // SAFETY: the stream has parameters of its own; the fields are plain.
        unsafe {
            let parameters = (*track.as_mut_ptr()).codecpar;
            (*parameters).sample_rate = i32::try_from(sound.sample_rate).unwrap_or(0);
            (*parameters).frame_size = 1_024;
            ffi::av_channel_layout_default(&raw mut (*parameters).ch_layout, i32::from(sound.channels));
        }
        Ok(())
    }

    /// Writes what playing needs of a picture or a frame of sound. Pieces of both tracks must come in the order of their decoding.
    ///
    /// # Errors
    /// [`Error::Mux`] when its time does not grow, or it is not coded as was said.
    pub fn write_coded(&mut self, coded: Coded<'_>) -> Result<(), Error> {
        let data = if coded.is_picture { Strip::h264().unit(coded.data)? } else { coded.data.into() };
        if data.is_empty() {
            return Ok(());
        }
        let mut packet = ff::Packet::copy(&data);
        packet.set_stream(usize::from(!coded.is_picture));
        packet.set_pts(Some(coded.pts));
        packet.set_dts(Some(coded.dts));
        packet.set_duration(coded.duration);
        packet.set_position(-1);
        if coded.key {
            packet.set_flags(Flags::KEY);
        }
        // SAFETY: both are valid; the muxer copies what it needs and the packet stays ours.
        let code = unsafe { ffi::av_write_frame(self.output.as_mut_ptr(), packet.as_mut_ptr()) };
        if code < 0 { Err(failed(ff::Error::from(code))) } else { Ok(()) }
    }

    /// Ends a segment: gives what was written since the last cut. What comes next stands on its own.
    ///
    /// # Errors
    /// [`Error::Mux`] when libav fails.
    pub fn cut(&mut self) -> Result<Vec<u8>, Error> {
        // SAFETY: the muxer has its header; a null packet asks it to write what it holds. `pb` is the writer given to
        // it, and `priv_data` its own options while it lives; both texts are C strings.
        let code = unsafe {
            let raw = self.output.as_mut_ptr();
            let flushed = ffi::av_write_frame(raw, std::ptr::null_mut());
            ffi::avio_flush((*raw).pb);
            let anew = ffi::av_opt_set((*raw).priv_data, c"mpegts_flags".as_ptr(), c"+resend_headers".as_ptr(), 0);
            flushed.min(anew)
        };
        if code < 0 {
            return Err(failed(ff::Error::from(code)));
        }
        let memory = self.memory.as_ref().ok_or_else(|| Error::Mux("not in memory".to_owned()))?;
        Ok(std::mem::take(&mut *memory.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

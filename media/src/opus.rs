//! Turns the sound of WebRTC into the sound of HLS: Opus packets in, AAC-LC frames out, 48 kHz stereo.
//!
//! What comes out has no holes: where packets are missing there is silence, so that sound never slides against the
//! picture. Opus itself does not play everywhere in HLS.
#![expect(unsafe_code, reason = "fields of libav's codec contexts that the wrapper does not give")]

use crate::{Error, ready};
use ff::{
    ChannelLayout,
    format::{Sample, sample::Type},
};
use ffmpeg_next as ff;

/// Samples per second: what WebRTC's Opus always decodes to.
const RATE: u32 = 48_000;
/// Ticks of MPEG-TS's clock per sample times eight: 90 000 / 48 000 = 15 / 8.
const TICKS_PER_8_SAMPLES: i64 = 15;
/// Samples in an AAC frame.
const FRAME: usize = 1_024;
const FRAME_SAMPLES: i64 = 1_024;
/// Bits per second.
const BIT_RATE: usize = 96_000;
/// How far the sound may be from its time before it is mended, in samples: 50 ms. Less is not heard, and mending is.
const SLACK: i64 = 2_400;
/// A longer hole is not filled but jumped over, in samples: 10 s.
const LONGEST_HOLE: i64 = 480_000;
/// Samples that one Opus packet may hold: 120 ms (RFC 6716, 2.1.4).
const LONGEST_PACKET: usize = 5_760;

/// A transcoder of one track.
pub struct OpusToAac {
    decoder: ff::decoder::Audio,
    encoder: ff::encoder::Audio,
    description: Vec<u8>,
    /// Decoded and not yet encoded, left and right.
    waiting: [Vec<f32>; 2],
    /// When the first sample of `waiting` is heard, in samples; `None` before the first packet.
    next: Option<i64>,
}

impl OpusToAac {
    /// A transcoder.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when libav was built without the codecs.
    pub fn new() -> Result<Self, Error> {
        ready()?;
        let missing = |what: &str| Error::Unsupported(format!("libav has no {what}"));
        let codec = ff::decoder::find_by_name("opus").ok_or_else(|| missing("decoder of Opus"))?;
        let mut context = ff::codec::Context::new_with_codec(codec);
        // SAFETY: the context is not open yet, so these plain fields may be set.
        unsafe {
            let raw = context.as_mut_ptr();
            (*raw).sample_rate = RATE.cast_signed();
            ff::ffi::av_channel_layout_default(&raw mut (*raw).ch_layout, 2);
        }
        let decoder = context.decoder().audio().map_err(failed)?;
        let encoder = encoder().map_err(failed)?;
        // SAFETY: an open encoder's extradata is valid for its length, or null with length 0.
        let description = unsafe {
            let raw = encoder.as_ptr();
            let length = usize::try_from((*raw).extradata_size).unwrap_or(0);
            if (*raw).extradata.is_null() || length == 0 {
                return Err(missing("description of its AAC"));
            }
            std::slice::from_raw_parts((*raw).extradata, length).to_vec()
        };
        Ok(Self { decoder, encoder, description, waiting: [Vec::new(), Vec::new()], next: None })
    }

    /// Samples per second of what comes out.
    pub fn sample_rate(&self) -> u32 {
        RATE
    }

    /// The AudioSpecificConfig of what comes out.
    pub fn description(&self) -> &[u8] {
        &self.description
    }

    /// Takes a packet that is heard at `pts` (90 kHz) and hands on the AAC frames that are complete, each with its time
    /// (90 kHz).
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is no Opus packet; the next one may be. [`Error::Encode`] when the encoder fails.
    pub fn push(&mut self, pts: i64, packet: &[u8], out: &mut dyn FnMut(i64, &[u8])) -> Result<(), Error> {
        let corrupt = |error: ff::Error| Error::Corrupt(format!("sound: {error}"));
        self.decoder.send_packet(&ff::Packet::copy(packet)).map_err(corrupt)?;
        let mut at = samples(pts);
        let mut frame = ff::frame::Audio::empty();
        while self.decoder.receive_frame(&mut frame).is_ok() {
            at += self.take(at, &frame)?;
            self.encode(out).map_err(failed)?;
        }
        Ok(())
    }

    /// Appends a decoded frame where it belongs; returns its length.
    fn take(&mut self, at: i64, frame: &ff::frame::Audio) -> Result<i64, Error> {
        let count = frame.samples();
        if frame.format() != Sample::F32(Type::Planar) || frame.planes() != 2 || count > LONGEST_PACKET {
            return Err(Error::Corrupt("sound: not two channels".to_owned()));
        }
        let queued = i64::try_from(self.waiting[0].len()).unwrap_or(i64::MAX);
        let end = self.next.map_or(at, |next| next + queued);
        self.next.get_or_insert(at);
        let missing = at - end;
        let mut skip = 0;
        if !(-LONGEST_HOLE..=LONGEST_HOLE).contains(&missing) {
            self.waiting.iter_mut().for_each(Vec::clear);
            self.next = Some(at);
        } else if missing > SLACK {
            let silence = usize::try_from(missing).unwrap_or(0);
            self.waiting.iter_mut().for_each(|channel| channel.resize(channel.len() + silence, 0.0));
        } else if missing < -SLACK {
            skip = usize::try_from(-missing).unwrap_or(0).min(count);
        }
        for (side, channel) in self.waiting.iter_mut().enumerate() {
            channel.extend_from_slice(&frame.plane::<f32>(side)[skip..count]);
        }
        Ok(i64::try_from(count).unwrap_or(0))
    }

    fn encode(&mut self, out: &mut dyn FnMut(i64, &[u8])) -> Result<(), ff::Error> {
        while self.waiting[0].len() >= FRAME {
            let next = self.next.unwrap_or(0);
            let mut frame = ff::frame::Audio::new(Sample::F32(Type::Planar), FRAME, ChannelLayout::STEREO);
            frame.set_rate(RATE);
            frame.set_pts(Some(next));
            for (side, channel) in self.waiting.iter_mut().enumerate() {
                frame.plane_mut::<f32>(side).copy_from_slice(&channel[..FRAME]);
                channel.drain(..FRAME);
            }
            self.next = Some(next + FRAME_SAMPLES);
            self.encoder.send_frame(&frame)?;
            let mut packet = ff::Packet::empty();
            while self.encoder.receive_packet(&mut packet).is_ok() {
                if let (Some(pts), Some(data)) = (packet.pts(), packet.data()) {
                    out(ticks(pts), data);
                }
            }
        }
        Ok(())
    }
}

fn encoder() -> Result<ff::encoder::Audio, ff::Error> {
    let codec = ff::encoder::find_by_name("aac").ok_or(ff::Error::EncoderNotFound)?;
    let mut encoder = ff::codec::Context::new_with_codec(codec).encoder().audio()?;
    encoder.set_rate(RATE.cast_signed());
    encoder.set_channel_layout(ChannelLayout::STEREO);
    encoder.set_format(Sample::F32(Type::Planar));
    encoder.set_bit_rate(BIT_RATE);
    encoder.set_time_base((1, RATE.cast_signed()));
    encoder.set_flags(ff::codec::Flags::GLOBAL_HEADER);
    let mut options = ff::Dictionary::new();
    options.set("aac_coder", "fast");
    encoder.open_as_with(codec, options)
}

/// 90 kHz into samples.
fn samples(ticks: i64) -> i64 {
    ticks.saturating_mul(8).div_euclid(TICKS_PER_8_SAMPLES)
}

/// Samples into 90 kHz.
fn ticks(samples: i64) -> i64 {
    samples.saturating_mul(TICKS_PER_8_SAMPLES).div_euclid(8)
}

fn failed(error: ff::Error) -> Error {
    Error::Encode(format!("sound: {error}"))
}

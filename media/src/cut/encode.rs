//! For pictures that cannot be copied: decode, turn upright, encode as H.264 with a keyframe at every cut.
//!
//! One frame in is one frame out, at the same time. No B-frames, as in a camera's live stream.

use super::{During as _, Fault, TICKS, TICKS_PER_SECOND, scan::Scan, scan::Track};
use crate::{
    Care, Codec, Container, Decoder, Demuxer, Encoder, EncoderSettings, Layout, Orientation, Packet, Picture, Scaler,
};
use ff::codec;
use ffmpeg_next as ff;

/// x264's constant quality: visually close to the source, a little over a camera's bit rate.
const CRF: u8 = 20;
const PRESET: &str = "veryfast";
/// Threads for decoding and as many for encoding; a clip is cut faster than it plays on one.
const THREADS: u32 = 2;

/// Decoder and encoder of one stream.
pub(super) struct Transcoder {
    decoder: Decoder,
    source: crate::Track,
    track: Track,
    rate: ff::Rational,
    target: i64,
    sequence: Option<Sequence>,
    begun: bool,
    last: Option<i64>,
    last_key: Option<i64>,
}

/// Frames of one size and orientation; others are not bent into it, they begin a sequence with an encoder of its own.
struct Sequence {
    size: (u32, u32),
    orientation: Orientation,
    scaler: Scaler,
    /// Made for the first frame.
    encoder: Option<Encoder>,
}

impl Sequence {
    fn new(size: (u32, u32), orientation: Orientation) -> Self {
        // 4:2:0 has one colour sample for two pixels each way, so sizes are even.
        let scaler = Scaler::new(Layout::Yuv420, (size.0 & !1).max(2), (size.1 & !1).max(2));
        Self { size, orientation, scaler, encoder: None }
    }
}

impl Transcoder {
    /// For the picture of a scanned file.
    pub(super) fn new(demuxer: &Demuxer, scan: &Scan, target_ms: u64) -> Result<Self, Fault> {
        const STEP: &str = "opening the decoder";
        let track = demuxer.video().during(STEP)?;
        Ok(Self {
            decoder: Decoder::open(demuxer, THREADS, Care::Recoding).during(STEP)?,
            source: track,
            track: scan.picture.clone(),
            rate: track.frame_rate,
            target: i64::try_from(target_ms).unwrap_or(i64::MAX).saturating_mul(TICKS_PER_SECOND / 1000),
            sequence: None,
            begun: false,
            last: None,
            last_key: None,
        })
    }

    /// How the packets that come out are coded; parameter sets are in the packets.
    pub(super) fn parameters() -> codec::Parameters {
        let mut parameters = codec::Parameters::new();
        parameters.set_medium(ff::media::Type::Video);
        parameters.set_id(codec::Id::H264);
        parameters
    }

    /// Takes a packet of the file and hands on what comes out, in ticks.
    pub(super) fn pass(&mut self, packet: &Packet, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        // A file that begins in mid-stream has frames that nothing can decode before its first keyframe.
        self.begun |= packet.is_key();
        if !self.begun {
            return Ok(());
        }
        self.decoder.send(packet).during("decoding")?;
        self.drain(out)
    }

    /// Hands on what decoder and encoder still hold.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        self.decoder.finish().during("decoding")?;
        self.drain(out)?;
        self.end_sequence(out)
    }

    fn end_sequence(&mut self, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        if let Some(encoder) = self.sequence.as_mut().and_then(|sequence| sequence.encoder.as_mut()) {
            encoder.finish().during("encoding")?;
        }
        self.receive(out)?;
        self.sequence = None;
        Ok(())
    }

    fn drain(&mut self, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        while let Some(picture) = self.decoder.receive().during("decoding")? {
            self.encode(&picture, out)?;
            self.receive(out)?;
        }
        Ok(())
    }

    fn encode(&mut self, picture: &Picture, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        let (size, orientation) = ((picture.width(), picture.height()), self.source.orientation_of(picture));
        let goes_on = |sequence: &Sequence| sequence.size == size && sequence.orientation == orientation;
        if !self.sequence.as_ref().is_some_and(goes_on) {
            self.end_sequence(out)?;
        }
        let begins = self.sequence.is_none();
        let sequence = self.sequence.get_or_insert_with(|| Sequence::new(size, orientation));
        let mut upright = sequence.scaler.convert(picture).during("scaling")?;
        if !orientation.is_upright() {
            upright = upright.upright(orientation).during("turning")?;
        }
        // The encoder wants every time to be later than the one before.
        let time = self.track.ticks(picture.pts());
        upright.pts = self.last.map_or(time, |last| time.max(last + 1));
        upright.duration = self.track.length(picture.duration());

        let is_key = begins || self.last_key.is_none_or(|key| upright.pts - key >= self.target);
        self.last = Some(upright.pts);
        if is_key {
            self.last_key = Some(upright.pts);
        }
        let encoder = match &mut sequence.encoder {
            Some(encoder) => encoder,
            none => none.insert(open(&upright, self.rate)?),
        };
        encoder.send(&mut upright, is_key).during("encoding")
    }

    fn receive(&mut self, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        let Some(encoder) = self.sequence.as_mut().and_then(|sequence| sequence.encoder.as_mut()) else {
            return Ok(());
        };
        while let Some(packet) = encoder.receive().during("encoding")? {
            out(packet.0);
        }
        Ok(())
    }
}

fn open(like: &Picture, rate: ff::Rational) -> Result<Encoder, Fault> {
    let settings = EncoderSettings {
        codec: Codec::H264,
        container: Container::MpegTs,
        time_base: TICKS,
        frame_rate: rate,
        crf: CRF,
        preset: PRESET.to_owned(),
        profile: None,
        threads: THREADS,
    };
    Encoder::open(&settings, like).during("opening the encoder")
}

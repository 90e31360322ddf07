//! Decodes one video track strictly: damage is an error, never a concealed picture.
//!
//! libav conceals by default and goes on. Here a refused packet, a picture flagged corrupt or with decode errors, and a
//! picture that would have been left out because its references are missing all end the decoding, since whoever plays
//! a copy may see what we did not.
#![expect(unsafe_code, reason = "fields of libav's codec context that the wrapper does not give")]

use crate::{Demuxer, Error, Packet, Picture};
use ffmpeg_next as ff;
use std::collections::VecDeque;

/// Largest picture decoded, in pixels.
const MAX_PIXELS: i64 = 8192 * 4320;
/// Packets whose times are remembered until their picture comes out; H.264 may hold back 16.
const REMEMBERED: usize = 256;

/// How closely damage is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Everything the decoder can notice is an error, down to bits left over behind a picture: for what may be copied
    /// as it is.
    Copying,
    /// Errors in what is shown are errors, oddities beside it are not: for what is encoded anew from what was decoded.
    Recoding,
}

/// Times of a packet on its way through the decoder.
struct Stamp {
    ticket: i64,
    pts: Option<i64>,
    dts: Option<i64>,
    duration: i64,
}

/// A decoder of one video track.
pub struct Decoder {
    codec: ff::decoder::Video,
    stamps: VecDeque<Stamp>,
    tickets: i64,
    last_end: Option<i64>,
}

impl Decoder {
    /// A decoder for the video track of `demuxer`, using up to `threads` threads.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when its codec is unknown.
    pub fn open(demuxer: &Demuxer, threads: u32, care: Care) -> Result<Self, Error> {
        let track = demuxer.video()?;
        let stream = demuxer.input.stream(track.index).ok_or(Error::NoVideo)?;
        let unsupported = |error| Error::Unsupported(format!("video codec {}: {error}", demuxer.codec(track.index)));
        let mut context = ff::codec::Context::from_parameters(stream.parameters()).map_err(unsupported)?;
        context.set_threading(ff::threading::Config {
            kind: ff::threading::Type::Frame,
            count: threads.max(1) as usize,
            ..ff::threading::Config::default()
        });
        // SAFETY: the context is not open yet, so these plain fields may be set.
        unsafe {
            let raw = context.as_mut_ptr();
            (*raw).max_pixels = MAX_PIXELS;
            (*raw).err_recognition = ff::ffi::AV_EF_CRCCHECK | ff::ffi::AV_EF_BITSTREAM | ff::ffi::AV_EF_BUFFER;
            if care == Care::Copying {
                (*raw).err_recognition |= ff::ffi::AV_EF_EXPLODE | ff::ffi::AV_EF_AGGRESSIVE;
            }
            // Without it pictures whose references are missing are left out without a word.
            (*raw).flags |= ff::ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT.cast_signed();
        }
        let codec = context.decoder().video().map_err(unsupported)?;
        Ok(Self { codec, stamps: VecDeque::new(), tickets: 0, last_end: None })
    }

    /// Packets taken so far; what [`Picture::number`] counts.
    pub fn sent(&self) -> u64 {
        self.tickets.unsigned_abs()
    }

    /// Takes a packet; pictures that it completes come out of [`Decoder::receive`], which must be called until it
    /// gives none.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the decoder refuses it.
    pub fn send(&mut self, packet: &Packet) -> Result<(), Error> {
        self.tickets += 1;
        let stamp = Stamp { ticket: self.tickets, pts: packet.pts(), dts: packet.dts(), duration: packet.duration() };
        self.stamps.push_back(stamp);
        if self.stamps.len() > REMEMBERED {
            self.stamps.pop_front();
        }
        // The decoder hands a packet's time on to its picture unread: a ticket in its place says which packet it was.
        let mut ticketed = packet.0.clone();
        ticketed.set_pts(Some(self.tickets));
        ticketed.set_dts(Some(self.tickets));
        self.codec
            .send_packet(&ticketed)
            .map_err(|error| Error::Corrupt(format!("a picture cannot be decoded: {error}")))
    }

    /// Tells the decoder that no packet follows.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the decoder refuses.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.codec.send_eof().map_err(|error| Error::Corrupt(format!("the last picture cannot be decoded: {error}")))
    }

    /// The next picture in the order of showing; `None` when more packets are needed or the end is reached.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it could not be decoded in full.
    pub fn receive(&mut self) -> Result<Option<Picture>, Error> {
        let mut frame = ff::frame::Video::empty();
        match self.codec.receive_frame(&mut frame) {
            Ok(()) => {}
            Err(ff::Error::Eof) => return Ok(None),
            Err(ff::Error::Other { errno }) if errno == ff::error::EAGAIN => return Ok(None),
            Err(error) => return Err(Error::Corrupt(format!("a picture cannot be decoded: {error}"))),
        }
        if frame.is_corrupt() || frame.has_decode_errors() {
            return Err(Error::Corrupt("a picture is damaged or refers to pictures that are missing".to_owned()));
        }
        let stamp = self.stamp(&frame)?;
        let pts = stamp.pts.or(self.last_end).or(stamp.dts).unwrap_or(0);
        self.last_end = Some(pts + stamp.duration.max(1));
        let (key, duration, number) = (frame.is_key(), stamp.duration, stamp.ticket.unsigned_abs());
        Ok(Some(Picture { frame, pts, duration, key, number }))
    }

    /// The times of the packet that `frame` came from; some containers leave them out, and then pictures follow one
    /// another.
    fn stamp(&mut self, frame: &ff::frame::Video) -> Result<Stamp, Error> {
        let lost = || Error::Corrupt("a picture belongs to no packet".to_owned());
        let ticket = frame.pts().ok_or_else(lost)?;
        let at = self.stamps.iter().position(|stamp| stamp.ticket == ticket).ok_or_else(lost)?;
        self.stamps.remove(at).ok_or_else(lost)
    }
}

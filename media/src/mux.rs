//! Writes a container to memory or to a file: pixels, audio and timing of an input, and nothing else of it.
//!
//! Every packet and every track's header is stripped here ([`clean`]), so that nothing published can avoid it. MPEG-TS
//! keeps the source's times to the tick, so that a segment that is published fits between its neighbours.
#![expect(unsafe_code, reason = "fields of libav's streams that the wrapper does not give")]

mod clean;
mod live;

pub(crate) use clean::extradata;
pub use live::{Aac, Coded};

use crate::{Container, Demuxer, Encoder, Error, Orientation, Packet, demux::display_matrix, ready};
use clean::Track;
use ffmpeg_next as ff;
use ffmpeg_next::format::context::{Output, StreamIo};
use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Packet identifiers of MPEG-TS: libav's for the program map table, and the last that a table may have.
const TABLE_IDENTIFIER: i32 = 0x1000;
const LAST_IDENTIFIER: i32 = 0x1ffa;

/// A container being written.
pub struct Muxer {
    output: Output,
    container: Container,
    tracks: Vec<Track>,
    captions: bool,
    memory: Option<Memory>,
}

/// What a memory output has been given so far; libav holds the other handle.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Muxer {
    /// An MPEG-TS segment in memory.
    ///
    /// # Errors
    /// [`Error::Mux`] when libav cannot make one.
    pub fn segment() -> Result<Self, Error> {
        ready()?;
        let memory = Memory::default();
        let io = StreamIo::from_write(memory.clone()).map_err(failed)?;
        let container = Container::MpegTs;
        let output = ff::format::output_to_stream(io, None, Some(container.name())).map_err(failed)?;
        Ok(Self { output, container, tracks: Vec::new(), captions: false, memory: Some(memory) })
    }

    /// A file in `container` at `path`, which is made or emptied.
    ///
    /// # Errors
    /// [`Error::Mux`] when it cannot be opened for writing.
    pub fn file(path: &Path, container: Container) -> Result<Self, Error> {
        ready()?;
        let output = ff::format::output_as(path, container.name()).map_err(failed)?;
        Ok(Self { output, container, tracks: Vec::new(), captions: false, memory: None })
    }

    /// Has it keep closed captions in the frames of tracks added from now on, if `captions` says so. They are text that
    /// somebody wrote, and dropped otherwise.
    #[must_use]
    pub fn with_captions(mut self, captions: bool) -> Self {
        self.captions = captions;
        self
    }

    /// Adds the track that `encoder` makes; gives its index. `like` is the source, whose MPEG-TS packet identifier and
    /// display matrix are kept where the container has a place for them.
    ///
    /// # Errors
    /// [`Error::Mux`] when the container refuses it.
    pub fn add_encoded(&mut self, encoder: &Encoder, like: &Demuxer) -> Result<usize, Error> {
        let video = like.video()?.index;
        let mut track = self.output.add_stream_with(&encoder.codec).map_err(failed)?;
        track.set_time_base(encoder.time_base);
        track.set_avg_frame_rate(encoder.frame_rate());
        let index = track.index();
        self.tracks.push(Track::of(encoder.time_base, &mut track, self.captions)?);
        self.keep_identifier(index, like, video);
        self.keep_matrix(index, like, video)?;
        Ok(index)
    }

    /// Adds a copy of track `source` of `from`; gives its index.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the container has no place for its codec, [`Error::Mux`] when its packets must not be
    /// copied, since metadata may be anywhere in them.
    pub fn add_copy(&mut self, from: &Demuxer, source: usize) -> Result<usize, Error> {
        let stream = from.input.stream(source).ok_or_else(|| Error::Mux(format!("no track {source}")))?;
        if !from.fits(source, self.container) {
            let (codec, container) = (from.codec(source), self.container.name());
            return Err(Error::Unsupported(format!("a track of {codec} does not fit into {container}")));
        }
        let mut track = self.output.add_stream(ff::encoder::find(ff::codec::Id::None)).map_err(failed)?;
        track.set_parameters(stream.parameters());
        track.set_time_base(stream.time_base());
        track.set_avg_frame_rate(stream.avg_frame_rate());
        let index = track.index();
        // SAFETY: the stream was just made; a tag of another container would be refused.
        unsafe { (*(*track.as_mut_ptr()).codecpar).codec_tag = 0 };
        self.tracks.push(Track::of(stream.time_base(), &mut track, self.captions)?);
        self.keep_identifier(index, from, source);
        if stream.parameters().medium() == ff::media::Type::Video {
            self.keep_matrix(index, from, source)?;
        }
        Ok(index)
    }

    /// Players that cross from a copied segment into a rewritten one find the tracks where they were.
    fn keep_identifier(&mut self, index: usize, from: &Demuxer, source: usize) {
        let Some(stream) = from.input.stream(source) else { return };
        if self.container == Container::MpegTs
            && let Some(mut track) = self.output.stream_mut(index)
        {
            // SAFETY: both streams are valid; the identifier is a plain number.
            unsafe { (*track.as_mut_ptr()).id = stream.id() };
        }
    }

    /// A packet identifier for the program map table, libav's own unless a track of the source has it.
    fn table_identifier(&self) -> i32 {
        let is_free = |identifier: &i32| self.output.streams().all(|track| track.id() != *identifier);
        (TABLE_IDENTIFIER..LAST_IDENTIFIER).find(is_free).unwrap_or(TABLE_IDENTIFIER)
    }

    /// Gives track `index` what the display matrix of track `source` of `from` says of the frames' orientation, where the
    /// container has a place for it. Its other cells say nothing that players use, and could say anything.
    fn keep_matrix(&mut self, index: usize, from: &Demuxer, source: usize) -> Result<(), Error> {
        let stream = from.input.stream(source);
        let found = stream.as_ref().and_then(display_matrix).filter(|_| self.container.holds_rotation());
        let Some([a, b, _, c, d, ..]) = found else { return Ok(()) };
        let [.., last] = Orientation::UPRIGHT.matrix();
        let cells = [a, b, 0, c, d, 0, 0, 0, last];
        let mut track = self.output.stream_mut(index).ok_or_else(|| Error::Mux(format!("no track {index}")))?;
        // SAFETY: libav gives room for as many bytes as are asked for, which the copy fills, or null.
        unsafe {
            let kind = ff::ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
            let matrix = ff::ffi::av_stream_new_side_data(track.as_mut_ptr(), kind, size_of_val(&cells));
            if matrix.is_null() {
                return Err(Error::Mux("no memory for a display matrix".to_owned()));
            }
            std::ptr::copy_nonoverlapping(cells.as_ptr().cast::<u8>(), matrix, size_of_val(&cells));
        }
        Ok(())
    }

    /// Writes the header; no track can be added afterwards.
    ///
    /// # Errors
    /// [`Error::Mux`] when the container refuses a track or the file cannot be written.
    pub fn begin(&mut self) -> Result<(), Error> {
        let mut options = ff::Dictionary::new();
        match self.container {
            Container::MpegTs => {
                // One packet of sound per PES packet keeps every time; no delay and no shift keep them as they were.
                options.set("mpegts_copyts", "1");
                options.set("avoid_negative_ts", "disabled");
                options.set("max_delay", "0");
                options.set("pes_payload_size", "0");
                options.set("mpegts_pmt_start_pid", &self.table_identifier().to_string());
            }
            Container::Mp4 | Container::Mov => options.set("movflags", "+faststart"),
            Container::Matroska | Container::WebM => {}
        }
        self.output.write_header_with(options).map(|_| ()).map_err(failed)
    }

    /// Writes what playing needs of `packet`, whose times are in the time base of the track it came from, to track
    /// `index`.
    ///
    /// # Errors
    /// [`Error::Mux`] when its times run backwards, it cannot be stripped or the file cannot be written.
    pub fn write(&mut self, index: usize, packet: Packet) -> Result<(), Error> {
        let track = self.tracks.get(index).ok_or_else(|| Error::Mux(format!("no track {index}")))?;
        let Some(mut packet) = track.clean(packet)? else { return Ok(()) };
        let source = track.time_base;
        let target = self.output.stream(index).map_or(source, |track| track.time_base());
        packet.0.set_stream(index);
        packet.0.set_position(-1);
        packet.0.rescale_ts(source, target);
        packet.0.write_interleaved(&mut self.output).map_err(failed)
    }

    /// Writes what is left and gives the bytes of a memory output; a file's are `None`.
    ///
    /// # Errors
    /// [`Error::Mux`] when the file cannot be written.
    pub fn finish(mut self) -> Result<Option<Vec<u8>>, Error> {
        self.output.write_trailer().map_err(failed)?;
        let memory = self.memory.take();
        drop(self);
        Ok(memory.map(|memory| std::mem::take(&mut *memory.0.lock().unwrap_or_else(PoisonError::into_inner))))
    }
}

fn failed(error: ff::Error) -> Error {
    Error::Mux(error.to_string())
}

//! Opens a video from memory or a file and gives its packets.
//!
//! Only containers on [`FORMATS`] are opened and no protocol at all: a playlist dressed up as a segment would otherwise
//! make libav read other files or addresses.
#![expect(unsafe_code, reason = "fields of libav's structures that the wrapper does not give")]

use crate::{Container, Error, Orientation, Packet, Picture, Strip, mux::extradata, ready, strip::is_copyable};
use bytes::Bytes;
use ffmpeg_next as ff;
use ffmpeg_next::format::context::{Input, StreamIo};
use std::{fs::File, io::Cursor, path::Path};

/// Containers a file may be in, by libav's names.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv";
/// The one container a segment may be in.
const SEGMENT_FORMAT: &str = "mpegts";
/// Most tracks an input may have.
const MAX_TRACKS: &str = "64";

/// Where a video is.
#[derive(Clone)]
pub enum Source<'a> {
    /// An MPEG-TS segment in memory.
    Segment(Bytes),
    /// A file in any known container.
    File(&'a Path),
}

/// The track that is examined.
#[derive(Clone, Copy, Debug)]
pub struct Track {
    /// Its index.
    pub index: usize,
    /// The unit of its times, in seconds.
    pub time_base: ff::Rational,
    /// Frames per second; a guess where the rate varies.
    pub frame_rate: ff::Rational,
    /// What the container says brings its frames upright.
    pub orientation: Orientation,
    /// Frames in it, when the container says.
    pub frames: Option<u64>,
    /// Width and height of its first pictures as they are stored; 0 when the container does not say.
    pub size: (u32, u32),
}

impl Track {
    /// What brings `frame` of this track upright: what the container says or, where it says nothing, the stream itself.
    pub fn orientation_of(&self, frame: &Picture) -> Orientation {
        if self.orientation.is_upright() { frame.orientation().unwrap_or_default() } else { self.orientation }
    }
}

/// An open container.
pub struct Demuxer {
    pub(crate) input: Input,
    video: usize,
    known: usize,
}

impl Demuxer {
    /// Opens `source` and finds its video track.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when it is empty or no known container, [`Error::NoVideo`] when there is only sound, and
    /// [`Error::Unsupported`] for a segment with more than one video track, since a copy of it would hold pictures
    /// that nobody examined.
    pub fn open(source: &Source<'_>) -> Result<Self, Error> {
        ready()?;
        let mut options = ff::Dictionary::new();
        options.set("protocol_whitelist", "none");
        options.set("max_streams", MAX_TRACKS);
        let (io, formats) = match source {
            Source::Segment(bytes) if bytes.is_empty() => return Err(Error::Unreadable("it is empty".to_owned())),
            Source::Segment(bytes) => (StreamIo::from_read_seek(Cursor::new(bytes.clone())), SEGMENT_FORMAT),
            Source::File(path) => (StreamIo::from_read_seek(open_file(path)?), FORMATS),
        };
        options.set("format_whitelist", formats);
        let io = io.map_err(|error| Error::Unreadable(error.to_string()))?;
        let input = ff::format::input_from_stream(io, None, Some(options))
            .map_err(|error| Error::Unreadable(format!("not a known kind of video ({error})")))?;
        let mut demuxer = Self { known: input.nb_streams() as usize, input, video: 0 };
        demuxer.video = demuxer.find_video(matches!(source, Source::Segment(_)))?;
        Ok(demuxer)
    }

    fn find_video(&self, only_one: bool) -> Result<usize, Error> {
        if self.input.streams().next().is_none() {
            return Err(Error::Unreadable("it holds no tracks".to_owned()));
        }
        let moving: Vec<usize> = self.input.streams().filter(is_moving_picture).map(|stream| stream.index()).collect();
        if only_one && moving.len() > 1 {
            return Err(Error::Unsupported(format!("{} video tracks in one segment", moving.len())));
        }
        let best = self.input.streams().best(ff::media::Type::Video).map(|stream| stream.index());
        best.filter(|index| moving.contains(index)).or_else(|| moving.first().copied()).ok_or(Error::NoVideo)
    }

    /// The video track.
    pub fn video(&self) -> Result<Track, Error> {
        let stream = self.input.stream(self.video).ok_or(Error::NoVideo)?;
        let rate = [stream.avg_frame_rate(), stream.rate()].into_iter().find(|rate| is_sane_rate(*rate));
        Ok(Track {
            index: self.video,
            time_base: stream.time_base(),
            frame_rate: rate.unwrap_or(ff::Rational(25, 1)),
            orientation: display_matrix(&stream).and_then(Orientation::of_matrix).unwrap_or_default(),
            frames: u64::try_from(stream.frames()).ok().filter(|frames| *frames > 0),
            size: size(&stream),
        })
    }

    /// Indices of the sound tracks. One that is announced and holds no sound is none: a broadcast that falls silent
    /// leaves segments with such tracks, and no muxer takes them.
    pub fn audio(&self) -> Vec<usize> {
        self.input.streams().filter(is_sound).map(|stream| stream.index()).collect()
    }

    /// The unit of the times of track `index`, in seconds.
    pub fn time_base(&self, index: usize) -> Option<ff::Rational> {
        self.input.stream(index).map(|stream| stream.time_base())
    }

    /// Name of the codec of track `index`.
    pub fn codec(&self, index: usize) -> &'static str {
        self.input.stream(index).map_or("unknown", |stream| stream.parameters().id().name())
    }

    /// Whether track `index` is H.264 with start codes and parameter sets between its pictures, as in MPEG-TS.
    pub fn is_annex_b(&self, index: usize) -> bool {
        let is_h264 = self.input.stream(index).is_some_and(|stream| stream.parameters().id() == ff::codec::Id::H264);
        is_h264 && self.input.format().name() == SEGMENT_FORMAT
    }

    /// The profile of track `index` as x264 calls it, where it is H.264 of eight bits with colour at half the size.
    pub fn h264_profile(&self, index: usize) -> Option<&'static str> {
        let stream = self.input.stream(index)?;
        if stream.parameters().id() != ff::codec::Id::H264 {
            return None;
        }
        // SAFETY: the stream's parameters are valid as long as it is, and only read.
        let profile = unsafe { (*(*stream.as_ptr()).codecpar).profile };
        let constraints = ff::ffi::FF_PROFILE_H264_CONSTRAINED | ff::ffi::FF_PROFILE_H264_INTRA;
        match profile & !constraints {
            ff::ffi::FF_PROFILE_H264_BASELINE => Some("baseline"),
            ff::ffi::FF_PROFILE_H264_MAIN => Some("main"),
            ff::ffi::FF_PROFILE_H264_HIGH => Some("high"),
            _ => None,
        }
    }

    /// Whether `container` may hold a copy of track `index`.
    pub fn fits(&self, index: usize, container: Container) -> bool {
        self.input.stream(index).is_some_and(|stream| container.holds(stream.parameters().id()))
    }

    /// Whether packets of track `index` may be copied: audio, and video of a codec of which it is known where metadata
    /// may be.
    pub fn is_copyable(&self, index: usize) -> bool {
        self.input.stream(index).is_some_and(|stream| !is_video(&stream) || is_copyable(stream.parameters().id()))
    }

    /// Whether from `packet` on its track is coded otherwise than its header says, so that a copy could not be decoded.
    pub fn changes_coding(&self, packet: &Packet) -> bool {
        use ff::packet::side_data::Type::{NewExtraData, ParamChange};
        let stream = self.input.stream(packet.track());
        let known = stream.as_ref().map(extradata).unwrap_or_default();
        packet.0.side_data().any(|data| match data.kind() {
            NewExtraData => data.data() != known,
            kind => kind == ParamChange,
        })
    }

    /// What a [`Muxer`](crate::Muxer) strips of the packets of the video track `index`.
    ///
    /// # Errors
    /// [`Error::Mux`] when they must not be copied.
    pub fn strip(&self, index: usize) -> Result<Strip, Error> {
        let stream = self.input.stream(index).ok_or(Error::NoVideo)?;
        Strip::of(stream.parameters().id(), extradata(&stream), false)
    }

    /// The next packet of any track; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when the container breaks off, [`Error::Corrupt`] when it knows a packet of the video
    /// track to be damaged, [`Error::Unsupported`] when a second video track turns up later on.
    #[expect(clippy::should_implement_trait, reason = "an iterator would go on after an error")]
    pub fn next(&mut self) -> Result<Option<Packet>, Error> {
        let mut packet = ff::Packet::empty();
        match packet.read(&mut self.input) {
            Ok(()) => {}
            Err(ff::Error::Eof) => return self.at_end(),
            Err(error) => return Err(Error::Unreadable(format!("it breaks off: {error}"))),
        }
        self.refuse_new_video()?;
        let packet = Packet(packet);
        if packet.track() == self.video && packet.is_corrupt() {
            return Err(Error::Corrupt("a packet of the picture is damaged".to_owned()));
        }
        Ok(Some(packet))
    }

    /// A demuxer takes a failing read for the end; only the reader knows.
    fn at_end(&self) -> Result<Option<Packet>, Error> {
        // SAFETY: `pb` belongs to the open input and is only read.
        let failed = unsafe {
            let io = (*self.input.as_ptr()).pb;
            if io.is_null() { 0 } else { (*io).error }
        };
        if failed < 0 && failed != ff::ffi::AVERROR_EOF {
            return Err(Error::Unreadable(format!("it breaks off: {}", ff::Error::from(failed))));
        }
        Ok(None)
    }

    /// MPEG-TS may announce a track at any time.
    fn refuse_new_video(&mut self) -> Result<(), Error> {
        let count = self.input.nb_streams() as usize;
        let late = (self.known..count).filter_map(|index| self.input.stream(index)).any(|stream| is_video(&stream));
        self.known = count;
        if late { Err(Error::Unsupported("a video track that begins late".to_owned())) } else { Ok(()) }
    }
}

fn open_file(path: &Path) -> Result<File, Error> {
    let unreadable = |error: std::io::Error| Error::Unreadable(error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(Error::Unreadable("it is not a file".to_owned()));
    }
    if about.len() == 0 {
        return Err(Error::Unreadable("it is empty".to_owned()));
    }
    Ok(file)
}

/// A track of sound that holds some: libav knows its rate from its header or, in MPEG-TS, from its first packets.
fn is_sound(stream: &ff::Stream<'_>) -> bool {
    // SAFETY: the stream's parameters are valid as long as it is, and only read.
    let rate = unsafe { (*(*stream.as_ptr()).codecpar).sample_rate };
    stream.parameters().medium() == ff::media::Type::Audio && rate > 0
}

fn size(stream: &ff::Stream<'_>) -> (u32, u32) {
    // SAFETY: as above.
    let (width, height) = unsafe {
        let parameters = (*stream.as_ptr()).codecpar;
        ((*parameters).width, (*parameters).height)
    };
    (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0))
}

fn is_video(stream: &ff::Stream<'_>) -> bool {
    stream.parameters().medium() == ff::media::Type::Video
}

/// A cover or a thumbnail is a video track to libav.
fn is_moving_picture(stream: &ff::Stream<'_>) -> bool {
    const STILL: i32 = ff::ffi::AV_DISPOSITION_ATTACHED_PIC | ff::ffi::AV_DISPOSITION_TIMED_THUMBNAILS;
    is_video(stream) && stream.disposition().bits() & STILL == 0
}

/// x264 derives the level and the rate control from the rate, so a time base taken for a rate would spoil both.
fn is_sane_rate(rate: ff::Rational) -> bool {
    let per_second = f64::from(rate);
    per_second.is_finite() && (1.0..=240.0).contains(&per_second)
}

/// The cells of the track's display matrix, if it has one.
pub(crate) fn display_matrix(stream: &ff::Stream<'_>) -> Option<[i32; 9]> {
    let data = stream.side_data().find(|data| data.kind() == ff::packet::side_data::Type::DisplayMatrix)?;
    matrix_cells(data.data())
}

/// The cells of a display matrix as libav keeps it: nine numbers in the machine's own order of bytes.
pub(crate) fn matrix_cells(bytes: &[u8]) -> Option<[i32; 9]> {
    let mut cells = [0; 9];
    for (cell, bytes) in cells.iter_mut().zip(bytes.get(..36)?.chunks_exact(4)) {
        *cell = i32::from_ne_bytes(bytes.try_into().ok()?);
    }
    Some(cells)
}

//! Decodes what came out, frame by frame or as a whole, as it is to be shown and by its brightness alone. Each frame has
//! the size that it was stored in.

use crate::{matrix, orientation::Orientation};
use bytes::Bytes;
use media::{Care, Decoder, Demuxer, Layout, Picture, Scaler, Source};
use std::path::Path;

/// A decoded frame, turned as it is to be shown.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When it is shown, in the track's time base and in seconds.
    pub pts: i64,
    pub seconds: f64,
    pub width: usize,
    pub height: usize,
    pub luma: Vec<u8>,
}

/// Packets of sound: time in the track's time base, bytes.
pub type Sound = Vec<(Option<i64>, Vec<u8>)>;

/// What is in a video.
pub struct Video {
    pub frames: Vec<Frame>,
    pub sound: Sound,
    /// Decoding times of the picture's packets.
    pub dts: Vec<i64>,
    pub codec: &'static str,
    /// How the file has its frames turned.
    pub orientation: Orientation,
    pub tracks: usize,
    /// Size of the last frame as stored.
    pub size: (u32, u32),
}

impl Video {
    /// Decodes a segment in full.
    pub fn of_segment(bytes: &[u8]) -> Self {
        Self::of(&Source::Segment(Bytes::copy_from_slice(bytes)))
    }

    /// Decodes a file in full.
    pub fn of_file(path: &Path) -> Self {
        Self::of(&Source::File(path))
    }

    fn of(source: &Source<'_>) -> Self {
        let mut frames = Frames::open(source);
        let decoded = frames.by_ref().collect();
        Self {
            frames: decoded,
            codec: frames.demuxer.codec(frames.track),
            orientation: frames.orientation,
            tracks: 1 + frames.demuxer.audio().len(),
            sound: frames.sound,
            dts: frames.dts,
            size: frames.size,
        }
    }
}

/// The frames of a video, one after another; what else was met on the way is noted.
pub struct Frames {
    demuxer: Demuxer,
    decoder: Decoder,
    track: usize,
    orientation: Orientation,
    /// Seconds of a unit of time.
    unit: f64,
    ended: bool,
    sound: Sound,
    dts: Vec<i64>,
    size: (u32, u32),
}

impl Frames {
    /// Of a file.
    pub fn of_file(path: &Path) -> Self {
        Self::open(&Source::File(path))
    }

    fn open(source: &Source<'_>) -> Self {
        let demuxer = Demuxer::open(source).expect("it opens");
        let track = demuxer.video().expect("it has video");
        let decoder = Decoder::open(&demuxer, 1, Care::Copying).expect("it can be decoded");
        let (sound, dts, size) = (Vec::new(), Vec::new(), (0, 0));
        let orientation = match source {
            Source::File(path) => matrix::orientation(path),
            Source::Segment(_) => Orientation::UPRIGHT,
        };
        let unit = f64::from(track.time_base);
        Self { demuxer, decoder, track: track.index, orientation, unit, ended: false, sound, dts, size }
    }

    fn feed(&mut self) {
        match self.demuxer.next().expect("every packet is sound") {
            None => {
                self.decoder.finish().expect("the last picture is sound");
                self.ended = true;
            }
            Some(packet) if packet.track() == self.track => {
                self.dts.extend(packet.dts());
                self.decoder.send(&packet).expect("every packet can be decoded");
            }
            Some(packet) if self.demuxer.audio().contains(&packet.track()) => {
                self.sound.push((packet.pts(), packet.data().to_vec()));
            }
            Some(_) => {}
        }
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(picture) = self.decoder.receive().expect("every picture is sound") {
                self.size = (picture.width(), picture.height());
                return Some(frame(&picture, self.orientation, self.unit));
            }
            if self.ended {
                return None;
            }
            self.feed();
        }
    }
}

fn frame(picture: &Picture, orientation: Orientation, unit: f64) -> Frame {
    let mut scaler = Scaler::new(Layout::Yuv444, picture.width(), picture.height());
    let picture = scaler.convert(picture).expect("its pixels can be read");
    let plane = picture.plane(0).expect("a plane");
    let stored: Vec<u8> = plane.data.chunks(plane.stride).flat_map(|row| &row[..plane.width]).copied().collect();
    let luma = orientation.plane(&stored, (plane.width, plane.height));
    let (width, height) = orientation.size((plane.width, plane.height));
    Frame { pts: picture.pts(), seconds: picture.pts() as f64 * unit, width, height, luma }
}

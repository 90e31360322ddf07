//! A small picture of a redacted segment, made from the very bytes that are published: so it can show nothing that the
//! replay does not show.

use crate::{
    Error,
    read::{Event, Reader},
};
use bytes::Bytes;
use media::{Layout, Orientation, Picture, Scaler, Source, StillFormat};

/// Width of a thumbnail, upright, in pixels; a narrower video is not enlarged.
const WIDTH: u32 = 480;
/// Standard deviation of brightness, of 255, from which a picture shows something: black with a camera's noise has
/// about 2, a street at night 10 and more.
const CONTENT_DEVIATION: f64 = 6.0;
/// One picture is decoded, as a rule: more threads would only decode ahead.
const THREADS: u32 = 1;
/// How errors call the input.
const WHAT: &str = "the redacted segment";

/// A small picture, as an image file without metadata.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The file.
    pub bytes: Vec<u8>,
    /// What kind of file it is.
    pub format: StillFormat,
    /// Pixels across, upright.
    pub width: u32,
    /// Rows, upright; even.
    pub height: u32,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Thumbnail({:?}, {}x{}, {} bytes)", self.format, self.width, self.height, self.bytes.len())
    }
}

/// The first picture of `published`, a redacted MPEG-TS segment, that is not black or of one colour; `None` if all are.
/// It is turned upright and at most 480 pixels wide.
///
/// # Errors
/// As [`crate::Engine::segment`] when a picture up to the one that is taken cannot be decoded in full.
pub fn thumbnail(published: &[u8]) -> Result<Option<Thumbnail>, Error> {
    let fail = |error| Error::media(WHAT, error);
    let source = Source::Segment(Bytes::copy_from_slice(published));
    let mut reader = Reader::open(&source, &[], THREADS).map_err(fail)?;
    let track = reader.track();
    let mut pictures = 0_u32;
    while let Some(event) = reader.next().map_err(fail)? {
        let Event::Picture(picture) = event else { continue };
        pictures += 1;
        let turn = track.orientation_of(&picture);
        let reduced = reduced(&picture, turn).map_err(fail)?;
        if deviation(&reduced) >= CONTENT_DEVIATION {
            return draw(&reduced, turn, picture.height()).map(Some).map_err(fail);
        }
    }
    if pictures == 0 { Err(Error::NoVideo { what: WHAT.to_owned() }) } else { Ok(None) }
}

/// The picture at a thumbnail's size, not yet turned.
fn reduced(picture: &Picture, turn: Orientation) -> Result<Picture, media::Error> {
    let (width, height) = turn.size(size(turn.size(picture.shown_size())));
    Scaler::new(Layout::Yuv420, width, height).convert(picture)
}

/// A thumbnail's width and height for an upright picture of this size; both even, as halved colour wants it.
fn size((width, height): (u32, u32)) -> (u32, u32) {
    let even = |length: f64| ((length / 2.0).round() as u32 * 2).max(2);
    let scale = f64::from(WIDTH.min(width)) / f64::from(width.max(1));
    let wide = WIDTH.min(width) & !1;
    (wide.max(2), even(f64::from(height) * scale))
}

/// Standard deviation of a picture's brightness, of 255.
fn deviation(picture: &Picture) -> f64 {
    let Some(luma) = picture.plane(0) else { return 0.0 };
    let rows = luma.data.chunks(luma.stride).take(luma.height);
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for sample in rows.flat_map(|row| &row[..luma.width]) {
        sum += u64::from(*sample);
        squares += u64::from(*sample).pow(2);
    }
    let count = (luma.width * luma.height) as f64;
    let mean = sum as f64 / count;
    (squares as f64 / count - mean * mean).max(0.0).sqrt()
}

/// The image file of a reduced picture. `source_height` says what its colours mean.
fn draw(reduced: &Picture, turn: Orientation, source_height: u32) -> Result<Thumbnail, media::Error> {
    let format = StillFormat::best();
    let bytes;
    let (width, height) = if turn.is_upright() {
        bytes = reduced.still(format, source_height)?;
        (reduced.width(), reduced.height())
    } else {
        let upright = reduced.upright(turn)?;
        bytes = upright.still(format, source_height)?;
        (upright.width(), upright.height())
    };
    Ok(Thumbnail { bytes, format, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    /// A picture that lies on its side: its upper half is white.
    fn lying() -> Picture {
        let mut picture = Picture::blank(Layout::Yuv420, false, 96, 64).expect("a picture");
        let [luma, blue, red] = picture.planes_mut().expect("planes");
        for (y, row) in luma.data.chunks_mut(luma.stride).enumerate() {
            row.fill(if y < 32 { 235 } else { 16 });
        }
        blue.data.fill(128);
        red.data.fill(128);
        picture
    }

    fn brightness(image: &[u8]) -> Vec<u8> {
        let mut command = Command::new("ffmpeg")
            .args(["-v", "error", "-i", "pipe:0", "-vf", "extractplanes=y", "-f", "rawvideo", "pipe:1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the ffmpeg command is installed");
        command.stdin.take().expect("its input").write_all(image).expect("it reads");
        command.wait_with_output().expect("it ends").stdout
    }

    #[test]
    fn a_picture_that_lies_is_turned_upright() {
        let quarter = Orientation { rotation: media::Rotation::Quarter, mirrored: false };
        let drawn = draw(&lying(), quarter, 64).expect("drawn");
        assert_eq!((drawn.width, drawn.height), (64, 96));
        let pixels = brightness(&drawn.bytes);
        assert_eq!(pixels.len(), 64 * 96);
        // Clockwise, what was above is to the right.
        assert!(pixels.chunks(64).all(|row| row[8] < 40 && row[56] > 215), "{:?}", &pixels[..64]);
        let reduced = reduced(&lying(), quarter).expect("reduced");
        assert_eq!((reduced.width(), reduced.height()), (96, 64), "its size is chosen for it upright");
    }

    #[test]
    fn a_thumbnail_is_480_wide_at_most_and_even() {
        for (video, expected) in [
            ((1920, 1080), (480, 270)),
            ((1080, 1920), (480, 854)),
            ((640, 360), (480, 270)),
            ((479, 361), (478, 362)),
            ((1, 1), (2, 2)),
            ((4000, 3), (480, 2)),
        ] {
            assert_eq!(size(video), expected, "of {video:?}");
        }
    }
}

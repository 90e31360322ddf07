//! The reduced, upright picture that faces are looked for in and followed on.
//!
//! It is the only thing kept of a frame, and only for about a second: brightness at four sizes for following, colour
//! for the detector.

use crate::detector::{self, Rgb};
use media::{Layout, Orientation, Picture, Scaler};
use std::ops::Range;

/// Sides of the detector's picture are multiples of this many pixels.
const GRID: u32 = detector::GRID as u32;
/// Sizes that brightness is kept at, each half of the one before.
pub(crate) const LEVELS: usize = 4;

/// Brightness at one size.
pub(crate) struct Level {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The samples, row by row.
    pub data: Vec<u8>,
}

/// A reduced, upright picture.
pub(crate) struct Small {
    /// Brightness, largest first.
    pub levels: [Level; LEVELS],
    /// Colour at half the width and height: blue, then red.
    pub colour: [Vec<u8>; 2],
    /// Whether black is 0 and white 255.
    pub full_range: bool,
}

impl Small {
    /// Pixels across.
    pub fn width(&self) -> usize {
        self.levels[0].width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.levels[0].height
    }

    /// So many `rows` of the picture as detectors take them.
    pub fn rgb(&self, rows: Range<usize>) -> Rgb {
        let (width, height) = (self.width(), rows.len());
        let mut rgb = Rgb { width, height, data: vec![0.0; 3 * width * height] };
        let (red, rest) = rgb.data.split_at_mut(width * height);
        let (green, blue) = rest.split_at_mut(width * height);
        let tone = Tone::new(self.full_range);
        let half = width.div_ceil(2);
        for (y, luma) in self.levels[0].data.chunks_exact(width).enumerate().take(rows.end).skip(rows.start) {
            let row = (y - rows.start) * width;
            let chroma = (y / 2) * half;
            for (x, luma) in luma.iter().enumerate() {
                let at = row + x;
                let (cb, cr) = (self.colour[0][chroma + x / 2], self.colour[1][chroma + x / 2]);
                (red[at], green[at], blue[at]) = tone.rgb(f32::from(*luma), f32::from(cb), f32::from(cr));
            }
        }
        rgb
    }
}

/// Turns brightness and colour into red, green and blue (BT.601, which is near enough for a detector whatever the
/// video's matrix is).
#[derive(Clone, Copy)]
pub(crate) struct Tone {
    offset: f32,
    gain: f32,
    chroma_gain: f32,
}

impl Tone {
    /// For samples of the full range 0 to 255, or of the usual 16 to 235.
    pub fn new(full_range: bool) -> Self {
        let (offset, gain, chroma_gain) =
            if full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        Self { offset, gain, chroma_gain }
    }

    /// Red, green and blue, 0 to 255.
    pub fn rgb(self, luma: f32, cb: f32, cr: f32) -> (f32, f32, f32) {
        let luma = (luma - self.offset) * self.gain;
        let (cb, cr) = ((cb - 128.0) * self.chroma_gain, (cr - 128.0) * self.chroma_gain);
        let red = (luma + 1.402 * cr).clamp(0.0, 255.0);
        let green = (luma - 0.344 * cb - 0.714 * cr).clamp(0.0, 255.0);
        (red, green, (luma + 1.772 * cb).clamp(0.0, 255.0))
    }
}

/// Makes reduced frames. They are all of one size as long as the frames only change their resolution; a frame of another
/// shape is reduced to a size of its own, never bent into the old one.
pub(crate) struct Shrinker {
    side: u32,
    size: Option<Size>,
    scaler: Option<(Scaler, (u32, u32))>,
}

/// A size of reduced frames.
#[derive(Clone, Copy)]
struct Size {
    /// Width and height of the upright reduced frame.
    reduced: (u32, u32),
    /// Width over height of the frames that it was chosen for.
    aspect: f32,
}

/// Largest ratio of two aspects that are the same one, rounded: 426x240 and 1280x720 differ by a thousandth.
const SAME_ASPECT: f32 = 1.02;

impl Size {
    fn of(upright: (u32, u32), side: u32) -> Self {
        Self { reduced: reduced(upright, side), aspect: upright.0 as f32 / upright.1.max(1) as f32 }
    }

    /// Whether frames for which `other` was chosen can be reduced to this size.
    fn suits(&self, other: &Self) -> bool {
        let ratio = self.aspect / other.aspect;
        ratio < SAME_ASPECT && ratio > SAME_ASPECT.recip()
    }
}

impl Shrinker {
    /// Reduces to `side` pixels on the longest side. `target` is the upright size of the frames that are to be blurred;
    /// where a side of it is 0, the first frame says it.
    pub fn new(side: u32, target: (u32, u32)) -> Self {
        let known = Some(target).filter(|(width, height)| *width > 0 && *height > 0);
        Self { side, size: known.map(|upright| Size::of(upright, side)), scaler: None }
    }

    /// `picture`, brought upright by `orientation` and reduced. A frame of the target (`in_target`) that has more
    /// detail than those before is reduced less than they were; context is reduced as the target is.
    pub fn shrink(
        &mut self,
        picture: &Picture,
        orientation: Orientation,
        in_target: bool,
    ) -> Result<Small, media::Error> {
        let natural = Size::of(orientation.size((picture.width(), picture.height())), self.side);
        let holds =
            |size: &Size| !in_target || size.reduced.0.max(size.reduced.1) >= natural.reduced.0.max(natural.reduced.1);
        let size = self.size.filter(|size| size.suits(&natural) && holds(size)).unwrap_or(natural);
        self.size = Some(size);
        let (width, height) = orientation.size(size.reduced);
        if self.scaler.as_ref().is_none_or(|(_, made)| *made != (width, height)) {
            self.scaler = Some((Scaler::new(Layout::Yuv420, width, height), (width, height)));
        }
        let Some((scaler, _)) = &mut self.scaler else { return Err(media::Error::NoVideo) };
        let small = scaler.convert(picture)?;
        if orientation.is_upright() { pack(&small) } else { pack(&small.upright(orientation)?) }
    }
}

/// The size that a picture of `size` is looked at in: its longest side at most `side`, both sides on the detector's
/// grid, which bends the picture by a few percent at most.
fn reduced((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let scale = f64::from(side) / f64::from(width.max(height).max(side));
    let on_grid = |length: u32| {
        let cells = (f64::from(length) * scale / f64::from(GRID)).round();
        (cells as u32).max(1) * GRID
    };
    (on_grid(width), on_grid(height))
}

fn pack(small: &Picture) -> Result<Small, media::Error> {
    let plane = |index| -> Result<Level, media::Error> {
        let plane =
            small.plane(index).ok_or_else(|| media::Error::Unsupported("a picture without planes".to_owned()))?;
        let mut data = Vec::with_capacity(plane.width * plane.height);
        for row in plane.data.chunks(plane.stride) {
            data.extend_from_slice(&row[..plane.width]);
        }
        Ok(Level { width: plane.width, height: plane.height, data })
    };
    let whole = plane(0)?;
    let half = halved(&whole);
    let quarter = halved(&half);
    let eighth = halved(&quarter);
    let colour = [plane(1)?.data, plane(2)?.data];
    Ok(Small { levels: [whole, half, quarter, eighth], colour, full_range: small.is_full_range() })
}

/// Every sample the mean of four; sides are multiples of 32, so nothing is left over.
fn halved(level: &Level) -> Level {
    let (width, height) = (level.width / 2, level.height / 2);
    let mut data = Vec::with_capacity(width * height);
    for rows in level.data.chunks_exact(2 * level.width).take(height) {
        let (above, below) = rows.split_at(level.width);
        data.extend(above.chunks_exact(2).zip(below.chunks_exact(2)).map(|(a, b)| {
            let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
            ((sum + 2) / 4) as u8
        }));
    }
    Level { width, height, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_size_is_reduced_to_the_grid() {
        assert_eq!(reduced((1280, 720), 640), (640, 352));
        assert_eq!(reduced((720, 1280), 640), (352, 640));
        assert_eq!(reduced((1920, 1080), 640), (640, 352));
        assert_eq!(reduced((321, 241), 640), (320, 256));
        assert_eq!(reduced((3, 7), 640), (32, 32));
        assert_eq!(reduced((8192, 16), 640), (640, 32));
    }
}

//! The reduced, upright picture that faces are looked for in and followed on.
//!
//! It is the only thing kept of a frame, and only for about a second: brightness at four sizes for following, colour
//! for the detector.

use media::{Layout, Picture, Rotation, Scaler};

/// Sides of the detector's picture are multiples of this many pixels.
const GRID: u32 = 32;
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

    /// Writes red, green and blue, 0 to 255, plane after plane, as the detector takes them (BT.601, which is near
    /// enough for a detector whatever the video's matrix is).
    pub fn write_rgb(&self, target: &mut [f32]) {
        let (width, height) = (self.width(), self.height());
        let (red, rest) = target.split_at_mut(width * height);
        let (green, blue) = rest.split_at_mut(width * height);
        let (offset, gain, chroma_gain) =
            if self.full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        let half = width.div_ceil(2);
        for y in 0..height {
            for x in 0..width {
                let at = y * width + x;
                let luma = (f32::from(self.levels[0].data[at]) - offset) * gain;
                let [cb, cr] = &self.colour;
                let chroma = (y / 2) * half + x / 2;
                let centred = |plane: &[u8]| (f32::from(plane[chroma]) - 128.0) * chroma_gain;
                let (cb, cr) = (centred(cb), centred(cr));
                red[at] = (luma + 1.402 * cr).clamp(0.0, 255.0);
                green[at] = (luma - 0.344 * cb - 0.714 * cr).clamp(0.0, 255.0);
                blue[at] = (luma + 1.772 * cb).clamp(0.0, 255.0);
            }
        }
    }
}

/// Makes reduced pictures, all of the size that suits the first one.
pub(crate) struct Shrinker {
    side: u32,
    rotation: Rotation,
    scaler: Option<Scaler>,
}

impl Shrinker {
    /// Reduces to `side` pixels on the longest side and turns by `rotation`.
    pub fn new(side: u32, rotation: Rotation) -> Self {
        Self { side, rotation, scaler: None }
    }

    /// `picture`, reduced and turned upright.
    pub fn shrink(&mut self, picture: &Picture) -> Result<Small, media::Error> {
        let side = self.side;
        let scaler = self.scaler.get_or_insert_with(|| {
            let (width, height) = reduced((picture.width(), picture.height()), side);
            Scaler::new(Layout::Yuv420, width, height)
        });
        let mut small = scaler.convert(picture)?;
        if self.rotation != Rotation::None {
            small = small.turned(self.rotation)?;
        }
        pack(&small)
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
        let rows = plane.data.chunks(plane.stride).flat_map(|row| &row[..plane.width]);
        Ok(Level { width: plane.width, height: plane.height, data: rows.copied().collect() })
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

//! The upright picture at a higher resolution, for looking at parts of it closely; made only when a part is.

use media::{Layout, Picture, Rotation, Scaler};

/// Makes detailed pictures.
pub(crate) struct Detailer {
    side: u32,
    rotation: Rotation,
    scaler: Option<(Scaler, (u32, u32))>,
}

impl Detailer {
    /// Keeps up to `side` pixels on the longest side and turns by `rotation`.
    pub fn new(side: u32, rotation: Rotation) -> Self {
        Self { side, rotation, scaler: None }
    }

    /// Size, before turning, that a picture of `size` keeps.
    pub fn size(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let longest = width.max(height).max(1);
        if longest <= self.side {
            return (width, height);
        }
        let scale = f64::from(self.side) / f64::from(longest);
        let even = |length: u32| ((f64::from(length) * scale / 2.0).round() as u32).max(1) * 2;
        (even(width), even(height))
    }

    /// `picture` in detail; `None` when it is that already.
    pub fn detail(&mut self, picture: &Picture) -> Result<Option<Picture>, media::Error> {
        let size = (picture.width(), picture.height());
        let target = self.size(size);
        let fits = target == size && picture.layout() == Layout::Yuv420;
        if fits && self.rotation == Rotation::None {
            return Ok(None);
        }
        if self.scaler.as_ref().is_none_or(|(_, made)| *made != target) {
            self.scaler = Some((Scaler::new(Layout::Yuv420, target.0, target.1), target));
        }
        let scaled = match &mut self.scaler {
            Some((scaler, _)) if !fits => Some(scaler.convert(picture)?),
            _ => None,
        };
        if self.rotation == Rotation::None {
            return Ok(scaled);
        }
        scaled.as_ref().unwrap_or(picture).turned(self.rotation).map(Some)
    }
}

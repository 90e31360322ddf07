//! The upright frame at a higher resolution, for looking at parts of it closely; made only when a part is.

use media::{Layout, Orientation, Picture, Scaler};

/// Makes detailed frames.
pub(crate) struct Detailer {
    side: u32,
    scaler: Option<(Scaler, (u32, u32))>,
    /// The last frame in detail, for as long as it is the last.
    made: Option<Picture>,
}

impl Detailer {
    /// Keeps up to `side` pixels on the longest side.
    pub fn new(side: u32) -> Self {
        Self { side, scaler: None, made: None }
    }

    /// Size, as it is stored, that a frame of `size` keeps.
    pub fn size(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let longest = width.max(height).max(1);
        if longest <= self.side {
            return (width, height);
        }
        let scale = f64::from(self.side) / f64::from(longest);
        let even = |length: u32| ((f64::from(length) * scale / 2.0).round() as u32).max(1) * 2;
        (even(width), even(height))
    }

    /// Another frame follows.
    pub fn begin(&mut self) {
        self.made = None;
    }

    /// The frame `picture` in detail, brought upright by `orientation`.
    pub fn detail<'a>(
        &'a mut self,
        picture: &'a Picture,
        orientation: Orientation,
    ) -> Result<&'a Picture, media::Error> {
        if self.made.is_none() {
            self.made = self.make(picture, orientation)?;
        }
        Ok(self.made.as_ref().unwrap_or(picture))
    }

    /// `picture` in detail; `None` when it is that already.
    fn make(&mut self, picture: &Picture, orientation: Orientation) -> Result<Option<Picture>, media::Error> {
        let size = (picture.width(), picture.height());
        let target = self.size(size);
        let fits = target == size && picture.layout() == Layout::Yuv420;
        if fits && orientation.is_upright() {
            return Ok(None);
        }
        if self.scaler.as_ref().is_none_or(|(_, made)| *made != target) {
            self.scaler = Some((Scaler::new(Layout::Yuv420, target.0, target.1), target));
        }
        let scaled = match &mut self.scaler {
            Some((scaler, _)) if !fits => Some(scaler.convert(picture)?),
            _ => None,
        };
        if orientation.is_upright() {
            return Ok(scaled);
        }
        scaled.as_ref().unwrap_or(picture).upright(orientation).map(Some)
    }
}

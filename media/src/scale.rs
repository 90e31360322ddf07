//! Converts a picture to another size and layout with swscale, remaking the converter when the input changes.

use crate::{Error, Layout, Picture, picture::pixel};
use ffmpeg_next::software::scaling::{Context, Flags};

/// A converter to one size and layout.
pub struct Scaler {
    layout: Layout,
    width: u32,
    height: u32,
    context: Option<Context>,
}

impl Scaler {
    /// A converter to pictures of `width` by `height` in `layout`.
    pub fn new(layout: Layout, width: u32, height: u32) -> Self {
        Self { layout, width, height, context: None }
    }

    /// `picture`, converted; its times and colour description are kept.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when its format cannot be converted.
    pub fn convert(&mut self, picture: &Picture) -> Result<Picture, Error> {
        let source = &picture.frame;
        let unsupported = |error| Error::Unsupported(format!("pixels of format {:?}: {error}", source.format()));
        let mut scaled = Picture::blank(self.layout, picture.is_full_range(), self.width, self.height)?;
        let target = pixel(self.layout, picture.is_full_range()).unwrap_or(scaled.frame.format());
        let fits = self.context.as_ref().is_some_and(|context| {
            let (input, output) = (context.input(), context.output());
            (input.format, input.width, input.height) == (source.format(), source.width(), source.height())
                && output.format == target
        });
        if !fits {
            let (width, height) = (source.width(), source.height());
            let flags = Flags::AREA;
            let context = Context::get(source.format(), width, height, target, self.width, self.height, flags);
            self.context = Some(context.map_err(unsupported)?);
        }
        if let Some(context) = &mut self.context {
            context.run(source, &mut scaled.frame).map_err(unsupported)?;
        }
        scaled.describe_like(picture);
        Ok(scaled)
    }
}

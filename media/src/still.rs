//! Encodes one picture as a still image, with nothing in the file but its samples.
//!
//! Image formats know one way to write colour: it is turned into that one here, since a viewer of an image, unlike one
//! of a video, is never told another.
#![expect(unsafe_code, reason = "colour matrices of swscale that the wrapper does not give")]

use crate::{Error, Picture, ready};
use ffmpeg_next as ff;
use ffmpeg_next::{
    color::Space,
    format::Pixel,
    software::scaling::{Context, Flags},
};

/// WebP's quality, 0 to 100: at 480 pixels a thumbnail is some 20 kB, and no blocks are seen.
const WEBP_QUALITY: &str = "75";
/// How much time libwebp takes to make it smaller, 0 to 6; more than 4 gains next to nothing.
const WEBP_EFFORT: &str = "4";
/// MJPEG's quantiser, 2 (best) to 31: about what WebP looks like at its quality.
const JPEG_QUANTISER: &str = "4";
/// From this height on video without a word about its colours is taken for high definition (ITU-R BT.709), as players do.
const HD_HEIGHT: u32 = 720;

/// An image format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillFormat {
    /// WebP by libwebp.
    WebP,
    /// Baseline JPEG, by libav itself.
    Jpeg,
}

impl StillFormat {
    /// WebP if this libav has an encoder of it, else JPEG, which every libav has.
    pub fn best() -> Self {
        // An error of `ready` comes back from the encoding.
        let has_webp = ready().is_ok() && ff::encoder::find_by_name(Self::WebP.encoder()).is_some();
        if has_webp { Self::WebP } else { Self::Jpeg }
    }

    fn encoder(self) -> &'static str {
        match self {
            Self::WebP => "libwebp",
            Self::Jpeg => "mjpeg",
        }
    }

    fn pixel(self) -> Pixel {
        match self {
            Self::WebP => Pixel::BGRA,
            Self::Jpeg => Pixel::YUVJ420P,
        }
    }
}

impl Picture {
    /// Width and height in square samples, as a player shows it; before it is turned.
    pub fn shown_size(&self) -> (u32, u32) {
        let aspect = f64::from(self.frame.aspect_ratio());
        let aspect = if aspect.is_finite() && aspect > 0.0 { aspect } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to what a width can be")]
        let width = (f64::from(self.width()) * aspect).round().clamp(1.0, f64::from(u16::MAX)) as u32;
        (width, self.height())
    }

    /// This picture as an image file. `source_height` is the height of the video it comes from, which says what its
    /// colours mean where the video does not.
    ///
    /// # Errors
    /// [`Error::Encode`] when libav has no such encoder or it fails, [`Error::Unsupported`] when its colours cannot be
    /// converted.
    pub fn still(&self, format: StillFormat, source_height: u32) -> Result<Vec<u8>, Error> {
        ready()?;
        let name = format.encoder();
        let failed = |error: ff::Error| Error::Encode(format!("{name}: {error}"));
        let codec = ff::encoder::find_by_name(name).ok_or_else(|| Error::Encode(format!("no encoder {name}")))?;
        let mut frame = self.recoloured(format.pixel(), source_height)?;
        frame.set_pts(Some(0));
        let mut video = ff::codec::Context::new_with_codec(codec).encoder().video().map_err(failed)?;
        video.set_width(frame.width());
        video.set_height(frame.height());
        video.set_format(frame.format());
        video.set_time_base(ff::Rational(1, 1));
        // Without it MJPEG writes libav's version into the file.
        video.set_flags(ff::codec::Flags::BITEXACT);
        let mut options = ff::Dictionary::new();
        match format {
            StillFormat::WebP => {
                options.set("quality", WEBP_QUALITY);
                options.set("compression_level", WEBP_EFFORT);
            }
            StillFormat::Jpeg => {
                video.set_color_range(ff::color::Range::JPEG);
                options.set("qmin", JPEG_QUANTISER);
                options.set("qmax", JPEG_QUANTISER);
            }
        }
        let mut encoder = video.open_as_with(codec, options).map_err(failed)?;
        encoder.send_frame(&frame).map_err(failed)?;
        encoder.send_eof().map_err(failed)?;
        let mut packet = ff::Packet::empty();
        encoder.receive_packet(&mut packet).map_err(failed)?;
        let bytes = packet.data().filter(|bytes| !bytes.is_empty());
        bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::Encode(format!("{name}: nothing was written")))
    }

    /// The samples as `target`, with the colours that image formats mean: ITU-R BT.601, black 0, white 255.
    fn recoloured(&self, target: Pixel, source_height: u32) -> Result<ff::frame::Video, Error> {
        let source = &self.frame;
        let unsupported = |error| Error::Unsupported(format!("pixels of format {:?}: {error}", source.format()));
        let (width, height) = (source.width(), source.height());
        let flags = Flags::BILINEAR | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT;
        let mut context =
            Context::get(source.format(), width, height, target, width, height, flags).map_err(unsupported)?;
        let matrix = match source.color_space() {
            Space::BT709 => ff::ffi::SWS_CS_ITU709,
            Space::BT2020NCL | Space::BT2020CL => ff::ffi::SWS_CS_BT2020,
            Space::Unspecified if source_height >= HD_HEIGHT => ff::ffi::SWS_CS_ITU709,
            _ => ff::ffi::SWS_CS_ITU601,
        };
        let full = self.is_full_range() || source.color_range() == ff::color::Range::JPEG;
        // SAFETY: the context is open, and the tables are static data of libav.
        unsafe {
            let (from, to) = (ff::ffi::sws_getCoefficients(matrix), ff::ffi::sws_getCoefficients(SRGB_MATRIX));
            ff::ffi::sws_setColorspaceDetails(context.as_mut_ptr(), from, i32::from(full), to, 1, 0, UNITY, UNITY);
        }
        let mut recoloured = ff::frame::Video::empty();
        context.run(source, &mut recoloured).map_err(unsupported)?;
        Ok(recoloured)
    }
}

/// The matrix that image formats use.
const SRGB_MATRIX: i32 = ff::ffi::SWS_CS_ITU601;
/// Contrast and saturation as they are, in swscale's sixteen bits behind the point.
const UNITY: i32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;

    /// Grey from left to right, in video's range.
    fn ramp() -> Picture {
        let mut picture = Picture::blank(Layout::Yuv420, false, 64, 32).expect("a small picture");
        let [luma, blue, red] = picture.planes_mut().expect("planes");
        for row in luma.data.chunks_mut(luma.stride) {
            for (x, sample) in row.iter_mut().take(luma.width).enumerate() {
                *sample = u8::try_from(16 + x * 219 / 63).expect("16 to 235");
            }
        }
        blue.data.fill(128);
        red.data.fill(128);
        picture
    }

    #[test]
    fn both_formats_are_what_they_say_and_say_nothing_else() {
        assert_eq!(StillFormat::best(), StillFormat::WebP, "Debian's libav has libwebp");
        let webp = ramp().still(StillFormat::WebP, 32).expect("WebP");
        assert_eq!((&webp[..4], &webp[8..16]), (&b"RIFF"[..], &b"WEBPVP8 "[..]), "one chunk of samples, no metadata");
        let jpeg = ramp().still(StillFormat::Jpeg, 32).expect("JPEG");
        assert_eq!((&jpeg[..2], &jpeg[jpeg.len() - 2..]), (&[0xff, 0xd8][..], &[0xff, 0xd9][..]));
        assert!(!jpeg.windows(4).any(|word| word == b"Lavc" || word == b"Exif"), "no metadata");
    }
}

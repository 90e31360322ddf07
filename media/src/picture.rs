//! A decoded picture and its planes.
//!
//! A plane is only given out where its layout is known and its rows run downwards, so that code outside this crate can
//! index it without knowing libav.
#![expect(unsafe_code, reason = "planes of libav's frames as slices")]

use crate::{Error, Orientation, demux::matrix_cells};
use ffmpeg_next as ff;
use ffmpeg_next::format::Pixel;

/// How the samples of a picture lie, eight bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Three planes, colour at half the width and height.
    Yuv420,
    /// Three planes of the same size.
    Yuv444,
    /// Anything else; [`crate::Scaler`] turns it into one of the above.
    Other,
}

/// A plane to read: rows of `stride` bytes, of which the first `width` are samples.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The samples.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A plane to write, as [`Plane`].
pub struct PlaneMut<'a> {
    /// The samples.
    pub data: &'a mut [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A decoded picture with the times of its packet.
pub struct Picture {
    pub(crate) frame: ff::frame::Video,
    pub(crate) pts: i64,
    pub(crate) duration: i64,
    pub(crate) key: bool,
    pub(crate) number: u64,
}

impl Picture {
    /// A picture without content.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when `layout` is [`Layout::Other`] or a side is 0.
    pub fn blank(layout: Layout, full_range: bool, width: u32, height: u32) -> Result<Self, Error> {
        let format = pixel(layout, full_range).filter(|_| width > 0 && height > 0);
        let format = format.ok_or_else(|| Error::Unsupported(format!("a picture of {width}x{height}")))?;
        let frame = ff::frame::Video::new(format, width, height);
        Ok(Self { frame, pts: 0, duration: 0, key: false, number: 0 })
    }

    /// Samples across.
    pub fn width(&self) -> u32 {
        self.frame.width()
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.frame.height()
    }

    /// When it is shown, in the time base of its track.
    pub fn pts(&self) -> i64 {
        self.pts
    }

    /// How long it is shown, in the time base of its track; 0 when unknown.
    pub fn duration(&self) -> i64 {
        self.duration
    }

    /// Whether it was coded without reference to another.
    pub fn is_key(&self) -> bool {
        self.key
    }

    /// The how manieth packet given to the decoder it came from, counted from 1; 0 for a picture that was not decoded.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Shows it at `pts`, in the time base of its track.
    pub fn set_pts(&mut self, pts: i64) {
        self.pts = pts;
    }

    /// What brings this frame upright if the stream itself says so (H.264 and HEVC: a display orientation message,
    /// ITU-T H.264, D.1.27); `None` if it does not, and the container's word holds.
    pub fn orientation(&self) -> Option<Orientation> {
        let data = self.frame.side_data(ff::frame::side_data::Type::DisplayMatrix)?;
        matrix_cells(data.data()).and_then(Orientation::of_matrix)
    }

    /// Takes away what the stream says about its orientation: it was followed.
    pub(crate) fn forget_orientation(&mut self) {
        self.frame.remove_side_data(ff::frame::side_data::Type::DisplayMatrix);
    }

    /// How its samples lie.
    pub fn layout(&self) -> Layout {
        match self.frame.format() {
            Pixel::YUV420P | Pixel::YUVJ420P => Layout::Yuv420,
            Pixel::YUV444P | Pixel::YUVJ444P => Layout::Yuv444,
            _ => Layout::Other,
        }
    }

    /// Whether black is 0 and white 255, and not 16 and 235.
    pub fn is_full_range(&self) -> bool {
        matches!(
            self.frame.format(),
            Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P | Pixel::YUVJ411P
        )
    }

    /// Whether its samples are red, green and blue rather than brightness and colour.
    pub(crate) fn is_rgb(&self) -> bool {
        // SAFETY: the descriptor is static data of libav or null.
        unsafe {
            let descriptor = ff::ffi::av_pix_fmt_desc_get(self.frame.format().into());
            !descriptor.is_null() && (*descriptor).flags & u64::from(ff::ffi::AV_PIX_FMT_FLAG_RGB.unsigned_abs()) != 0
        }
    }

    /// Takes over times, key flag and colour description of `other`, which this picture was made from.
    pub fn describe_like(&mut self, other: &Self) {
        (self.pts, self.duration, self.key, self.number) = (other.pts, other.duration, other.key, other.number);
        // SAFETY: both frames are valid; only side data, times and colour fields are copied.
        unsafe { ff::ffi::av_frame_copy_props(self.frame.as_mut_ptr(), other.frame.as_ptr()) };
        if other.is_rgb() {
            self.frame.set_color_space(ff::color::Space::SMPTE170M);
            self.frame.set_color_range(ff::color::Range::MPEG);
        }
    }

    /// Exchanges width and height of a sample.
    pub(crate) fn swap_aspect(&mut self) {
        // SAFETY: the frame is valid; the ratio is two plain numbers.
        unsafe {
            let ratio = &mut (*self.frame.as_mut_ptr()).sample_aspect_ratio;
            if ratio.num > 0 {
                std::mem::swap(&mut ratio.num, &mut ratio.den);
            }
        }
    }

    /// Plane 0 (brightness), 1 or 2 (colour); `None` when the layout is [`Layout::Other`].
    pub fn plane(&self, index: usize) -> Option<Plane<'_>> {
        let (width, height, stride) = self.shape(index)?;
        // SAFETY: `shape` has checked that the plane exists, runs downwards and is at least `width` wide; libav
        // allocates `stride` bytes for every row but may end the last one at `width`.
        let data =
            unsafe { std::slice::from_raw_parts((*self.frame.as_ptr()).data[index], stride * (height - 1) + width) };
        Some(Plane { data, stride, width, height })
    }

    /// All three planes to write; the samples are copied first if the decoder still refers to them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the layout is [`Layout::Other`] or there is no memory.
    pub fn planes_mut(&mut self) -> Result<[PlaneMut<'_>; 3], Error> {
        // SAFETY: the frame is valid; the call gives it buffers of its own.
        let code = unsafe { ff::ffi::av_frame_make_writable(self.frame.as_mut_ptr()) };
        let shapes = [self.shape(0), self.shape(1), self.shape(2)];
        let [Some(luma), Some(blue), Some(red)] = shapes else {
            return Err(Error::Unsupported("planes of an unknown layout".to_owned()));
        };
        if code < 0 {
            return Err(Error::Unsupported(format!("no memory for a picture: {}", ff::Error::from(code))));
        }
        // SAFETY: the frame lives as long as the planes borrow it.
        let frame = unsafe { self.frame.as_mut_ptr() };
        // SAFETY: as in `plane`; the buffers are this frame's own after `av_frame_make_writable`, and its planes do
        // not overlap.
        let slice = |index: usize, (width, height, stride): (usize, usize, usize)| unsafe {
            let data = std::slice::from_raw_parts_mut((*frame).data[index], stride * (height - 1) + width);
            PlaneMut { data, stride, width, height }
        };
        Ok([slice(0, luma), slice(1, blue), slice(2, red)])
    }

    /// Width, height and stride of a plane that can be given out as a slice.
    fn shape(&self, index: usize) -> Option<(usize, usize, usize)> {
        let (width, height) = (self.frame.width() as usize, self.frame.height() as usize);
        let (width, height) = match (index, self.layout()) {
            (0, Layout::Yuv420 | Layout::Yuv444) | (1 | 2, Layout::Yuv444) => (width, height),
            (1 | 2, Layout::Yuv420) => (width.div_ceil(2), height.div_ceil(2)),
            _ => return None,
        };
        // SAFETY: the frame is valid and `index` is at most 2.
        let (data, stride) = unsafe {
            let frame = self.frame.as_ptr();
            ((*frame).data[index], (*frame).linesize[index])
        };
        let stride = usize::try_from(stride).ok().filter(|stride| *stride >= width)?;
        (!data.is_null() && width > 0 && height > 0).then_some((width, height, stride))
    }
}

/// libav's name for a layout.
pub(crate) fn pixel(layout: Layout, full_range: bool) -> Option<Pixel> {
    Some(match (layout, full_range) {
        (Layout::Yuv420, false) => Pixel::YUV420P,
        (Layout::Yuv420, true) => Pixel::YUVJ420P,
        (Layout::Yuv444, false) => Pixel::YUV444P,
        (Layout::Yuv444, true) => Pixel::YUVJ444P,
        (Layout::Other, _) => return None,
    })
}

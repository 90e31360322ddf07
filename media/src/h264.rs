//! What an H.264 access unit says of its picture, without decoding it.
//!
//! libav's parser reads the parameter sets: it is used to hostile ones.
#![expect(unsafe_code, reason = "ffmpeg-next has no wrapper for parsers")]

use crate::{Error, ready};
use ff::ffi;
use ffmpeg_next as ff;
use std::ptr;

/// The size of the picture in an access unit with start codes and parameter sets, in pixels, as it is shown.
///
/// # Errors
/// [`Error::Corrupt`] when it has no parameter sets that can be read.
pub fn picture_size(unit: &[u8]) -> Result<(u32, u32), Error> {
    ready()?;
    let length = i32::try_from(unit.len()).map_err(|_| Error::Corrupt("an access unit is too large".to_owned()))?;
    let mut padded = Vec::with_capacity(unit.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize);
    padded.extend_from_slice(unit);
    padded.resize(unit.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize, 0);
    let context = ff::codec::Context::new();
    // SAFETY: the parser is made and closed here; it reads `padded`, which is as long as said and padded as libav asks,
    // and what it gives back points into that or into its own memory and is not used.
    let size = unsafe {
        let parser = ffi::av_parser_init(ffi::AVCodecID::AV_CODEC_ID_H264 as i32);
        if parser.is_null() {
            return Err(Error::Unsupported("libav has no parser of H.264".to_owned()));
        }
        (*parser).flags |= ffi::PARSER_FLAG_COMPLETE_FRAMES;
        let (mut out, mut out_length) = (ptr::null_mut(), 0);
        ffi::av_parser_parse2(
            parser,
            context.as_ptr().cast_mut(),
            &raw mut out,
            &raw mut out_length,
            padded.as_ptr(),
            length,
            ffi::AV_NOPTS_VALUE,
            ffi::AV_NOPTS_VALUE,
            0,
        );
        let size = ((*parser).width, (*parser).height);
        ffi::av_parser_close(parser);
        size
    };
    match (u32::try_from(size.0), u32::try_from(size.1)) {
        (Ok(width), Ok(height)) if width > 0 && height > 0 => Ok((width, height)),
        _ => Err(Error::Corrupt("no parameter sets that can be read".to_owned())),
    }
}

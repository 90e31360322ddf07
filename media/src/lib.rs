//! libav in one place: open, decode, convert, encode, mux and cut, behind calls that are safe and say what went wrong.
//!
//! Every `unsafe` line of the project's video handling is in this crate. Inputs are hostile: only containers on a list
//! are opened, no container may make libav open another file or address, and damage is reported, never concealed.

pub mod cut;

mod container;
mod decode;
mod demux;
mod encode;
mod error;
mod group;
mod h264;
mod mux;
mod opus;
mod orientation;
mod packet;
mod picture;
mod scale;
mod still;
mod strip;
mod turn;

pub use container::Container;
pub use decode::{Care, Decoder};
pub use demux::{Demuxer, Source, Track};
pub use encode::{Codec, Encoder, EncoderSettings};
pub use error::Error;
pub use ffmpeg_next::Rational;
pub use group::{begins_group, stands_alone};
pub use h264::picture_size;
pub use mux::{Aac, Coded, Muxer};
pub use opus::OpusToAac;
pub use orientation::{Orientation, Rotation};
pub use packet::Packet;
pub use picture::{Layout, Picture, Plane, PlaneMut};
pub use scale::Scaler;
pub use still::StillFormat;
pub use strip::Strip;

/// Readies libav, once for the process, and keeps it from writing to standard error.
pub(crate) fn ready() -> Result<(), Error> {
    static READY: std::sync::OnceLock<Result<(), String>> = std::sync::OnceLock::new();
    READY
        .get_or_init(|| {
            ffmpeg_next::init().map_err(|error| error.to_string())?;
            ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
            Ok(())
        })
        .clone()
        .map_err(Error::Unsupported)
}

/// The version of libavcodec, which decodes and encodes, as it writes it: major, minor and micro.
pub fn avcodec_version() -> String {
    let version = ffmpeg_next::codec::version();
    format!("{}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)
}

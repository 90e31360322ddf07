//! Encodes pictures: H.264 by x264, and VP9 where the container takes nothing else.
//!
//! No B-frames, so that pictures leave in the order they are shown and the caller may lay decoding times as it needs; a
//! picture that was a key picture becomes one again, so that seeking works as in the source.
#![expect(unsafe_code, reason = "fields of libav's codec context and frames that the wrapper does not give")]

use crate::{Container, Error, Layout, Packet, Picture, ready};
use ffmpeg_next as ff;
use std::collections::VecDeque;

/// Distance on VP9's scale of constant quality (0-63) from x264's (0-51) at the same look.
const VP9_CRF_OFFSET: u8 = 8;
/// VP9's speed, 0 to 8: at 7 it costs what x264 does at `veryfast`.
const VP9_SPEED: &str = "7";

/// What the picture is coded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 by libx264.
    H264,
    /// VP9 by libvpx.
    Vp9,
}

impl Codec {
    /// The codec to encode with for `container`.
    pub fn for_container(container: Container) -> Self {
        if container == Container::WebM { Self::Vp9 } else { Self::H264 }
    }

    /// The layout a picture of this size has to have: H.264 cannot say an odd size with colour at half of it.
    pub fn layout_for(self, width: u32, height: u32) -> Layout {
        let odd = width % 2 == 1 || height % 2 == 1;
        if self == Self::H264 && odd { Layout::Yuv444 } else { Layout::Yuv420 }
    }
}

/// How to encode.
#[derive(Clone, Debug)]
pub struct EncoderSettings {
    /// What the picture is coded as.
    pub codec: Codec,
    /// Where it goes.
    pub container: Container,
    /// The unit of the pictures' times, in seconds.
    pub time_base: ff::Rational,
    /// Frames per second, for the level and the rate control.
    pub frame_rate: ff::Rational,
    /// x264's constant rate factor.
    pub crf: u8,
    /// x264's preset.
    pub preset: String,
    /// H.264's profile, as x264 calls it; the least that holds the picture if there is none.
    pub profile: Option<&'static str>,
    /// Threads to use.
    pub threads: u32,
}

/// An encoder of one video track.
pub struct Encoder {
    pub(crate) codec: ff::encoder::video::Encoder,
    pub(crate) time_base: ff::Rational,
    frame_rate: ff::Rational,
    shape: (u32, u32, Layout),
    durations: VecDeque<(i64, i64)>,
}

impl Encoder {
    /// An encoder for pictures of the size, layout and colours of `like`.
    ///
    /// # Errors
    /// [`Error::Encode`] when libav has no such encoder or it refuses the settings.
    pub fn open(settings: &EncoderSettings, like: &Picture) -> Result<Self, Error> {
        ready()?;
        let name = match settings.codec {
            Codec::H264 => "libx264",
            Codec::Vp9 => "libvpx-vp9",
        };
        let failed = |error: ff::Error| Error::Encode(format!("{name}: {error}"));
        let codec = ff::encoder::find_by_name(name).ok_or_else(|| Error::Encode(format!("no encoder {name}")))?;
        let mut video = ff::codec::Context::new_with_codec(codec).encoder().video().map_err(failed)?;
        let frame = &like.frame;
        video.set_width(frame.width());
        video.set_height(frame.height());
        video.set_format(frame.format());
        video.set_time_base(settings.time_base);
        video.set_frame_rate(Some(settings.frame_rate));
        video.set_aspect_ratio(frame.aspect_ratio());
        video.set_colorspace(frame.color_space());
        video.set_color_range(frame.color_range());
        video.set_color_primaries(frame.color_primaries());
        video.set_color_transfer_characteristic(frame.color_transfer_characteristic());
        video.set_max_b_frames(0);
        if settings.container.wants_global_header() {
            video.set_flags(ff::codec::Flags::GLOBAL_HEADER);
        }
        // SAFETY: the context is not open yet, so these plain fields may be set.
        unsafe {
            let raw = video.as_mut_ptr();
            (*raw).thread_count = i32::try_from(settings.threads.max(1)).unwrap_or(1);
            (*raw).chroma_sample_location = (*frame.as_ptr()).chroma_location;
        }
        let codec = video.open_as_with(codec, options(settings)).map_err(failed)?;
        Ok(Self {
            codec,
            time_base: settings.time_base,
            frame_rate: settings.frame_rate,
            shape: (like.width(), like.height(), like.layout()),
            durations: VecDeque::new(),
        })
    }

    /// Frames per second, as it was told.
    pub fn frame_rate(&self) -> ff::Rational {
        self.frame_rate
    }

    /// Takes a picture; `key` makes it one that decoding can start from.
    ///
    /// # Errors
    /// [`Error::Encode`] when it is of another size or layout than the first, or the encoder fails.
    pub fn send(&mut self, picture: &mut Picture, key: bool) -> Result<(), Error> {
        if (picture.width(), picture.height(), picture.layout()) != self.shape {
            return Err(Error::Encode("a picture of another shape than the first".to_owned()));
        }
        let kind = if key { ff::picture::Type::I } else { ff::picture::Type::None };
        picture.frame.set_kind(kind);
        picture.frame.set_pts(Some(picture.pts));
        self.durations.push_back((picture.pts, picture.duration));
        self.codec.send_frame(&picture.frame).map_err(|error| Error::Encode(error.to_string()))
    }

    /// Tells the encoder that no picture follows.
    ///
    /// # Errors
    /// [`Error::Encode`] when the encoder fails.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.codec.send_eof().map_err(|error| Error::Encode(error.to_string()))
    }

    /// The next coded picture, with its times in the time base of the settings; `None` when more pictures are needed
    /// or the end is reached.
    ///
    /// # Errors
    /// [`Error::Encode`] when the encoder fails.
    pub fn receive(&mut self) -> Result<Option<Packet>, Error> {
        let mut packet = ff::Packet::empty();
        match self.codec.receive_packet(&mut packet) {
            Ok(()) => {}
            Err(ff::Error::Eof) => return Ok(None),
            Err(ff::Error::Other { errno }) if errno == ff::error::EAGAIN => return Ok(None),
            Err(error) => return Err(Error::Encode(error.to_string())),
        }
        if let Some(at) = self.durations.iter().position(|(pts, _)| Some(*pts) == packet.pts()) {
            packet.set_duration(self.durations[at].1);
            self.durations.drain(..=at);
        }
        Ok(Some(Packet(packet)))
    }
}

fn options(settings: &EncoderSettings) -> ff::Dictionary<'static> {
    let mut options = ff::Dictionary::new();
    match settings.codec {
        Codec::H264 => {
            options.set("preset", &settings.preset);
            options.set("crf", &settings.crf.to_string());
            options.set("bf", "0");
            options.set("forced-idr", "1");
            // A later sequence of frames brings other parameter sets, and whoever seeks back needs the earlier ones again.
            options.set("x264-params", "repeat-headers=1");
            if let Some(profile) = settings.profile {
                options.set("profile", profile);
            }
        }
        Codec::Vp9 => {
            options.set("deadline", "realtime");
            options.set("cpu-used", VP9_SPEED);
            options.set("row-mt", "1");
            options.set("lag-in-frames", "0");
            options.set("b", "0");
            options.set("crf", &(settings.crf + VP9_CRF_OFFSET).to_string());
        }
    }
    options
}

//! The containers that can be written, chosen by a file's extension, and which codecs each may hold.
//!
//! The list is short on purpose: a muxer that accepts anything makes files that nothing plays.

use ffmpeg_next::codec::Id;
use std::path::Path;

/// A container that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// `.ts`, `.m2ts`, `.mts`
    MpegTs,
    /// `.mp4`, `.m4v`
    Mp4,
    /// `.mov`
    Mov,
    /// `.mkv`
    Matroska,
    /// `.webm`
    WebM,
}

impl Container {
    /// The container that the extension of `path` stands for.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "ts" | "m2ts" | "mts" => Self::MpegTs,
            "mp4" | "m4v" => Self::Mp4,
            "mov" => Self::Mov,
            "mkv" => Self::Matroska,
            "webm" => Self::WebM,
            _ => return None,
        })
    }

    /// libav's name of its muxer.
    pub fn name(self) -> &'static str {
        match self {
            Self::MpegTs => "mpegts",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::WebM => "webm",
        }
    }

    /// Whether a display matrix survives in it; elsewhere the picture itself has to be turned.
    pub fn holds_rotation(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }

    /// Whether its decoders want parameter sets in the header rather than in the stream.
    pub(crate) fn wants_global_header(self) -> bool {
        self != Self::MpegTs
    }

    /// Whether players expect `codec` in it.
    pub(crate) fn holds(self, codec: Id) -> bool {
        use Id::{AAC, AAC_LATM, AC3, ALAC, AV1, EAC3, H264, HEVC, MP2, MP3, OPUS, VORBIS, VP8, VP9};
        match self {
            Self::MpegTs => matches!(codec, H264 | HEVC | AAC | AAC_LATM | MP2 | MP3 | AC3 | EAC3 | OPUS),
            Self::Mp4 => matches!(codec, H264 | HEVC | AV1 | VP9 | AAC | MP3 | AC3 | EAC3 | ALAC | OPUS),
            Self::Mov => matches!(codec, H264 | HEVC | AAC | MP3 | AC3 | EAC3 | ALAC),
            Self::Matroska => codec != AAC_LATM,
            Self::WebM => matches!(codec, VP8 | VP9 | AV1 | VORBIS | OPUS),
        }
    }
}

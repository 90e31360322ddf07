//! Strips a coded access unit of all that decoding and showing it does not need.
//!
//! Cameras write GPS positions, serial numbers and names into SEI messages, and decoders skip them: they survive every
//! copy of a packet. What is kept is therefore a list, and all else is dropped, so that an element nobody has thought of
//! is not published. A packet whose framing cannot be read is an error: the track has to be encoded anew.

mod header;
mod nal;
mod sei;
#[cfg(test)]
mod tests;

pub(crate) use header::{comments, parameter_sets};

use crate::Error;
use ffmpeg_next::codec::Id;
use nal::{Framing, Nal};
use std::borrow::Cow;

/// What is stripped of one video track's packets.
#[derive(Clone, Copy, Debug)]
pub struct Strip {
    coding: Coding,
    framing: Framing,
    captions: bool,
}

/// How the frames are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    H264,
    Hevc,
    /// VP8 and VP9: a frame has no element that a decoder skips.
    Bare,
}

/// What becomes of a NAL unit.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Drop,
    Replace(Vec<u8>),
}

/// What a NAL unit is there for.
enum Role {
    /// Frames and parameter sets.
    Needed,
    /// A mark between frames, which has exactly so many bytes.
    Mark(usize),
    /// SEI messages behind a header of so many bytes.
    Messages(usize),
    /// Nothing that a decoder here reads.
    Unneeded,
}

/// Whether packets of `codec` may be copied at all: only of these codecs it is known where metadata may be. Frames of
/// every other codec are encoded anew.
pub(crate) fn is_copyable(codec: Id) -> bool {
    Coding::of(codec).is_some()
}

impl Strip {
    /// What is stripped of a track of `codec` with this extradata, whose packets are framed as it says. Closed captions
    /// stay if `captions` says so.
    ///
    /// # Errors
    /// [`Error::Mux`] when packets of the codec must not be copied, or the extradata does not tell their framing.
    pub(crate) fn of(codec: Id, extradata: &[u8], captions: bool) -> Result<Self, Error> {
        let refused = || Error::Mux(format!("packets of {} are not copied", codec.name()));
        let coding = Coding::of(codec).ok_or_else(refused)?;
        let framing = match coding {
            Coding::H264 => Framing::of_h264(extradata)?,
            Coding::Hevc => Framing::of_hevc(extradata)?,
            Coding::Bare => Framing::StartCodes,
        };
        Ok(Self { coding, framing, captions })
    }

    /// What is stripped of H.264 with start codes.
    #[must_use]
    pub fn h264() -> Self {
        Self { coding: Coding::H264, framing: Framing::StartCodes, captions: false }
    }

    /// The access unit `unit` without what is not needed: never longer, and `unit` itself if all of it is needed. Empty
    /// when nothing is.
    ///
    /// # Errors
    /// [`Error::Mux`] when it cannot be told where its NAL units begin and end.
    pub fn unit<'a>(&self, unit: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        if self.coding == Coding::Bare {
            return Ok(Cow::Borrowed(unit));
        }
        let nals = self.framing.split(unit)?;
        let verdicts: Vec<Verdict> = nals.iter().map(|nal| self.judge(nal.bytes)).collect();
        let all_kept = verdicts.iter().all(|verdict| *verdict == Verdict::Keep);
        if all_kept && !nals.is_empty() && self.framing.is_tight(unit) {
            return Ok(Cow::Borrowed(unit));
        }
        let mut out = Vec::with_capacity(unit.len());
        for (nal, verdict) in nals.iter().zip(verdicts) {
            match verdict {
                Verdict::Keep => self.framing.put(&mut out, unit, *nal),
                Verdict::Replace(bytes) => self.framing.put(&mut out, unit, Nal { bytes: &bytes, ..*nal }),
                Verdict::Drop => {}
            }
        }
        Ok(Cow::Owned(out))
    }

    fn judge(&self, nal: &[u8]) -> Verdict {
        match self.coding.role(nal) {
            Role::Needed => Verdict::Keep,
            Role::Mark(length) if nal.len() == length => Verdict::Keep,
            Role::Messages(header) => {
                let kept = if self.coding == Coding::Hevc { sei::HEVC } else { sei::H264 };
                sei::filter(nal, header, |kind, payload| {
                    let needed = kept.iter().any(|(known, most)| *known == kind && payload.len() <= *most);
                    needed || self.captions && sei::is_captions(kind, payload)
                })
            }
            Role::Mark(_) | Role::Unneeded => Verdict::Drop,
        }
    }
}

impl Coding {
    fn of(codec: Id) -> Option<Self> {
        match codec {
            Id::H264 => Some(Self::H264),
            Id::HEVC => Some(Self::Hevc),
            Id::VP8 | Id::VP9 => Some(Self::Bare),
            _ => None,
        }
    }

    fn role(self, nal: &[u8]) -> Role {
        match self {
            Self::H264 => h264_role(nal),
            Self::Hevc => hevc_role(nal),
            Self::Bare => Role::Needed,
        }
    }
}

/// ITU-T H.264, table 7-1. Not kept are: data partitions (2-4), auxiliary frames (13, 19), further views and layers (14,
/// 15, 20, 21), since the decoder here skips them, so that nobody has looked for faces in them; filler (12); and what is
/// reserved or unspecified. A set `forbidden_zero_bit` matches nothing.
fn h264_role(nal: &[u8]) -> Role {
    match nal.first().map(|header| header & 0x9f) {
        Some(1 | 5 | 7 | 8) => Role::Needed,
        Some(9) => Role::Mark(2),
        Some(10 | 11) => Role::Mark(1),
        Some(6) => Role::Messages(1),
        _ => Role::Unneeded,
    }
}

/// ITU-T H.265, table 7-1. Not kept are: layers above the base (`nuh_layer_id`), which the decoder here skips, so that
/// nobody has looked for faces in them; filler (38); and what is reserved or unspecified, Dolby Vision among it.
fn hevc_role(nal: &[u8]) -> Role {
    let [first, second, ..] = *nal else { return Role::Unneeded };
    if first & 0x81 != 0 || second >> 3 != 0 {
        return Role::Unneeded;
    }
    match first >> 1 {
        0..=9 | 16..=21 | 32..=34 => Role::Needed,
        35 => Role::Mark(3),
        36 | 37 => Role::Mark(2),
        39 | 40 => Role::Messages(2),
        _ => Role::Unneeded,
    }
}

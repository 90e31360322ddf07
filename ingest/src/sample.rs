//! What a publisher's media are made of on their way through this crate, whichever protocol brought them.
//!
//! Every front translates into this one form, so that segmenting, recording and playing know no protocol. Times are
//! the front's own: they may begin anywhere, but both tracks are on one clock, and decoding times grow.

use bytes::Bytes;

/// Ticks of a second: the clock of MPEG-TS.
pub const TICKS_PER_SECOND: i64 = 90_000;

/// What a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// H.264.
    Video,
    /// AAC-LC.
    Audio,
}

/// One coded picture, or one frame of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What it belongs to.
    pub track: Track,
    /// When it is decoded, in ticks of 90 kHz.
    pub dts: i64,
    /// When it is shown, in ticks of 90 kHz; not before it is decoded.
    pub pts: i64,
    /// Whether decoding can start here: for a picture, an IDR picture with its parameter sets before it.
    pub key: bool,
    /// A picture: an access unit with start codes (ITU-T H.264 annex B). Sound: one AAC frame without a header.
    pub data: Bytes,
}

/// How the sound is coded; must come before the first sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AacConfig {
    /// Samples per second.
    pub sample_rate: u32,
    /// How many channels.
    pub channels: u16,
    /// The AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
    pub description: Bytes,
}

/// What a front hands over, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// From here on the sound is coded so. A publisher without sound never says it.
    Sound(AacConfig),
    /// A picture or a piece of sound.
    Sample(Sample),
}

impl Unit {
    /// What it weighs in a queue, in bytes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Sound(config) => config.description.len(),
            Self::Sample(sample) => sample.data.len(),
        }
    }
}

impl From<AacConfig> for Unit {
    fn from(config: AacConfig) -> Self {
        Self::Sound(config)
    }
}

impl From<Sample> for Unit {
    fn from(sample: Sample) -> Self {
        Self::Sample(sample)
    }
}

//! The sound of a WebRTC publisher as everything behind the fronts expects it: AAC.
//!
//! Opus does not play everywhere in HLS, so it is decoded and coded anew here, once, as it arrives. About half a
//! millisecond of work per packet: little enough for a front's own task.

use crate::sample::{AacConfig, Sample, Track};
use bytes::Bytes;
use media::OpusToAac;

/// A transcoder of one publisher's sound.
pub struct Sound(OpusToAac);

impl Sound {
    /// A transcoder.
    ///
    /// # Errors
    /// When libav was built without the codecs.
    pub fn new() -> Result<Self, media::Error> {
        OpusToAac::new().map(Self)
    }

    /// How what comes out is coded: to be handed to the publication before the first sample.
    pub fn config(&self) -> AacConfig {
        AacConfig {
            sample_rate: self.0.sample_rate(),
            channels: 2,
            description: Bytes::copy_from_slice(self.0.description()),
        }
    }

    /// Takes an Opus packet that is heard at `pts` (90 kHz, the clock of the picture) and gives the AAC frames that are
    /// complete. Where packets are missing there is silence.
    ///
    /// # Errors
    /// When it is no Opus packet; the one after it may be.
    pub fn push(&mut self, pts: i64, opus: &[u8]) -> Result<Vec<Sample>, media::Error> {
        let mut samples = Vec::new();
        self.0.push(pts, opus, &mut |pts, frame| {
            let data = Bytes::copy_from_slice(frame);
            samples.push(Sample { track: Track::Audio, dts: pts, pts, key: true, data });
        })?;
        Ok(samples)
    }
}

//! The embedded live provider: anyone's browser or broadcast app goes live to this process, with no account anywhere.
//!
//! A front (RTMP, WHIP) turns its protocol into [`Sample`]s and hands them to a [`Publication`]; behind it the
//! same segments are recorded as Amazon IVS records them and played over HLS. Knows no database and no HTTP server.

mod broadcast;
mod h264;
mod meter;
#[cfg(test)]
mod pictures;
mod publication;
mod rtmp;
mod sample;
mod scribe;
mod segmenter;
mod session;
mod settings;
mod sound;
mod studio;
#[cfg(test)]
mod testing;
mod viewers;
pub mod whip;
mod window;

pub use publication::{Closed, Publication, Refused};
pub use rtmp::{APP, Rtmp, RtmpLimits};
pub use sample::{AacConfig, Sample, TICKS_PER_SECOND, Track, Unit};
pub use scribe::{Announce, Unheard};
pub use settings::Settings;
pub use sound::Sound;
pub use studio::{Credential, Parts, Studio};

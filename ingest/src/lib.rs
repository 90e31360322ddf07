//! The embedded live provider: anyone's browser or broadcast app goes live to this process, with no account anywhere.
//!
//! A front (RTMP, WHIP) turns its protocol into [`sample::Sample`]s and hands them to a [`Publication`]; behind it the
//! same segments are recorded as Amazon IVS records them and played over HLS. Knows no database and no HTTP server.

mod anchor;
mod publication;
mod sample;
mod sound;
mod studio;

pub use anchor::Anchor;
pub use publication::{Closed, Publication, Refused};
pub use sample::{AacConfig, Sample, TICKS_PER_SECOND, Track, Unit};
pub use sound::Sound;
pub use studio::{Credential, Studio};

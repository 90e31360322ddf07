//! Where broadcasts come from: the provider's contract, what it tells us, and the recordings it leaves.
//!
//! Knows no database. What a provider says is a [`LiveEvent`], whichever provider it is and however late.

mod event;
pub mod ivs;
mod local;
mod playback;
mod provider;
pub mod recording;
mod whip;

pub use event::{LiveEvent, LiveEventKind, RecordedSegment, RecordingRef};
pub use local::Local;
pub use playback::{NotLive, Playback, Viewer};
pub use provider::{Ingest, IvsIngest, Lease, LiveProvider, Observation, ProviderError};
pub use whip::{Whip, WhipError, WhipSession};

//! Where broadcasts come from: the provider's contract, what it tells us, and the recordings it leaves.
//!
//! Knows no database. What a provider says is a [`LiveEvent`], whichever provider it is and however late.

mod event;
pub mod ivs;
mod local;
mod provider;
pub mod recording;

pub use event::{LiveEvent, LiveEventKind, RecordedSegment, RecordingRef};
pub use local::Local;
pub use provider::{Ingest, IvsIngest, Lease, LiveProvider, Observation, ProviderError};

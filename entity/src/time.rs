//! Time: UTC, to the millisecond, from a clock that tests can set.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use std::sync::{Arc, atomic::AtomicI64, atomic::Ordering};

/// A moment, UTC, in whole milliseconds: what every database and every client keeps without loss.
pub type Timestamp = DateTime<Utc>;

/// Cuts a moment to whole milliseconds.
pub fn to_millis(at: DateTime<Utc>) -> Timestamp {
    at.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(at)
}

/// Where "now" comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands where a test has put it: milliseconds since 1970.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => to_millis(Utc::now()),
            Self::Set(millis) => DateTime::from_timestamp_millis(millis.load(Ordering::Relaxed)).unwrap_or_default(),
        }
    }
}

//! When each moment of the clip has come.

use entity::time::{Timestamp, to_millis};
use std::{str::FromStr, time::Duration};
use tokio::time::{Instant, sleep_until};

/// How fast the clip plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times faster than life.
    Times(f64),
    /// As fast as can be.
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.parse().ok().filter(|times| (0.01..=1_000.0).contains(times));
        times.map(Self::Times).ok_or_else(|| format!("{text:?} is neither a number from 0.01 to 1000 nor max"))
    }
}

/// A clip that has begun to play.
pub struct Pace {
    speed: Speed,
    began: Instant,
    began_at: Timestamp,
}

impl Pace {
    /// Begins to play now.
    pub fn new(speed: Speed, now: Timestamp) -> Self {
        Self { speed, began: Instant::now(), began_at: now }
    }

    /// Waits until this moment of the clip has come.
    pub async fn until(&self, clip_ms: u64) {
        sleep_until(self.due(clip_ms)).await;
    }

    fn due(&self, clip_ms: u64) -> Instant {
        self.began + self.real(clip_ms)
    }

    /// By the clock, when this moment of the clip is.
    pub fn at(&self, clip_ms: u64) -> Timestamp {
        to_millis(self.began_at + self.real(clip_ms))
    }

    fn real(&self, clip_ms: u64) -> Duration {
        match self.speed {
            Speed::Times(times) => Duration::from_millis(clip_ms).div_f64(times),
            Speed::Max => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::time::Clock;

    #[test]
    fn twice_as_fast_takes_half_as_long() {
        let pace = Pace::new("2".parse().unwrap(), Clock::System.now());
        assert_eq!(pace.due(10_000) - pace.due(0), Duration::from_secs(5));
        assert_eq!((pace.at(4_000) - pace.at(0)).num_milliseconds(), 2_000);
    }

    #[test]
    fn max_never_waits() {
        let pace = Pace::new("max".parse().unwrap(), Clock::System.now());
        assert_eq!(pace.due(3_600_000), pace.due(0));
    }

    #[test]
    fn a_speed_is_a_positive_number_or_max() {
        for wrong in ["0", "-1", "fast", "NaN", "inf", ""] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
    }
}

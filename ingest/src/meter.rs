//! Whether a publisher sends more than it may: a bucket that runs out at the allowed rate.

use crate::settings::Settings;
use tokio::time::Instant;

/// The bucket of one publisher.
#[derive(Debug)]
pub(crate) struct Meter {
    bits_per_second: f64,
    room: f64,
    level: f64,
    last: Instant,
}

impl Meter {
    /// An empty one.
    #[expect(clippy::cast_precision_loss, reason = "a bit rate is far below 2^52")]
    pub(crate) fn new(bits_per_second: u64, now: Instant) -> Self {
        let bits_per_second = bits_per_second as f64;
        Self { bits_per_second, room: bits_per_second * Settings::BURST.as_secs_f64(), level: 0.0, last: now }
    }

    /// Pours in so many bytes; whether the bucket holds.
    #[expect(clippy::cast_precision_loss, reason = "a sample is far below 2^52 bytes")]
    pub(crate) fn pour(&mut self, bytes: usize, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = now;
        self.level = (self.level - passed * self.bits_per_second).max(0.0) + bytes as f64 * 8.0;
        self.level <= self.room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_too_high_a_rate_does_not() {
        let now = Instant::now();
        let mut meter = Meter::new(8_000, now);
        assert!(meter.pour(10_000, now), "ten seconds' worth at once");
        assert!(!meter.pour(1, now));
        let mut meter = Meter::new(8_000, now);
        let at = |n: u32| now + Duration::from_secs(1) * n;
        assert!((0..10_000).all(|n| meter.pour(1_000, at(n))), "the rate itself, for hours");
        let held = (0..100).filter(|n| meter.pour(1_500, at(10_000 + n))).count();
        assert!((10..30).contains(&held), "half as much again lasted {held} s");
    }
}

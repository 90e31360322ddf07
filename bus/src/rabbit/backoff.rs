//! When to try again: delays that double up to a bound, with jitter, so that a fleet does not return all at once.
//!
//! The next time is kept, not the rest of a wait, so that waiting may be given up and resumed.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// 2^16 times any sensible first delay is past every bound; more would only overflow.
const MAX_DOUBLINGS: u32 = 16;

#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0, not_before: None }
    }

    /// Counts a failure: [`wait`](Self::wait) now waits, longer than after the last one.
    pub(super) fn fail(&mut self) {
        self.not_before = Some(Instant::now() + self.next_delay());
    }

    fn next_delay(&mut self) -> Duration {
        let whole = self.first.saturating_mul(1 << self.failures.min(MAX_DOUBLINGS)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// All is well again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// Waits until another try is due.
    pub(super) async fn wait(&self) {
        if let Some(due) = self.not_before {
            sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);

    #[test]
    fn delays_double_within_their_jitter_and_stay_under_the_bound() {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        for whole_ms in [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000] {
            let (delay, whole) = (backoff.next_delay(), Duration::from_millis(whole_ms));
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?} for {whole:?}");
        }
    }

    #[test]
    fn a_success_ends_the_waiting_and_begins_anew() {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        (0..100).for_each(|_| backoff.fail());
        backoff.reset();
        assert!(backoff.not_before.is_none());
        assert!(backoff.next_delay() <= FIRST);
    }
}

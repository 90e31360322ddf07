//! Counts who reads a live playlist, and knows nobody: viewers are told apart by a keyed hash whose key lives as long
//! as one count.
//!
//! Whoever watches is seen when a playlist is asked for and when it is answered. A window lasts no less than an answer
//! may be held back, so whoever watches is seen in every one; the number is that of the last one.

use live::Viewer;
use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};
use tokio::time::Instant;

/// Viewers told apart in one window; more are not counted.
const MOST: usize = 100_000;

/// The viewers of one broadcast.
#[derive(Debug)]
pub(crate) struct Viewers {
    key: RandomState,
    seen: HashSet<u64>,
    /// When the window began.
    since: Instant,
    last: u32,
}

impl Viewers {
    /// Nobody yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self { key: RandomState::new(), seen: HashSet::new(), since: now, last: 0 }
    }

    /// Somebody asked for the playlist, or was answered.
    pub(crate) fn saw(&mut self, viewer: Viewer<'_>) {
        if self.seen.len() < MOST {
            self.seen.insert(self.key.hash_one((viewer.address, viewer.agent)));
        }
    }

    /// When the window ends, if it lasts for `span`.
    pub(crate) fn until(&self, span: Duration) -> Instant {
        self.since + span
    }

    /// Ends a window that has lasted for `span`; gives the number of viewers if it is another than before.
    pub(crate) fn tick(&mut self, now: Instant, span: Duration) -> Option<u32> {
        if now < self.until(span) {
            return None;
        }
        self.since = now;
        self.key = RandomState::new();
        let count = u32::try_from(std::mem::take(&mut self.seen).len()).unwrap_or(u32::MAX);
        (std::mem::replace(&mut self.last, count) != count).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const SPAN: Duration = Duration::from_secs(10);

    fn from(address: &str, agent: &'static str) -> Viewer<'static> {
        Viewer { address: Some(address.parse::<IpAddr>().unwrap()), agent }
    }

    #[test]
    fn a_viewer_counts_once_a_window_and_a_change_is_told_once() {
        let now = Instant::now();
        let mut viewers = Viewers::new(now);
        for _ in 0..5 {
            viewers.saw(from("192.0.2.1", "one"));
            viewers.saw(from("192.0.2.1", "two"));
            viewers.saw(from("192.0.2.2", "one"));
        }
        assert_eq!(viewers.tick(now + SPAN / 2, SPAN), None);
        assert_eq!(viewers.tick(viewers.until(SPAN), SPAN), Some(3));
        for n in 1..4 {
            viewers.saw(from(&format!("192.0.2.{n}"), "one"));
        }
        assert_eq!(viewers.tick(viewers.until(SPAN), SPAN), None, "as many as before");
        assert_eq!(viewers.tick(viewers.until(SPAN), SPAN), Some(0));
        assert_eq!(viewers.tick(viewers.until(SPAN), SPAN), None);
    }
}

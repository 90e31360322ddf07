//! Counts who reads a live playlist, and knows nobody: viewers are told apart by a keyed hash whose key lives as long
//! as one count.
//!
//! A player asks every few seconds, so whoever watches is seen in every window; the number is that of the last one.

use crate::settings::Settings;
use live::Viewer;
use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};
use tokio::time::Instant;

/// Viewers told apart in one window; more are not counted.
const MOST: usize = 100_000;

/// The viewers of one broadcast.
#[derive(Debug)]
pub(crate) struct Viewers {
    key: RandomState,
    seen: HashSet<u64>,
    until: Instant,
    last: u32,
}

impl Viewers {
    /// Nobody yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self { key: RandomState::new(), seen: HashSet::new(), until: now + Settings::VIEWER_WINDOW, last: 0 }
    }

    /// Somebody asked for the playlist.
    pub(crate) fn saw(&mut self, viewer: Viewer<'_>) {
        if self.seen.len() < MOST {
            self.seen.insert(self.key.hash_one((viewer.address, viewer.agent)));
        }
    }

    /// When the window ends.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// Ends a window that has run out; gives the number of viewers if it is another than before.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<u32> {
        if now < self.until {
            return None;
        }
        self.until = now + Settings::VIEWER_WINDOW;
        self.key = RandomState::new();
        let count = u32::try_from(std::mem::take(&mut self.seen).len()).unwrap_or(u32::MAX);
        (std::mem::replace(&mut self.last, count) != count).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

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
        assert_eq!(viewers.tick(now + Settings::VIEWER_WINDOW / 2), None);
        assert_eq!(viewers.tick(viewers.until()), Some(3));
        for n in 1..4 {
            viewers.saw(from(&format!("192.0.2.{n}"), "one"));
        }
        assert_eq!(viewers.tick(viewers.until()), None, "as many as before");
        assert_eq!(viewers.tick(viewers.until()), Some(0));
        assert_eq!(viewers.tick(viewers.until()), None);
    }
}

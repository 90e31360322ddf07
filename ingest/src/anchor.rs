//! Puts a track's own clock onto the clock of its arrival, so that picture and sound that began anywhere agree.
//!
//! Senders tell how their clocks relate only seconds after they began, and a broadcast should not wait. So a track is
//! anchored where its first packet arrives and then corrected slowly towards the earliest arrivals, which were delayed
//! least; slowly, because players show jumps.

use crate::sample::TICKS_PER_SECOND;

/// How fast a track may be moved: a five-hundredth of real time is neither seen nor heard.
const SLOWNESS: i64 = 500;
/// How long the least delayed packet is looked for before it counts, in ticks: 2 s.
const WINDOW: i64 = 2 * TICKS_PER_SECOND;

/// The mapping of one track.
#[derive(Debug, Default)]
pub struct Anchor {
    /// Arrival minus own time, as used now.
    offset: Option<i64>,
    /// The least seen in the present window, and when that began.
    least: Option<(i64, i64)>,
    /// Where `offset` is going.
    target: i64,
    last: i64,
}

impl Anchor {
    /// When something is shown that the sender calls `own` and that arrived at `arrival`, both in ticks of 90 kHz.
    /// Whole frames that arrive in order stay in order.
    pub fn place(&mut self, own: i64, arrival: i64) -> i64 {
        let seen = arrival - own;
        let offset = *self.offset.get_or_insert_with(|| {
            (self.target, self.last) = (seen, arrival);
            seen
        });
        let (least, since) = self.least.map_or((seen, arrival), |(least, since)| (least.min(seen), since));
        if arrival - since >= WINDOW {
            self.target = least;
            self.least = None;
        } else {
            self.least = Some((least, since));
        }
        let most = (arrival - self.last).max(0) / SLOWNESS;
        // What is too small to be moved now is moved later.
        if most > 0 {
            self.last = arrival;
        }
        let offset = offset + (self.target - offset).clamp(-most, most);
        self.offset = Some(offset);
        own + offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: i64 = 3_000;

    #[test]
    fn a_track_is_anchored_where_it_arrives_and_keeps_its_own_pace() {
        let mut anchor = Anchor::default();
        let placed: Vec<i64> = (0..100).map(|n| anchor.place(7_000_000 + n * FRAME, 500 + n * FRAME)).collect();
        assert_eq!(placed, (0..100).map(|n| 500 + n * FRAME).collect::<Vec<_>>());
    }

    #[test]
    fn a_late_start_is_made_good_slowly_and_times_never_run_back() {
        let mut anchor = Anchor::default();
        // The first packet was held up by 100 ms; all the others were not.
        let late = 9_000;
        let mut last = anchor.place(0, late);
        for n in 1..3_000 {
            let placed = anchor.place(n * FRAME, n * FRAME);
            assert!(placed > last, "frame {n}");
            assert!((placed - last - FRAME).abs() <= FRAME / SLOWNESS + 1, "frame {n} jumps by {}", placed - last);
            last = placed;
        }
        assert_eq!(last, 2_999 * FRAME);
    }

    #[test]
    fn jitter_does_not_move_a_track() {
        let mut anchor = Anchor::default();
        for n in 0..3_000 {
            let jitter = if n == 0 { 0 } else { (n * 7_919) % 4_500 };
            let placed = anchor.place(n * FRAME, n * FRAME + jitter);
            assert!((placed - n * FRAME).abs() <= 200, "frame {n} is {} off", placed - n * FRAME);
        }
    }
}

//! Every bound of the lifecycle, named once.

use std::time::Duration;

/// Bounds; the defaults suit one machine as well as many.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest title, in characters.
    pub title_chars: usize,
    /// Longest description, in characters.
    pub description_chars: usize,
    /// Largest position uncertainty taken, in metres.
    pub accuracy_max: f64,
    /// How long a stream may stay without a picture before it is given up.
    pub preparing: Duration,
    /// How often a segment may be begun before it becomes a gap.
    pub segment_attempts: i32,
    /// The share of a replay's length that may be gaps, 0 to 1; above it the replay is withheld.
    pub gap_share: f64,
    /// How much of a broadcast lies between two of its live thumbnails, in its own time.
    pub live_thumbnail_interval: Duration,
    /// How long an issued job may stay unfinished before it is issued again.
    pub reissue_after: Duration,
    /// How often the folder of a growing recording is read.
    pub scan_interval: Duration,
    /// How many recordings one process reads at once.
    pub scans_at_once: u64,
    /// How long after the end of a stream its recording may stay open without a sign before it is taken as complete.
    pub recording_silence: Duration,
    /// The same while the recording cannot be read: an archive that is away is no silence.
    pub recording_unreadable: Duration,
    /// How often sweepers look for what was lost.
    pub sweep_interval: Duration,
    /// How many rows one sweep changes at most, of each kind.
    pub sweep_rows: u64,
    /// How long the relay waits before it looks for messages that another process left behind.
    pub relay_interval: Duration,
    /// How many messages the relay sends at once.
    pub relay_rows: u64,
    /// How often a provider's message for an unknown channel is tried again before it is given up.
    pub inbox_attempts: i32,
    /// The longest wait between two tries of a provider's message.
    pub inbox_delay_max: Duration,
    /// How long applied provider messages are kept.
    pub inbox_retention: Duration,
    /// How long the public log reaches back: how old a subscriber's cursor may be.
    pub event_retention: Duration,
    /// How long bare recordings are kept after their replay is ready or withheld.
    pub recording_retention: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            title_chars: 120,
            description_chars: 2_000,
            accuracy_max: 100_000.0,
            preparing: Duration::from_mins(10),
            segment_attempts: 5,
            gap_share: 0.10,
            live_thumbnail_interval: Duration::from_secs(10),
            reissue_after: Duration::from_mins(5),
            scan_interval: Duration::from_secs(1),
            scans_at_once: 16,
            recording_silence: Duration::from_mins(10),
            recording_unreadable: Duration::from_hours(48),
            sweep_interval: Duration::from_secs(5),
            sweep_rows: 500,
            relay_interval: Duration::from_millis(500),
            relay_rows: 200,
            inbox_attempts: 20,
            inbox_delay_max: Duration::from_mins(1),
            inbox_retention: Duration::from_hours(48),
            event_retention: Duration::from_hours(48),
            recording_retention: Duration::from_hours(7 * 24),
        }
    }
}

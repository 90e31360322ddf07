//! Every bound of the embedded provider, named once.

use crate::sample::TICKS_PER_SECOND;
use std::time::Duration;

/// Bounds; the defaults suit one machine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What broadcast apps are told to send to, such as `rtmp://host:1935/live`; `None`: RTMP is not offered.
    pub rtmp_url: Option<String>,
    /// Whether WHIP is offered.
    pub offers_whip: bool,
    /// Channels reserved at a time, broadcasts under way included.
    pub leases: usize,
    /// Publishers connected at a time.
    pub publishers: usize,
    /// Bits per second that one publisher may send, over [`Settings::BURST`].
    pub bits_per_second: u64,
    /// Pixels of a picture.
    pub pixels: u64,
    /// How long one broadcast may last.
    pub longest: Duration,
    /// How long a channel is kept for a publisher who does not come.
    pub unpublished: Duration,
    /// How long a publisher may be connected without a picture.
    pub first_picture: Duration,
    /// How long no picture may come before the broadcast counts as interrupted.
    pub idle: Duration,
    /// How long an interrupted broadcast may be taken up again.
    pub grace: Duration,
    /// How long the playlist of a broadcast that is over tells players so.
    pub farewell: Duration,
    /// How long the recording may be unwritable before the broadcast is ended.
    pub store_patience: Duration,
    /// When a keyframe begins a new segment, in ticks of 90 kHz after the segment's first. A little less than the
    /// 2 s that publishers are asked for: theirs miss by a frame or two.
    pub segment_min: i64,
    /// Longest segment, in ticks of 90 kHz. Encoders left alone send a keyframe every 250 frames.
    pub segment_max: i64,
    /// Largest segment, in bytes.
    pub segment_bytes: usize,
    /// Segments that a live playlist names; more of them if so many do not last three target durations.
    pub window: usize,
}

impl Settings {
    /// Over how long a bit rate is measured: a keyframe may burst, and so may a connection that was held up.
    pub const BURST: Duration = Duration::from_secs(10);
    /// Over how long viewers are counted, at least.
    pub const VIEWER_WINDOW: Duration = Duration::from_secs(10);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rtmp_url: None,
            offers_whip: false,
            leases: 10_000,
            publishers: 50,
            bits_per_second: 12_000_000,
            pixels: 1_920 * 1_088,
            longest: Duration::from_hours(12),
            unpublished: Duration::from_mins(10),
            first_picture: Duration::from_secs(10),
            idle: Duration::from_secs(3),
            grace: Duration::from_secs(30),
            farewell: Duration::from_secs(10),
            store_patience: Duration::from_secs(30),
            segment_min: TICKS_PER_SECOND * 9 / 5,
            segment_max: TICKS_PER_SECOND * 12,
            segment_bytes: 24 * 1024 * 1024,
            window: 5,
        }
    }
}

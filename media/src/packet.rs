//! A packet: one coded picture or a piece of sound, with its times in the time base of its track.

use ffmpeg_next as ff;

/// A coded picture or a piece of sound.
#[derive(Clone)]
pub struct Packet(pub(crate) ff::Packet);

impl Packet {
    /// Index of its track in its container.
    pub fn track(&self) -> usize {
        self.0.stream()
    }

    /// Presentation time in the track's time base.
    pub fn pts(&self) -> Option<i64> {
        self.0.pts()
    }

    /// Decoding time in the track's time base.
    pub fn dts(&self) -> Option<i64> {
        self.0.dts()
    }

    /// Sets both times, in the time base of the track it came from.
    pub fn set_times(&mut self, pts: i64, dts: i64) {
        self.0.set_pts(Some(pts));
        self.0.set_dts(Some(dts));
    }

    /// How long it lasts, in the track's time base; 0 when unknown.
    pub fn duration(&self) -> i64 {
        self.0.duration()
    }

    /// Sets how long it lasts, in the track's time base.
    pub fn set_duration(&mut self, duration: i64) {
        self.0.set_duration(duration);
    }

    /// Whether decoding can start here.
    pub fn is_key(&self) -> bool {
        self.0.is_key()
    }

    /// Whether the container knows it to be damaged.
    pub fn is_corrupt(&self) -> bool {
        self.0.is_corrupt()
    }

    /// Whether it is to be decoded but not shown, as an edit list may ask.
    pub fn is_discarded(&self) -> bool {
        self.0.flags().bits() & ff::ffi::AV_PKT_FLAG_DISCARD != 0
    }

    /// Its bytes.
    pub fn data(&self) -> &[u8] {
        self.0.data().unwrap_or_default()
    }
}

//! One time line, in 90 kHz, out of the RTP clocks of picture and sound.
//!
//! Each RTP clock starts anywhere. A track is placed by the arrival of its first packet, because browsers send the
//! reports that relate the two clocks only after half a second to three seconds; once both have come, sound is moved
//! slowly to where they say, so slowly that no listener notices and no time goes backwards.

use crate::sample::{TICKS_PER_SECOND as TICKS, Track};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A packet this far from where its clock should be says that the clock was set anew (a machine that slept).
const JUMP: i64 = 5 * TICKS;
/// Sound is moved by at most one tick in so many: 10 ms a second.
const SLEW: i64 = 100;

/// The time line of a session.
pub(super) struct Clock {
    start: Instant,
    tracks: [Anchor; 2],
}

/// How the RTP clock of a track relates to the time line and to the sender's wall clock.
#[derive(Default)]
struct Anchor {
    /// Time on the line minus RTP time.
    offset: Option<i64>,
    /// Sender's wall clock minus RTP time, of the latest sender report.
    report: Option<i64>,
    /// RTP time of the latest packet.
    latest: i64,
}

impl Clock {
    /// A time line whose zero is `start`.
    pub(super) fn new(start: Instant) -> Self {
        Self { start, tracks: Default::default() }
    }

    /// The time of a packet with the unwrapped RTP time `rtp` (in 90 kHz) that arrived at `arrival`.
    pub(super) fn at(&mut self, track: Track, rtp: i64, arrival: Instant) -> i64 {
        let arrived = ticks(arrival.saturating_duration_since(self.start));
        let anchor = &mut self.tracks[track as usize];
        let offset = match anchor.offset {
            Some(offset) if (rtp + offset - arrived).abs() < JUMP => offset,
            _ => {
                anchor.report = None;
                arrived - rtp
            }
        };
        let step = ((rtp - anchor.latest).abs() / SLEW).min(TICKS / SLEW);
        anchor.offset = Some(offset);
        anchor.latest = rtp;
        if track == Track::Audio
            && let Some(error) = self.sound_error()
        {
            self.tracks[track as usize].offset = Some(offset - error.clamp(-step, step));
        }
        rtp + self.tracks[track as usize].offset.unwrap_or(offset)
    }

    /// Takes a sender report (RFC 3550, section 6.4.1): at `wall` the track's RTP clock read `rtp`.
    pub(super) fn report(&mut self, track: Track, wall: SystemTime, rtp: i64) {
        if let Ok(wall) = wall.duration_since(UNIX_EPOCH) {
            self.tracks[track as usize].report = Some(ticks(wall) - rtp);
        }
    }

    /// By how much sound lies later on the line than its sender says, against the picture.
    fn sound_error(&self) -> Option<i64> {
        let [picture, sound] = &self.tracks;
        let error = (sound.offset? - picture.offset?) - (sound.report? - picture.report?);
        // Of a clock that ran over between its first packet and its first report the two are worlds apart. What is
        // further off than a jump cannot be mended: sound moved by as much would be placed by its arrival again.
        (error.abs() < JUMP).then_some(error)
    }
}

fn ticks(duration: Duration) -> i64 {
    // 90 kHz from whole seconds and the rest, so that years since 1970 neither overflow nor lose a tick.
    let rest = i64::from(duration.subsec_nanos()) * 9 / 100_000;
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / TICKS - 1).saturating_mul(TICKS).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: i64 = TICKS / 50;

    /// A minute of both tracks, sound arriving `late` after the picture of the same moment; how far sound then lies
    /// from where it belongs, and by how much it moved at most from one packet to the next.
    fn minute(late: Duration) -> (i64, i64) {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let (picture_rtp, sound_rtp) = (1_000_000, 77_000_000);
        let (mut worst, mut previous, mut apart) = (0_i64, None::<i64>, 0);
        for frame in 0..3000 {
            let (media, moment) = (frame * FRAME, start + Duration::from_millis(20) * u32::try_from(frame).unwrap());
            let picture = clock.at(Track::Video, picture_rtp + media, moment);
            let sound = clock.at(Track::Audio, sound_rtp + media, moment + late);
            if frame == 100 {
                let wall = UNIX_EPOCH + Duration::from_hours(500_000);
                clock.report(Track::Video, wall, picture_rtp + media);
                clock.report(Track::Audio, wall, sound_rtp + media);
            }
            if let Some(previous) = previous {
                worst = worst.max((sound - previous - FRAME).abs());
            }
            previous = Some(sound);
            apart = sound - picture;
        }
        (apart, worst)
    }

    #[test]
    fn sound_that_arrives_late_is_brought_to_its_picture_without_a_jolt() {
        let (apart, worst) = minute(Duration::from_millis(180));
        assert_eq!(apart, 0, "sound and picture of one moment have one time");
        assert!(worst <= FRAME / SLEW, "moved by {worst} ticks in one packet");
    }

    #[test]
    fn the_first_packets_are_placed_by_their_arrival() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        assert_eq!(clock.at(Track::Video, 5, start + Duration::from_millis(100)), 9000);
        assert_eq!(clock.at(Track::Audio, 123_456, start + Duration::from_millis(120)), 10_800);
    }

    #[test]
    fn sound_stays_where_it_arrived_if_the_reports_are_worlds_apart_from_the_packets() {
        // The 32 bits of a clock of 48 kHz, and seconds that nothing could be moved by.
        for apart in [(1_i64 << 32) * TICKS / 48_000, -(1 << 32), 10 * TICKS] {
            let start = Instant::now();
            let mut clock = Clock::new(start);
            clock.at(Track::Video, 0, start);
            clock.at(Track::Audio, 0, start);
            let wall = UNIX_EPOCH + Duration::from_hours(500_000);
            clock.report(Track::Video, wall, 0);
            clock.report(Track::Audio, wall, apart);
            for frame in 1..50_u32 {
                let (media, moment) = (i64::from(frame) * FRAME, start + Duration::from_millis(20) * frame);
                assert_eq!(clock.at(Track::Audio, media, moment), media);
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_anew_is_placed_by_arrival_again() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.at(Track::Video, 0, start);
        let moment = start + Duration::from_mins(1);
        assert_eq!(clock.at(Track::Video, 900, moment), 60 * TICKS);
    }
}

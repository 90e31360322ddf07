//! Cuts a broadcast's samples into MPEG-TS segments that each begin with a keyframe.
//!
//! The samples of one segment are held until the next keyframe comes, so that each has its true length and both tracks
//! lie in the order of their times; never more than one segment of them. Times run on over lost connections and odd
//! clocks alike: every run of samples is put after the end of the one before it.
//!
//! A segment has a track of sound only if there is sound in it: a track with nothing in it cannot be decoded. Where
//! sound comes or goes the coding breaks, as it does where it changes.

use crate::{
    h264,
    publication::Closed,
    sample::{AacConfig, Sample, TICKS_PER_SECOND, Track, Unit},
    settings::Settings,
};
use bytes::Bytes;
use entity::time::Timestamp;
use media::{Aac, Coded, Muxer};

/// Where the first picture stands on the clock of MPEG-TS: far enough from zero that no sound before it is negative.
const FIRST_TICK: i64 = 10 * TICKS_PER_SECOND;
/// How far the times of a track may jump before they count as another run's: 3 s.
const JUMP: i64 = 3 * TICKS_PER_SECOND;
/// Segments may be this short on the whole, and so many of them may end early before that is too many.
const LEAST_MEAN: i64 = TICKS_PER_SECOND;
const MOST_EARLY: i64 = 10;
/// How long a picture lasts of which nothing says so: a thirtieth of a second.
const PICTURE: i64 = TICKS_PER_SECOND / 30;
/// Bytes of the shortest AAC frame that MPEG-TS takes; libav gives a whole segment up for a shorter one.
const LEAST_SOUND: usize = 2;

/// A segment, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// MPEG-TS.
    pub(crate) bytes: Bytes,
    /// In ticks of 90 kHz, by the times of decoding: at least one, at most [`Settings::segment_max`] and a second.
    pub(crate) duration: i64,
    /// Whether coding or times break between the segment before and this one.
    pub(crate) discontinuity: bool,
    /// Pixels.
    pub(crate) size: (u32, u32),
    /// Pictures.
    pub(crate) pictures: u32,
    /// When its first picture came.
    pub(crate) at: Timestamp,
}

impl Segment {
    /// Pictures per second.
    #[expect(clippy::cast_precision_loss, reason = "minutes at most")]
    pub(crate) fn frame_rate(&self) -> f64 {
        f64::from(self.pictures) * TICKS_PER_SECOND as f64 / self.duration.max(1) as f64
    }
}

/// The segmenter of one broadcast.
pub(crate) struct Segmenter {
    min: i64,
    max: i64,
    max_bytes: usize,
    max_pixels: u64,
    /// How the sound of samples to come is coded.
    sound: Option<AacConfig>,
    /// How the held sound is coded; `None` if none is held.
    heard: Option<AacConfig>,
    muxer: Option<(Muxer, Option<AacConfig>)>,
    /// The present run; `None` until its first keyframe.
    run: Option<Run>,
    /// Where a new run begins.
    next: i64,
    /// Last times written, by track.
    last: [Option<i64>; 2],
    held: Vec<Sample>,
    held_bytes: usize,
    /// When the first held picture came.
    came: Option<Timestamp>,
    parameter_sets: Vec<u8>,
    size: (u32, u32),
    /// Whether the held segment, or the next one if nothing is held, breaks with the one before it.
    breaks: bool,
    any: bool,
    /// By how much segments may still be shorter than [`LEAST_MEAN`], in all.
    allowance: i64,
}

/// Samples whose times belong together.
#[derive(Clone, Copy)]
struct Run {
    /// What its times are moved by.
    shift: i64,
    /// Where its first picture is.
    start: i64,
}

impl Segmenter {
    /// A segmenter with these bounds.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            min: settings.segment_min,
            max: settings.segment_max,
            max_bytes: settings.segment_bytes,
            max_pixels: settings.pixels,
            sound: None,
            heard: None,
            muxer: None,
            run: None,
            next: FIRST_TICK,
            last: [None; 2],
            held: Vec::new(),
            held_bytes: 0,
            came: None,
            parameter_sets: Vec::new(),
            size: (0, 0),
            breaks: false,
            any: false,
            allowance: MOST_EARLY * LEAST_MEAN,
        }
    }

    /// Whether a keyframe has come that other pictures can follow.
    pub(crate) fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Takes a unit that came at `at`; gives the segment that it completes. After an error the publisher must go.
    pub(crate) fn push(&mut self, unit: Unit, at: Timestamp) -> Result<Option<Segment>, Closed> {
        match unit {
            Unit::Sound(config) => {
                self.sound = Some(config);
                Ok(None)
            }
            Unit::Sample(sample) if sample.track == Track::Video => self.picture(sample, at),
            Unit::Sample(sample) => self.sound(sample).map(|()| None),
        }
    }

    /// The run of samples is over: gives what is held. Another run may follow, and breaks with this one.
    pub(crate) fn interrupt(&mut self) -> Result<Option<Segment>, Closed> {
        let pictures = || self.held.iter().filter(|sample| sample.track == Track::Video);
        let mut times = pictures().rev().map(|sample| sample.dts);
        let last = times.next().unwrap_or(self.next);
        let frame = times.next().map_or(PICTURE, |before| (last - before).min(TICKS_PER_SECOND));
        let shown = pictures().map(|sample| sample.pts + frame).max().unwrap_or(self.next);
        let heard = self.held.iter().map(|sample| sample.dts + 1).max().unwrap_or(self.next);
        let segment = self.cut(shown.max(heard), last + frame);
        // Whatever came of it, nothing of this run belongs to the next.
        self.held.clear();
        self.held_bytes = 0;
        self.heard = None;
        self.run = None;
        self.sound = None;
        self.parameter_sets.clear();
        self.breaks = self.any;
        segment
    }

    fn picture(&mut self, mut sample: Sample, at: Timestamp) -> Result<Option<Segment>, Closed> {
        let sets = if sample.key { h264::parameter_sets(&sample.data) } else { Vec::new() };
        // Without them nobody could begin here.
        sample.key = !sets.is_empty();
        let mut ended = None;
        if self.has_jumped(&sample) || sample.key && self.is_too_late(&sample) {
            let sound = self.sound.clone();
            ended = self.interrupt()?;
            self.sound = sound;
        }
        let begin = || Run { shift: self.next - sample.dts, start: self.next };
        let Some(run) = self.run.or_else(|| sample.key.then(begin)) else { return Ok(ended) };
        self.run = Some(run);
        place(&mut sample, run.shift, self.last[0]);
        if sample.key {
            ended = ended.or(self.key(&sample, sets)?);
        }
        if self.first_picture().is_some_and(|first| sample.dts - first.dts > self.max) {
            return Err(Closed::NoKeyframe);
        }
        self.last[0] = Some(sample.dts);
        self.came.get_or_insert(at);
        self.hold(sample)?;
        Ok(ended)
    }

    /// A keyframe ends the segment before it if that is long enough, or coded in another way.
    fn key(&mut self, sample: &Sample, sets: Vec<u8>) -> Result<Option<Segment>, Closed> {
        let changes = sets != self.parameter_sets;
        let sound_changes = self.heard.is_some() && self.heard != self.sound;
        let long_enough = self.first_picture().is_none_or(|first| sample.dts - first.dts >= self.min);
        let ended = if long_enough || changes || sound_changes { self.cut(sample.dts, sample.dts)? } else { None };
        if changes {
            self.size = media::picture_size(&sample.data).map_err(|_| Closed::Unreadable)?;
            if u64::from(self.size.0) * u64::from(self.size.1) > self.max_pixels {
                return Err(Closed::TooLarge);
            }
            self.parameter_sets = sets;
        }
        self.breaks |= self.any && changes;
        Ok(ended)
    }

    fn sound(&mut self, mut sample: Sample) -> Result<(), Closed> {
        let (Some(run), Some(_)) = (self.run, &self.sound) else { return Ok(()) };
        if sample.data.len() < LEAST_SOUND {
            return Ok(());
        }
        // Sound that is coded in another way has to wait for the next segment.
        if self.heard.is_some() && self.heard != self.sound {
            return Ok(());
        }
        let at = sample.dts + run.shift;
        let out_of_order = self.last[1].is_some_and(|last| at <= last);
        let far_off = self.last[0].is_some_and(|picture| (at - picture).abs() > JUMP);
        if out_of_order || far_off || at < run.start {
            return Ok(());
        }
        place(&mut sample, run.shift, self.last[1]);
        self.last[1] = Some(sample.dts);
        self.heard.clone_from(&self.sound);
        self.hold(sample)
    }

    fn hold(&mut self, sample: Sample) -> Result<(), Closed> {
        self.held_bytes += sample.data.len();
        if self.held_bytes > self.max_bytes {
            return Err(Closed::TooFast);
        }
        self.held.push(sample);
        Ok(())
    }

    /// Whether a picture's time has nothing to do with that of the one before it.
    fn has_jumped(&self, sample: &Sample) -> bool {
        let (Some(run), Some(last)) = (self.run, self.last[0]) else { return false };
        let distance = sample.dts + run.shift - last;
        !(-TICKS_PER_SECOND..=JUMP).contains(&distance)
    }

    /// Whether the segment before a keyframe would be too long with the gap before it.
    fn is_too_late(&self, key: &Sample) -> bool {
        let (Some(run), Some(first)) = (self.run, self.first_picture()) else { return false };
        key.dts + run.shift - first.dts > self.max
    }

    fn first_picture(&self) -> Option<&Sample> {
        self.held.iter().find(|sample| sample.track == Track::Video)
    }

    /// Makes a segment of what is held before `end`; its last picture lasts until `last`, by the times of decoding.
    fn cut(&mut self, end: i64, last: i64) -> Result<Option<Segment>, Closed> {
        let begun = self.first_picture().map(|first| first.dts);
        let (Some(begun), Some(at)) = (begun, self.came.take()) else { return Ok(None) };
        let (mut now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|sample| sample.track == Track::Video || sample.dts < end);
        let is_sound = |sample: &Sample| sample.track == Track::Audio;
        let sound = if now.iter().any(is_sound) { self.heard.clone() } else { None };
        // What is coded in the old way belongs to no later segment.
        let goes_on = self.heard == self.sound;
        self.held = later.into_iter().filter(|sample| goes_on || !is_sound(sample)).collect();
        self.held_bytes = self.held.iter().map(|sample| sample.data.len()).sum();
        self.heard = if self.held.is_empty() { None } else { self.heard.take() };
        self.breaks |= self.any && self.muxer.as_ref().is_some_and(|(_, before)| *before != sound);
        now.sort_by_key(|sample| sample.dts);
        let lasted = end - std::mem::replace(&mut self.next, end);
        self.pace(lasted)?;
        let bytes = self.mux(&now, sound.as_ref(), end).map_err(|error| {
            tracing::warn!(%error, "a segment cannot be written");
            // What it holds of this segment must not be the beginning of the next.
            self.muxer = None;
            Closed::Unreadable
        })?;
        let pictures = now.iter().filter(|sample| sample.track == Track::Video).count();
        let segment = Segment {
            bytes,
            // Times of decoding grow; when a picture is shown is for its sender to say.
            duration: (last - begun).max(1),
            discontinuity: std::mem::take(&mut self.breaks),
            size: self.size,
            pictures: u32::try_from(pictures).unwrap_or(u32::MAX),
            at,
        };
        self.any = true;
        Ok(Some(segment))
    }

    /// Allows one more segment, which has `lasted` so long: a sender whose coding changes again and again would make
    /// one of every picture. One that is refused costs nothing: whoever sends longer ones again is taken again.
    fn pace(&mut self, lasted: i64) -> Result<(), Closed> {
        let gained = (self.allowance + lasted.max(0)).min(MOST_EARLY * LEAST_MEAN);
        let left = gained - LEAST_MEAN;
        self.allowance = if left < 0 { gained } else { left };
        if left < 0 {
            tracing::warn!("segments are too many and too short");
            return Err(Closed::Unreadable);
        }
        Ok(())
    }

    fn mux(&mut self, samples: &[Sample], sound: Option<&AacConfig>, end: i64) -> Result<Bytes, media::Error> {
        let frame = sound.map_or(0, |sound| 1_024 * TICKS_PER_SECOND / i64::from(sound.sample_rate.max(1)));
        let same = self.muxer.take().filter(|(_, before)| before.as_ref() == sound);
        let open = || open(sound).map(|muxer| (muxer, sound.cloned()));
        let (muxer, _) = self.muxer.insert(same.map_or_else(open, Ok)?);
        for (at, sample) in samples.iter().enumerate() {
            let is_picture = sample.track == Track::Video;
            let next = samples[at + 1..].iter().find(|later| later.track == sample.track).map(|later| later.dts);
            let duration = if is_picture { next.unwrap_or(end) - sample.dts } else { frame };
            let Sample { dts, pts, key, .. } = *sample;
            muxer.write_coded(Coded { is_picture, dts, pts, duration, key, data: &sample.data })?;
        }
        muxer.cut().map(Bytes::from)
    }
}

fn open(sound: Option<&AacConfig>) -> Result<Muxer, media::Error> {
    Muxer::live(sound.map(|sound| Aac {
        sample_rate: sound.sample_rate,
        channels: sound.channels,
        description: &sound.description,
    }))
}

/// Moves a sample onto the broadcast's clock, after the one before it of its track.
fn place(sample: &mut Sample, shift: i64, last: Option<i64>) {
    let composition = (sample.pts - sample.dts).clamp(0, JUMP);
    sample.dts = last.map_or(sample.dts + shift, |last| (sample.dts + shift).max(last + 1));
    sample.pts = sample.dts + composition;
}

#[cfg(test)]
mod tests;

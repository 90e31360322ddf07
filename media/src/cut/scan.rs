//! One look through a file's packets: can its picture be copied, where does it begin, where does it end.

#![expect(unsafe_code, reason = "ffmpeg-next does not give the size in a stream's parameters")]

use super::{
    During as _, Fault, Outline, Picture, Reason, Sound, TICKS, TICKS_PER_SECOND,
    bitstream::{AnnexB, is_idr},
    millis,
};
use crate::{Demuxer, Orientation};
use ff::{Rescale as _, codec::Id};
use ffmpeg_next as ff;
use std::collections::VecDeque;

/// How many frames H.264 may reorder at most (ITU-T H.264, `max_dec_frame_buffering`).
const MOST_REORDERED: i64 = 16;

/// One stream of the file, and how its times become ticks after the first frame.
#[derive(Clone)]
pub(super) struct Track {
    pub(super) index: usize,
    time_base: ff::Rational,
    origin: i64,
}

impl Track {
    /// Ticks after the file's first frame.
    pub(super) fn ticks(&self, time: i64) -> i64 {
        time.rescale(self.time_base, TICKS) - self.origin
    }

    /// A length in ticks.
    pub(super) fn length(&self, time: i64) -> i64 {
        time.rescale(self.time_base, TICKS)
    }
}

/// What the look has found.
pub(super) struct Scan {
    pub(super) picture: Track,
    pub(super) sound: Option<Track>,
    pub(super) treatment: Picture,
    /// Where the last frame ends, ticks after the first.
    pub(super) end: i64,
    /// Coding times of the first packets that have none in the file, in ticks.
    pub(super) lead: VecDeque<i64>,
    frames: u64,
    size: (u32, u32),
    frame_rate: f64,
    left_out: Option<String>,
}

/// What the picture's packets showed.
#[derive(Default)]
struct Found {
    frames: u64,
    first: Option<i64>,
    end: i64,
    first_dts: Option<i64>,
    last_dts: Option<i64>,
    without_dts: i64,
    last_key: Option<i64>,
    longest_gap: i64,
    opens_on_key: Option<bool>,
    untimed: bool,
    edited: bool,
}

impl Found {
    /// Takes note of one packet; times in ticks.
    fn note(&mut self, packet: &ff::Packet, track: &Track, idr: bool) {
        self.frames += 1;
        if packet.flags().bits() & ff::ffi::AV_PKT_FLAG_DISCARD != 0 {
            self.edited = true;
            return;
        }
        self.opens_on_key.get_or_insert(idr);
        let Some(pts) = packet.pts().map(|pts| track.ticks(pts)) else {
            self.untimed = true;
            return;
        };
        if let Some(dts) = packet.dts().map(|dts| track.ticks(dts)) {
            self.first_dts.get_or_insert(dts);
            self.untimed |= dts > pts || self.last_dts.replace(dts).is_some_and(|last| dts <= last);
        } else {
            // Matroska keeps no coding times; libav knows them only once it has seen some packets.
            self.without_dts += 1;
            self.untimed |= self.first_dts.is_some() || self.without_dts > MOST_REORDERED;
        }
        self.first = Some(self.first.map_or(pts, |first| first.min(pts)));
        self.end = self.end.max(pts + track.length(packet.duration()));
        if idr && let Some(last) = self.last_key.replace(pts) {
            self.longest_gap = self.longest_gap.max(pts - last);
        }
    }

    fn reason(&self, codec: Id, orientation: Orientation, target_ms: u64) -> Option<Reason> {
        let tail = self.last_key.map_or(i64::MAX, |key| self.end - key);
        let allowed = i64::try_from(target_ms).unwrap_or(i64::MAX).saturating_mul(2 * TICKS_PER_SECOND / 1000);
        if codec != Id::H264 {
            Some(Reason::Codec)
        } else if !orientation.is_upright() {
            Some(Reason::Turned)
        } else if self.edited {
            Some(Reason::Edited)
        } else if self.untimed || self.first_dts.is_none() {
            Some(Reason::Timestamps)
        } else if self.opens_on_key != Some(true) || self.longest_gap.max(tail) > allowed {
            Some(Reason::Keyframes)
        } else {
            None
        }
    }
}

impl Scan {
    /// Looks through the file; `None` if there is no picture in it.
    pub(super) fn of(demuxer: &mut Demuxer, target_ms: u64) -> Result<Option<Self>, Fault> {
        let track = demuxer.video().during("reading")?;
        let mut picture = Track { index: track.index, time_base: track.time_base, origin: 0 };
        let codec_of = |index| demuxer.input.stream(index).map(|stream| stream.parameters().id());
        let codec = codec_of(track.index).unwrap_or(Id::None);
        let sounds = demuxer.audio();
        // The first track that can be carried on; without any, the first is the one that is left out.
        let sound = sounds.iter().copied().find(|&index| codec_of(index) == Some(Id::AAC));
        let left_out = sounds.first().filter(|_| sound.is_none()).map(|&index| demuxer.codec(index).to_owned());
        let sound = sound.and_then(|index| demuxer.time_base(index).map(|time_base| (index, time_base)));

        let found = look(demuxer, &picture, codec)?;
        if found.frames == 0 {
            return Ok(None);
        }
        let origin = found.first.unwrap_or(0);
        picture.origin = origin;
        let sound = sound.map(|(index, time_base)| Track { index, time_base, origin });
        let step = TICKS_PER_SECOND * i64::from(track.frame_rate.denominator());
        let step = step / i64::from(track.frame_rate.numerator()).max(1);
        let first_dts = found.first_dts.unwrap_or(origin) - origin;
        let lead = (1..=found.without_dts).rev().map(|ahead| first_dts - ahead * step).collect();
        let treatment = found.reason(codec, track.orientation, target_ms).map_or(Picture::Copied, Picture::Encoded);
        Ok(Some(Self {
            picture,
            sound,
            treatment,
            end: found.end - origin,
            lead,
            frames: found.frames,
            size: size(demuxer, &track),
            frame_rate: f64::from(track.frame_rate),
            left_out,
        }))
    }

    /// What others may know of it.
    pub(super) fn outline(&self) -> Outline {
        let sound = match (&self.sound, &self.left_out) {
            (Some(_), _) => Sound::Copied,
            (None, Some(codec)) => Sound::LeftOut(codec.clone()),
            (None, None) => Sound::None,
        };
        let (width, height) = self.size;
        Outline {
            duration_ms: millis(self.end),
            frames: self.frames,
            width,
            height,
            frame_rate: self.frame_rate,
            picture: self.treatment,
            sound,
        }
    }
}

/// Pixels across and down, as the picture is to be seen.
fn size(demuxer: &Demuxer, track: &crate::Track) -> (u32, u32) {
    let Some(parameters) = demuxer.input.stream(track.index).map(|stream| stream.parameters()) else { return (0, 0) };
    // SAFETY: the parameters live through both reads of plain fields.
    let (width, height) = unsafe { ((*parameters.as_ptr()).width, (*parameters.as_ptr()).height) };
    let (width, height) = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    track.orientation.size((width, height))
}

fn look(demuxer: &mut Demuxer, picture: &Track, codec: Id) -> Result<Found, Fault> {
    let mut filter = match demuxer.input.stream(picture.index) {
        Some(stream) if codec == Id::H264 => Some(AnnexB::new(&stream)?),
        _ => None,
    };
    let mut found = Found::default();
    while let Some(packet) = demuxer.next().during("reading")? {
        if packet.track() != picture.index {
            continue;
        }
        match &mut filter {
            Some(filter) => filter.pass(packet.0, &mut |packet| {
                found.note(&packet, picture, packet.data().is_some_and(is_idr));
            })?,
            None => found.note(&packet.0, picture, packet.is_key()),
        }
    }
    Ok(found)
}

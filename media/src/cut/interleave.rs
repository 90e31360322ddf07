//! Puts picture and sound into the order of their times, whatever the order in the file.
//!
//! A keyframe comes out only after all the sound before it: that is what lets a cut at the keyframe leave every sound
//! packet in the segment of its time. What is held back is bounded, so that a file whose sound ends early, or lies
//! far from its picture, costs no memory.

use super::{TICKS_PER_SECOND, bitstream::is_idr, scan::Track};
use ffmpeg_next as ff;
use std::collections::VecDeque;

/// Longer than this, one stream does not wait for the other.
const HOLD_TICKS: i64 = 10 * TICKS_PER_SECOND;

/// A packet on its way to the muxer; its times are ticks after the first frame.
pub(super) struct Item {
    pub(super) packet: ff::Packet,
    pub(super) is_picture: bool,
    /// Whether a segment may begin with it.
    pub(super) opens: bool,
    order: i64,
}

/// Both streams, waiting for each other.
pub(super) struct Interleaver {
    picture: VecDeque<Item>,
    sound: VecDeque<Item>,
    waits_for_sound: bool,
    lead: VecDeque<i64>,
    last_key: i64,
}

impl Interleaver {
    /// `lead` are the coding times of the first packets that come without.
    pub(super) fn new(has_sound: bool, lead: VecDeque<i64>) -> Self {
        let (picture, sound) = (VecDeque::new(), VecDeque::new());
        Self { picture, sound, waits_for_sound: has_sound, lead, last_key: i64::MIN }
    }

    /// Takes a packet of the file's picture.
    pub(super) fn push_picture(&mut self, track: &Track, mut packet: ff::Packet) {
        retime(track, &mut packet);
        if packet.dts().is_none() {
            packet.set_dts(self.lead.pop_front());
        }
        self.push_encoded(packet);
    }

    /// Takes a packet of the encoder, whose times are ticks already.
    pub(super) fn push_encoded(&mut self, packet: ff::Packet) {
        let opens = packet.data().is_some_and(is_idr);
        let (pts, dts) = (packet.pts().unwrap_or(0), packet.dts().unwrap_or(0));
        if opens {
            self.last_key = pts;
        }
        // Frames that follow a keyframe in coding order may have an earlier coding time than it has a showing time.
        let order = if opens { pts } else { dts.max(self.last_key) };
        self.picture.push_back(Item { packet, is_picture: true, opens, order });
    }

    /// Takes a packet of the file's sound. One without a time has no place and is dropped.
    pub(super) fn push_sound(&mut self, track: &Track, mut packet: ff::Packet) {
        retime(track, &mut packet);
        if let Some(order) = packet.pts() {
            self.sound.push_back(Item { packet, is_picture: false, opens: false, order });
        }
    }

    /// Says that nothing follows.
    pub(super) fn close(&mut self) {
        self.waits_for_sound = false;
    }

    /// The next packet in the order of time, or `None` until more is pushed.
    pub(super) fn pop(&mut self) -> Option<Item> {
        match (self.picture.front(), self.sound.front()) {
            (Some(picture), Some(sound)) if sound.order < picture.order => self.sound.pop_front(),
            (Some(_), Some(_)) => self.picture.pop_front(),
            (Some(_), None) if !self.waits_for_sound || span(&self.picture) > HOLD_TICKS => self.picture.pop_front(),
            (None, Some(_)) if !self.waits_for_sound || span(&self.sound) > HOLD_TICKS => self.sound.pop_front(),
            _ => None,
        }
    }
}

fn span(queue: &VecDeque<Item>) -> i64 {
    queue.front().zip(queue.back()).map_or(0, |(first, last)| last.order - first.order)
}

fn retime(track: &Track, packet: &mut ff::Packet) {
    packet.set_pts(packet.pts().map(|time| track.ticks(time)));
    packet.set_dts(packet.dts().map(|time| track.ticks(time)));
    packet.set_duration(track.length(packet.duration()));
}

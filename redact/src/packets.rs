//! The packets of an input in their order and, when asked for, where groups of pictures begin that could be taken over
//! as they are, told before their first packet.
//!
//! A group is read to its end before it is told of, packets only: what they cost to keep is bounded.

use media::{Demuxer, Packet, begins_group, stands_alone};
use std::collections::VecDeque;

/// Bytes of packets that are read ahead; a longer group is no group.
const MAX_AHEAD: usize = 32 << 20;

/// What comes next.
pub(crate) enum Next {
    /// The next packets are a group.
    Group(Group),
    /// A packet of any track.
    Packet(Packet),
}

/// Packets of the video track, which come next.
pub(crate) struct Group {
    /// How many they are.
    pub pictures: usize,
    /// Decoding time of the first.
    pub first_dts: Option<i64>,
    /// They themselves, if they can be decoded whatever stands before them, and have all their times in order.
    pub alone: Option<Vec<Packet>>,
}

/// The packets of a container.
pub(crate) struct Packets {
    demuxer: Demuxer,
    video: usize,
    tells_groups: bool,
    ahead: VecDeque<Packet>,
    /// The first packet of the next group.
    begun: Option<Packet>,
}

impl Packets {
    /// The packets of `demuxer`, whose video track is number `video`.
    pub fn new(demuxer: Demuxer, video: usize) -> Self {
        Self { demuxer, video, tells_groups: false, ahead: VecDeque::new(), begun: None }
    }

    /// Tells of groups from now on, where parameter sets stand between the pictures: H.264 in MPEG-TS.
    pub fn tell_groups(&mut self) {
        self.tells_groups = self.demuxer.is_annex_b(self.video);
    }

    /// Whether groups are told.
    pub fn tells_groups(&self) -> bool {
        self.tells_groups
    }

    /// The container.
    pub fn demuxer(&self) -> &Demuxer {
        &self.demuxer
    }

    /// What comes next; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Next>, media::Error> {
        if let Some(packet) = self.ahead.pop_front() {
            return Ok(Some(Next::Packet(packet)));
        }
        if !self.tells_groups {
            return Ok(self.demuxer.next()?.map(Next::Packet));
        }
        self.read_ahead()?;
        Ok((!self.ahead.is_empty()).then(|| Next::Group(self.group())))
    }

    fn read_ahead(&mut self) -> Result<(), media::Error> {
        let mut bytes = 0;
        self.ahead.extend(self.begun.take());
        while bytes < MAX_AHEAD {
            let Some(packet) = self.demuxer.next()? else { break };
            bytes += packet.data().len();
            let begins = packet.track() == self.video && packet.is_key() && begins_group(packet.data());
            if begins && !self.ahead.is_empty() {
                self.begun = Some(packet);
                break;
            }
            self.ahead.push_back(packet);
        }
        Ok(())
    }

    fn group(&self) -> Group {
        let pictures = || self.ahead.iter().filter(|packet| packet.track() == self.video);
        let steady = |packet: &Packet| !self.demuxer.changes_coding(packet);
        let alone = stands_alone(pictures().map(Packet::data)) && in_order(pictures()) && pictures().all(steady);
        let first_dts = pictures().next().and_then(Packet::dts);
        Group { pictures: pictures().count(), first_dts, alone: alone.then(|| pictures().cloned().collect()) }
    }
}

/// Whether all `packets` have times, are decoded in their order, each before it is shown, and are all shown.
fn in_order<'a>(packets: impl Iterator<Item = &'a Packet>) -> bool {
    let mut last = None;
    packets.into_iter().all(|packet| {
        let (Some(pts), Some(dts)) = (packet.pts(), packet.dts()) else { return false };
        let later = last.replace(dts).is_none_or(|last| dts > last);
        later && dts <= pts && !packet.is_discarded()
    })
}

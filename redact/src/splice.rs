//! Which groups of pictures are taken over as they are: those that the first pass examined and found no face on, as far
//! as they can be decoded by themselves.
//!
//! It is decided before the group is decoded, since what comes out of the decoder cannot be kept for long. Everything is
//! decoded all the same, so that every picture is held against the plan.

use crate::{packets::Group, plan::Planned};
use media::Packet;
use std::{collections::VecDeque, sync::mpsc::Receiver};

/// The plan, frame by frame, that can be read ahead. Waits for what is not planned yet.
pub(crate) struct Ahead<'a> {
    planned: &'a Receiver<Planned>,
    read: VecDeque<Planned>,
    taken: u64,
}

impl<'a> Ahead<'a> {
    /// The plan that comes out of `planned`.
    pub fn new(planned: &'a Receiver<Planned>) -> Self {
        Self { planned, read: VecDeque::new(), taken: 0 }
    }

    /// The plan of the next frame; `None` at its end.
    pub fn next(&mut self) -> Option<Planned> {
        let planned = self.read.pop_front().or_else(|| self.planned.recv().ok())?;
        self.taken += 1;
        Some(planned)
    }

    /// The plan of `count` frames from number `first` on, counted from 0; `None` when it has not so many.
    fn peek(&mut self, first: u64, count: usize) -> Option<impl Iterator<Item = &Planned>> {
        let skipped = usize::try_from(first.checked_sub(self.taken)?).ok()?;
        while self.read.len() < skipped + count {
            self.read.push_back(self.planned.recv().ok()?);
        }
        Some(self.read.range(skipped..skipped + count))
    }
}

/// What is to become of a run of pictures.
#[derive(Default)]
pub(crate) struct Stretch {
    /// Number of the packet behind its last.
    end: u64,
    /// Decoding time of its first packet.
    pub first_dts: Option<i64>,
    /// What to take over in its place; `None` when it is encoded.
    pub copy: Option<Vec<Packet>>,
    /// Whether that was done.
    pub is_copied: bool,
}

/// The stretches that are on their way through the decoder.
#[derive(Default)]
pub(crate) struct Stretches(VecDeque<Stretch>);

impl Stretches {
    /// Decides about `group`, before whose packets the decoder has taken `taken`, `warmed` of them from before the
    /// input.
    pub fn decide(&mut self, group: Group, taken: u64, warmed: u64, plan: &mut Ahead<'_>) {
        let Group { pictures, first_dts, alone } = group;
        let copy = alone.filter(|packets| is_bare(packets, taken - warmed, plan));
        self.0.push_back(Stretch { end: taken + pictures as u64 + 1, first_dts, copy, is_copied: false });
    }

    /// The stretch of the picture that came from packet `number`, counted from 1.
    pub fn of(&mut self, number: u64) -> Option<&mut Stretch> {
        while self.0.front().is_some_and(|stretch| stretch.end <= number) {
            self.0.pop_front();
        }
        self.0.front_mut()
    }
}

/// Whether the plan shows exactly the pictures of `packets`, of which the first is number `first` of the input, and no
/// face on any of them.
fn is_bare(packets: &[Packet], first: u64, plan: &mut Ahead<'_>) -> bool {
    let mut times: Vec<Option<i64>> = packets.iter().map(Packet::pts).collect();
    times.sort_unstable();
    let Some(planned) = plan.peek(first, packets.len()) else { return false };
    planned.zip(times).all(|(planned, time)| Some(planned.pts) == time && planned.ellipses.is_empty())
}

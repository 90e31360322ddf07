//! What has come into view since the detector looked, wherever the camera has moved the rest.
//!
//! Each block of a frame is known when it is found again at a place that the detector has looked at, in the frame on
//! which it looked there. The search begins where the motion of the block's surroundings says; it compares with the frame
//! that was looked at and never with the one before, so that what changes slowly becomes new once it has changed enough.
//! What is found nowhere is new: it may show a face that nobody has looked for, so the detector has to look there.

use crate::{
    analysis::{Level, Small},
    geometry::Region,
    motion::Motion,
    sheet::{Area, View, join},
};
use media::Rotation;
use std::collections::VecDeque;

/// The level that blocks are compared on, half the size of the reduced frame, and samples of a block each way.
const FINE: usize = 1;
const BLOCK: usize = 4;
/// The level that motion is measured on, and samples of a patch of it each way: a patch is large enough that what a
/// single face does cannot pass for the motion of its surroundings.
const COARSE: usize = 2;
const PATCH: usize = 8;
/// Blocks in a patch, each way.
const PER_PATCH: usize = PATCH * (1 << (COARSE - FINE)) / BLOCK;
/// Farthest that a patch is searched for around each place where it is expected, in samples of its level.
const REACH: i32 = 3;
/// Difference of brightness of a patch up to which it has not moved.
const STILL: u32 = (PATCH * PATCH) as u32;
/// Mean difference of brightness per sample up to which a block is the same, on a flat surface, and how much more is
/// allowed for each level that neighbouring samples differ by: half a sample of misalignment costs that much.
const SAME: f32 = 4.0;
const PER_SLOPE: f32 = 0.45;
/// New blocks that lie together before they count: fewer are smaller than any face that could be found.
const FEWEST: usize = 3;
/// What is looked at around new blocks, in pixels of the reduced frame: a face is told by what surrounds it.
const MARGIN: f32 = 24.0;
/// Looks that blocks can be found again on.
const REFERENCES: usize = 64;
/// How far beyond a face that is blurred anyway new blocks do not matter, as a share of its box.
const COVERED: f32 = 1.15;

/// A frame that was looked at.
struct Reference {
    /// Its brightness on the level of blocks.
    fine: Vec<u8>,
    /// For each of its blocks, whether it was looked at.
    looked: Vec<bool>,
}

/// A block of the newest frame.
#[derive(Clone, Copy, Debug)]
struct Block {
    state: State,
    /// Turns in which it was looked at since it was new, a bit for each.
    turned: u8,
}

/// What is known of a block.
#[derive(Clone, Copy, Debug)]
enum State {
    /// It is the place so far away, in samples, in the frame of this number that was looked at.
    Known { reference: u64, away: (i32, i32) },
    /// It is found nowhere, and was not on so many frames before.
    New { age: u32 },
}

impl Block {
    /// One that is found nowhere and was nowhere before.
    const NEW: Self = Self { state: State::New { age: 0 }, turned: 0 };

    fn is_new(&self) -> bool {
        matches!(self.state, State::New { .. })
    }

    fn is_unturned(&self, turn: Rotation) -> bool {
        self.turned & bit(turn) == 0
    }
}

/// The bit that stands for a turn.
fn bit(turn: Rotation) -> u8 {
    1 << turn as u8
}

/// The blocks of the newest frame.
#[derive(Default)]
pub(crate) struct Unseen {
    size: (usize, usize),
    blocks: Vec<Block>,
    /// The newest frame's brightness on both levels.
    fine: Vec<u8>,
    coarse: Vec<u8>,
    /// Motion of each patch since the frame before, in samples of the coarse level.
    moved: Vec<(i32, i32)>,
    references: VecDeque<Reference>,
    /// Number of the first reference that is kept.
    first: u64,
    longest: u32,
}

impl Unseen {
    /// Takes the next frame, which moved as a whole by `motion`. Where nothing was looked at yet, all of it is new.
    pub fn advance(&mut self, small: &Small, motion: Motion) {
        let (fine, coarse) = (&small.levels[FINE], &small.levels[COARSE]);
        let before = if self.size == (fine.width, fine.height) && !motion.is_cut {
            self.moved = self.motion_of_patches(coarse, motion);
            std::mem::take(&mut self.blocks)
        } else {
            self.size = (fine.width, fine.height);
            self.references.clear();
            Vec::new()
        };
        self.blocks = self.found_again(fine, &before, motion);
        self.fine.clone_from(&fine.data);
        self.coarse.clone_from(&coarse.data);
    }

    /// Takes a look at `areas` of the newest frame, which is over with them; `None` are all of it.
    pub fn saw(&mut self, areas: Option<&[Area]>) {
        let looked = match areas {
            None => vec![true; self.blocks.len()],
            Some(areas) => self.within(areas),
        };
        if self.references.len() == REFERENCES {
            self.references.pop_front();
            self.first += 1;
        }
        let reference = self.first + self.references.len() as u64;
        let (first, seen) = (self.first, looked.iter());
        for (block, seen) in self.blocks.iter_mut().zip(seen) {
            if *seen {
                block.state = State::Known { reference, away: (0, 0) };
            } else if matches!(block.state, State::Known { reference, .. } if reference < first) {
                block.state = State::New { age: 0 };
            }
        }
        self.references.push_back(Reference { fine: self.fine.clone(), looked });
    }

    /// Takes a look at `areas` of the newest frame turned by `turn`; `None` are all of it.
    pub fn saw_turned(&mut self, turn: Rotation, areas: Option<&[Area]>) {
        let looked = areas.map_or_else(|| vec![true; self.blocks.len()], |areas| self.within(areas));
        let blocks = self.blocks.iter_mut().zip(looked).filter(|(_, looked)| *looked);
        blocks.for_each(|(block, _)| block.turned |= bit(turn));
    }

    /// What was not looked at turned by `turn` since it was new, as [`Unseen::news`].
    pub fn unturned(&self, turn: Rotation, covered: &[Region]) -> Vec<View> {
        let mut views = Vec::new();
        for at in self.pending(&|block| block.is_unturned(turn), covered) {
            join(&mut views, View { area: self.around(at), turn });
        }
        views
    }

    /// What is new on the newest frame and not beneath one of the faces `covered`, with some of what surrounds it; and for
    /// how many frames the oldest of it was new before.
    pub fn news(&self, covered: &[Region]) -> (Vec<View>, u32) {
        let (mut views, mut oldest) = (Vec::new(), 0);
        for at in self.pending(&Block::is_new, covered) {
            if let State::New { age } = self.blocks[at].state {
                oldest = oldest.max(age);
            }
            join(&mut views, View { area: self.around(at), turn: Rotation::None });
        }
        (views, oldest)
    }

    /// Counts the newest frame, on which nothing more will be looked at: what is new on it was shown without a look.
    pub fn count(&mut self, covered: &[Region]) {
        let new = self.pending(&Block::is_new, covered);
        let stretches = new.into_iter().map(|at| match self.blocks[at].state {
            State::New { age } => age + 1,
            State::Known { .. } => 0,
        });
        self.longest = self.longest.max(stretches.max().unwrap_or(0));
    }

    /// The most consecutive frames on which something new was to be seen before it was looked at, of those counted.
    pub fn longest(&self) -> u32 {
        self.longest
    }

    fn columns(&self) -> usize {
        self.size.0 / BLOCK
    }

    /// The blocks that are `wanted`, lie beside others that are, and are not covered.
    fn pending(&self, wanted: &dyn Fn(&Block) -> bool, covered: &[Region]) -> Vec<usize> {
        let (columns, rows) = (self.columns(), self.size.1 / BLOCK);
        let crowded = |column: usize, row: usize| {
            let across = column.saturating_sub(1)..(column + 2).min(columns);
            let down = row.saturating_sub(1)..(row + 2).min(rows);
            let around = down.flat_map(|row| across.clone().map(move |column| row * columns + column));
            around.filter(|at| wanted(&self.blocks[*at])).count() >= FEWEST
        };
        let pixels = (BLOCK << FINE) as f32;
        let is_covered = |column: usize, row: usize| {
            let (x, y) = ((column as f32 + 0.5) * pixels, (row as f32 + 0.5) * pixels);
            covered.iter().any(|face| {
                let (dx, dy) = ((x - face.x) / (face.w * COVERED), (y - face.y) / (face.h * COVERED));
                4.0 * (dx * dx + dy * dy) < 1.0
            })
        };
        let is_pending = |at: &usize| {
            let (column, row) = (at % columns, at / columns);
            wanted(&self.blocks[*at]) && crowded(column, row) && !is_covered(column, row)
        };
        (0..self.blocks.len()).filter(is_pending).collect()
    }

    /// The block with its margin, within the frame.
    fn around(&self, at: usize) -> Area {
        let (column, row, pixels) = (at % self.columns(), at / self.columns(), (BLOCK << FINE) as f32);
        let span = |at: usize, samples: usize| {
            let end = (samples << FINE) as f32;
            let from = (at as f32 * pixels - MARGIN).max(0.0);
            (from, ((at + 1) as f32 * pixels + MARGIN).min(end) - from)
        };
        let ((x, w), (y, h)) = (span(column, self.size.0), span(row, self.size.1));
        Area { x, y, w, h }
    }

    /// For each block, whether it lies in one of `areas`.
    fn within(&self, areas: &[Area]) -> Vec<bool> {
        let (columns, pixels) = (self.columns(), (BLOCK << FINE) as f32);
        let middle = |at: usize| (at as f32 + 0.5) * pixels;
        let places = (0..self.blocks.len()).map(|at| (middle(at % columns), middle(at / columns)));
        places.map(|(x, y)| areas.iter().any(|area| area.holds(x, y))).collect()
    }

    /// How each patch of the newest frame, whose coarse level is `now`, moved since the frame before.
    fn motion_of_patches(&self, now: &Level, motion: Motion) -> Vec<(i32, i32)> {
        let (columns, rows) = (now.width / PATCH, now.height / PATCH);
        let scale = (1 << COARSE) as f32;
        let whole = ((motion.shift.0 / scale).round() as i32, (motion.shift.1 / scale).round() as i32);
        let patches = (0..columns * rows).map(|at| {
            let before = self.moved.get(at).copied().unwrap_or_default();
            let place = ((at % columns) * PATCH, (at / columns) * PATCH);
            best_motion(&self.coarse, now, place, &[whole, before, (0, 0)])
        });
        patches.collect()
    }

    /// The blocks of the newest frame, whose fine level is `now`; `before` are those of the frame before.
    fn found_again(&self, now: &Level, before: &[Block], motion: Motion) -> Vec<Block> {
        let (columns, rows) = (now.width / BLOCK, now.height / BLOCK);
        if before.is_empty() {
            return vec![Block::NEW; columns * rows];
        }
        let scale = (1 << FINE) as f32;
        let whole = ((motion.shift.0 / scale).round() as i32, (motion.shift.1 / scale).round() as i32);
        let blocks = (0..columns * rows).map(|at| {
            let (column, row) = (at % columns, at / columns);
            let (mut candidates, count) = self.candidates(column / PER_PATCH, row / PER_PATCH);
            candidates[count] = whole;
            self.find(now, before, (column, row), &candidates[..=count])
        });
        blocks.collect()
    }

    /// How a block of the patch may have moved, in samples of the fine level: as the patch did, as its neighbours did,
    /// not at all.
    fn candidates(&self, column: usize, row: usize) -> ([(i32, i32); 7], usize) {
        let (columns, scale) = (self.size.0 / BLOCK / PER_PATCH, 1 << (COARSE - FINE));
        let rows = self.moved.len() / columns.max(1);
        let mut found = [(0, 0); 7];
        let mut count = 1;
        let neighbours = [(0_isize, 0_isize), (-1, 0), (1, 0), (0, -1), (0, 1)];
        for (dx, dy) in neighbours {
            let (Some(column), Some(row)) = (column.checked_add_signed(dx), row.checked_add_signed(dy)) else {
                continue;
            };
            if column < columns && row < rows {
                let (x, y) = self.moved[row * columns + column];
                let moved = (x * scale, y * scale);
                if !found[..count].contains(&moved) {
                    found[count] = moved;
                    count += 1;
                }
            }
        }
        // The patch's own motion is the likeliest.
        if self.moved.get(row * columns + column).is_some_and(|moved| *moved != (0, 0)) {
            found.swap(0, 1);
        }
        (found, count)
    }

    /// What is known of the block of the newest frame at this place.
    fn find(&self, now: &Level, before: &[Block], (column, row): (usize, usize), moved: &[(i32, i32)]) -> Block {
        let (columns, rows) = ((now.width / BLOCK) as i32, (now.height / BLOCK) as i32);
        let (x, y) = ((column * BLOCK) as i32, (row * BLOCK) as i32);
        let block = samples(&now.data, now.width, column * BLOCK, row * BLOCK);
        let (mut lost, mut limit) = (None, None);
        let half = (BLOCK / 2) as i32;
        for (dx, dy) in moved {
            let from = ((x - dx + half).div_euclid(BLOCK as i32), (y - dy + half).div_euclid(BLOCK as i32));
            if from.0 < 0 || from.1 < 0 || from.0 >= columns || from.1 >= rows {
                continue;
            }
            let Block { state, turned } = before[(from.1 * columns + from.0) as usize];
            match state {
                State::New { age } => lost = lost.or(Some(Block { state: State::New { age: age + 1 }, turned })),
                State::Known { reference, away } => {
                    let limit = *limit.get_or_insert_with(|| SAME + PER_SLOPE * slope(&block));
                    if let Some(away) = self.matches(&block, (x, y), reference, (away.0 - dx, away.1 - dy), limit) {
                        return Block { state: State::Known { reference, away }, turned };
                    }
                }
            }
        }
        lost.unwrap_or(Block::NEW)
    }

    /// Where, at most one sample from `away`, the block at `(x, y)` is found in a reference, at a place that was looked
    /// at.
    fn matches(
        &self,
        block: &[u8; BLOCK * BLOCK],
        (x, y): (i32, i32),
        reference: u64,
        away: (i32, i32),
        limit: f32,
    ) -> Option<(i32, i32)> {
        let reference = self.references.get(usize::try_from(reference.checked_sub(self.first)?).ok()?)?;
        let difference = |away: (i32, i32)| {
            let (x, y) = (usize::try_from(x + away.0).ok()?, usize::try_from(y + away.1).ok()?);
            if x + BLOCK > self.size.0 || y + BLOCK > self.size.1 {
                return None;
            }
            let middle = ((y + BLOCK / 2) / BLOCK) * (self.size.0 / BLOCK) + (x + BLOCK / 2) / BLOCK;
            reference.looked.get(middle).filter(|looked| **looked)?;
            let other = samples(&reference.fine, self.size.0, x, y);
            let sum: u32 = block.iter().zip(&other).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            Some(sum as f32 / (BLOCK * BLOCK) as f32)
        };
        if difference(away).is_some_and(|difference| difference <= limit) {
            return Some(away);
        }
        let around = (0..9).map(|at| (away.0 + at % 3 - 1, away.1 + at / 3 - 1));
        let best = around.filter_map(|away| Some((difference(away)?, away))).min_by(|a, b| a.0.total_cmp(&b.0))?;
        let fits = best.0 <= limit || self.between(block, &reference.fine, (x + best.1.0, y + best.1.1)) <= limit;
        fits.then_some(best.1)
    }

    /// The least mean difference of `block` from what lies half a sample beside the place `(x, y)` of `fine`: hard edges
    /// that moved by half a sample are still the same.
    fn between(&self, block: &[u8; BLOCK * BLOCK], fine: &[u8], (x, y): (i32, i32)) -> f32 {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        let sample =
            |x: i32, y: i32| i32::from(fine[(y.clamp(0, height - 1) * width + x.clamp(0, width - 1)) as usize]);
        let halves = (0..9).filter(|at| *at != 4).map(|at| (at % 3 - 1, at / 3 - 1));
        let sums = halves.map(|(half_x, half_y)| {
            let places = block.iter().enumerate().map(|(at, value)| {
                let (x, y) = (x + (at % BLOCK) as i32, y + (at / BLOCK) as i32);
                let four =
                    sample(x, y) + sample(x + half_x, y) + sample(x, y + half_y) + sample(x + half_x, y + half_y);
                (i32::from(*value) - (four + 2) / 4).unsigned_abs()
            });
            places.sum::<u32>()
        });
        sums.min().map_or(f32::MAX, |sum| sum as f32 / (BLOCK * BLOCK) as f32)
    }
}

/// The block whose upper left sample is at `(x, y)` of a level `width` samples wide.
fn samples(level: &[u8], width: usize, x: usize, y: usize) -> [u8; BLOCK * BLOCK] {
    let mut block = [0; BLOCK * BLOCK];
    for (row, target) in block.chunks_exact_mut(BLOCK).enumerate() {
        let from = (y + row) * width + x;
        target.copy_from_slice(&level[from..from + BLOCK]);
    }
    block
}

/// By how much neighbouring samples of a block differ, on average.
fn slope(block: &[u8; BLOCK * BLOCK]) -> f32 {
    let (mut sum, mut count) = (0_u32, 0_u32);
    for y in 0..BLOCK {
        for x in 0..BLOCK {
            let at = y * BLOCK + x;
            if x + 1 < BLOCK {
                sum += u32::from(block[at].abs_diff(block[at + 1]));
                count += 1;
            }
            if y + 1 < BLOCK {
                sum += u32::from(block[at].abs_diff(block[at + BLOCK]));
                count += 1;
            }
        }
    }
    sum as f32 / count as f32
}

/// How the patch at `(x, y)` of `now` moved since `before`, searched for around each of `expected`.
fn best_motion(before: &[u8], now: &Level, (x, y): (usize, usize), expected: &[(i32, i32)]) -> (i32, i32) {
    let difference = |(dx, dy): (i32, i32)| {
        let (from_x, from_y) = (usize::try_from(x as i32 - dx).ok()?, usize::try_from(y as i32 - dy).ok()?);
        if from_x + PATCH > now.width || from_y + PATCH > now.height {
            return None;
        }
        let rows = (0..PATCH).map(|row| {
            let (a, b) = ((y + row) * now.width + x, (from_y + row) * now.width + from_x);
            let pairs = now.data[a..a + PATCH].iter().zip(&before[b..b + PATCH]);
            pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
        });
        Some(rows.sum::<u32>())
    };
    let mut best = ((0, 0), difference((0, 0)).unwrap_or(u32::MAX));
    if best.1 <= STILL {
        return best.0;
    }
    let mut searched: [Option<(i32, i32)>; 4] = [None; 4];
    for (index, centre) in expected.iter().enumerate() {
        if searched.contains(&Some(*centre)) {
            continue;
        }
        if let Some(place) = searched.get_mut(index) {
            *place = Some(*centre);
        }
        for dy in -REACH..=REACH {
            for dx in -REACH..=REACH {
                let moved = (centre.0 + dx, centre.1 + dy);
                if let Some(found) = difference(moved).filter(|found| *found < best.1) {
                    best = (moved, found);
                }
            }
        }
    }
    best.0
}

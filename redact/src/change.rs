//! Where the picture has changed since it was last looked at. What has not changed shows no face that was not found
//! there before, so a camera that stands still need not be looked at again and again.

use crate::{
    analysis::{Level, Small},
    sheet::Area,
};

/// Which of the reduced picture's levels is compared: a quarter of its size, where noise has been averaged away.
const LEVEL: usize = 2;
/// Samples of that level in a block, each way.
const BLOCK: usize = 4;
/// Blocks in a cell, each way.
const CELL: usize = 2;
/// Pixels of the reduced picture in a cell, each way.
const CELL_PIXELS: usize = (CELL * BLOCK) << LEVEL;
/// Mean difference of brightness in a block from which it has changed.
const CHANGED: u32 = 6;

/// The picture as it was when each part of it was last looked at.
#[derive(Default)]
pub(crate) struct Changes {
    seen: Option<Level>,
}

impl Changes {
    /// The whole of `small` was looked at.
    pub fn saw_all(&mut self, small: &Small) {
        let Level { width, height, data } = &small.levels[LEVEL];
        self.seen = Some(Level { width: *width, height: *height, data: data.clone() });
    }

    /// `area` of `small` was looked at.
    pub fn saw(&mut self, small: &Small, area: &Area) {
        let (Some(seen), now) = (&mut self.seen, &small.levels[LEVEL]) else { return };
        if (seen.width, seen.height) != (now.width, now.height) {
            return;
        }
        let scale = (1 << LEVEL) as f32;
        let span = |from: f32, length: f32, end: usize| {
            let first = (from / scale).ceil().max(0.0) as usize;
            (first.min(end), (((from + length) / scale) as usize).min(end))
        };
        let (left, right) = span(area.x, area.w, now.width);
        let (top, bottom) = span(area.y, area.h, now.height);
        if left >= right {
            return;
        }
        for row in top..bottom {
            let at = row * now.width;
            seen.data[at + left..at + right].copy_from_slice(&now.data[at + left..at + right]);
        }
    }

    /// Areas of `small` that have changed, with some of what is around them; `None` when nothing was looked at yet.
    pub fn areas(&self, small: &Small) -> Option<Vec<Area>> {
        let now = &small.levels[LEVEL];
        let seen = self.seen.as_ref().filter(|seen| (seen.width, seen.height) == (now.width, now.height))?;
        let (columns, rows) = (now.width / (CELL * BLOCK), now.height / (CELL * BLOCK));
        let mut areas: Vec<Area> = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                if cell_changed(seen, now, column, row) {
                    join(&mut areas, cell(column, row, (small.width() as f32, small.height() as f32)));
                }
            }
        }
        Some(areas)
    }
}

fn cell_changed(seen: &Level, now: &Level, column: usize, row: usize) -> bool {
    (0..CELL * CELL).any(|block| {
        let (x, y) = ((column * CELL + block % CELL) * BLOCK, (row * CELL + block / CELL) * BLOCK);
        let difference: u32 = (y..y + BLOCK)
            .map(|y| {
                let at = y * now.width + x;
                let pairs = seen.data[at..at + BLOCK].iter().zip(&now.data[at..at + BLOCK]);
                pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
            })
            .sum();
        difference > CHANGED * (BLOCK * BLOCK) as u32
    })
}

/// A cell with its neighbours: a face that has come up in it may lie half beside it.
fn cell(column: usize, row: usize, size: (f32, f32)) -> Area {
    let pixels = CELL_PIXELS as f32;
    let (left, top) = ((column as f32 - 0.75) * pixels, (row as f32 - 0.75) * pixels);
    let (x, y) = (left.max(0.0), top.max(0.0));
    Area { x, y, w: (left + 2.5 * pixels).min(size.0) - x, h: (top + 2.5 * pixels).min(size.1) - y }
}

/// Adds `area` to `areas`, made one with those it meets.
fn join(areas: &mut Vec<Area>, mut area: Area) {
    while let Some(at) = areas.iter().position(|other| other.meets(&area)) {
        area = area.with(&areas.swap_remove(at));
    }
    areas.push(area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Shrinker;
    use media::{Layout, Orientation, Picture};

    fn small(square: Option<(usize, usize)>) -> Small {
        let mut picture = Picture::blank(Layout::Yuv420, true, 640, 352).expect("a picture");
        for (index, plane) in picture.planes_mut().expect("planes").into_iter().enumerate() {
            plane.data.fill(100 + 10 * index as u8);
            if let (Some((left, top)), 0) = (square, index) {
                for y in top..top + 14 {
                    plane.data[y * plane.stride + left..y * plane.stride + left + 14].fill(180);
                }
            }
        }
        Shrinker::new(640, (640, 352)).shrink(&picture, Orientation::UPRIGHT, true).expect("a reduced picture")
    }

    #[test]
    fn something_the_size_of_a_small_face_is_noticed_where_it_comes_up_and_only_until_it_was_looked_at() {
        let mut changes = Changes::default();
        assert!(changes.areas(&small(None)).is_none(), "nothing was seen yet");
        changes.saw_all(&small(None));
        assert_eq!(changes.areas(&small(None)), Some(Vec::new()));
        for at in [(0, 0), (333, 151), (626, 338), (95, 200)] {
            let now = small(Some(at));
            let areas = changes.areas(&now).expect("all was seen");
            let middle = (at.0 as f32 + 7.0, at.1 as f32 + 7.0);
            assert!(areas.len() == 1 && areas[0].holds(middle.0, middle.1), "{at:?} in {areas:?}");
            changes.saw(&now, &areas[0]);
            assert_eq!(changes.areas(&now), Some(Vec::new()), "after a look at {at:?}");
            changes.saw_all(&small(None));
        }
    }
}

//! The inverted residual block of MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear
//! Bottlenecks", 2018): a 1x1 convolution to many channels, a depthwise 3x3 one, a 1x1 one back to few.
//!
//! The many channels are never held for a whole map, which would not fit in the cache, but for a band of rows at a time;
//! what the next band needs of them again, the rows at its edge, is still in a ring.

use super::{
    depthwise::Depthwise,
    lane::{Lane, Map, room},
    product::{Product, Start, Task},
};
use std::ops::Range;

/// Lanes of scratch in a band, where a row of the map has not more: half of a usual second cache. The rest is for weights.
const BAND: usize = 256 * 1024 / size_of::<Lane>();

/// What a block reads, row by row.
pub(super) trait Source {
    fn width(&self) -> usize;
    fn height(&self) -> usize;
    /// Row `y` of the first block, and how many lanes lie from a block to the next.
    fn row(&mut self, y: usize) -> (&[Lane], usize);
}

impl Source for &Map {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn row(&mut self, y: usize) -> (&[Lane], usize) {
        Map::row(self, y)
    }
}

/// The block's three layers.
#[derive(Debug)]
pub(super) struct Block {
    pub expand: Product,
    pub depthwise: Depthwise,
    pub project: Product,
}

/// Memory for what lies between the layers, reused from block to block.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// A ring of expanded rows for each block of channels, with a pixel of margin at both ends.
    expanded: Vec<Lane>,
    /// A band of filtered rows for each block of channels.
    filtered: Vec<Lane>,
    /// What lies above the first row and below the last.
    zeros: Vec<Lane>,
}

/// The rings of expanded rows.
#[derive(Clone, Copy)]
struct Ring {
    /// Lanes of a row, margin included.
    width: usize,
    /// Rows in each ring.
    rows: usize,
    /// Rows of the map.
    height: usize,
}

impl Block {
    /// Whether its result is of its source's shape, and the source is added to it.
    pub fn keeps_shape(&self) -> bool {
        self.depthwise.stride == 1 && self.expand.depth() == self.project.blocks()
    }

    /// Computes `target` from `source`, adding `residual` if it is given.
    pub fn run(&self, source: &mut impl Source, residual: Option<&Map>, target: &mut Map, scratch: &mut Scratch) {
        let (stride, blocks) = (self.depthwise.stride, self.depthwise.blocks());
        let (width, height) = (source.width() / stride, source.height() / stride);
        target.shape(self.project.blocks(), width, height, 0);
        let row = stride * (source.width() + 2) + width;
        let band = (BAND / (blocks * row)).clamp(1, height);
        let ring = Ring { width: source.width() + 2, rows: (band - 1) * stride + 3, height: source.height() };
        scratch.prepare(blocks, ring, band * width);
        let mut expanded = 0;
        for top in (0..height).step_by(band) {
            let rows = top..height.min(top + band);
            let needed = ring.height.min((rows.end - 1) * stride + 2);
            for y in expanded..needed {
                self.expand(source, y, ring, &mut scratch.expanded);
            }
            expanded = needed;
            self.filter(rows.clone(), ring, scratch);
            self.project(rows, residual, target, &scratch.filtered);
        }
    }

    fn expand(&self, source: &mut impl Source, y: usize, ring: Ring, expanded: &mut [Lane]) {
        let target = (&mut expanded[y % ring.rows * ring.width + 1..], ring.rows * ring.width);
        Task::new(&self.expand, ring.width - 2, source.row(y), target).run();
    }

    fn filter(&self, rows: Range<usize>, ring: Ring, scratch: &mut Scratch) {
        let stride = self.depthwise.stride;
        let width = (ring.width - 2) / stride;
        let rings = scratch.expanded.chunks_exact(ring.rows * ring.width);
        let bands = scratch.filtered.chunks_exact_mut(rows.len() * width);
        for (block, (expanded, band)) in rings.zip(bands).take(self.depthwise.blocks()).enumerate() {
            for (y, target) in rows.clone().zip(band.chunks_exact_mut(width)) {
                let three = [0, 1, 2].map(|tap| match (y * stride + tap).checked_sub(1) {
                    Some(y) if y < ring.height => &expanded[y % ring.rows * ring.width..][..ring.width],
                    _ => &scratch.zeros[..ring.width],
                });
                self.depthwise.row(block, three, target);
            }
        }
    }

    fn project(&self, rows: Range<usize>, residual: Option<&Map>, target: &mut Map, filtered: &[Lane]) {
        let pixels = rows.len() * target.width;
        let start = residual.map_or(Start::Bias, |map| Start::Residual(map.row(rows.start).0));
        let whole = Task::new(&self.project, pixels, (filtered, pixels), target.row_mut(rows.start));
        Task { start, relu: false, ..whole }.run();
    }
}

impl Scratch {
    /// Makes room for `blocks` blocks of channels, each with its ring and a band of `filtered` lanes.
    fn prepare(&mut self, blocks: usize, ring: Ring, filtered: usize) {
        room(&mut self.zeros, ring.width);
        room(&mut self.filtered, blocks * filtered);
        for row in room(&mut self.expanded, blocks * ring.rows * ring.width).chunks_exact_mut(ring.width) {
            row[0] = Lane::default();
            row[ring.width - 1] = Lane::default();
        }
    }
}

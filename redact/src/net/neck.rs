//! The neck and the head: from the coarsest map up to a quarter of the picture's size, at each step adding what the
//! backbone knew there (Lin et al., "Feature Pyramid Networks for Object Detection", 2017), and at last a face or none,
//! its size and its offset for each pixel.

use super::{
    Maps,
    lane::{Lane, Map, room},
    product::{Product, Start, Task},
};

/// Doubles a map's size and adds the backbone's map of that size.
#[derive(Debug)]
pub(super) struct Up {
    /// The transposed 2x2 convolution with stride 2, which takes each pixel to four: four products, one after the other.
    pub deconvolve: Product,
    /// From the backbone's channels to the neck's.
    pub lateral: Product,
}

impl Up {
    /// Computes `target`, with `margin`, from the coarser map `source` and the backbone's map `skip`.
    pub fn run(&self, source: &Map, skip: &Map, target: &mut Map, margin: usize, scratch: &mut Vec<Lane>) {
        target.shape(self.lateral.blocks(), skip.width, skip.height, margin);
        let quads = room(scratch, self.deconvolve.blocks() * source.width);
        for y in 0..source.height {
            Task::new(&self.deconvolve, source.width, source.row(y), (quads, source.width)).run();
            for (down, quads) in quads.chunks_exact(quads.len() / 2).enumerate() {
                self.row(2 * y + down, quads, skip, target);
            }
        }
    }

    /// Row `y` of the target, to which the pixels `quads`, left ones before right ones, are added.
    fn row(&self, y: usize, quads: &[Lane], skip: &Map, target: &mut Map) {
        let width = target.width;
        let (row, plane) = target.row_mut(y);
        Task::new(&self.lateral, width, skip.row(y), (row, plane)).run();
        for (across, quads) in quads.chunks_exact(quads.len() / 2).enumerate() {
            for (target, quads) in row.chunks_mut(plane).zip(quads.chunks_exact(width / 2)) {
                for (target, quad) in target[across..].iter_mut().step_by(2).zip(quads) {
                    for (target, quad) in target.0.iter_mut().zip(quad.0) {
                        *target += quad;
                    }
                }
            }
        }
    }
}

/// From the finest map to the network's outputs.
#[derive(Debug)]
pub(super) struct Head {
    /// A 3x3 convolution as the sum of nine products, row by row; the first has the bias.
    pub taps: [Product; 9],
    /// One output for the heat, two for the size, two for the offset.
    pub outputs: Product,
}

impl Head {
    /// Computes `maps` from `source`, which has a margin of one pixel.
    pub fn run(&self, source: &Map, maps: &mut Maps, scratch: &mut Vec<Lane>) {
        let (width, cells) = (source.width, source.width * source.height);
        maps.heat.resize(cells, 0.0);
        maps.size.resize(2 * cells, 0.0);
        maps.offset.resize(2 * cells, 0.0);
        let blocks = self.outputs.depth();
        let (features, outputs) = room(scratch, (blocks + 1) * width).split_at_mut(blocks * width);
        for y in 0..source.height {
            for (at, tap) in self.taps.iter().enumerate() {
                let (corner, plane) = source.corner(y);
                let shifted = (&corner[at / 3 * source.stride() + at % 3..], plane);
                let start = if at == 0 { Start::Bias } else { Start::Target };
                let whole = Task::new(tap, width, shifted, (features, width));
                Task { start, relu: at == 8, ..whole }.run();
            }
            let raw = Task::new(&self.outputs, width, (features, width), (outputs, width));
            Task { relu: false, ..raw }.run();
            for (at, Lane(output)) in (y * width..).zip(&*outputs) {
                let [heat, h, w, down, across, ..] = *output;
                maps.heat[at] = 1.0 / (1.0 + (-heat).exp());
                (maps.size[at], maps.size[cells + at]) = (h, w);
                (maps.offset[at], maps.offset[cells + at]) = (down, across);
            }
        }
    }
}

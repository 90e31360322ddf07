//! Matrix products, in which nine tenths of the network's work lie: a 1x1 convolution multiplies the channels of each
//! pixel by a matrix. A tile of pixels by channels of the result stays in registers while the depth runs by.

#![expect(clippy::inline_always, reason = "kernels take on the instruction set of what dispatches them")]

use super::{
    lane::{LANES, Lane, lanes},
    simd::{Kernel, Pairs, dispatch, is_wide},
};

/// Lanes that a panel may have: as many as registers hold sums of for several pixels.
const WIDTHS: [usize; 3] = [3, 2, 1];
/// The same where registers are wide and many.
const WIDE_WIDTHS: [usize; 5] = [6, 4, 3, 2, 1];
/// Pixels of a tile at the end of a run.
const FEW: usize = 4;

/// A matrix of weights, packed as the kernel reads it.
#[derive(Debug)]
pub(super) struct Product {
    /// Lanes of a panel: one of [`WIDTHS`].
    width: usize,
    /// Inputs, in channels.
    depth: usize,
    /// Panel by panel, input by input, the lanes of the panel.
    weights: Vec<Lane>,
    /// What each output starts from.
    bias: Vec<Lane>,
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    Bias,
    /// The bias and another map, laid out as the target.
    Residual(&'a [Lane]),
    /// What the target holds.
    Target,
}

/// A product to compute for a run of neighbouring pixels.
pub(super) struct Task<'a> {
    pub product: &'a Product,
    pub source: &'a [Lane],
    /// Lanes from a block of the source to the next.
    pub source_plane: usize,
    pub pixels: usize,
    pub start: Start<'a>,
    pub relu: bool,
    pub target: &'a mut [Lane],
    /// Lanes from a block of the target to the next.
    pub target_plane: usize,
}

impl Product {
    /// The product with the matrix `weights`, row by row, one row of inputs for each of `bias`. Inputs and outputs are
    /// filled up with zeros to whole blocks.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        let (outputs, row) = (bias.len().next_multiple_of(LANES), weights.len() / bias.len());
        let depth = row.next_multiple_of(LANES);
        let widths = if is_wide() { &WIDE_WIDTHS[..] } else { &WIDTHS };
        let width = widths.iter().copied().find(|width| outputs.is_multiple_of(width * LANES)).unwrap_or(1);
        let weight = |output: usize, input: usize| {
            if output < bias.len() && input < row { weights[output * row + input] } else { 0.0 }
        };
        let mut packed = Vec::with_capacity(outputs * depth / LANES);
        for panel in (0..outputs).step_by(width * LANES) {
            for input in 0..depth {
                for first in (panel..panel + width * LANES).step_by(LANES) {
                    packed.push(Lane(std::array::from_fn(|lane| weight(first + lane, input))));
                }
            }
        }
        Self { width, depth, weights: packed, bias: lanes(bias).collect() }
    }

    /// Blocks of inputs.
    pub fn depth(&self) -> usize {
        self.depth / LANES
    }

    /// Blocks of outputs.
    pub fn blocks(&self) -> usize {
        self.bias.len()
    }
}

impl<'a> Task<'a> {
    /// The rectified product for `pixels` pixels, each side with its lanes and how many of them lie from a block to the
    /// next.
    pub fn new(
        product: &'a Product,
        pixels: usize,
        source: (&'a [Lane], usize),
        target: (&'a mut [Lane], usize),
    ) -> Self {
        let ((source, source_plane), (target, target_plane)) = (source, target);
        Self { product, source, source_plane, pixels, start: Start::Bias, relu: true, target, target_plane }
    }

    /// Computes it.
    pub fn run(self) {
        dispatch(self);
    }
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Pairs>(mut self, simd: S) {
        match (self.product.width, S::IS_WIDE) {
            (6, _) => self.by_panels::<S, 8, 6, 3, 0>(simd),
            (4, _) => self.by_panels::<S, 12, 4, 2, 0>(simd),
            (3, true) => self.by_panels::<S, 8, 3, 1, 1>(simd),
            (3, false) => self.by_panels::<S, 3, 3, 1, 1>(simd),
            (2, true) => self.by_panels::<S, 16, 2, 1, 0>(simd),
            (2, false) => self.by_panels::<S, 6, 2, 1, 0>(simd),
            (_, true) => self.by_panels::<S, 12, 1, 0, 1>(simd),
            (_, false) => self.by_panels::<S, 6, 1, 0, 1>(simd),
        }
    }
}

/// The sums of a tile: for each pixel so many pairs of lanes, and a lane more or none.
#[derive(Clone, Copy)]
struct Sums<S: Pairs, const PIXELS: usize, const PAIRS: usize, const ODD: usize> {
    pairs: [[S::Pair; PAIRS]; PIXELS],
    odd: [[S::Lanes; ODD]; PIXELS],
}

impl Task<'_> {
    /// Panel after panel, each for all pixels, so that a panel's weights stay in the first cache. `WIDTH` is twice
    /// `PAIRS` and `ODD`.
    #[inline(always)]
    fn by_panels<S: Pairs, const PIXELS: usize, const WIDTH: usize, const PAIRS: usize, const ODD: usize>(
        &mut self,
        simd: S,
    ) {
        const { assert!(WIDTH == 2 * PAIRS + ODD) };
        let panels = self.product.weights.as_chunks::<WIDTH>().0.chunks_exact(self.product.depth);
        for (panel, weights) in panels.enumerate() {
            let mut x = 0;
            while x + PIXELS <= self.pixels {
                self.tile::<S, PIXELS, WIDTH, PAIRS, ODD>(simd, weights, panel, x);
                x += PIXELS;
            }
            while x + FEW <= self.pixels {
                self.tile::<S, FEW, WIDTH, PAIRS, ODD>(simd, weights, panel, x);
                x += FEW;
            }
            while x + 2 <= self.pixels {
                self.tile::<S, 2, WIDTH, PAIRS, ODD>(simd, weights, panel, x);
                x += 2;
            }
            if x < self.pixels {
                self.tile::<S, 1, WIDTH, PAIRS, ODD>(simd, weights, panel, x);
            }
        }
    }

    /// A tile of the result: `PIXELS` pixels from `x` on by `WIDTH` blocks of channels.
    #[inline(always)]
    fn tile<S: Pairs, const PIXELS: usize, const WIDTH: usize, const PAIRS: usize, const ODD: usize>(
        &mut self,
        simd: S,
        weights: &[[Lane; WIDTH]],
        panel: usize,
        x: usize,
    ) {
        let first = panel * WIDTH * self.target_plane + x;
        let at = |block: usize| first + block * self.target_plane;
        let bias = &self.product.bias.as_chunks::<WIDTH>().0[panel];
        let mut sums = Sums::<S, PIXELS, PAIRS, ODD> {
            pairs: [[simd.splat_pair(0.0); PAIRS]; PIXELS],
            odd: [[simd.splat(0.0); ODD]; PIXELS],
        };
        let begin = |block: usize, pixel: usize| {
            let bias = simd.load(&bias[block]);
            match self.start {
                Start::Bias => bias,
                Start::Residual(other) => simd.add(bias, simd.load(&other[at(block) + pixel])),
                Start::Target => simd.load(&self.target[at(block) + pixel]),
            }
        };
        for pixel in 0..PIXELS {
            for pair in 0..PAIRS {
                sums.pairs[pixel][pair] = simd.join(begin(2 * pair, pixel), begin(2 * pair + 1, pixel));
            }
            for odd in 0..ODD {
                sums.odd[pixel][odd] = begin(2 * PAIRS + odd, pixel);
            }
        }
        sums = accumulate(simd, sums, weights, &self.source[x..], self.source_plane);
        let least = simd.splat(if self.relu { 0.0 } else { f32::NEG_INFINITY });
        for pixel in 0..PIXELS {
            for pair in 0..PAIRS {
                let [one, other] = simd.split(sums.pairs[pixel][pair]);
                self.target[at(2 * pair) + pixel] = simd.store(simd.max(one, least));
                self.target[at(2 * pair + 1) + pixel] = simd.store(simd.max(other, least));
            }
            for odd in 0..ODD {
                self.target[at(2 * PAIRS + odd) + pixel] = simd.store(simd.max(sums.odd[pixel][odd], least));
            }
        }
    }
}

/// Adds to `sums` the products of each input of the pixels at the start of each block of `source` with its `weights`.
#[inline(always)]
fn accumulate<S: Pairs, const PIXELS: usize, const WIDTH: usize, const PAIRS: usize, const ODD: usize>(
    simd: S,
    mut sums: Sums<S, PIXELS, PAIRS, ODD>,
    weights: &[[Lane; WIDTH]],
    source: &[Lane],
    plane: usize,
) -> Sums<S, PIXELS, PAIRS, ODD> {
    for (block, rows) in weights.as_chunks::<LANES>().0.iter().enumerate() {
        let pixels = &source[block * plane..][..PIXELS].as_chunks::<PIXELS>().0[0];
        for (input, row) in rows.iter().enumerate() {
            let (in_pairs, rest) = row.as_chunks::<2>();
            let mut pairs = [simd.splat_pair(0.0); PAIRS];
            for (pair, lanes) in pairs.iter_mut().zip(in_pairs) {
                *pair = simd.load_pair(lanes);
            }
            let mut odd = [simd.splat(0.0); ODD];
            for (odd, lane) in odd.iter_mut().zip(rest) {
                *odd = simd.load(lane);
            }
            for (pixel, lane) in pixels.iter().enumerate() {
                let value = simd.splat_pair(lane.0[input]);
                for (sum, weights) in sums.pairs[pixel].iter_mut().zip(pairs) {
                    *sum = simd.multiply_add_pair(value, weights, *sum);
                }
                let [value, _] = simd.split(value);
                for (sum, weights) in sums.odd[pixel].iter_mut().zip(odd) {
                    *sum = simd.multiply_add(value, weights, *sum);
                }
            }
        }
    }
    sums
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::net::simd::dispatch_on;

    /// Pixels in the run, more than any tile and a few.
    const PIXELS: usize = 23;
    const DEPTH: usize = 2;

    /// A number of its own for each `seed`, small enough that no sum is rounded.
    fn number(seed: usize) -> f32 {
        ((seed * 37) % 17) as f32 - 8.0
    }

    #[test]
    fn every_kind_of_processor_gives_the_same_for_every_width_of_panel() {
        for blocks in [1, 2, 3, 4, 6, 8, 12] {
            let weights: Vec<f32> = (0..blocks * LANES * DEPTH * LANES).map(number).collect();
            let bias: Vec<f32> = (0..blocks * LANES).map(|at| number(at + 5)).collect();
            let product = Product::new(&weights, &bias);
            let source: Vec<Lane> =
                (0..DEPTH * PIXELS).map(|at| Lane(std::array::from_fn(|lane| number(at * LANES + lane + 3)))).collect();
            let sum = |output: usize, pixel: usize| {
                let inputs = (0..DEPTH * LANES).map(|input| {
                    let Lane(lane) = source[input / LANES * PIXELS + pixel];
                    weights[output * DEPTH * LANES + input] * lane[input % LANES]
                });
                (bias[output] + inputs.sum::<f32>()).max(0.0)
            };
            let expected: Vec<Lane> = (0..blocks * PIXELS)
                .map(|at| Lane(std::array::from_fn(|lane| sum(at / PIXELS * LANES + lane, at % PIXELS))))
                .collect();
            for kind in 0..3 {
                let mut target = vec![Lane::default(); blocks * PIXELS];
                if dispatch_on(kind, Task::new(&product, PIXELS, (&source, PIXELS), (&mut target, PIXELS))) {
                    assert!(target == expected, "{blocks} blocks on a processor of kind {kind}");
                }
            }
        }
    }
}

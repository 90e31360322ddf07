//! Depthwise 3x3 convolutions: each channel by itself, nine weights to a pixel. A block's nine weights stay in
//! registers while a row runs by, because every pixel needs all of them and only nine numbers of its own.

#![expect(clippy::inline_always, reason = "kernels take on the instruction set of what dispatches them")]

use super::{
    lane::{LANES, Lane},
    simd::{Kernel, Pairs, dispatch},
};

const TAPS: usize = 9;

/// Weights of a depthwise convolution with a rectified result.
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Pixels from one input to the next: 1 or 2.
    pub stride: usize,
    /// Per block the nine weights, row by row, and the bias.
    blocks: Vec<[Lane; TAPS + 1]>,
}

/// A row of one block to compute.
struct Task<'a> {
    weights: &'a [Lane; TAPS + 1],
    stride: usize,
    rows: [&'a [Lane]; 3],
    target: &'a mut [Lane],
}

impl Depthwise {
    /// The convolution with nine of `weights` for each of `bias`.
    pub fn new(weights: &[f32], bias: &[f32], stride: usize) -> Self {
        let weight =
            |channel: usize, tap: usize| if tap < TAPS { weights[channel * TAPS + tap] } else { bias[channel] };
        let block =
            |first: usize| std::array::from_fn(|tap| Lane(std::array::from_fn(|lane| weight(first + lane, tap))));
        Self { stride, blocks: (0..bias.len()).step_by(LANES).map(block).collect() }
    }

    /// Blocks of channels.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// One row of block `block` from three of its source, each with a pixel of margin at both ends.
    pub fn row(&self, block: usize, rows: [&[Lane]; 3], target: &mut [Lane]) {
        dispatch(Task { weights: &self.blocks[block], stride: self.stride, rows, target });
    }
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Pairs>(mut self, simd: S) {
        if self.stride == 1 {
            let done = self.by_pairs(simd);
            self.by_pixels::<S, 1>(simd, done);
        } else {
            self.by_pixels::<S, 2>(simd, 0);
        }
    }
}

impl Task<'_> {
    /// Two pixels at a time, as far as they go; gives how many.
    #[inline(always)]
    fn by_pairs<S: Pairs>(&mut self, simd: S) -> usize {
        let [taps @ .., bias] = self.weights;
        let twice = |lane: &Lane| simd.join(simd.load(lane), simd.load(lane));
        let (bias, least) = (twice(bias), simd.splat_pair(0.0));
        let mut weights = [bias; TAPS];
        for (weight, tap) in weights.iter_mut().zip(taps) {
            *weight = twice(tap);
        }
        let length = self.target.len();
        let [above, middle, below] = self.rows.map(|row| &row[..length + 2]);
        let (targets, _) = self.target.as_chunks_mut::<2>();
        for (pair, target) in targets.iter_mut().enumerate() {
            let mut sum = bias;
            for (row, weights) in [above, middle, below].iter().zip(weights.as_chunks::<3>().0) {
                let row = &row[2 * pair..][..4];
                for (across, weights) in weights.iter().enumerate() {
                    let lanes = &row[across..].as_chunks::<2>().0[0];
                    sum = simd.multiply_add_pair(simd.load_pair(lanes), *weights, sum);
                }
            }
            let [one, other] = simd.split(simd.max_pair(sum, least));
            *target = [simd.store(one), simd.store(other)];
        }
        length / 2 * 2
    }

    /// One pixel at a time, from the pixel `from` on.
    #[inline(always)]
    fn by_pixels<S: Pairs, const STRIDE: usize>(self, simd: S, from: usize) {
        let [taps @ .., bias] = self.weights;
        let bias = simd.load(bias);
        let mut weights = [bias; TAPS];
        for (weight, tap) in weights.iter_mut().zip(taps) {
            *weight = simd.load(tap);
        }
        let needed = (self.target.len() - 1) * STRIDE + 3;
        let [above, middle, below] = self.rows.map(|row| &row[..needed]);
        for (x, target) in self.target.iter_mut().enumerate().skip(from) {
            let mut sum = bias;
            for (row, weights) in [above, middle, below].iter().zip(weights.as_chunks::<3>().0) {
                for (across, weights) in weights.iter().enumerate() {
                    sum = simd.multiply_add(simd.load(&row[x * STRIDE + across]), *weights, sum);
                }
            }
            *target = simd.store(simd.max(sum, simd.splat(0.0)));
        }
    }
}

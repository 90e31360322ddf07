//! Matrix products, in which nine tenths of the network's work lie: a 1x1 convolution multiplies the channels of each
//! pixel by a matrix. A tile of pixels by channels of the result stays in registers while the depth runs by.

#![expect(clippy::inline_always, reason = "kernels take on the instruction set of what dispatches them")]

use super::{
    lane::{LANES, Lane, lanes},
    simd::{Kernel, Simd, dispatch},
};

/// A matrix of weights, packed as the kernel reads it.
#[derive(Debug)]
pub(super) struct Product {
    /// Lanes of a panel: 3, 2 or 1.
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
        let width = [3, 2].into_iter().find(|width| outputs.is_multiple_of(width * LANES)).unwrap_or(1);
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
    fn run<S: Simd>(mut self, simd: S) {
        match self.product.width {
            3 => self.by_panels::<S, 3, 3>(simd),
            2 => self.by_panels::<S, 6, 2>(simd),
            _ => self.by_panels::<S, 6, 1>(simd),
        }
    }
}

impl Task<'_> {
    /// Panel after panel, each for all pixels, so that a panel's weights stay in the first cache.
    #[inline(always)]
    fn by_panels<S: Simd, const PIXELS: usize, const WIDTH: usize>(&mut self, simd: S) {
        let panels = self.product.weights.as_chunks::<WIDTH>().0.chunks_exact(self.product.depth);
        for (panel, weights) in panels.enumerate() {
            let mut x = 0;
            while x + PIXELS <= self.pixels {
                self.tile::<S, PIXELS, WIDTH>(simd, weights, panel, x);
                x += PIXELS;
            }
            match self.pixels - x {
                1 => self.tile::<S, 1, WIDTH>(simd, weights, panel, x),
                2 => self.tile::<S, 2, WIDTH>(simd, weights, panel, x),
                3 => self.tile::<S, 3, WIDTH>(simd, weights, panel, x),
                4 => self.tile::<S, 4, WIDTH>(simd, weights, panel, x),
                5 => self.tile::<S, 5, WIDTH>(simd, weights, panel, x),
                _ => {}
            }
        }
    }

    /// A tile of the result: `PIXELS` pixels from `x` on by `WIDTH` blocks of channels.
    #[inline(always)]
    fn tile<S: Simd, const PIXELS: usize, const WIDTH: usize>(
        &mut self,
        simd: S,
        weights: &[[Lane; WIDTH]],
        panel: usize,
        x: usize,
    ) {
        let first = panel * WIDTH * self.target_plane + x;
        let at = |block: usize| first + block * self.target_plane;
        let bias = &self.product.bias.as_chunks::<WIDTH>().0[panel];
        let mut sums = [[simd.splat(0.0); WIDTH]; PIXELS];
        for block in 0..WIDTH {
            let bias = simd.load(&bias[block]);
            for (pixel, sums) in sums.iter_mut().enumerate() {
                sums[block] = match self.start {
                    Start::Bias => bias,
                    Start::Residual(other) => simd.add(bias, simd.load(&other[at(block) + pixel])),
                    Start::Target => simd.load(&self.target[at(block) + pixel]),
                };
            }
        }
        sums = accumulate(simd, sums, weights, &self.source[x..], self.source_plane);
        let least = simd.splat(if self.relu { 0.0 } else { f32::NEG_INFINITY });
        for block in 0..WIDTH {
            for (pixel, sums) in sums.iter().enumerate() {
                self.target[at(block) + pixel] = simd.store(simd.max(sums[block], least));
            }
        }
    }
}

/// Adds to `sums` the products of each input of the pixels at the start of each block of `source` with its `weights`.
#[inline(always)]
fn accumulate<S: Simd, const PIXELS: usize, const WIDTH: usize>(
    simd: S,
    mut sums: [[S::Lanes; WIDTH]; PIXELS],
    weights: &[[Lane; WIDTH]],
    source: &[Lane],
    plane: usize,
) -> [[S::Lanes; WIDTH]; PIXELS] {
    for (block, rows) in weights.as_chunks::<LANES>().0.iter().enumerate() {
        let pixels = &source[block * plane..][..PIXELS].as_chunks::<PIXELS>().0[0];
        for (input, row) in rows.iter().enumerate() {
            let row = row.each_ref().map(|weights| simd.load(weights));
            for (sums, pixel) in sums.iter_mut().zip(pixels) {
                let value = simd.splat(pixel.0[input]);
                for (sum, weights) in sums.iter_mut().zip(row) {
                    *sum = simd.multiply_add(value, weights, *sum);
                }
            }
        }
    }
    sums
}

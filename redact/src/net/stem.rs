//! The first convolution, 3x3 over red, green and blue at every other pixel, as a 1x1 convolution: each pixel's window
//! is laid out as its channels, because three channels would leave most of a register empty.

use super::{
    block::Source,
    lane::{LANES, Lane},
};

/// Rows of a window: three of each colour.
const ROWS: usize = 9;
/// Numbers of a row of a window. The convolution needs three; with a fourth, of no weight, two rows make a lane.
const COLUMNS: usize = 4;
/// Blocks that hold a window.
const BLOCKS: usize = (ROWS * COLUMNS).div_ceil(LANES);

/// The weights of a 3x3 convolution of three channels (output, input, row, column) as those of a product with windows.
pub(super) fn pack(weights: &[f32]) -> Vec<f32> {
    weights.as_chunks().0.iter().flat_map(|[left, middle, right]| [*left, *middle, *right, 0.0]).collect()
}

/// A picture, read as windows.
pub(super) struct Windows<'a> {
    width: usize,
    height: usize,
    /// Planes of red, green and blue.
    rgb: &'a [f32],
    /// The rows that a row of windows lies in, with a zero before each and two behind.
    rows: Vec<f32>,
    /// A row of windows.
    row: &'a mut Vec<Lane>,
}

impl<'a> Windows<'a> {
    /// The windows of a picture of `width` times `height` pixels, kept in `row` a row at a time.
    pub fn new(width: usize, height: usize, rgb: &'a [f32], row: &'a mut Vec<Lane>) -> Self {
        row.clear();
        row.resize(BLOCKS * width / 2, Lane::default());
        Self { width, height, rgb, rows: vec![0.0; ROWS * (width + 3)], row }
    }

    /// Takes the rows around row `2 * y`.
    fn take(&mut self, y: usize) {
        for (at, row) in self.rows.chunks_exact_mut(self.width + 3).enumerate() {
            let row = &mut row[1..=self.width];
            // Only above is there one missing: the last window ends with the picture, whose height is even.
            match (2 * y + at % 3).checked_sub(1) {
                Some(y) => row.copy_from_slice(&self.rgb[(at / 3 * self.height + y) * self.width..][..self.width]),
                None => row.fill(0.0),
            }
        }
    }
}

impl Source for Windows<'_> {
    fn width(&self) -> usize {
        self.width / 2
    }

    fn height(&self) -> usize {
        self.height / 2
    }

    fn row(&mut self, y: usize) -> (&[Lane], usize) {
        self.take(y);
        let plane = self.width / 2;
        for (at, row) in self.rows.chunks_exact(self.width + 3).enumerate() {
            let (block, half) = (at * COLUMNS / LANES, at * COLUMNS % LANES);
            let pairs = row.array_windows::<COLUMNS>().step_by(2);
            for (window, numbers) in self.row[block * plane..][..plane].iter_mut().zip(pairs) {
                window.0[half..half + COLUMNS].copy_from_slice(numbers);
            }
        }
        (self.row, plane)
    }
}

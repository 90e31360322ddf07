//! Feature maps as blocks of eight channels: a pixel of a block is one [`Lane`], an AVX2 register. All channels of the
//! network come in multiples of eight, so that no loop has a remainder over channels and a convolution's stride or edge
//! never cuts through a register.

/// Channels in a block.
pub(super) const LANES: usize = 8;

/// Eight neighbouring channels of one pixel, or of one weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(32))]
pub(super) struct Lane(pub [f32; LANES]);

/// `values` in lanes, the last one filled up with zeros.
pub(super) fn lanes(values: &[f32]) -> impl Iterator<Item = Lane> {
    values.chunks(LANES).map(|chunk| {
        let mut lane = Lane::default();
        lane.0[..chunk.len()].copy_from_slice(chunk);
        lane
    })
}

/// `buffer` with room for `length` lanes; never shrinks, so that a network's memory is taken once.
pub(super) fn room(buffer: &mut Vec<Lane>, length: usize) -> &mut [Lane] {
    if buffer.len() < length {
        buffer.resize(length, Lane::default());
    }
    &mut buffer[..length]
}

/// A feature map: block by block, row by row, with a margin of zeros for the convolution that reads it.
#[derive(Debug, Default)]
pub(super) struct Map {
    pub width: usize,
    pub height: usize,
    margin: usize,
    data: Vec<Lane>,
}

impl Map {
    /// Makes it a map of `blocks` blocks. What it held is kept where the shape is the same, else lost.
    pub fn shape(&mut self, blocks: usize, width: usize, height: usize, margin: usize) {
        let length = blocks * (width + 2 * margin) * (height + 2 * margin);
        if (self.width, self.height, self.margin, self.data.len()) != (width, height, margin, length) {
            (self.width, self.height, self.margin) = (width, height, margin);
            self.data.clear();
            self.data.resize(length, Lane::default());
        }
    }

    /// Lanes from a row to the next.
    pub fn stride(&self) -> usize {
        self.width + 2 * self.margin
    }

    /// All from the first pixel of row `y` on in the first block, and how many lanes lie from a block to the next.
    pub fn row(&self, y: usize) -> (&[Lane], usize) {
        (&self.data[self.start(y)..], self.plane())
    }

    /// As [`Map::row`], to write.
    pub fn row_mut(&mut self, y: usize) -> (&mut [Lane], usize) {
        let (start, plane) = (self.start(y), self.plane());
        (&mut self.data[start..], plane)
    }

    /// As [`Map::row`], from the pixel above and left of the first one, for a map with a margin.
    pub fn corner(&self, y: usize) -> (&[Lane], usize) {
        (&self.data[self.start(y) - self.stride() - 1..], self.plane())
    }

    fn plane(&self) -> usize {
        self.stride() * (self.height + 2 * self.margin)
    }

    fn start(&self, y: usize) -> usize {
        (y + self.margin) * self.stride() + self.margin
    }
}

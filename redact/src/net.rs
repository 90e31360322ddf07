//! CenterFace computed by ourselves on one thread, at twice the speed of OpenCV's dnn: the network is small and fixed,
//! and fused by its blocks its maps stay in the cache. It gives what OpenCV gives, for pictures of any size in multiples
//! of 32 without set-up, and a file that is not exactly this network is refused.
//!
//! CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2020) is MobileNetV2, a
//! feature pyramid of 24 channels and a head; its landmarks are not computed, because nothing uses them.

mod block;
mod depthwise;
mod lane;
mod load;
mod neck;
mod onnx;
mod product;
mod simd;
mod stem;

pub(crate) use onnx::fixed_picture;

use self::{
    block::{Block, Scratch},
    lane::{Lane, Map},
    neck::{Head, Up},
    product::{Product, Task},
    stem::Windows,
};

/// Pixels across and down that a picture's size must be a multiple of: the coarsest map has one pixel for so many.
pub const MULTIPLE: usize = 32;

/// The network's weights and memory; one per thread that uses it.
#[derive(Debug)]
pub struct Net {
    /// The backbone; the first block reads the picture.
    blocks: Vec<Block>,
    /// From the backbone's last map to the neck.
    top: Product,
    /// The neck's steps, each with the block whose result it adds.
    ups: Vec<(Up, usize)>,
    head: Head,
    maps: Maps,
    memory: Memory,
}

/// What the network says of each cell of 4x4 pixels, row by row.
#[derive(Debug, Default)]
pub struct Maps {
    /// How sure it is that a face's middle lies there, 0 to 1.
    pub heat: Vec<f32>,
    /// The logarithm of the face's height, then that of its width, in cells.
    pub size: Vec<f32>,
    /// How far down the middle lies from the cell's, then how far across, in cells.
    pub offset: Vec<f32>,
}

/// Maps and scratch, reused from picture to picture.
#[derive(Debug, Default)]
struct Memory {
    /// The result of each block.
    blocks: Vec<Map>,
    /// The neck's maps, coarse to fine.
    neck: [Map; 4],
    scratch: Scratch,
    row: Vec<Lane>,
}

impl Net {
    /// Whether it is faster than OpenCV on this processor; without AVX2 and FMA it is not.
    pub fn is_fast() -> bool {
        simd::is_fast()
    }

    /// The maps of a picture of `width` times `height` pixels, each a multiple of [`MULTIPLE`], whose planes of red,
    /// green and blue, 0 to 255, are `rgb`. `None` when they are not of these sizes.
    pub fn run(&mut self, width: usize, height: usize, rgb: &[f32]) -> Option<&Maps> {
        let whole = |size: usize| size > 0 && size.is_multiple_of(MULTIPLE);
        if !whole(width) || !whole(height) || rgb.len() != 3 * width * height {
            return None;
        }
        self.backbone(width, height, rgb);
        self.neck();
        let [.., finest] = &self.memory.neck;
        self.head.run(finest, &mut self.maps, &mut self.memory.row);
        Some(&self.maps)
    }

    fn backbone(&mut self, width: usize, height: usize, rgb: &[f32]) {
        let Memory { blocks: results, scratch, row, .. } = &mut self.memory;
        results.resize_with(self.blocks.len(), Map::default);
        for (at, block) in self.blocks.iter().enumerate() {
            let (before, after) = results.split_at_mut(at);
            match before.last() {
                None => block.run(&mut Windows::new(width, height, rgb, row), None, &mut after[0], scratch),
                Some(mut source) => {
                    let residual = block.keeps_shape().then_some(source);
                    block.run(&mut source, residual, &mut after[0], scratch);
                }
            }
        }
    }

    fn neck(&mut self) {
        let Memory { blocks: results, neck, row, .. } = &mut self.memory;
        if let Some(last) = results.last() {
            neck[0].shape(self.top.blocks(), last.width, last.height, 0);
            Task::new(&self.top, last.width * last.height, last.row(0), neck[0].row_mut(0)).run();
        }
        for (at, (up, skip)) in self.ups.iter().enumerate() {
            let (before, after) = neck.split_at_mut(at + 1);
            // The head's 3x3 convolution reads past the edges of the last.
            let margin = usize::from(at + 1 == self.ups.len());
            up.run(&before[at], &results[*skip], &mut after[0], margin, row);
        }
    }
}

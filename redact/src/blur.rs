//! Takes a face out of a picture for good, on the planes the encoder reads.
//!
//! Under an ellipse nothing is left but the mean brightness and colour of a few blocks, drawn as a smooth surface
//! through the blocks' middles: what is finer than a block is not in the output and cannot be computed back.

use crate::{geometry::Ellipse, options::Strength};
use media::PlaneMut;

/// Where the blurred surface ends and the picture begins, as a share of the ellipse beyond it.
const FEATHER: f32 = 0.08;
/// Smallest block, in samples of its plane.
const MIN_BLOCK: f32 = 2.0;
/// Times that the blocks are mixed with their neighbours for a gaussian look: each brings the weights nearer to the bell
/// curve.
const GAUSSIAN_PASSES: usize = 4;
/// Smallest half axis of an ellipse, in samples of its plane.
const MIN_RADIUS: f32 = 1.5;

/// How to blur.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brush {
    /// What becomes of a face.
    pub strength: Strength,
    /// Blocks across a face.
    pub blocks: u32,
    /// Width of the ellipse over that of the face.
    pub grow: f32,
}

/// Blurs `ellipses` on all planes of one picture.
pub(crate) fn blur(planes: &mut [PlaneMut<'_>; 3], ellipses: &[Ellipse], brush: Brush) {
    let luma = (planes[0].width as f32, planes[0].height as f32);
    for ellipse in ellipses {
        let face = 2.0 * ellipse.rx * luma.0 / brush.grow;
        let block = match brush.strength {
            Strength::Pixelate => face / brush.blocks.max(1) as f32,
            Strength::Gaussian => face / (2 * brush.blocks.max(1)) as f32,
            // One block over all of it.
            Strength::Solid => f32::INFINITY,
        };
        for plane in planes.iter_mut() {
            let (across, down) = (plane.width as f32 / luma.0, plane.height as f32 / luma.1);
            let surface = if brush.strength == Strength::Gaussian { GAUSSIAN_PASSES } else { 1 };
            blur_plane(plane, *ellipse, (block * across, block * down), surface);
        }
    }
}

fn blur_plane(plane: &mut PlaneMut<'_>, ellipse: Ellipse, block: (f32, f32), passes: usize) {
    let (width, height) = (plane.width as f32, plane.height as f32);
    let (x, y) = (ellipse.x * width, ellipse.y * height);
    let (rx, ry) = ((ellipse.rx * width).max(MIN_RADIUS), (ellipse.ry * height).max(MIN_RADIUS));
    let outer = 1.0 + FEATHER;
    let span = |middle: f32, radius: f32, length: f32| {
        let first = (middle - radius * outer).floor().clamp(0.0, length);
        let end = (middle + radius * outer).ceil().clamp(0.0, length);
        (first as usize, end as usize)
    };
    let (left, right) = span(x, rx, width);
    let (top, bottom) = span(y, ry, height);
    if left >= right || top >= bottom {
        return;
    }
    let blocks =
        Blocks::of(plane, (left, right), (top, bottom), (block.0.max(MIN_BLOCK), block.1.max(MIN_BLOCK)), passes);
    for row in top..bottom {
        let dy = (row as f32 + 0.5 - y) / ry;
        for column in left..right {
            let dx = (column as f32 + 0.5 - x) / rx;
            let distance = dx * dx + dy * dy;
            if distance >= outer * outer {
                continue;
            }
            let share = if distance <= 1.0 { 1.0 } else { (outer - distance.sqrt()) / FEATHER };
            let sample = &mut plane.data[row * plane.stride + column];
            let smooth = blocks.at((column - left) as f32 + 0.5, (row - top) as f32 + 0.5);
            *sample = (smooth * share + f32::from(*sample) * (1.0 - share) + 0.5) as u8;
        }
    }
}

/// The means of the blocks that a rectangle of a plane is divided into.
struct Blocks {
    means: Vec<f32>,
    columns: usize,
    rows: usize,
    side: (f32, f32),
}

impl Blocks {
    fn of(
        plane: &PlaneMut<'_>,
        across: (usize, usize),
        down: (usize, usize),
        block: (f32, f32),
        passes: usize,
    ) -> Self {
        let (width, height) = (across.1 - across.0, down.1 - down.0);
        let count = |length: usize, side: f32| ((length as f32 / side).round() as usize).clamp(1, length);
        let (columns, rows) = (count(width, block.0), count(height, block.1));
        let edge = |index: usize, length: usize, count: usize| index * length / count;
        let mut means = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let (top, bottom) = (down.0 + edge(row, height, rows), down.0 + edge(row + 1, height, rows));
            for column in 0..columns {
                let left = across.0 + edge(column, width, columns);
                let right = across.0 + edge(column + 1, width, columns);
                let lines = (top..bottom).map(|y| &plane.data[y * plane.stride + left..y * plane.stride + right]);
                let sum: u64 = lines.flatten().map(|sample| u64::from(*sample)).sum();
                means.push(sum as f32 / ((right - left) * (bottom - top)) as f32);
            }
        }
        let side = (width as f32 / columns as f32, height as f32 / rows as f32);
        let mut blocks = Self { means, columns, rows, side };
        (0..passes).for_each(|_| blocks.smooth());
        blocks
    }

    /// Mixes every block with its neighbours, a quarter from each side: bare means still show where eyes and mouth are.
    fn smooth(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        let mixed = |means: &[f32], at: usize, step: usize, index: usize, count: usize| {
            let less = if index > 0 { means[at - step] } else { means[at] };
            let more = if index + 1 < count { means[at + step] } else { means[at] };
            (less + 2.0 * means[at] + more) / 4.0
        };
        let across: Vec<f32> = (0..rows * columns).map(|at| mixed(&self.means, at, 1, at % columns, columns)).collect();
        self.means = (0..rows * columns).map(|at| mixed(&across, at, columns, at / columns, rows)).collect();
    }

    /// The surface through the blocks' middles, at a point of the rectangle.
    fn at(&self, x: f32, y: f32) -> f32 {
        let place = |at: f32, side: f32, count: usize| {
            let at = (at / side - 0.5).clamp(0.0, (count - 1) as f32);
            let low = at as usize;
            (low, (low + 1).min(count - 1), at - low as f32)
        };
        let (left, right, part) = place(x, self.side.0, self.columns);
        let (above, below, share) = place(y, self.side.1, self.rows);
        let row = |row: usize| {
            let mean = |column: usize| self.means[row * self.columns + column];
            mean(left) * (1.0 - part) + mean(right) * part
        };
        row(above) * (1.0 - share) + row(below) * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Layout, Picture};

    const BRUSH: Brush = Brush { strength: Strength::Pixelate, blocks: 6, grow: 1.34 };

    /// A checkerboard of single samples: the finest picture there is.
    fn checkerboard(layout: Layout, width: u32, height: u32) -> Picture {
        let mut picture = Picture::blank(layout, false, width, height).expect("a picture");
        for plane in picture.planes_mut().expect("planes") {
            for y in 0..plane.height {
                for x in 0..plane.width {
                    plane.data[y * plane.stride + x] = if (x + y) % 2 == 0 { 40 } else { 200 };
                }
            }
        }
        picture
    }

    fn contrast(picture: &Picture, plane: usize, x: usize, y: usize) -> u8 {
        let plane = picture.plane(plane).expect("a plane");
        let at = |x: usize, y: usize| plane.data[y * plane.stride + x];
        at(x, y).abs_diff(at(x + 1, y))
    }

    #[test]
    fn nothing_fine_is_left_inside_and_nothing_is_touched_outside() {
        for layout in [Layout::Yuv420, Layout::Yuv444] {
            let mut picture = checkerboard(layout, 200, 120);
            let ellipse = Ellipse { x: 0.5, y: 0.5, rx: 0.15, ry: 0.3 };
            blur(&mut picture.planes_mut().expect("planes"), &[ellipse], BRUSH);
            for index in 0..3 {
                let (width, height) = picture.plane(index).map(|plane| (plane.width, plane.height)).expect("a plane");
                assert!(contrast(&picture, index, width / 2, height / 2) < 20, "the middle of plane {index}");
                assert!(contrast(&picture, index, width * 39 / 100, height / 2) < 20, "the side of plane {index}");
                assert_eq!(contrast(&picture, index, width / 4, height / 2), 160, "beside, on plane {index}");
                assert_eq!(contrast(&picture, index, width / 2, height / 10), 160, "above, on plane {index}");
            }
        }
    }

    #[test]
    fn a_face_cut_by_any_edge_is_blurred_up_to_the_edge() {
        for (x, y) in [(0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0), (0.0, 0.0), (1.0, 1.0)] {
            let mut picture = checkerboard(Layout::Yuv420, 160, 160);
            let ellipse = Ellipse { x, y, rx: 0.2, ry: 0.2 };
            blur(&mut picture.planes_mut().expect("planes"), &[ellipse], BRUSH);
            let at = |share: f32| ((share * 160.0) as usize).clamp(1, 157);
            assert!(contrast(&picture, 0, at(x), at(y)) < 20, "at {x}, {y}");
        }
    }

    #[test]
    fn an_ellipse_outside_the_picture_changes_nothing() {
        let mut picture = checkerboard(Layout::Yuv420, 64, 64);
        let ellipse = Ellipse { x: 3.0, y: -2.0, rx: 0.2, ry: 0.2 };
        blur(&mut picture.planes_mut().expect("planes"), &[ellipse], BRUSH);
        assert!((0..63).all(|x| contrast(&picture, 0, x, 32) == 160));
    }
}

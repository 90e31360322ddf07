//! YuNet's faces, on OpenCV's dnn: smaller and faster than CenterFace, and weaker on small and turned faces.
//!
//! Its file is made for one size of picture, and OpenCV 4.6 takes no other, so a larger picture is looked at in tiles
//! that overlap, and a smaller one is padded. For each cell of three grids (8, 16 and 32 pixels wide) it gives how sure
//! it is of a face and of an object, and where the box's middle and how large the box is, in cells (Wu et al., "YuNet: A
//! Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023).

use crate::{
    Error,
    detector::{Detection, Detector, Rgb, suppress},
    geometry::Region,
    network::Network,
};
use media::Rotation;
use opencv::{
    core::{Mat, MatTraitConstManual, Vector},
    prelude::VectorToVec,
};

/// Pixels of the picture per cell of each grid.
const GRIDS: [usize; 3] = [8, 16, 32];
/// What it says of each cell: how sure it is of a face, of an object, and the box.
const WORDS: [&str; 3] = ["cls", "obj", "bbox"];
/// Pixels that neighbouring tiles share: faces up to this size are whole in one of them.
const OVERLAP: usize = 160;

/// YuNet, for pictures of any size.
pub(crate) struct YuNet {
    network: Network,
    /// Width and height of a tile.
    tile: (usize, usize),
    outputs: Vector<String>,
    /// The tile that is looked at: blue, green and red, plane after plane.
    blob: Vec<f32>,
}

/// What the network says of the cells of one grid.
struct Grid<'a> {
    cell: usize,
    columns: usize,
    face: &'a [f32],
    object: &'a [f32],
    /// For each cell: how far across and down the middle lies, the logarithm of width and height, in cells.
    boxes: &'a [f32],
}

impl YuNet {
    /// Whether `network` has YuNet's outputs.
    pub fn is(network: &Network) -> Result<bool, Error> {
        let outputs = network.outputs()?.to_vec();
        Ok(names().all(|name| outputs.contains(&name)))
    }

    /// Takes `network`, whose pictures have the size `tile`.
    pub fn new(network: Network, tile: Option<(usize, usize)>) -> Result<Self, Error> {
        let fits = |&(width, height): &(usize, usize)| {
            let coarsest = GRIDS[GRIDS.len() - 1];
            width % coarsest == 0 && height % coarsest == 0 && width > OVERLAP && height > OVERLAP
        };
        let tile = tile.filter(fits).ok_or_else(|| {
            network.failed(format!(
                "it takes pictures of no fixed size above {OVERLAP} and in multiples of 32, which OpenCV cannot run"
            ))
        })?;
        let outputs = names().collect::<Vec<_>>().iter().map(String::as_str).collect();
        Ok(Self { network, tile, outputs, blob: vec![0.0; 3 * tile.0 * tile.1] })
    }

    /// Adds the faces on the tile of `picture` whose corner is at `left` and `top`.
    fn look(
        &mut self,
        picture: &Rgb,
        (left, top): (usize, usize),
        least: f32,
        found: &mut Vec<Detection>,
    ) -> Result<(), Error> {
        let (width, height) = self.tile;
        self.fill(picture, left, top);
        let maps = self.network.run(&[1, 3, height, width], &self.blob, &self.outputs)?;
        let mut read = || -> opencv::Result<bool> {
            let maps = (0..maps.len()).map(|at| maps.get(at)).collect::<opencv::Result<Vec<Mat>>>()?;
            let mut whole = true;
            for (cell, words) in GRIDS.into_iter().zip(maps.chunks_exact(WORDS.len())) {
                let (face, object, boxes) = (words[0].data_typed()?, words[1].data_typed()?, words[2].data_typed()?);
                let (columns, cells) = (width / cell, (width / cell) * (height / cell));
                whole &= face.len() == cells && object.len() == cells && boxes.len() == 4 * cells;
                if whole {
                    Grid { cell, columns, face, object, boxes }.faces((left as f32, top as f32), least, found);
                }
            }
            Ok(whole)
        };
        match read() {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.network.failed("outputs of unexpected shapes".to_owned())),
            Err(error) => Err(self.network.failed(error.message)),
        }
    }

    /// Copies the tile at `left` and `top`; what lies beyond the picture is black.
    fn fill(&mut self, picture: &Rgb, left: usize, top: usize) {
        let (width, height) = self.tile;
        self.blob.fill(0.0);
        let (columns, rows) = (width.min(picture.width - left), height.min(picture.height - top));
        for (plane, tile) in self.blob.chunks_exact_mut(width * height).enumerate() {
            // The network was taught with blue first.
            let colour = &picture.data[(2 - plane) * picture.width * picture.height..];
            for (row, line) in tile.chunks_exact_mut(width).take(rows).enumerate() {
                let from = (top + row) * picture.width + left;
                line[..columns].copy_from_slice(&colour[from..from + columns]);
            }
        }
    }
}

impl Detector for YuNet {
    fn detect(&mut self, picture: &Rgb, least: f32) -> Result<Vec<Detection>, Error> {
        let mut found = Vec::new();
        for top in starts(picture.height, self.tile.1) {
            for left in starts(picture.width, self.tile.0) {
                self.look(picture, (left, top), least, &mut found)?;
            }
        }
        Ok(suppress(found))
    }
}

impl Grid<'_> {
    /// Adds the faces with at least `least` as score, moved by `corner`.
    fn faces(&self, corner: (f32, f32), least: f32, found: &mut Vec<Detection>) {
        let side = self.cell as f32;
        for (at, (face, object)) in self.face.iter().zip(self.object).enumerate() {
            let score = (face.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            if score < least {
                continue;
            }
            let place = &self.boxes[4 * at..4 * at + 4];
            let region = Region {
                x: corner.0 + ((at % self.columns) as f32 + place[0]) * side,
                y: corner.1 + ((at / self.columns) as f32 + place[1]) * side,
                w: place[2].exp() * side,
                h: place[3].exp() * side,
            };
            if [region.x, region.y, region.w, region.h].iter().all(|number| number.is_finite()) {
                found.push(Detection { region, score, is_cut: false, turn: Rotation::None });
            }
        }
    }
}

/// The names of the outputs that are read, grid by grid.
fn names() -> impl Iterator<Item = String> {
    GRIDS.into_iter().flat_map(|cell| WORDS.map(|word| format!("{word}_{cell}")))
}

/// Where tiles of `tile` pixels begin so that they cover `length` and share [`OVERLAP`] or more with their neighbours.
fn starts(length: usize, tile: usize) -> impl Iterator<Item = usize> {
    let beyond = length.saturating_sub(tile);
    let steps = beyond.div_ceil(tile - OVERLAP);
    (0..=steps).map(move |step| (beyond * step).checked_div(steps).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_a_picture_of_any_size_and_overlap() {
        for length in [32, 640, 641, 672, 1_120, 1_121, 1_280, 4_000] {
            let tiles: Vec<usize> = starts(length, 640).collect();
            assert_eq!(tiles[0], 0);
            assert!(tiles[tiles.len() - 1] + 640 >= length, "the end of {length} is looked at");
            assert!(tiles.windows(2).all(|pair| pair[1] > pair[0] && pair[1] + OVERLAP <= pair[0] + 640), "{tiles:?}");
            assert!(tiles.len() == 1 || tiles[tiles.len() - 1] + 640 == length, "no tile reaches beyond {length}");
        }
    }
}

//! CenterFace's faces: from the maps that the network gives, computed by ourselves or by OpenCV's dnn.
//!
//! The network gives, at a quarter of the picture's size, a heat map of faces' middles, the logarithm of their height
//! and width, and the offset of the middle within its cell (Xu et al., "CenterFace: Joint Face Detection and Alignment
//! Using Face as Point", 2020).

use crate::{
    Error,
    detector::{Detection, Detector, Rgb, suppress},
    geometry::Region,
    net::Net,
    network::Network,
};
use media::Rotation;
use opencv::{
    core::{MatTraitConstManual, Vector},
    prelude::VectorToVec,
};
use std::collections::HashMap;

/// Pixels of the picture per cell of the output.
const CELL: f32 = 4.0;
/// Outputs, in the order of their layers' names: heat map, size, offset (and landmarks, which are not used).
const OUTPUTS: usize = 3;
/// Sizes of pictures that networks are kept for; each other size than the one before costs OpenCV a new set-up.
const MAX_SHAPES: usize = 8;

/// The maps of one picture, row by row.
#[derive(Clone, Copy)]
struct Maps<'a> {
    /// Cells across and down.
    grid: (usize, usize),
    heat: &'a [f32],
    /// Heights, then widths.
    size: &'a [f32],
    /// Downwards, then across.
    offset: &'a [f32],
}

impl Maps<'_> {
    /// The faces with at least `least` as score; `None` when the maps are not of the grid's size.
    fn faces(&self, least: f32) -> Option<Vec<Detection>> {
        let (columns, rows) = self.grid;
        let cells = rows * columns;
        if self.heat.len() != cells || self.size.len() != 2 * cells || self.offset.len() != 2 * cells {
            return None;
        }
        let mut found = Vec::new();
        for (at, score) in self.heat.iter().enumerate().filter(|(_, score)| **score >= least) {
            let (row, column) = ((at / columns) as f32, (at % columns) as f32);
            let region = Region {
                x: (column + self.offset[cells + at] + 0.5) * CELL,
                y: (row + self.offset[at] + 0.5) * CELL,
                w: self.size[cells + at].exp() * CELL,
                h: self.size[at].exp() * CELL,
            };
            if [region.x, region.y, region.w, region.h].iter().all(|number| number.is_finite()) {
                found.push(Detection { region, score: *score, is_cut: false, turn: Rotation::None });
            }
        }
        Some(suppress(found))
    }
}

/// Cells of the maps of `picture`, across and down.
fn grid(picture: &Rgb) -> (usize, usize) {
    (picture.width / CELL as usize, picture.height / CELL as usize)
}

/// CenterFace computed by ourselves.
pub(crate) struct Native(pub Net);

impl Detector for Native {
    fn detect(&mut self, picture: &Rgb, least: f32) -> Result<Vec<Detection>, Error> {
        let maps = self.0.run(picture.width, picture.height, &picture.data);
        let faces = maps.and_then(|maps| {
            let (heat, size, offset) = (&maps.heat, &maps.size, &maps.offset);
            Maps { grid: grid(picture), heat, size, offset }.faces(least)
        });
        let wrong = || Error::Model { name: "CenterFace".to_owned(), reason: "a picture off the grid".to_owned() };
        faces.ok_or_else(wrong)
    }
}

/// CenterFace, or a network with its outputs, on OpenCV: once for every size of picture, since OpenCV sets it up for
/// one.
pub(crate) struct OnOpenCv {
    model: Network,
    by_shape: HashMap<(usize, usize), Network>,
    outputs: Vector<String>,
}

impl OnOpenCv {
    /// Takes `model`, if its outputs can be CenterFace's.
    pub fn new(model: Network) -> Result<Self, Error> {
        let mut outputs = model.outputs()?.to_vec();
        outputs.sort();
        if outputs.len() < OUTPUTS {
            return Err(model.failed(format!("{} outputs, not {OUTPUTS} or more", outputs.len())));
        }
        let outputs = outputs.iter().take(OUTPUTS).map(String::as_str).collect();
        Ok(Self { model, by_shape: HashMap::new(), outputs })
    }
}

impl Detector for OnOpenCv {
    fn detect(&mut self, picture: &Rgb, least: f32) -> Result<Vec<Detection>, Error> {
        let shape = (picture.width, picture.height);
        if !self.by_shape.contains_key(&shape) {
            if self.by_shape.len() == MAX_SHAPES {
                self.by_shape.clear();
            }
            self.by_shape.insert(shape, self.model.again()?);
        }
        let network = self.by_shape.get_mut(&shape).unwrap_or(&mut self.model);
        let maps = network.run(&[1, 3, picture.height, picture.width], &picture.data, &self.outputs)?;
        let faces = || -> opencv::Result<Option<Vec<Detection>>> {
            let (heat, size, offset) = (maps.get(0)?, maps.get(1)?, maps.get(2)?);
            let (heat, size, offset) = (heat.data_typed()?, size.data_typed()?, offset.data_typed()?);
            Ok(Maps { grid: grid(picture), heat, size, offset }.faces(least))
        };
        let faces = faces().map_err(|error| network.failed(error.message))?;
        faces.ok_or_else(|| network.failed("outputs of unexpected shapes".to_owned()))
    }
}

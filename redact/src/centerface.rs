//! CenterFace on OpenCV's dnn.
//!
//! The network gives, at a quarter of the picture's size, a heat map of faces' middles, the logarithm of their height
//! and width, and the offset of the middle within its cell (Xu et al., "CenterFace: Joint Face Detection and Alignment
//! Using Face as Point", 2020).

use crate::{
    Error,
    detector::{Detection, Detector, Rgb, suppress},
    geometry::Region,
    network::Network,
};
use opencv::{
    core::{Mat, MatTraitConstManual, Vector},
    prelude::VectorToVec,
};
use std::collections::HashMap;

/// Pixels of the picture per cell of the output.
const CELL: f32 = 4.0;
/// Outputs, in the order of their layers' names: heat map, size, offset (and landmarks, which are not used).
const OUTPUTS: usize = 3;
/// Sizes of pictures that networks are kept for; each other size than the one before costs OpenCV a new set-up.
const MAX_SHAPES: usize = 4;

/// The network, once for every size of picture, since OpenCV sets it up for one.
pub(crate) struct CenterFace {
    model: Network,
    by_shape: HashMap<(usize, usize), Network>,
    outputs: Vector<String>,
}

impl CenterFace {
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

impl Detector for CenterFace {
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
        let grid = (picture.width / CELL as usize, picture.height / CELL as usize);
        decode(&maps, grid, least).map(suppress).map_err(|error| network.failed(error.message))
    }
}

fn decode(maps: &Vector<Mat>, (columns, rows): (usize, usize), least: f32) -> opencv::Result<Vec<Detection>> {
    let (heat, size, offset) = (maps.get(0)?, maps.get(1)?, maps.get(2)?);
    let cells = rows * columns;
    let (heat, size, offset) = (heat.data_typed::<f32>()?, size.data_typed::<f32>()?, offset.data_typed::<f32>()?);
    if heat.len() != cells || size.len() != 2 * cells || offset.len() != 2 * cells {
        return Err(opencv::Error::new(opencv::core::StsBadSize, "outputs of unexpected shapes"));
    }
    let mut found = Vec::new();
    for (at, score) in heat[..cells].iter().enumerate().filter(|(_, score)| **score >= least) {
        let (row, column) = ((at / columns) as f32, (at % columns) as f32);
        let region = Region {
            x: (column + offset[cells + at] + 0.5) * CELL,
            y: (row + offset[at] + 0.5) * CELL,
            w: size[cells + at].exp() * CELL,
            h: size[at].exp() * CELL,
        };
        if [region.x, region.y, region.w, region.h].iter().all(|number| number.is_finite()) {
            found.push(Detection { region, score: *score });
        }
    }
    Ok(found)
}

//! CenterFace on OpenCV's dnn: a picture in, scored boxes out.
//!
//! The network gives, at a quarter of the picture's size, a heat map of faces' middles, the logarithm of their height
//! and width, and the offset of the middle within its cell (Xu et al., "CenterFace: Joint Face Detection and Alignment
//! Using Face as Point", 2020).

use crate::{Error, analysis::Small, geometry::Region};
use opencv::{
    core::{Mat, MatTraitConstManual, MatTraitManual, Scalar, Vector},
    dnn::{Net, NetTrait, NetTraitConst, read_net_from_onnx_buffer},
    prelude::VectorToVec,
};

/// Pixels of the picture per cell of the output.
const CELL: f32 = 4.0;
/// Boxes that share more of their area than this are the same face.
const SAME_FACE: f32 = 0.3;
/// Most faces taken from one picture, the best first.
const MAX_FACES: usize = 400;
/// Outputs, in the order of their layers' names: heat map, size, offset (and landmarks, which are not used).
const OUTPUTS: usize = 3;

/// A face found on one picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detection {
    /// Where, in pixels of the reduced picture.
    pub region: Region,
    /// How sure the model is, 0 to 1.
    pub score: f32,
}

/// The network; one per thread that uses it.
pub(crate) struct CenterFace {
    net: Net,
    outputs: Vector<String>,
    name: String,
}

impl CenterFace {
    /// The network in the ONNX file `bytes`, called `name` in errors.
    pub fn load(bytes: &[u8], name: &str) -> Result<Self, Error> {
        let failed = |reason: String| Error::Model { name: name.to_owned(), reason };
        let opened = || -> opencv::Result<(Net, Vec<String>)> {
            let mut net = read_net_from_onnx_buffer(&Vector::from_slice(bytes))?;
            net.set_preferable_backend(opencv::dnn::Backend::DNN_BACKEND_OPENCV as i32)?;
            let outputs = net.get_unconnected_out_layers_names()?.to_vec();
            Ok((net, outputs))
        };
        let (net, mut outputs) = opened().map_err(|error| failed(error.message))?;
        outputs.sort();
        if outputs.len() < OUTPUTS {
            return Err(failed(format!("{} outputs, not {OUTPUTS} or more", outputs.len())));
        }
        Ok(Self { net, outputs: outputs.iter().take(OUTPUTS).map(String::as_str).collect(), name: name.to_owned() })
    }

    /// The faces on `small` with at least `least` as score.
    pub fn detect(&mut self, small: &Small, least: f32) -> Result<Vec<Detection>, Error> {
        let found = self.forward(small).and_then(|maps| decode(&maps, grid(small), least));
        found.map(suppress).map_err(|error| Error::Model { name: self.name.clone(), reason: error.message })
    }

    fn forward(&mut self, small: &Small) -> opencv::Result<Vector<Mat>> {
        let shape = [1, 3, small.height() as i32, small.width() as i32];
        let mut blob = Mat::new_nd_with_default(&shape, opencv::core::CV_32F, Scalar::default())?;
        small.write_rgb(blob.data_typed_mut::<f32>()?);
        self.net.set_input(&blob, "", 1.0, Scalar::default())?;
        let mut maps = Vector::<Mat>::new();
        self.net.forward(&mut maps, &self.outputs)?;
        Ok(maps)
    }
}

/// Cells of the output for `small`, across and down.
fn grid(small: &Small) -> (usize, usize) {
    (small.width() / CELL as usize, small.height() / CELL as usize)
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

/// Keeps the best of boxes that overlap.
fn suppress(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for detection in found {
        if kept.len() == MAX_FACES {
            break;
        }
        if kept.iter().all(|other| other.region.overlap(detection.region) <= SAME_FACE) {
            kept.push(detection);
        }
    }
    kept
}

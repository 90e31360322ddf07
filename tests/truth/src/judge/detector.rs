//! A second opinion on what is left of a face: a detector of another family than the engine's (YuNet; the engine's is
//! CenterFace), which is shown the frame as a whole and each true face enlarged and upright.
//!
//! The network takes 640 by 640 pixels. For each cell of three grids (8, 16 and 32 pixels wide) it gives how sure it is of
//! a face and of an object, and where the box's middle and how large the box is, in cells.

use crate::{
    face::{Bounds, Face},
    plane::Plane,
};
use opencv::{
    core::{CV_32F, Mat, MatTraitConstManual, MatTraitManual, Scalar, Vector},
    dnn::{self, Net, NetTrait},
};
use std::path::Path;

/// Side of the sheet that the network looks at.
const SHEET: usize = 640;
/// Side of an enlarged face's place on it, and what is shown there, in sides of the face.
const PLACE: usize = SHEET / 2;
const SHOWN: f32 = 3.0;
const GRIDS: [usize; 3] = [8, 16, 32];
/// Least overlap of a box found with the true one, as their intersection over their union.
const OVERLAP: f32 = 0.3;

/// The network.
pub(super) struct Detector {
    net: Net,
    outputs: Vector<String>,
}

/// A part of the sheet, and what of the frame is to be seen there.
#[derive(Clone, Copy)]
struct View {
    /// Its middle on the sheet, and half its side.
    sheet: (f32, f32),
    reach: f32,
    /// What of the frame is there, and how far that is turned back.
    frame: (f32, f32),
    tilt: f32,
    /// Pixels of the frame that are one of the sheet.
    scale: f32,
}

impl Detector {
    /// Loads the model.
    ///
    /// # Panics
    /// When it is not there.
    pub fn load() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/yunet.onnx");
        assert!(path.exists(), "no YuNet at {}: run `scripts/fetch-face-model yunet` first", path.display());
        let net = dnn::read_net_from_onnx(&path).expect("YuNet can be read");
        let names = ["cls", "obj", "bbox"].iter().flat_map(|word| GRIDS.map(|cell| format!("{word}_{cell}")));
        let names: Vec<String> = names.collect();
        Self { net, outputs: names.iter().map(String::as_str).collect() }
    }

    /// How sure it is of each of `faces`, from 0 to 1: the higher of both looks.
    pub fn scores(&mut self, frame: &Plane, faces: &[Face]) -> Vec<f32> {
        if faces.is_empty() {
            return Vec::new();
        }
        let whole = View::whole(frame);
        let found = self.look(frame, &[whole]);
        let mut scores: Vec<f32> = faces.iter().map(|face| best(&found, whole.to_sheet(face.bounds()))).collect();
        for (faces, scores) in faces.chunks(4).zip(scores.chunks_mut(4)) {
            let views: Vec<View> = faces.iter().enumerate().map(|(place, face)| View::of(*face, place)).collect();
            let found = self.look(frame, &views);
            for ((face, view), score) in faces.iter().zip(&views).zip(scores) {
                *score = score.max(best(&found, view.to_sheet(Face { tilt: 0.0, ..*face }.bounds())));
            }
        }
        scores
    }

    /// Every box on the sheet that shows these views, and its score.
    fn look(&mut self, frame: &Plane, views: &[View]) -> Vec<(Bounds, f32)> {
        let side = SHEET as i32;
        let mut sheet = Mat::new_nd_with_default(&[1, 3, side, side], CV_32F, Scalar::default()).expect("a sheet");
        let samples = sheet.data_typed_mut::<f32>().expect("numbers");
        for view in views {
            view.draw(frame, &mut samples[..SHEET * SHEET]);
        }
        // Brightness alone: red, green and blue are alike.
        samples.copy_within(..SHEET * SHEET, SHEET * SHEET);
        samples.copy_within(..SHEET * SHEET, 2 * SHEET * SHEET);
        let mut maps = Vector::<Mat>::new();
        self.net.set_input(&sheet, "", 1.0, Scalar::default()).expect("it takes a sheet");
        self.net.forward(&mut maps, &self.outputs).expect("it can be run");
        let map = |index: usize| maps.get(index).expect("an output").data_typed::<f32>().expect("numbers").to_vec();
        let grids = GRIDS.into_iter().enumerate();
        grids.flat_map(|(at, cell)| boxes(cell, &map(at), &map(3 + at), &map(6 + at))).collect()
    }
}

/// The boxes of one grid.
fn boxes(cell: usize, face: &[f32], object: &[f32], places: &[f32]) -> Vec<(Bounds, f32)> {
    let side = cell as f32;
    let columns = SHEET / cell;
    let scores = face.iter().zip(object).map(|(face, object)| (face.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt());
    let likely = scores.enumerate().filter(|(_, score)| *score > 0.1);
    let place = |at: usize| {
        let [x, y, width, height] = std::array::from_fn(|index| places[4 * at + index]);
        let (x, y) = (((at % columns) as f32 + x) * side, ((at / columns) as f32 + y) * side);
        let (across, down) = (width.exp() * side / 2.0, height.exp() * side / 2.0);
        Bounds { left: x - across, top: y - down, right: x + across, bottom: y + down }
    };
    likely.map(|(at, score)| (place(at), score)).collect()
}

/// The best score of a box at the true one.
fn best(found: &[(Bounds, f32)], truth: Bounds) -> f32 {
    let near = found.iter().filter(|(bounds, _)| overlap(*bounds, truth) > OVERLAP);
    near.map(|(_, score)| *score).fold(0.0, f32::max)
}

/// Intersection over union.
fn overlap(a: Bounds, b: Bounds) -> f32 {
    let area = |bounds: Bounds| (bounds.right - bounds.left).max(0.0) * (bounds.bottom - bounds.top).max(0.0);
    let (left, top) = (a.left.max(b.left), a.top.max(b.top));
    let (right, bottom) = (a.right.min(b.right), a.bottom.min(b.bottom));
    let common = if right > left && bottom > top { area(Bounds { left, top, right, bottom }) } else { 0.0 };
    common / (area(a) + area(b) - common)
}

impl View {
    fn whole(frame: &Plane) -> Self {
        let middle = SHEET as f32 / 2.0;
        let scale = frame.width.max(frame.height) as f32 / SHEET as f32;
        let at = (frame.width as f32 / 2.0, frame.height as f32 / 2.0);
        Self { sheet: (middle, middle), reach: middle, frame: at, tilt: 0.0, scale }
    }

    /// A face in one of four places, upright.
    fn of(face: Face, place: usize) -> Self {
        let reach = PLACE as f32 / 2.0;
        let sheet = (reach + (place % 2 * PLACE) as f32, reach + (place / 2 * PLACE) as f32);
        let bounds = Face { tilt: 0.0, ..face }.bounds();
        let side = (bounds.right - bounds.left).max(bounds.bottom - bounds.top);
        Self { sheet, reach, frame: (face.x, face.y), tilt: face.tilt, scale: SHOWN * side / PLACE as f32 }
    }

    fn to_sheet(self, bounds: Bounds) -> Bounds {
        let x = |at: f32| (at - self.frame.0) / self.scale + self.sheet.0;
        let y = |at: f32| (at - self.frame.1) / self.scale + self.sheet.1;
        Bounds { left: x(bounds.left), top: y(bounds.top), right: x(bounds.right), bottom: y(bounds.bottom) }
    }

    fn draw(self, frame: &Plane, sheet: &mut [f32]) {
        let (left, top) = ((self.sheet.0 - self.reach) as usize, (self.sheet.1 - self.reach) as usize);
        let side = (2.0 * self.reach) as usize;
        let (sin, cos) = self.tilt.sin_cos();
        // As many points to a pixel as keep what is finer than one from flickering.
        let points = self.scale.ceil().max(1.0) as usize;
        let point = |index: usize| (index as f32 + 0.5) / points as f32;
        for row in top..top + side {
            for column in left..left + side {
                let mut sum = 0.0;
                for index in 0..points * points {
                    let x = (column as f32 + point(index % points) - self.sheet.0) * self.scale;
                    let y = (row as f32 + point(index / points) - self.sheet.1) * self.scale;
                    sum += at(frame, self.frame.0 + cos * x - sin * y, self.frame.1 + sin * x + cos * y);
                }
                sheet[row * SHEET + column] = sum / (points * points) as f32;
            }
        }
    }
}

/// The brightness at a point, from 0 for black to 255 for white; beyond the frame all is black.
fn at(frame: &Plane, x: f32, y: f32) -> f32 {
    let (x, y) = (x - 0.5, y - 0.5);
    if x < 0.0 || y < 0.0 || x >= (frame.width - 1) as f32 || y >= (frame.height - 1) as f32 {
        return 0.0;
    }
    let (left, top) = (x as usize, y as usize);
    let (part_x, part_y) = (x - left as f32, y - top as f32);
    let row = |row: usize| {
        let pair = &frame.values[row * frame.width + left..][..2];
        pair[0] + (pair[1] - pair[0]) * part_x
    };
    let (above, below) = (row(top), row(top + 1));
    (above + (below - above) * part_y - 16.0) * (255.0 / 219.0)
}

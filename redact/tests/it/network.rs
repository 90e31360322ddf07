//! Our own computation of CenterFace against OpenCV's of the same file, on the portrait and on noise: two independent
//! implementations that agree to the last digits that count.

use crate::model;
use opencv::{
    core::{Mat, MatTraitConstManual, MatTraitManual, Scalar, Vector},
    dnn::{Net as Reference, NetTrait, NetTraitConst, read_net_from_onnx_buffer},
    prelude::VectorToVec,
};
use redact::net::{Maps, Net};
use std::{path::Path, process::Command};

/// Wide and high, and as small as can be one way; each other than a multiple of any tile.
const SIZES: [(usize, usize); 3] = [(640, 352), (224, 416), (32, 96)];

#[test]
fn the_portrait_gives_the_maps_that_opencv_gives() {
    for (width, height) in SIZES {
        agree(width, height, &portrait(width, height));
    }
}

#[test]
fn noise_gives_the_maps_that_opencv_gives() {
    for (width, height) in SIZES {
        agree(width, height, &noise(width, height));
    }
}

#[test]
fn what_pictures_came_before_makes_no_difference() {
    let mut used = net();
    for (width, height) in [(32, 32), (416, 224), (64, 96), (416, 224)] {
        let picture = noise(width, height);
        let again = used.run(width, height, &picture).expect("the size is allowed").heat.clone();
        assert_eq!(again, net().run(width, height, &picture).expect("the size is allowed").heat);
    }
}

#[test]
fn a_picture_of_another_size_than_said_is_refused() {
    let picture = noise(64, 64);
    for (width, height) in [(64, 32), (48, 64), (0, 64), (64, 0)] {
        assert!(net().run(width, height, &picture).is_none(), "{width}x{height}");
    }
}

#[test]
fn a_file_of_another_network_is_refused() {
    let file = bytes();
    assert!(Net::from_onnx(&file[..file.len() / 2]).is_err(), "half a file");
    // The same length and structure, other mathematics.
    for (from, to) in [(&b"Relu"[..], &b"Tanh"[..]), (b"strides", b"stridez"), (b"Sigmoid", b"Softmax")] {
        let at = file.windows(from.len()).rposition(|window| window == from).expect("the file names it");
        let mut other = file.clone();
        other[at..at + to.len()].copy_from_slice(to);
        assert!(Net::from_onnx(&other).is_err(), "another {}", String::from_utf8_lossy(from));
    }
}

fn bytes() -> Vec<u8> {
    std::fs::read(model()).expect("the face model is there: run `make model` first")
}

fn net() -> Net {
    Net::from_onnx(&bytes()).expect("the file is CenterFace's")
}

/// Fails unless our maps and OpenCV's are the same up to rounding.
fn agree(width: usize, height: usize, picture: &[f32]) {
    let mut net = net();
    let Maps { heat, size, offset } = net.run(width, height, picture).expect("the size is allowed");
    let theirs = reference(width, height, picture).expect("OpenCV runs the network");
    // Sizes and offsets are in cells: a thousandth of a tenth of one is far below a pixel.
    for (name, ours, theirs, least) in
        [("heat", heat, &theirs[0], 0.0), ("size", size, &theirs[1], 0.1), ("offset", offset, &theirs[2], 0.1)]
    {
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() <= 1e-3 * theirs.abs().max(least), "{name}: {ours}, not {theirs}");
        }
    }
}

/// Heat, size and offset as OpenCV computes them.
fn reference(width: usize, height: usize, picture: &[f32]) -> opencv::Result<Vec<Vec<f32>>> {
    let mut net: Reference = read_net_from_onnx_buffer(&Vector::from_slice(&bytes()))?;
    let mut names = net.get_unconnected_out_layers_names()?.to_vec();
    names.sort();
    let shape = [1, 3, height, width].map(|size| i32::try_from(size).expect("a picture is not that large"));
    let mut blob = Mat::new_nd_with_default(&shape, opencv::core::CV_32F, Scalar::default())?;
    blob.data_typed_mut::<f32>()?.copy_from_slice(picture);
    net.set_input(&blob, "", 1.0, Scalar::default())?;
    let mut maps = Vector::<Mat>::new();
    net.forward(&mut maps, &names.iter().map(String::as_str).collect::<Vector<String>>())?;
    maps.iter().map(|map| map.data_typed::<f32>().map(<[f32]>::to_vec)).collect()
}

/// The portrait stretched to a size, in planes of red, green and blue.
fn portrait(width: usize, height: usize) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/astronaut.png");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vf", &format!("scale={width}:{height}"), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"])
        .output()
        .expect("the ffmpeg command is installed");
    let plane = |colour: usize| output.stdout.iter().skip(colour).step_by(3).map(|value| f32::from(*value));
    (0..3).flat_map(plane).collect()
}

/// The same noise every time.
fn noise(width: usize, height: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as f32
    };
    (0..3 * width * height).map(|_| next()).collect()
}

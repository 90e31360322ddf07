//! CenterFace's layers in the order of its ONNX file: this is the network's definition, against which every node of the
//! file is held, and from which the code that runs it takes its shapes.

use super::{
    Maps, Net,
    block::Block,
    depthwise::Depthwise,
    neck::{Head, Up},
    onnx::{Layer, Reader, Shape, Wire},
    product::Product,
    stem,
};

/// MobileNetV2's table: factor of expansion, channels, repeats, stride of the first.
const STAGES: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];
/// Stages whose results the neck reads, coarse to fine, with their channels.
const SKIPS: [(usize, usize); 3] = [(4, 96), (2, 32), (1, 24)];
/// Channels of the first convolution.
const STEM: usize = 32;
/// Channels of the neck.
const NECK: usize = 24;

impl Net {
    /// The network in the ONNX file `bytes`. What is wrong with it is the error when it is not CenterFace.
    pub fn from_onnx(bytes: &[u8]) -> Result<Self, String> {
        let (mut reader, picture) = Reader::open(bytes)?;
        let (wire, layer) = rectified(&mut reader, &picture, convolution(STEM, 3, 3, 2))?;
        let mut expand = Some(Product::new(&stem::pack(&layer.weights), &layer.bias));
        let (mut wire, mut inputs) = (wire, STEM);
        let (mut blocks, mut ends) = (Vec::new(), Vec::new());
        for (factor, outputs, repeats, first) in STAGES {
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first } else { 1 };
                let (result, block) =
                    block(&mut reader, &wire, expand.take(), [inputs, factor * inputs, outputs], stride)?;
                wire = if repeat == 0 { result } else { reader.plain("Add", &[&wire, &result])? };
                inputs = outputs;
                blocks.push(block);
            }
            ends.push((wire.clone(), blocks.len() - 1));
        }
        let (mut wire, top) = rectified(&mut reader, &wire, pointwise(NECK, inputs))?;
        let mut ups = Vec::new();
        for (stage, channels) in SKIPS {
            let (result, up) = up(&mut reader, &wire, &ends[stage].0, channels)?;
            wire = result;
            ups.push((up, ends[stage].1));
        }
        let head = head(&mut reader, &wire)?;
        reader.end()?;
        Ok(Self { blocks, top: dense(&top), ups, head, maps: Maps::default(), memory: super::Memory::default() })
    }
}

/// An inverted residual block without its sum; with `expand` the first layer is what was read before.
fn block(
    reader: &mut Reader,
    input: &Wire,
    expand: Option<Product>,
    [inputs, inner, outputs]: [usize; 3],
    stride: usize,
) -> Result<(Wire, Block), String> {
    let (wire, expand) = match expand {
        Some(expand) => (input.clone(), expand),
        None => rectified(reader, input, pointwise(inner, inputs)).map(|(wire, layer)| (wire, dense(&layer)))?,
    };
    let each = Shape { outputs: inner, inputs: 1, kernel: 3, stride, groups: inner };
    let (wire, depthwise) = rectified(reader, &wire, each)?;
    let depthwise = Depthwise::new(&depthwise.weights, &depthwise.bias, stride);
    let (wire, project) = reader.convolution(&wire, pointwise(outputs, inner))?;
    Ok((wire, Block { expand, depthwise, project: dense(&project) }))
}

/// A step of the neck: `input` at twice its size and the backbone's `skip`.
fn up(reader: &mut Reader, input: &Wire, skip: &Wire, channels: usize) -> Result<(Wire, Up), String> {
    let (wire, deconvolve) = reader.deconvolution(input, NECK)?;
    let wire = reader.plain("Relu", &[&wire])?;
    let (other, lateral) = rectified(reader, skip, pointwise(NECK, channels))?;
    let sum = reader.plain("Add", &[&wire, &other])?;
    Ok((sum, Up { deconvolve: dense(&deconvolve), lateral: dense(&lateral) }))
}

fn head(reader: &mut Reader, input: &Wire) -> Result<Head, String> {
    let (wire, taps) = rectified(reader, input, convolution(NECK, NECK, 3, 1))?;
    let (heat, mut outputs) = reader.convolution(&wire, pointwise(1, NECK))?;
    reader.plain("Sigmoid", &[&heat])?;
    let size = reader.convolution(&wire, pointwise(2, NECK))?.1;
    let offset = reader.convolution(&wire, pointwise(2, NECK))?.1;
    let _landmarks = reader.convolution(&wire, pointwise(10, NECK))?;
    for layer in [size, offset] {
        outputs.weights.extend(layer.weights);
        outputs.bias.extend(layer.bias);
    }
    let taps = std::array::from_fn(|tap| {
        let weights: Vec<f32> = taps.weights.iter().skip(tap).step_by(9).copied().collect();
        Product::new(&weights, &taps.bias)
    });
    Ok(Head { taps, outputs: dense(&outputs) })
}

fn rectified(reader: &mut Reader, input: &Wire, shape: Shape) -> Result<(Wire, Layer), String> {
    let (wire, layer) = reader.convolution(input, shape)?;
    Ok((reader.plain("Relu", &[&wire])?, layer))
}

fn dense(layer: &Layer) -> Product {
    Product::new(&layer.weights, &layer.bias)
}

fn pointwise(outputs: usize, inputs: usize) -> Shape {
    convolution(outputs, inputs, 1, 1)
}

fn convolution(outputs: usize, inputs: usize, kernel: usize, stride: usize) -> Shape {
    Shape { outputs, inputs, kernel, stride, groups: 1 }
}

//! Reads an ONNX file one expected node after the other: a node that is of another kind, reads something else or has
//! another attribute than the network's code stands for is an error, so that no other network is ever run as this one.
//!
//! Source: the message definitions of ONNX, of which only the fields used are named (<https://onnx.ai/onnx/api>).

use prost::Message;
use std::collections::{BTreeMap, HashMap};

/// ONNX's name for 32-bit floats.
const FLOAT: i32 = 1;

#[derive(Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    inputs: Vec<Value>,
}

#[derive(Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    outputs: Vec<String>,
    #[prost(string, tag = "4")]
    kind: String,
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<Attribute>,
}

#[derive(Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(float, tag = "2")]
    float: f32,
    #[prost(int64, tag = "3")]
    integer: i64,
    #[prost(int64, repeated, tag = "8")]
    integers: Vec<i64>,
}

#[derive(Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    shape: Vec<i64>,
    #[prost(int32, tag = "2")]
    kind: i32,
    #[prost(float, repeated, tag = "4")]
    floats: Vec<f32>,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    little_endian: Vec<u8>,
}

#[derive(Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<Kind>,
}

#[derive(Message)]
struct Kind {
    #[prost(message, optional, tag = "1")]
    tensor: Option<Dense>,
}

#[derive(Message)]
struct Dense {
    #[prost(message, optional, tag = "2")]
    shape: Option<Lengths>,
}

#[derive(Message)]
struct Lengths {
    #[prost(message, repeated, tag = "1")]
    dimensions: Vec<Dimension>,
}

#[derive(Message)]
struct Dimension {
    /// 0 where the file leaves it open.
    #[prost(int64, tag = "1")]
    length: i64,
}

/// Width and height of the picture that the network in an ONNX file takes; `None` where it takes any, or something
/// else than one picture of three colours.
pub(crate) fn fixed_picture(bytes: &[u8]) -> Option<(usize, usize)> {
    let graph = Model::decode(bytes).ok()?.graph?;
    let is_weight = |name: &str| graph.tensors.iter().any(|tensor| tensor.name == name);
    let picture = graph.inputs.iter().find(|value| !is_weight(&value.name))?;
    let shape = &picture.kind.as_ref()?.tensor.as_ref()?.shape.as_ref()?.dimensions;
    let lengths: Vec<usize> = shape.iter().filter_map(|side| usize::try_from(side.length).ok()).collect();
    match lengths[..] {
        [1, 3, height, width] if height > 0 && width > 0 => Some((width, height)),
        _ => None,
    }
}

/// What a convolution must look like. Its margin is what keeps a 3x3 one's size.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub outputs: usize,
    /// Inputs of each group.
    pub inputs: usize,
    pub kernel: usize,
    pub stride: usize,
    pub groups: usize,
}

/// Weights (outputs, inputs, rows, columns) and what each output starts from.
pub(super) struct Layer {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// The name of what flows from a node to the next.
pub(super) type Wire = String;

/// A file's nodes, taken in order.
pub(super) struct Reader {
    nodes: std::vec::IntoIter<Node>,
    tensors: HashMap<String, Tensor>,
}

impl Reader {
    /// The file's nodes, and the wire of its picture.
    pub fn open(bytes: &[u8]) -> Result<(Self, Wire), String> {
        let model = Model::decode(bytes).map_err(|error| error.to_string())?;
        let graph = model.graph.ok_or("no graph")?;
        let tensors: HashMap<_, _> = graph.tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        // Old files list the weights among the inputs too.
        let mut inputs = graph.inputs.into_iter().map(|value| value.name).filter(|name| !tensors.contains_key(name));
        match (inputs.next(), inputs.next()) {
            (Some(picture), None) => Ok((Self { nodes: graph.nodes.into_iter(), tensors }, picture)),
            _ => Err("not one input".to_owned()),
        }
    }

    /// A convolution of `input` with a bias.
    pub fn convolution(&mut self, input: &Wire, shape: Shape) -> Result<(Wire, Layer), String> {
        let node = self.next("Conv", &[input], 2)?;
        let margin = (shape.kernel - 1) / 2;
        node.check(&shape.attributes(margin))?;
        let weights = self.tensor(&node, 1, &[shape.outputs, shape.inputs, shape.kernel, shape.kernel])?;
        let bias = self.tensor(&node, 2, &[shape.outputs])?;
        Ok((node.output()?, Layer { weights, bias }))
    }

    /// A transposed 2x2 convolution of `input` with stride 2 and as many outputs as inputs, normalised. Its weights are
    /// (row, column, output, input), those of four 1x1 convolutions.
    pub fn deconvolution(&mut self, input: &Wire, channels: usize) -> Result<(Wire, Layer), String> {
        let node = self.next("ConvTranspose", &[input], 1)?;
        let shape = Shape { outputs: channels, inputs: channels, kernel: 2, stride: 2, groups: 1 };
        node.check(&shape.attributes(0))?;
        let weights = self.tensor(&node, 1, &[channels, channels, 2, 2])?;
        let norm = self.next("BatchNormalization", &[&node.output()?], 4)?;
        let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|at| self.tensor(&norm, at, &[channels]));
        let (scale, shift, mean, variance) = (scale?, shift?, mean?, variance?);
        let epsilon = norm.attributes.iter().find(|attribute| attribute.name == "epsilon").ok_or("no epsilon")?.float;
        let factor = |channel: usize| scale[channel] / (variance[channel] + epsilon).sqrt();
        let weight =
            |quad: usize, output: usize, input: usize| weights[(input * channels + output) * 4 + quad] * factor(output);
        let rows = (0..4).flat_map(|quad| (0..channels).map(move |output| (quad, output)));
        let layer = Layer {
            weights: rows
                .clone()
                .flat_map(|(quad, output)| (0..channels).map(move |input| (quad, output, input)))
                .map(|(quad, output, input)| weight(quad, output, input))
                .collect(),
            bias: rows.map(|(_, output)| shift[output] - mean[output] * factor(output)).collect(),
        };
        Ok((norm.output()?, layer))
    }

    /// A node of `kind` without weights or attributes.
    pub fn plain(&mut self, kind: &str, inputs: &[&Wire]) -> Result<Wire, String> {
        let node = self.next(kind, inputs, 0)?;
        node.check(&[])?;
        node.output()
    }

    /// Fails unless every node was taken.
    pub fn end(mut self) -> Result<(), String> {
        self.nodes.next().map_or(Ok(()), |node| Err(format!("{} where nothing more was expected", node.kind)))
    }

    /// The next node, which must be of `kind` and read `inputs` and as many `weights`.
    fn next(&mut self, kind: &str, inputs: &[&Wire], weights: usize) -> Result<Node, String> {
        let node = self.nodes.next().ok_or_else(|| format!("no {kind} where one was expected"))?;
        let (read, others) = node.inputs.split_at_checked(inputs.len()).unwrap_or_default();
        if node.kind == kind && read.iter().eq(inputs.iter().copied()) && others.len() == weights {
            Ok(node)
        } else {
            Err(format!("{} of {:?} where {kind} of {inputs:?} was expected", node.kind, node.inputs))
        }
    }

    /// The weights that are input `at` of `node`, which must be of `shape`.
    fn tensor(&self, node: &Node, at: usize, shape: &[usize]) -> Result<Vec<f32>, String> {
        let tensor = node.inputs.get(at).and_then(|name| self.tensors.get(name)).ok_or("a weight is missing")?;
        // A tensor is either numbers or bytes, as its writer liked.
        let raw = tensor.little_endian.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let numbers: Vec<f32> = tensor.floats.iter().copied().chain(raw).collect();
        let fits = tensor.shape.iter().map(|size| usize::try_from(*size)).eq(shape.iter().map(|size| Ok(*size)));
        if tensor.kind == FLOAT && fits && numbers.len() == shape.iter().product() {
            Ok(numbers)
        } else {
            Err(format!("weight {} is not {shape:?} floats", tensor.name))
        }
    }
}

impl Node {
    /// Fails unless the node has exactly the attributes `expected`.
    fn check(&self, expected: &[(&str, Vec<usize>)]) -> Result<(), String> {
        let expected: BTreeMap<_, _> =
            expected.iter().map(|(name, value)| (*name, value.iter().map(|v| *v as i64).collect())).collect();
        let found: BTreeMap<_, _> =
            self.attributes.iter().map(|attribute| (attribute.name.as_str(), attribute.values())).collect();
        if found == expected { Ok(()) } else { Err(format!("{} with {found:?}, not {expected:?}", self.kind)) }
    }

    fn output(&self) -> Result<Wire, String> {
        self.outputs.first().cloned().ok_or_else(|| format!("{} without an output", self.kind))
    }
}

impl Attribute {
    fn values(&self) -> Vec<i64> {
        if self.integers.is_empty() { vec![self.integer] } else { self.integers.clone() }
    }
}

impl Shape {
    fn attributes(self, margin: usize) -> [(&'static str, Vec<usize>); 5] {
        [
            ("dilations", vec![1; 2]),
            ("group", vec![self.groups]),
            ("kernel_shape", vec![self.kernel; 2]),
            ("pads", vec![margin; 4]),
            ("strides", vec![self.stride; 2]),
        ]
    }
}

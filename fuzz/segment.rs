//! Bytes that somebody sends as a segment: whatever they are, the engine neither breaks down nor hangs, and where they
//! still hold the picture of a seed, what it publishes shows no face of it. The seeds are written into the directory that
//! `SEEDS` names, before libFuzzer reads it.
#![no_main]
#![expect(clippy::expect_used, clippy::panic, reason = "this is how libFuzzer is told that something was found")]

use ground_truth::damage::Subject;
use libfuzzer_sys::{Corpus, fuzz_target};
use redact::{Engine, Error, ModelSource, Options, SegmentInput};
use std::{env, fs, path::PathBuf, sync::LazyLock};

/// What the engine is told to give up after, milliseconds. libFuzzer waits longer than this before it says "hangs".
const LIMIT_MS: u64 = 20_000;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let model = env::var_os("FACE_MODEL").map_or_else(|| PathBuf::from("models/centerface.onnx"), PathBuf::from);
    let options = Options { segment_ms: LIMIT_MS, threads: 1, ..Options::default() };
    Engine::new(&ModelSource::CenterFace(model), options).expect("the engine starts")
});

static SUBJECTS: LazyLock<[Subject; 2]> = LazyLock::new(|| [Subject::full(), Subject::coming()]);

fn write_seeds() {
    let Some(directory) = env::var_os("SEEDS").map(PathBuf::from) else { return };
    for (number, subject) in SUBJECTS.iter().enumerate() {
        fs::write(directory.join(format!("seed-{number}")), &subject.segment).expect("a seed can be written");
    }
}

fuzz_target!(init: write_seeds(), |bytes: &[u8]| -> Corpus {
    let input = SegmentInput { name: "fuzzed", before: None, target: bytes, after: None };
    let published = match ENGINE.segment(input) {
        Err(Error::Model { name, reason }) => panic!("the model {name} broke: {reason}"),
        // What is refused before a frame was seen teaches nothing more.
        Err(_) => return Corpus::Reject,
        Ok(redacted) => redacted.bytes,
    };
    for subject in SUBJECTS.iter() {
        let bare = subject.bare(&published);
        assert!(bare.is_empty(), "bare on {bare:?}");
    }
    Corpus::Keep
});

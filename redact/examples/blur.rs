//! `cargo run -p redact --example blur -- IN OUT`: redacts a file and prints the receipt; `--segments DIR OUTDIR` does
//! the same for a folder of MPEG-TS segments, each with its neighbours as context.

use redact::{Engine, ModelSource, Options, SegmentInput};
use std::{
    error::Error,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options = Options::default();
    if let Ok(text) = std::env::var("REDACT_OPTIONS") {
        options = serde_json::from_str(&text)?;
    }
    let engine = Engine::new(&ModelSource::CenterFace(model()), options)?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--segments", input, output] => segments(&engine, Path::new(input), Path::new(output)),
        [input, output] => {
            let receipt = engine.blur_file(Path::new(input), Path::new(output), &mut |_| {})?;
            println!("{}", serde_json::to_string_pretty(&receipt)?);
            Ok(())
        }
        _ => Err("usage: blur IN OUT, or blur --segments DIR OUTDIR".into()),
    }
}

fn model() -> PathBuf {
    std::env::var_os("FACE_MODEL")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/centerface.onnx"), PathBuf::from)
}

fn segments(engine: &Engine, input: &Path, output: &Path) -> Result<(), Box<dyn Error>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(input)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let segments = files.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    for (index, file) in files.iter().enumerate() {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let input = SegmentInput {
            name: &name,
            before: index.checked_sub(1).map(|before| segments[before].as_slice()),
            target: &segments[index],
            after: segments.get(index + 1).map(Vec::as_slice),
        };
        let redacted = engine.segment(input)?;
        std::fs::write(output.join(&name), &redacted.bytes)?;
        let receipt = redacted.receipt;
        println!(
            "{name} {:.3} s, frames {}, copied {}, tracks {}, faces {}, took {:.2} s",
            redacted.duration.as_secs_f64(),
            receipt.frames,
            receipt.frames_copied,
            receipt.face_tracks,
            receipt.faces_blurred,
            receipt.seconds
        );
    }
    Ok(())
}

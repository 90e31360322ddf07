//! How faces are found: by which model, on how many threads.

use super::Faults;
use redact::ModelSource;
use std::{
    fs::File,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

const MODEL: &str = "./models/centerface.onnx";
const MAX_THREADS: usize = 256;

/// The redaction's flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Redaction")]
pub struct RedactionFlags {
    /// The face model, an ONNX file. The default must be CenterFace, to the byte; another file may be any model with the
    /// inputs and outputs of CenterFace or of YuNet (of a fixed size).
    #[arg(long = "model", env = "FACE_MODEL", value_name = "FILE", default_value = MODEL)]
    pub model: PathBuf,
    /// Threads for decoding, finding faces and encoding. Absent: one for each processor.
    #[arg(long = "threads", env = "REDACT_THREADS", value_name = "N")]
    pub threads: Option<String>,
}

/// How faces are found.
#[derive(Clone, Debug)]
pub struct Redaction {
    /// The face model.
    pub model: ModelSource,
    /// Threads.
    pub threads: NonZeroUsize,
}

impl RedactionFlags {
    /// Checks them; the model is opened, not yet read.
    pub fn check(&self, faults: &mut Faults) -> Option<Redaction> {
        let model = if self.model.as_os_str().is_empty() { Path::new(MODEL) } else { &self.model };
        let opened = readable(model).map_err(|error| {
            format!("{}: {error}; `make model` fetches it, --model or FACE_MODEL names another", model.display())
        });
        let opened = faults.check("FACE_MODEL", opened);
        let threads = match super::given(self.threads.as_ref()) {
            None => Some(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
            Some(text) => faults.check("REDACT_THREADS", threads(text)),
        };
        opened?;
        let path = model.to_owned();
        let model = if path == Path::new(MODEL) { ModelSource::CenterFace(path) } else { ModelSource::Like(path) };
        Some(Redaction { model, threads: threads? })
    }
}

fn readable(path: &Path) -> std::io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() { Ok(()) } else { Err(std::io::Error::other("is no file")) }
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MAX_THREADS);
    number.ok_or_else(|| format!("{text:?} is not a whole number from 1 to {MAX_THREADS}"))
}

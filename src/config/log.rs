//! What is logged, and in which form.

use super::Faults;
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

const FILTER: &str = "info";
/// Holds whatever the filter says: below this level the broker's client logs its frames, and with them its password.
const ALWAYS: &str = "lapin=info";

/// The log's flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Log")]
pub struct LogFlags {
    /// What is logged, to stderr: a level, or levels per part, as in info,lifecycle=debug.
    #[arg(long, env = "LOG", value_name = "FILTER", default_value = FILTER, global = true)]
    pub log: String,
    /// text or json.
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT", default_value = "text", global = true)]
    pub log_format: String,
}

/// In which form lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged.
#[derive(Debug)]
pub struct Log {
    filter: EnvFilter,
    format: Format,
}

impl LogFlags {
    /// Checks them.
    pub fn check(&self) -> Result<Log, Faults> {
        let mut faults = Faults::default();
        let text = if self.log.trim().is_empty() { FILTER } else { self.log.trim() };
        let filter = faults.check("LOG", EnvFilter::try_new(format!("{text},{ALWAYS}")));
        let format = match self.log_format.trim() {
            "" | "text" => Some(Format::Text),
            "json" => Some(Format::Json),
            other => {
                faults.add("LOG_FORMAT", format_args!("{other:?} is neither text nor json"));
                None
            }
        };
        let log = filter.zip(format).map(|(filter, format)| Log { filter, format });
        faults.finish(log)
    }
}

impl Log {
    /// Logs from now on. stdout stays free for results.
    pub fn start(self) {
        let registry = tracing_subscriber::registry().with(self.filter);
        let layer =
            tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
        let started = match self.format {
            Format::Text => registry.with(layer).try_init(),
            Format::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        };
        // A logger that is there already (only in tests) stays.
        drop(started);
    }
}

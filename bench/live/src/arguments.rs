//! What can be said to the bench.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measures how soon a broadcast can be watched and replayed, and what taking it costs, with real publishers: headless
/// Chromium over WHIP and ffmpeg over RTMP.
#[derive(Debug, Parser)]
#[command(name = "bench-live", max_term_width = 120)]
pub struct Arguments {
    /// What to measure; all of it if not said.
    #[arg(value_name = "WHAT", value_enum)]
    pub what: Vec<What>,
    /// How many broadcasts are begun, and how many are ended, of each kind.
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// How long a short broadcast lasts, and how long is looked at processor time and at the delay.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(10..))]
    pub seconds: u64,
    /// How long the long broadcast lasts; 0: there is none.
    #[arg(long, value_name = "MINUTES", default_value = "10")]
    pub minutes: u64,
    /// The `emergency-time` to measure, instead of the one beside this program.
    #[arg(long, value_name = "PATH")]
    pub engine: Option<PathBuf>,
    /// Also writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// From `startStream` in Chromium to the first segment that can be played.
    Start,
    /// How far the map client's player is behind the camera.
    Delay,
    /// From `stopStream` to a replay that is ready.
    Ready,
    /// Processor time of a publisher, and ten publishers at once; no redaction.
    Cost,
}

impl Arguments {
    /// Whether a part is wanted.
    pub fn wants(&self, part: What) -> bool {
        self.what.is_empty() || self.what.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_sound() {
        Arguments::command().debug_assert();
        let arguments = Arguments::parse_from(["bench-live", "ready", "--runs", "3"]);
        assert!(arguments.wants(What::Ready) && !arguments.wants(What::Start));
        assert!(Arguments::parse_from(["bench-live"]).wants(What::Cost));
    }
}

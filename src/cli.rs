//! The commands, and what can be said to each.

use crate::{
    blur,
    config::{ApiFlags, LogFlags, ServeFlags, WorkerFlags},
    import, migrate, simulate,
};
use clap::{Parser, Subcommand};

const ABOUT: &str = "Live emergency broadcasts on a shared map, replayed with the faces blurred.";

const LONG: &str = "\
Live emergency broadcasts on a shared map, replayed with the faces blurred.

Every flag can be given as the variable named beside it; a flag goes before its variable, and an empty variable counts \
as absent. `emergency-time <COMMAND> --help` explains the flags of a command. A wrong configuration is refused with \
exit code 2 and a list of everything that is wrong with it.";

/// What is to be done.
#[derive(Debug, Parser)]
#[command(name = "emergency-time", version, about = ABOUT, long_about = LONG, max_term_width = 120)]
pub struct Cli {
    /// The log.
    #[command(flatten)]
    pub log: LogFlags,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs everything in one process: the API, a worker and the upkeep.
    ///
    /// A SQLite database is brought up to date by itself; a PostgreSQL one must have been, by `migrate`.
    Serve(Box<ServeFlags>),
    /// Runs the API in a process of its own, with upkeep. Any number of them may run.
    Api(Box<ApiFlags>),
    /// Runs a worker in a process of its own, with upkeep. Any number of them may run.
    Worker(Box<WorkerFlags>),
    /// Brings the database up to date, or back.
    Migrate(migrate::Command),
    /// Prints the GraphQL schema.
    Schema,
    /// Blurs every face in a video file, and prints a receipt as JSON.
    Blur(blur::Command),
    /// Adds public cameras from a GeoJSON file, or brings known ones up to date.
    Import(Box<import::Command>),
    /// Plays Amazon IVS against a running server, with a video file as the broadcast.
    ///
    /// The file is cut into segments, which are written into the recordings store in IVS's layout at the pace of the
    /// video, and the messages IVS would send are posted to the server. Reads the server's own configuration, so that
    /// both find the same store and the same secret.
    Simulate(Box<simulate::Command>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_of_every_command_is_explained() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for flag in command.get_arguments() {
                assert!(flag.get_help().is_some(), "{} {}", command.get_name(), flag.get_id());
            }
        }
    }

    #[test]
    fn the_commands_agree_with_themselves() {
        Cli::command().debug_assert();
    }
}

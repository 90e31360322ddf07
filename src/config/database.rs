//! Which database holds the rows: PostgreSQL if one is named, otherwise a SQLite file of our own.

use super::{DataFlags, Faults, Secret, folder, given};
use std::path::{Path, PathBuf};
use url::Url;

/// Name of the SQLite file in the data folder.
const FILE: &str = "emergency-time.db";
const MAX_CONNECTIONS: u32 = 1_000;

/// The database's flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseFlags {
    /// postgres://user:password@host/database, or sqlite:///absolute/path.db. Absent: emergency-time.db in DATA_DIR.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// How many connections this process may hold at once.
    #[arg(long, env = "DATABASE_CONNECTIONS", value_name = "N", default_value = "16")]
    pub database_connections: String,
}

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Secret<Url>),
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Which.
    pub engine: Engine,
    /// Connections of this process at most.
    pub connections: u32,
}

impl DatabaseFlags {
    /// Checks them; the SQLite file's folder is made and tried.
    pub fn check(&self, data: &DataFlags, faults: &mut Faults) -> Option<Database> {
        let connections = faults.check("DATABASE_CONNECTIONS", connections(&self.database_connections));
        let engine = match given(self.database_url.as_ref()) {
            None => data.folder(faults).map(|folder| Engine::Sqlite(folder.join(FILE))),
            Some(text) => {
                let named = named(text);
                faults.check("DATABASE_URL", named)
            }
        };
        Some(Database { engine: engine?, connections: connections? })
    }
}

fn connections(text: &str) -> Result<u32, String> {
    let number = text.trim().parse().ok().filter(|number| (1..=MAX_CONNECTIONS).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a whole number from 1 to {MAX_CONNECTIONS}"))
}

/// Reads a database's address. Says nothing of it in its errors but the scheme: it may hold a password.
fn named(text: &str) -> Result<Engine, String> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "postgres" | "postgresql" => {
            let url = Url::parse(text).map_err(|error| error.to_string())?;
            if url.host_str().is_none_or(str::is_empty) && !url.query_pairs().any(|(name, _)| name == "host") {
                return Err("names no host: postgres://user:password@host/database".into());
            }
            Ok(Engine::Postgres(Secret::new(url)))
        }
        "sqlite" => sqlite(text),
        _ => Err(format!("the scheme is {scheme:?}, not postgres or sqlite")),
    }
}

/// `sqlite:///absolute/path` or `sqlite://relative/path`, as sqlx reads it; a query is not needed and not taken.
fn sqlite(text: &str) -> Result<Engine, String> {
    let path = text.trim_start_matches("sqlite:").trim_start_matches("//");
    if path.is_empty() || path.contains('?') || path.contains(":memory:") {
        return Err("a SQLite URL names a file and nothing else: sqlite:///absolute/path.db".into());
    }
    let path = std::path::absolute(Path::new(path)).map_err(|error| error.to_string())?;
    let folder = path.parent().ok_or("names no file")?;
    folder::prove(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(Engine::Sqlite(path))
}

//! What a process is told by flags and variables: one checked struct per kind of process.
//!
//! A process starts only with a configuration that holds; what is wrong is named all at once, so that nobody mends a
//! deployment one start at a time. Which part takes a place follows from a variable's presence and is decided here;
//! nothing further in asks how the process was configured.

mod bus;
mod database;
mod folder;
mod http;
mod live;
mod log;
mod redaction;
mod secret;
mod storage;

pub use bus::{Broker, BusFlags};
pub use database::{Database, DatabaseFlags, Engine};
pub use folder::DataFlags;
pub use http::{Http, HttpFlags, Simulate, SimulateFlags};
pub use live::{Ingest, IngestFlags, LiveFlags};
pub use log::{Log, LogFlags};
pub use redaction::{Redaction, RedactionFlags};
pub use secret::Secret;
pub use storage::{Storage, StorageFlags};

use std::{fmt, net::SocketAddr};

/// Everything that is wrong with a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Adds one; the same one twice stands once.
    pub fn add(&mut self, name: &str, what: impl fmt::Display) {
        let fault = format!("{name}: {what}");
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    /// Both values, or the faults of both.
    pub fn both<A, B>(a: Result<A, Self>, b: Result<B, Self>) -> Result<(A, B), Self> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(mut a), Err(b)) => {
                a.0.extend(b.0);
                Err(a)
            }
            (Err(faults), _) | (_, Err(faults)) => Err(faults),
        }
    }

    /// The value, or its fault noted down.
    pub fn check<T, E: fmt::Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(name, error)).ok()
    }

    /// The value of a flag that may be absent, or its fault noted down.
    fn optional<T, E: fmt::Display>(
        &mut self,
        name: &str,
        value: Option<&String>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Noted> {
        match given(value) {
            None => Ok(None),
            Some(text) => self.check(name, read(text)).map(Some).ok_or(Noted),
        }
    }

    /// The whole, if nothing was wrong with any part of it.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for Faults {}

/// A setting that is wrong; what is wrong is in the [`Faults`] already.
#[derive(Debug)]
pub struct Noted;

/// A flag that was given; an empty variable counts as absent, as deployment tools set those they know nothing for.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The flags of a process with everything in it.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeFlags {
    #[command(flatten)]
    pub http: HttpFlags,
    #[command(flatten)]
    pub data: DataFlags,
    #[command(flatten)]
    pub database: DatabaseFlags,
    #[command(flatten)]
    pub bus: BusFlags,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub live: LiveFlags,
    #[command(flatten)]
    pub ingest: IngestFlags,
    #[command(flatten)]
    pub redaction: RedactionFlags,
}

/// The flags of an api process.
#[derive(Clone, Debug, clap::Args)]
pub struct ApiFlags {
    #[command(flatten)]
    pub http: HttpFlags,
    #[command(flatten)]
    pub data: DataFlags,
    #[command(flatten)]
    pub database: DatabaseFlags,
    #[command(flatten)]
    pub bus: BusFlags,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub live: LiveFlags,
}

/// The flags of a worker process.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerFlags {
    /// Where the worker answers /health/live, /health/ready and /metrics. Absent: it listens nowhere.
    #[arg(long, env = "WORKER_BIND", value_name = "HOST:PORT")]
    pub worker_bind: Option<String>,
    #[command(flatten)]
    pub data: DataFlags,
    #[command(flatten)]
    pub database: DatabaseFlags,
    #[command(flatten)]
    pub bus: BusFlags,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub live: LiveFlags,
    #[command(flatten)]
    pub redaction: RedactionFlags,
}

/// The flags of a process that works on the database and the stores, and ends.
#[derive(Clone, Debug, clap::Args)]
pub struct RowsFlags {
    #[command(flatten)]
    pub data: DataFlags,
    #[command(flatten)]
    pub database: DatabaseFlags,
    #[command(flatten)]
    pub storage: StorageFlags,
}

/// The flags of a process that works on the database alone.
#[derive(Clone, Debug, clap::Args)]
pub struct MigrateFlags {
    #[command(flatten)]
    pub data: DataFlags,
    #[command(flatten)]
    pub database: DatabaseFlags,
}

/// What every process that changes rows needs.
#[derive(Debug)]
pub struct Rows {
    /// The rows.
    pub database: Database,
    /// Recordings and replays.
    pub storage: Storage,
}

/// A process with everything in it.
#[derive(Debug)]
pub struct Serve {
    /// What it serves.
    pub http: Http,
    /// Rows and objects.
    pub rows: Rows,
    /// The broker; `None`: in process.
    pub broker: Option<Broker>,
    /// How broadcasts are taken.
    pub ingest: Ingest,
    /// How faces are found.
    pub redaction: Redaction,
}

/// A process that answers clients.
#[derive(Debug)]
pub struct Api {
    /// What it serves.
    pub http: Http,
    /// Rows and objects.
    pub rows: Rows,
    /// The broker.
    pub broker: Broker,
}

/// A process that redacts.
#[derive(Debug)]
pub struct Worker {
    /// Where it tells how it is.
    pub bind: Option<SocketAddr>,
    /// Rows and objects.
    pub rows: Rows,
    /// The broker.
    pub broker: Broker,
    /// How faces are found.
    pub redaction: Redaction,
}

impl ServeFlags {
    /// Checks all of it.
    pub fn check(&self) -> Result<Serve, Faults> {
        let mut faults = Faults::default();
        let rows = rows(&self.data, &self.database, &self.storage, &mut faults);
        let http = self.http.check(&self.data, &mut faults);
        let broker = self.bus.check(&mut faults);
        let live = self.live.check(&mut faults);
        let ingest = self.ingest.check(&mut faults);
        let redaction = self.redaction.check(&mut faults);
        let whole = || Some((rows?, http?, broker.ok()?, live?, ingest?, redaction?));
        let whole =
            whole().map(|(rows, http, broker, (), ingest, redaction)| Serve { http, rows, broker, ingest, redaction });
        faults.finish(whole)
    }
}

impl ApiFlags {
    /// Checks all of it.
    pub fn check(&self) -> Result<Api, Faults> {
        let mut faults = Faults::default();
        let rows = rows(&self.data, &self.database, &self.storage, &mut faults);
        let http = self.http.check(&self.data, &mut faults);
        let broker = self.bus.check_shared(&mut faults);
        let live = self.live.check(&mut faults);
        let whole = || Some((rows?, http?, broker?, live?));
        let whole = whole().map(|(rows, http, broker, ())| Api { http, rows, broker });
        faults.finish(whole)
    }
}

impl WorkerFlags {
    /// Checks all of it.
    pub fn check(&self) -> Result<Worker, Faults> {
        let mut faults = Faults::default();
        let bind = faults.optional("WORKER_BIND", self.worker_bind.as_ref(), http::address);
        let rows = rows(&self.data, &self.database, &self.storage, &mut faults);
        let broker = self.bus.check_shared(&mut faults);
        let live = self.live.check(&mut faults);
        let redaction = self.redaction.check(&mut faults);
        let whole = || Some((bind.ok()?, rows?, broker?, live?, redaction?));
        let whole = whole().map(|(bind, rows, broker, (), redaction)| Worker { bind, rows, broker, redaction });
        faults.finish(whole)
    }
}

impl MigrateFlags {
    /// Checks all of it.
    pub fn check(&self) -> Result<Database, Faults> {
        let mut faults = Faults::default();
        let database = self.database.check(&self.data, &mut faults);
        faults.finish(database)
    }
}

impl RowsFlags {
    /// Checks all of it.
    pub fn check(&self) -> Result<Rows, Faults> {
        let mut faults = Faults::default();
        let rows = rows(&self.data, &self.database, &self.storage, &mut faults);
        faults.finish(rows)
    }
}

fn rows(data: &DataFlags, database: &DatabaseFlags, storage: &StorageFlags, faults: &mut Faults) -> Option<Rows> {
    let database = database.check(data, faults);
    let storage = storage.check(data, faults);
    Some(Rows { database: database?, storage: storage? })
}

#[cfg(test)]
mod tests;

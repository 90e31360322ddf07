//! Opens the database, and knows whether its schema is the one this program was built for.

use crate::{
    config::{Database, Engine},
    process,
};
use anyhow::{Context as _, Result, bail};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectOptions, DatabaseConnection, DbBackend};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long work waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a writer of SQLite waits for the one before it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database; a SQLite file is made if it is missing.
pub async fn open(database: &Database) -> Result<DatabaseConnection> {
    let (mut options, what) = match &database.engine {
        // The path is set below, where no character of it can be taken for a part of a URL.
        Engine::Sqlite(path) => (ConnectOptions::new("sqlite::memory:"), format!("the database {}", path.display())),
        Engine::Postgres(url) => {
            let host = url.reveal().host_str().unwrap_or("this machine").to_owned();
            (ConnectOptions::new(url.reveal().as_str()), format!("the database on {host}"))
        }
    };
    options
        .max_connections(database.connections)
        .connect_timeout(CONNECT_TIMEOUT)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false);
    if let Engine::Sqlite(path) = &database.engine {
        let path = path.clone();
        options.map_sqlx_sqlite_opts(move |options| {
            options
                .in_memory(false)
                .shared_cache(false)
                .filename(&path)
                .create_if_missing(true)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true)
                .pragma("journal_mode", "WAL")
                // In WAL mode only FULL survives a loss of power: what was acknowledged is on the disk.
                .pragma("synchronous", "FULL")
        });
    }
    sea_orm::Database::connect(options).await.with_context(|| format!("{what} cannot be opened"))
}

/// Opens the database of a server and sees to it that its schema is up to date: SQLite's is brought there if `migrates`,
/// PostgreSQL's must be there already, since other processes may be running on the old one.
pub async fn open_current(database: &Database, migrates: bool, patience: Duration) -> Result<DatabaseConnection> {
    let db = process::patiently("the database", patience, || open(database)).await?;
    if migrates && db.get_database_backend() == DbBackend::Sqlite {
        Migrator::up(&db, None).await.context("the database cannot be brought up to date")?;
        return Ok(db);
    }
    let pending = Migrator::get_pending_migrations_read_only(&db).await;
    let pending = pending.context("the database's schema cannot be read")?;
    if !pending.is_empty() {
        let names: Vec<_> = pending.iter().map(|migration| migration.name().to_owned()).collect();
        bail!("the database lacks {}; run `emergency-time migrate` first", names.join(", "));
    }
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{ConnectionTrait as _, Statement};

    async fn pragma(db: &DatabaseConnection, name: &str) -> String {
        let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
        let row = db.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<String>(0).or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string())).unwrap()
    }

    #[tokio::test]
    async fn a_sqlite_file_of_any_name_is_opened_so_that_what_was_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?mode=ro#c%20.db");
        let database = Database { engine: Engine::Sqlite(path.clone()), connections: 2 };
        let db = open(&database).await.unwrap();
        assert!(path.is_file());
        for (name, value) in
            [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("busy_timeout", "10000")]
        {
            assert_eq!(pragma(&db, name).await, value, "{name}");
        }
        db.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_database_that_is_behind_is_brought_up_to_date_or_refused_but_never_used() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database { engine: Engine::Sqlite(folder.path().join("behind.db")), connections: 2 };
        let refused = open_current(&database, false, Duration::ZERO).await.unwrap_err().to_string();
        assert!(refused.contains("emergency-time migrate"), "{refused}");
        open_current(&database, true, Duration::ZERO).await.unwrap().close().await.unwrap();
        open_current(&database, false, Duration::ZERO).await.unwrap().close().await.unwrap();
    }
}

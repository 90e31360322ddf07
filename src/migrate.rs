//! `migrate`: brings the database's schema forward, back, or says where it stands.

use crate::{
    config::{Database, Faults, MigrateFlags},
    database,
};
use anyhow::{Context as _, Result};
use migration::{Migrator, MigratorTrait as _};

/// Brings the database up to date, or back.
#[derive(Debug, clap::Args)]
pub struct Command {
    /// Takes the last N migrations back, with the data that is only in them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "status")]
    down: Option<u32>,
    /// Only prints which migrations are applied and which are pending.
    #[arg(long)]
    status: bool,
    #[command(flatten)]
    flags: MigrateFlags,
}

impl Command {
    /// Checks the flags.
    pub fn check(&self) -> Result<Database, Faults> {
        self.flags.check()
    }
}

/// Runs it.
pub async fn run(command: &Command, database: Database) -> Result<()> {
    let db = database::open(&database).await?;
    if let Some(steps) = command.down {
        Migrator::down(&db, Some(steps)).await.context("the database cannot be taken back")?;
    } else if !command.status {
        Migrator::up(&db, None).await.context("the database cannot be brought up to date")?;
    }
    let status =
        Migrator::get_migration_with_status_read_only(&db).await.context("the database's schema cannot be read")?;
    for migration in status {
        println!("{} {}", migration.status(), migration.name());
    }
    db.close().await.context("the database cannot be closed")
}

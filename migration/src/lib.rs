//! The database's schema, forward and back, on SQLite and PostgreSQL alike.
//!
//! A migration that has been released is never edited: a change is a new one.

use sea_orm_migration::prelude::*;

mod m0001_streams_and_replays;
mod m0002_messages;
mod m0003_cameras;
mod m0004_records;

pub use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_streams_and_replays::Migration),
            Box::new(m0002_messages::Migration),
            Box::new(m0003_cameras::Migration),
            Box::new(m0004_records::Migration),
        ]
    }
}

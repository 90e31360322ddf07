//! The lifecycle over real databases: SQLite files and PostgreSQL, the same tests on both.

mod commands;
mod messages;
mod order;
mod replays;
mod schema;
mod world;

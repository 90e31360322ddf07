//! The lifecycle over real databases: SQLite files and PostgreSQL, the same tests on both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod messages;
mod order;
mod replays;
mod scans;
mod schema;
mod thumbnails;
mod world;

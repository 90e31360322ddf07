//! The API as a client meets it: a real server on a port of its own, over SQLite, files and an in-process bus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod graphql;
mod hardening;
mod harness;
mod hub;
mod pages;
mod pictures;
mod protocol;
mod replay;
mod shutdown;
mod slow;
mod socket;
mod subscription;
mod webhook;

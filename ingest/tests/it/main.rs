//! The embedded live provider with real publishers, from their cameras to recorded segments.
//!
//! Needs `ffmpeg`, `ffprobe` and `chromium`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod lossy;
mod rtmp;
mod whip;

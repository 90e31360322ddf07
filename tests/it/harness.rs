//! What the tests stand on: real processes over real services, and the eyes to judge what they did.
//!
//! Nothing here reaches into the server: it is started as an operator starts it, fed as a broadcaster feeds it and
//! watched as a client watches it; only what no client may see (rows, raw recordings) is read from its stores.

pub mod binary;
pub mod broadcast;
pub mod client;
pub mod clip;
pub mod database;
pub mod deadline;
pub mod map_watch;
pub mod object_server;
pub mod picture;
pub mod process;
pub mod queue;
pub mod raw_http;
pub mod records;
pub mod replay;
pub mod simulate;
pub mod site;
pub mod still;
pub mod story;
pub mod subscriber;

/// Where everything that outlives one test process lies: rendered clips, logs of processes.
pub fn scratch() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("end-to-end")
}

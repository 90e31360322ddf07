//! Where recordings (faces bare, private for ever) and replays (redacted, public) are kept: files or S3.
//!
//! Two roots, two types: nothing that serves the public can be handed a [`Recordings`] by mistake.

mod content_type;
mod file;
mod key;
mod location;
mod s3;
mod store;

pub use key::{Key, KeyError};
pub use location::{Location, LocationError, Settings};
pub use store::{Error, Meta, Recordings, Replays, Store};

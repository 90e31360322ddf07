//! Finds and blurs faces in video: no frame leaves this crate that was not decoded, examined and, where a face was
//! found, painted over. It knows neither network nor database, so that it can be used and judged by itself.
//!
//! The way of one input: a first pass decodes it, detects faces on some frames, follows them through the others and
//! writes down in a plan which ellipses to blur on which frame; a second pass decodes it again, blurs and encodes.
//! Nothing but small grey pictures is kept between the passes. What cannot be decoded or examined is an [`Error`],
//! never an output.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions and sizes of pixels go between integers and floats on every line, and are far below 2^23"
)]

mod analysis;
mod blur;
mod centerface;
mod coverage;
mod engine;
mod error;
mod examine;
mod file;
mod follow;
mod geometry;
mod memo;
mod model;
mod motion;
pub mod net;
mod options;
mod read;
mod receipt;
mod rewrite;
mod track;
mod tracker;

pub use engine::{Engine, Output, Redacted, SegmentInput};
pub use error::Error;
pub use model::ModelSource;
pub use options::{Linking, Options};
pub use receipt::{Model, Progress, Receipt, Stage};

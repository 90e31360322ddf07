//! Finds and blurs faces in video: no frame leaves this crate that was not decoded, examined and, where a face was
//! found, painted over. It knows neither network nor database, so that it can be used and judged by itself.
//!
//! The way of one input: a first pass decodes it, detects faces on some frames, follows them through the others and
//! plans which ellipses to blur on which frame; a second pass, as soon as there is something to blur, decodes it again,
//! blurs and encodes, or copies packets if there is nothing. Nothing but the plan goes from one to the other. What cannot
//! be decoded or examined is an [`Error`], never an output.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions and sizes of pixels go between integers and floats on every line, and are far below 2^23"
)]

mod analysis;
mod attention;
mod blur;
mod centerface;
mod change;
mod copy;
mod deadline;
mod detail;
mod detector;
mod doubt;
mod engine;
mod error;
mod examine;
mod file;
mod follow;
mod geometry;
mod look;
mod memo;
mod model;
mod motion;
pub mod net;
mod network;
mod options;
mod packets;
mod pass;
mod plan;
mod read;
mod receipt;
mod rewrite;
mod sheet;
mod sight;
mod splice;
mod thumbnail;
mod track;
mod tracker;
mod unseen;
mod watch;
mod yunet;

pub use engine::{Engine, Redacted, SegmentInput};
pub use error::Error;
pub use model::ModelSource;
pub use options::{Backend, Linking, Looking, Options, Strength};
pub use receipt::{Libraries, Model, Progress, Receipt, Stage};
pub use thumbnail::{Thumbnail, thumbnail};

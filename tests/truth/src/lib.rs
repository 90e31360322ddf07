//! Video in which every face's place is known, and judges that look at nothing but pixels: what the redaction is
//! measured by, in tests and in the benchmark. It knows nothing of the engine, so that it cannot favour it.
//!
//! People are cut out of one public-domain portrait and set into streets that are computed, so that a clip can be made
//! as hard as one likes and the truth is never a detector's opinion.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what cannot be rendered or decoded fails the test that asked for it"
)]
#![allow(missing_docs, reason = "names such as left and width say it; what has a unit or a catch has a line")]
#![allow(
    clippy::many_single_char_names,
    reason = "the four corners of a square are a, b, c and d, and its sides x and y"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions and sizes of pixels go between integers and floats on every line, and are far below 2^23"
)]

pub mod cases;
pub mod damage;
pub mod judge;
pub mod matrix;
pub mod video;

mod backdrop;
mod clip;
mod face;
mod orientation;
mod plane;
mod portrait;
mod render;
mod shot;

pub use cases::Case;
pub use clip::{Clip, Encoded, joined};
pub use face::{Bounds, Face};
pub use judge::{Judge, Verdict};
pub use orientation::Orientation;
pub use shot::{Shot, Thing, TrueFace};
pub use video::{Frame, Video};

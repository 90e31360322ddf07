//! Real publishers and what came of them: `ffmpeg` and headless Chromium before a camera, the embedded live provider on
//! a stage of its own, and `ffprobe` to judge what it recorded.
//!
//! For tests and benchmarks only.

mod camera;
mod chromium;
mod clock;
mod look;
mod stage;

pub use camera::{Camera, PORTRAIT};
pub use chromium::{Chromium, Page, publisher};
pub use clock::{CLOCK_SCRIPT, LAPS_AFTER};
pub use look::{Packet, Recorded, decodes, look, packets, picture_size};
pub use stage::{Channel, DEADLINE, Fronts, Stage, app, ended, until, until_idle};

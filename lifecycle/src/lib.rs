//! Every change of a stream, a replay or a segment: one transaction each, its events and its jobs with it.
//!
//! Nothing else writes these rows. What a live provider says is merged as facts ([`Lifecycle::apply`]), so that
//! messages may come twice, late or in any order; what a worker did counts once ([`Lifecycle::finish`]).

mod apply;
mod cameras;
mod commands;
mod fault;
mod finalise;
mod inbox;
mod limits;
mod playlist;
mod receipt;
mod recordings;
mod relay;
mod scan;
mod segments;
mod settle;
mod sweep;
mod thumbnails;
mod upkeep;
mod work;
mod write;

pub use apply::Applied;
pub use cameras::{Camera, Upserted};
pub use commands::{CommandError, Movement, NewStream, Started};
pub use fault::Fault;
pub use limits::Limits;
pub use settle::RedactedSegment;
pub use upkeep::Upkeep;
pub use work::{Begun, SegmentWork};

use entity::time::Clock;
use live::LiveProvider;
use sea_orm::DatabaseConnection;
use std::sync::Arc;
use storage::{Recordings, Replays};
use tokio::sync::Notify;

/// What the lifecycle works with.
pub struct Parts {
    /// The rows.
    pub db: DatabaseConnection,
    /// Where broadcasts come from.
    pub live: Arc<dyn LiveProvider>,
    /// Bare recordings.
    pub recordings: Recordings,
    /// Redacted replays.
    pub replays: Replays,
    /// Now.
    pub clock: Clock,
    /// Bounds.
    pub limits: Limits,
}

/// The one writer of streams, replays and segments. Cheap to clone.
#[derive(Clone)]
pub struct Lifecycle {
    parts: Arc<Parts>,
    /// Rung after a commit that left something in the outbox.
    outbox_bell: Arc<Notify>,
    /// Rung when a message was stored in the inbox.
    inbox_bell: Arc<Notify>,
}

impl Lifecycle {
    /// A lifecycle over these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), outbox_bell: Arc::default(), inbox_bell: Arc::default() }
    }

    /// Bounds.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    fn db(&self) -> &DatabaseConnection {
        &self.parts.db
    }
}

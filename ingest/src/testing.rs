//! What this crate's own tests share: a provider over a folder, and nobody to hear of anything.

use crate::{
    scribe::{Announce, Unheard},
    settings::Settings,
    studio::Parts,
};
use async_trait::async_trait;
use entity::time::Clock;
use live::LiveEvent;
use std::sync::Arc;
use storage::{Location, Recordings};

/// Hears nothing.
pub(crate) struct Nobody;

#[async_trait]
impl Announce for Nobody {
    async fn announce(&self, _event: &LiveEvent) -> Result<(), Unheard> {
        Ok(())
    }

    async fn viewers(&self, _channel_arn: &str, _count: u32) {}
}

/// What a provider works with whose recordings lie in `folder`.
pub(crate) fn parts(folder: &tempfile::TempDir, settings: Settings, announce: Arc<dyn Announce>) -> Parts {
    let location = Location::folder(folder.path()).expect("a folder");
    let recordings = Recordings::open(&location, &storage::Settings::default()).expect("a store");
    Parts { recordings, announce, clock: Clock::System, settings }
}

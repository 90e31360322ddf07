//! How much of a replay may be shown, remembered for moments, so that a viewer's every segment is not a query.
//!
//! What is remembered is bounded in number and age; a replay that is taken down plays on for that age at most. That one
//! is not ready is not remembered: its viewers ask again the moment it is.

use crate::operation::Executor;
use entity::{VodId, vod};
use sea_orm::{ColumnTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The database did not say.
pub(super) struct Unknown;

/// How much of a replay may be shown. Each holds what those before it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// Its pictures, which are made of redacted segments: while the others are still being redacted, or its broadcast
    /// is on air.
    Pictures,
    /// All of it.
    Everything,
}

impl From<vod::Status> for Shown {
    fn from(status: vod::Status) -> Self {
        match status {
            vod::Status::Processing => Self::Pictures,
            vod::Status::Ready => Self::Everything,
            vod::Status::Withheld | vod::Status::Removed => Self::Nothing,
        }
    }
}

/// What is known of replays.
pub(crate) struct States {
    db: DatabaseConnection,
    most: usize,
    max_age: Duration,
    ready: Mutex<HashMap<VodId, Instant>>,
}

impl States {
    /// Remembers at most so many for so long.
    pub(crate) fn new(db: DatabaseConnection, most: usize, max_age: Duration) -> Self {
        Self { db, most, max_age, ready: Mutex::default() }
    }

    /// How much of the replay may be shown.
    pub(super) async fn shown(&self, vod: VodId, executor: &Executor) -> Result<Shown, Unknown> {
        if self.recall(vod) {
            return Ok(Shown::Everything);
        }
        let db = self.db.clone();
        match executor.run(async move { status(&db, vod).await }).await {
            Some(Ok(status)) => {
                let shown = status.map_or(Shown::Nothing, Shown::from);
                if shown == Shown::Everything {
                    self.remember(vod);
                }
                Ok(shown)
            }
            Some(Err(error)) => {
                tracing::error!(vod.id = %vod, error = %error, "a replay's state cannot be read");
                Err(Unknown)
            }
            None => Err(Unknown),
        }
    }

    fn recall(&self, vod: VodId) -> bool {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.get(&vod).is_some_and(|since| since.elapsed() < self.max_age)
    }

    fn remember(&self, vod: VodId) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= self.most {
            ready.retain(|_, since| since.elapsed() < self.max_age);
        }
        // Full of fresh ones: the rest is asked for each time.
        if ready.len() < self.most {
            ready.insert(vod, Instant::now());
        }
    }
}

async fn status(db: &DatabaseConnection, vod: VodId) -> Result<Option<vod::Status>, DbErr> {
    let query = vod::Entity::find().select_only().column(vod::Column::Status).filter(vod::Column::Id.eq(vod));
    query.into_tuple().one(db).await
}

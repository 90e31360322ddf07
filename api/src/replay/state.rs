//! Whether a replay may be shown, remembered for moments, so that a viewer's every segment is not a query.
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

    /// Whether the replay is ready.
    pub(super) async fn is_ready(&self, vod: VodId, executor: &Executor) -> Result<bool, Unknown> {
        if self.recall(vod) {
            return Ok(true);
        }
        let db = self.db.clone();
        match executor.run(async move { status(&db, vod).await }).await {
            Some(Ok(status)) => {
                let ready = status == Some(vod::Status::Ready);
                if ready {
                    self.remember(vod);
                }
                Ok(ready)
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

//! Whether a replay may be shown, remembered for moments, so that a viewer's every segment is not a query.
//!
//! What is remembered is bounded in number and age; a replay that is taken down plays on for that age at most.

use crate::operation::Executor;
use entity::{VodId, vod};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _, ColumnTrait as _};
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
    known: Mutex<HashMap<VodId, (Instant, bool)>>,
}

impl States {
    /// Remembers at most so many for so long.
    pub(crate) fn new(db: DatabaseConnection, most: usize, max_age: Duration) -> Self {
        Self { db, most, max_age, known: Mutex::default() }
    }

    /// Whether the replay is ready.
    pub(super) async fn is_ready(&self, vod: VodId, executor: &Executor) -> Result<bool, Unknown> {
        if let Some(ready) = self.recall(vod) {
            return Ok(ready);
        }
        let db = self.db.clone();
        match executor.run(async move { status(&db, vod).await }).await {
            Some(Ok(status)) => {
                let ready = status == Some(vod::Status::Ready);
                self.remember(vod, ready);
                Ok(ready)
            }
            Some(Err(error)) => {
                tracing::error!(vod.id = %vod, error = %error, "a replay's state cannot be read");
                Err(Unknown)
            }
            None => Err(Unknown),
        }
    }

    fn recall(&self, vod: VodId) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&vod).filter(|(since, _)| since.elapsed() < self.max_age).map(|&(_, ready)| ready)
    }

    fn remember(&self, vod: VodId, ready: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most {
            known.retain(|_, (since, _)| since.elapsed() < self.max_age);
        }
        // Full of fresh ones: the rest is asked for each time.
        if known.len() < self.most {
            known.insert(vod, (Instant::now(), ready));
        }
    }
}

async fn status(db: &DatabaseConnection, vod: VodId) -> Result<Option<vod::Status>, DbErr> {
    let query = vod::Entity::find().select_only().column(vod::Column::Status).filter(vod::Column::Id.eq(vod));
    query.into_tuple().one(db).await
}

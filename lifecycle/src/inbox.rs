//! Messages of live providers: stored before they are acknowledged, applied until it succeeds.
//!
//! A message may come before its stream's row is committed, or for a channel that was never ours; so one for an
//! unknown channel is tried again, ever more slowly, and given up after a bounded number of tries.

use crate::{Applied, Fault, Lifecycle};
use entity::inbox;
use live::LiveEvent;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use std::time::Duration;

/// How long a claimed message is left to the process that claimed it.
const CLAIM: Duration = Duration::from_secs(30);

/// Messages taken up at once.
const BATCH: u64 = 100;

impl Lifecycle {
    /// Stores a provider's message. When this returns it will be applied, whatever dies; storing it twice is fine.
    pub async fn receive(&self, message: &LiveEvent) -> Result<(), Fault> {
        let now = self.parts.clock.now();
        let event = serde_json::to_value(message).map_err(|error| Fault::unreadable("message", error))?;
        let row = inbox::ActiveModel {
            id: Set(message.id.clone()),
            event: Set(event),
            received_at: Set(now),
            next_try_at: Set(Some(now)),
            attempts: Set(0),
            failure: Set(None),
        };
        let known_already = OnConflict::column(inbox::Column::Id).do_nothing().to_owned();
        inbox::Entity::insert(row).on_conflict(known_already).exec_without_returning(self.db()).await?;
        self.inbox_bell.notify_one();
        Ok(())
    }

    /// Applies what is due. Returns whether there may be more.
    pub(crate) async fn apply_inbox(&self) -> Result<bool, Fault> {
        let now = self.parts.clock.now();
        let due = inbox::Entity::find()
            .filter(inbox::Column::NextTryAt.lte(now))
            .order_by_asc(inbox::Column::NextTryAt)
            .limit(BATCH)
            .all(self.db())
            .await?;
        let full = due.len() as u64 == BATCH;
        for row in due {
            if self.claim(&row).await? {
                self.apply_row(row).await?;
            }
        }
        Ok(full)
    }

    async fn claim(&self, row: &inbox::Model) -> Result<bool, Fault> {
        let claimed = inbox::Entity::update_many()
            .filter(inbox::Column::Id.eq(&row.id))
            .filter(inbox::Column::NextTryAt.eq(row.next_try_at))
            .col_expr(inbox::Column::NextTryAt, Expr::value(self.parts.clock.now() + CLAIM))
            .col_expr(inbox::Column::Attempts, Expr::value(row.attempts + 1))
            .exec(self.db())
            .await?;
        Ok(claimed.rows_affected == 1)
    }

    async fn apply_row(&self, row: inbox::Model) -> Result<(), Fault> {
        let outcome = match serde_json::from_value::<LiveEvent>(row.event) {
            Ok(message) => self.apply(&message).await,
            Err(error) => Err(Fault::unreadable("stored message", error)),
        };
        let attempts = row.attempts + 1;
        let (again, failure) = match outcome {
            Ok(Applied::Yes) => (None, None),
            Ok(Applied::UnknownChannel) if attempts >= self.limits().inbox_attempts => {
                tracing::warn!(inbox.id = row.id, attempts, "a provider's message is for no channel of ours");
                (None, Some("no stream has this channel".to_owned()))
            }
            Ok(Applied::UnknownChannel) => (Some(self.delay(attempts)), Some("no stream has this channel".to_owned())),
            Err(fault) => {
                tracing::warn!(inbox.id = row.id, attempts, %fault, "a provider's message is not applied yet");
                (Some(self.delay(attempts)), Some(fault.to_string()))
            }
        };
        inbox::Entity::update_many()
            .filter(inbox::Column::Id.eq(&row.id))
            .col_expr(inbox::Column::NextTryAt, Expr::value(again.map(|delay| self.parts.clock.now() + delay)))
            .col_expr(inbox::Column::Failure, Expr::value(failure))
            .exec(self.db())
            .await?;
        Ok(())
    }

    /// A quarter of a second, doubled with every try.
    fn delay(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 16)).unwrap_or(1) - 1;
        Duration::from_millis(250).saturating_mul(1 << doublings).min(self.limits().inbox_delay_max)
    }
}

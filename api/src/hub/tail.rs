//! One subscription as a stream: the log first, then what the board delivers, without a gap and without a double.
//!
//! The log is read up to its end before the subscriber registers, so that a long way back does not fill its queue;
//! what was written in between is read up to the number that registering returned. From there the queue goes on.

use super::{Ended, Hub, Interest, board::Subscriber};
use entity::{ItemId, event};
use futures_util::{Stream, stream};
use sea_orm::{DbErr, EntityTrait as _, QueryOrder as _, QuerySelect as _};
use std::{collections::VecDeque, sync::Arc};

type Step = Result<Arc<event::Model>, Ended>;

/// The events of one item from now on.
pub(super) fn follow_item(hub: &Hub, item: ItemId) -> impl Stream<Item = Step> + Send + use<> + 'static {
    live(hub.board.register_item(item))
}

fn live(subscriber: Subscriber) -> impl Stream<Item = Step> + Send + 'static {
    stream::unfold(Some(subscriber), |subscriber| async {
        let mut subscriber = subscriber?;
        let step = subscriber.next().await;
        let rest = step.is_ok().then_some(subscriber);
        Some((step, rest))
    })
}

/// The events of a box: from now on, or from a number in the log.
pub(super) fn follow_box(hub: Hub, interest: Interest) -> impl Stream<Item = Step> + Send + 'static {
    let (phase, last) = match interest.after {
        None => {
            let (subscriber, last) = hub.board.register_box(interest.clone());
            (Phase::Live(subscriber), last)
        }
        Some(after) => (Phase::Asking, after),
    };
    let tail = Tail { hub, interest, phase, last, read: VecDeque::new() };
    stream::unfold(tail, |mut tail| async {
        let step = tail.next().await?;
        Some((step, tail))
    })
}

struct Tail {
    hub: Hub,
    interest: Interest,
    phase: Phase,
    /// Everything up to this number is delivered, in `read`, or does not concern this subscription.
    last: i64,
    /// Read from the log and not yet delivered.
    read: VecDeque<Arc<event::Model>>,
}

enum Phase {
    /// Nothing is known of the number yet.
    Asking,
    /// The number is good, and there may be a long way to go.
    Reading,
    /// Registered; the log is still to be read up to the number.
    Closing(Subscriber, i64),
    /// Everything else comes from the board.
    Live(Subscriber),
    Over,
}

impl Tail {
    async fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(Ok(event));
            }
            if let Phase::Live(subscriber) = &mut self.phase {
                match subscriber.next().await {
                    Ok(event) if event.seq <= self.last => {}
                    Ok(event) => {
                        self.last = event.seq;
                        return Some(Ok(event));
                    }
                    Err(ended) => return self.end(ended),
                }
                continue;
            }
            match self.advance().await {
                Ok(None) => {}
                Ok(Some(ended)) => return self.end(ended),
                // The subscription waits as a live one would: the reader cannot read the log now, either.
                Err(error) => {
                    tracing::warn!(error = %error, "the event log cannot be read for a subscription; will try again");
                    tokio::time::sleep(self.hub.limits.hub_poll).await;
                }
            }
            if matches!(self.phase, Phase::Over) {
                return None;
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last step of the stream")]
    fn end(&mut self, ended: Ended) -> Option<Step> {
        self.phase = Phase::Over;
        Some(Err(ended))
    }

    /// One step towards `Live`. Changes nothing if it fails or is dropped.
    async fn advance(&mut self) -> Result<Option<Ended>, DbErr> {
        match &self.phase {
            Phase::Asking => {
                if !self.hub.reaches_back_to(self.last).await? {
                    return Ok(Some(Ended::CursorTooOld));
                }
                self.phase = Phase::Reading;
            }
            Phase::Reading => {
                let at_end = self.read_log(None).await?;
                if at_end {
                    // Before the reader knows where it begins, registering would say nothing.
                    self.hub.ready().await;
                    let (subscriber, from) = self.hub.board.register_box(self.interest.clone());
                    self.phase = Phase::Closing(subscriber, from);
                }
            }
            &Phase::Closing(_, from) => {
                if self.last >= from || self.read_log(Some(from)).await? {
                    self.last = self.last.max(from);
                    if let Phase::Closing(subscriber, _) = std::mem::replace(&mut self.phase, Phase::Over) {
                        self.phase = Phase::Live(subscriber);
                    }
                }
            }
            Phase::Live(_) | Phase::Over => {}
        }
        Ok(None)
    }

    /// Reads one batch of the log; true if it was the last one.
    async fn read_log(&mut self, up_to: Option<i64>) -> Result<bool, DbErr> {
        let events = self.hub.log_after(self.last, up_to).await?;
        let at_end = u64::try_from(events.len()).is_ok_and(|count| count < self.hub.limits.hub_batch);
        if let Some(event) = events.last() {
            self.last = event.seq;
        }
        self.read.extend(events.into_iter().filter(|event| self.interest.concerns(event)).map(Arc::new));
        Ok(at_end)
    }
}

impl Hub {
    /// Whether every event after the number can still be read.
    async fn reaches_back_to(&self, after: i64) -> Result<bool, DbErr> {
        let newest = self.cursor().await?;
        if after >= newest {
            // A number that was never given comes from another log, and tells nothing about this one.
            return Ok(after == newest);
        }
        if newest.saturating_sub(after) > self.limits.hub_catch_up {
            return Ok(false);
        }
        // The event itself is still there, or all of its successors are.
        let query = event::Entity::find().select_only().column(event::Column::Seq);
        let oldest: Option<i64> = query.order_by_asc(event::Column::Seq).limit(1).into_tuple().one(&self.db).await?;
        Ok(oldest.is_some_and(|oldest| after >= oldest - 1))
    }
}

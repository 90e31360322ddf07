//! The contract that every bus keeps; `tests/it/contract.rs` runs one suite over each of them.

use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// A bus that cannot do what was asked; asking again later may succeed.
#[derive(Debug, thiserror::Error)]
#[error("the bus is unavailable: {0}")]
pub struct Error(pub String);

/// Dead letters that a bus keeps; with more, the oldest goes.
pub const MAX_DEAD_LETTERS: u16 = 1_000;

/// How often and how slowly a job comes back.
#[derive(Clone, Copy, Debug)]
pub struct RedeliveryPolicy {
    /// A delivery with this number, settled with [`Outcome::RetryAfter`], goes to the dead letters instead.
    pub max_attempts: u32,
    /// No delay is longer; a longer one is cut to this.
    pub max_delay: Duration,
}

impl Default for RedeliveryPolicy {
    fn default() -> Self {
        Self { max_attempts: 100, max_delay: Duration::from_mins(1) }
    }
}

impl RedeliveryPolicy {
    /// Where a job goes whose delivery number `attempt` was settled with `outcome`.
    pub(crate) fn after(&self, attempt: u32, outcome: Outcome) -> Next {
        match outcome {
            Outcome::Done => Next::Gone,
            Outcome::RetryAfter(delay) if attempt < self.max_attempts => Next::Again(delay.min(self.max_delay)),
            Outcome::RetryAfter(_) => Next::Dead(format!("gave up after {attempt} attempts")),
            Outcome::Reject(reason) => Next::Dead(reason),
        }
    }
}

/// Where a settled job goes; the same on every bus.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Gone,
    Again(Duration),
    Dead(String),
}

impl Next {
    /// The value of the label `outcome` of `bus_settled_total`.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Gone => "done",
            Self::Again(_) => "retry",
            Self::Dead(_) => "dead",
        }
    }
}

/// What became of a job. Say it only when it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// Not now: deliver again after the delay, with `attempt` one higher. Never sooner; a bus may round the delay up.
    RetryAfter(Duration),
    /// Never: to the dead letters, with the reason.
    Reject(String),
}

/// One job, held by this consumer until it is settled. Dropped unsettled, it is delivered again, with the same
/// `attempt`.
#[async_trait]
pub trait Delivery: Send {
    /// What the job says.
    fn payload(&self) -> &Bytes;
    /// 1 for the first delivery; one more for every [`Outcome::RetryAfter`].
    fn attempt(&self) -> u32;
    /// Ends this delivery. An error means that the job may come again.
    async fn settle(self: Box<Self>, outcome: Outcome) -> Result<(), Error>;
}

/// Jobs for one consumer. Outlives the loss of the broker: `next` waits until it is back.
/// Dropped, it takes no more jobs; those already handed out can still be settled.
#[async_trait]
pub trait Jobs: Send {
    /// The next job. `None` once the bus is closed. Given up half way (in a `select!`), no job is lost.
    async fn next(&mut self) -> Option<Box<dyn Delivery>>;
}

/// Event notices for one process.
#[async_trait]
pub trait Notices: Send {
    /// The next notice, or `None` once the bus is closed. Notices may be lost (the broker was away, or this reader
    /// too slow): they say that there is something to read, the log says what.
    async fn next(&mut self) -> Option<Bytes>;
}

/// A bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Takes over jobs: when this returns, none of them is lost while the bus's own store lives.
    async fn publish_jobs(&self, payloads: Vec<Bytes>) -> Result<(), Error>;
    /// Tells every process that listens now.
    async fn publish_notice(&self, payload: Bytes) -> Result<(), Error>;
    /// A consumer that holds at most `prefetch` unsettled jobs (0 is taken as 1).
    async fn consume_jobs(&self, prefetch: u16) -> Result<Box<dyn Jobs>, Error>;
    /// Notices from now on.
    async fn notices(&self) -> Result<Box<dyn Notices>, Error>;
    /// Payloads and reasons of the dead letters, oldest first, at most `limit`; they stay where they are.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<(Bytes, String)>, Error>;
    /// Whether jobs outlive this process. If not, unfinished ones are issued again at start.
    fn is_durable(&self) -> bool;
    /// Whether the bus can be reached now.
    async fn check(&self) -> Result<(), Error>;
    /// Stops consumers; unsettled jobs go back, and settling or publishing is an error from now on.
    async fn close(&self);
}

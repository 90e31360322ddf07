//! A worker: takes jobs, turns segments of recordings into segments of replays.
//!
//! A job is acknowledged after its result is stored and recorded, never before; dying at any point in between only
//! means that somebody does it again. A segment that cannot be redacted is given up after bounded tries: it becomes
//! a gap, and its job a dead letter. Nothing unredacted is ever put into the replay store.

mod redaction;

use bus::{Bus, Delivery, Outcome};
use entity::{job::RedactJob, segment::GapReason};
use lifecycle::{Begun, Lifecycle, SegmentWork};
use redaction::Failure;
use std::{sync::Arc, time::Duration};
use storage::{Recordings, Replays};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

/// Bounds of a worker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many segments are worked on at once.
    pub segments_at_once: u16,
    /// The wait before a segment that could not be redacted is tried again; doubled each time.
    pub retry_delay: Duration,
    /// The wait after a fault of the surroundings: database, storage.
    pub fault_delay: Duration,
    /// How long work under way may go on after the worker is told to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segments_at_once: 2,
            retry_delay: Duration::from_secs(1),
            fault_delay: Duration::from_secs(2),
            drain: Duration::from_secs(8),
        }
    }
}

/// What a worker works with.
pub struct Parts {
    /// Records what was done.
    pub lifecycle: Lifecycle,
    /// Brings jobs.
    pub bus: Arc<dyn Bus>,
    /// Bare recordings, read.
    pub recordings: Recordings,
    /// Redacted replays, written.
    pub replays: Replays,
    /// Finds and blurs faces.
    pub engine: Arc<redact::Engine>,
    /// Bounds.
    pub settings: Settings,
}

/// A worker. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    parts: Arc<Parts>,
}

impl Worker {
    /// A worker over these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Works until cancelled or the bus is closed; then finishes what is under way, for a bounded time. What is not
    /// finished by then goes back to the bus.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), bus::Error> {
        // No more than this many are held unsettled, so no more tasks than this run.
        let mut jobs = self.parts.bus.consume_jobs(self.parts.settings.segments_at_once).await?;
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                Some(_) = under_way.join_next() => {}
                job = jobs.next() => match job {
                    Some(delivery) => { under_way.spawn(self.clone().handle(delivery)); }
                    None => break,
                },
            }
        }
        let drained =
            time::timeout(self.parts.settings.drain, async { while under_way.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!(segments = under_way.len(), "stopped in the middle of work; it will be done again");
            under_way.abort_all();
        }
        Ok(())
    }

    async fn handle(self, delivery: Box<dyn Delivery>) {
        let outcome = match serde_json::from_slice::<RedactJob>(delivery.payload()) {
            Ok(job) => self.process(&job).await,
            Err(error) => Outcome::Reject(format!("unreadable job: {error}")),
        };
        if let Err(error) = delivery.settle(outcome).await {
            tracing::warn!(%error, "a job was not settled; it comes again");
        }
    }

    /// Does a job, and says what became of it once that is durable.
    async fn process(&self, job: &RedactJob) -> Outcome {
        let settings = &self.parts.settings;
        match self.parts.lifecycle.begin(job).await {
            Ok(Begun::Work(work)) => self.work(job, &work).await,
            Ok(Begun::Settled) => Outcome::Done,
            Ok(Begun::Exhausted) => Outcome::Reject("begun too often without being finished".into()),
            Err(fault) => {
                tracing::warn!(segment.id = %job.segment, %fault, "a job was not begun");
                Outcome::RetryAfter(settings.fault_delay)
            }
        }
    }

    async fn work(&self, job: &RedactJob, work: &SegmentWork) -> Outcome {
        let settings = &self.parts.settings;
        let failure = match self.parts.redact(work).await {
            Ok(done) => match self.parts.lifecycle.finish(work, done).await {
                Ok(_) => return Outcome::Done,
                Err(fault) => Failure::Surroundings(fault.to_string()),
            },
            Err(failure) => failure,
        };
        match failure {
            Failure::Surroundings(reason) => {
                tracing::warn!(vod.id = %work.vod, segment.number = work.number, reason, "segment put back");
                if let Err(fault) = self.parts.lifecycle.excuse(work).await {
                    tracing::warn!(segment.id = %work.segment, %fault, "a try was not taken back");
                }
                Outcome::RetryAfter(settings.fault_delay)
            }
            Failure::Hopeless(class, reason) => self.give_up(job, class, reason).await,
            Failure::Segment(class, reason) if work.is_last_attempt => self.give_up(job, class, reason).await,
            Failure::Segment(_, reason) => {
                let attempt = work.attempt;
                tracing::warn!(vod.id = %work.vod, segment.number = work.number, attempt, reason, "segment failed");
                let doublings = u32::try_from(attempt.clamp(1, 16)).unwrap_or(1) - 1;
                Outcome::RetryAfter(settings.retry_delay.saturating_mul(1 << doublings))
            }
        }
    }

    /// Makes a segment a gap, and its job a dead letter once that is durable.
    async fn give_up(&self, job: &RedactJob, class: GapReason, reason: String) -> Outcome {
        match self.parts.lifecycle.give_up(job, class, &reason).await {
            Ok(_) => Outcome::Reject(reason),
            Err(fault) => {
                tracing::warn!(segment.id = %job.segment, %fault, "a segment was not given up yet");
                Outcome::RetryAfter(self.parts.settings.fault_delay)
            }
        }
    }
}

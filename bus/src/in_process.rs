//! The bus of a single process: a bounded queue in memory.
//!
//! Every unfinished job (waiting, delayed or held by a consumer) occupies one place of the capacity, so nothing grows
//! and nothing is dropped: whoever publishes to a full bus waits. Delays need no task: whoever waits for a job also waits
//! for the next one to fall due.

mod queue;

use crate::contract::{Bus, Delivery, Error, Jobs, Next, Notices, Outcome, RedeliveryPolicy};
use async_trait::async_trait;
use bytes::Bytes;
use queue::{Job, Queue};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

/// Notices a reader may lag behind before it loses the oldest.
const NOTICE_BACKLOG: usize = 1_024;

/// Jobs and notices within this process. What is unfinished at its end is lost: see [`Bus::is_durable`].
pub struct InProcess {
    shared: Arc<Shared>,
    notices: broadcast::Sender<Bytes>,
}

struct Shared {
    policy: RedeliveryPolicy,
    queue: Queue,
    closed: CancellationToken,
}

impl InProcess {
    /// A bus that holds at most `capacity` unfinished jobs.
    pub fn new(policy: RedeliveryPolicy, capacity: usize) -> Self {
        let queue = Queue::new(capacity.clamp(1, Semaphore::MAX_PERMITS));
        let shared = Arc::new(Shared { policy, queue, closed: CancellationToken::new() });
        Self { shared, notices: broadcast::Sender::new(NOTICE_BACKLOG) }
    }
}

impl Shared {
    fn ensure_open(&self) -> Result<(), Error> {
        if self.closed.is_cancelled() { Err(closed()) } else { Ok(()) }
    }
}

fn closed() -> Error {
    Error("it is closed".into())
}

#[async_trait]
impl Bus for InProcess {
    async fn publish_jobs(&self, payloads: Vec<Bytes>) -> Result<(), Error> {
        for payload in payloads {
            self.shared.queue.push(payload).await.map_err(|_| closed())?;
            metrics::counter!("bus_published_total", "kind" => "job").increment(1);
        }
        Ok(())
    }

    async fn publish_notice(&self, payload: Bytes) -> Result<(), Error> {
        self.shared.ensure_open()?;
        // The only failure is that nobody listens, which is no fault.
        let _ = self.notices.send(payload);
        metrics::counter!("bus_published_total", "kind" => "notice").increment(1);
        Ok(())
    }

    async fn consume_jobs(&self, prefetch: u16) -> Result<Box<dyn Jobs>, Error> {
        self.shared.ensure_open()?;
        let hands = Arc::new(Semaphore::new(usize::from(prefetch.max(1))));
        Ok(Box::new(HeldJobs { shared: Arc::clone(&self.shared), hands }))
    }

    async fn notices(&self) -> Result<Box<dyn Notices>, Error> {
        self.shared.ensure_open()?;
        Ok(Box::new(Listener { receiver: self.notices.subscribe(), closed: self.shared.closed.clone() }))
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<(Bytes, String)>, Error> {
        self.shared.ensure_open()?;
        Ok(self.shared.queue.dead_letters(limit))
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn check(&self) -> Result<(), Error> {
        self.shared.ensure_open()
    }

    async fn close(&self) {
        self.shared.closed.cancel();
        self.shared.queue.close();
    }
}

struct HeldJobs {
    shared: Arc<Shared>,
    hands: Arc<Semaphore>,
}

#[async_trait]
impl Jobs for HeldJobs {
    async fn next(&mut self) -> Option<Box<dyn Delivery>> {
        let take = async {
            let hand = Arc::clone(&self.hands).acquire_owned().await.ok()?;
            Some((self.shared.queue.pop().await, hand))
        };
        let (job, hand) = tokio::select! {
            biased;
            () = self.shared.closed.cancelled() => return None,
            taken = take => taken?,
        };
        let Job { payload, attempt, place } = job;
        Some(Box::new(Held { shared: Arc::clone(&self.shared), payload, attempt, place: Some(place), _hand: hand }))
    }
}

struct Held {
    shared: Arc<Shared>,
    payload: Bytes,
    attempt: u32,
    /// The job's place in the queue's capacity; `None` once settled.
    place: Option<OwnedSemaphorePermit>,
    _hand: OwnedSemaphorePermit,
}

impl Held {
    /// The job, out of this consumer's hands.
    fn release(&mut self) -> Option<Job> {
        let place = self.place.take()?;
        Some(Job { payload: self.payload.clone(), attempt: self.attempt, place })
    }
}

#[async_trait]
impl Delivery for Held {
    fn payload(&self) -> &Bytes {
        &self.payload
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    async fn settle(mut self: Box<Self>, outcome: Outcome) -> Result<(), Error> {
        self.shared.ensure_open()?;
        let Some(mut job) = self.release() else { return Ok(()) };
        let next = self.shared.policy.after(job.attempt, outcome);
        metrics::counter!("bus_settled_total", "outcome" => next.label()).increment(1);
        match next {
            Next::Gone => {}
            Next::Again(delay) => {
                job.attempt += 1;
                self.shared.queue.push_later(job, delay);
            }
            Next::Dead(reason) => self.shared.queue.bury(job, reason),
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(job) = self.release() {
            self.shared.queue.put_back(job);
        }
    }
}

struct Listener {
    receiver: broadcast::Receiver<Bytes>,
    closed: CancellationToken,
}

#[async_trait]
impl Notices for Listener {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let received = tokio::select! {
                biased;
                () = self.closed.cancelled() => return None,
                received = self.receiver.recv() => received,
            };
            match received {
                Ok(notice) => return Some(notice),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::warn!(notices.lost = lost, "a reader of notices was too slow");
                }
            }
        }
    }
}

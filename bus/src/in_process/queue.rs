//! The jobs of the in-process bus: waiting, delayed, dead.
//!
//! A job owns its place (a permit) from `push` until it is done or dead, wherever it is meanwhile, which is what makes
//! the capacity a bound on all of them.

use crate::contract::MAX_DEAD_LETTERS;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, VecDeque},
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// An unfinished job.
pub(super) struct Job {
    pub(super) payload: Bytes,
    pub(super) attempt: u32,
    pub(super) place: OwnedSemaphorePermit,
}

pub(super) struct Queue {
    places: Arc<Semaphore>,
    lists: Mutex<Lists>,
    /// Told whenever a job may have become available, or one falls due sooner than before.
    changed: Notify,
}

#[derive(Default)]
struct Lists {
    waiting: VecDeque<Job>,
    /// By the time they fall due; the number keeps equal times apart and in order.
    delayed: BTreeMap<(Instant, u64), Job>,
    delayed_so_far: u64,
    dead: VecDeque<(Bytes, String)>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(capacity)), lists: Mutex::default(), changed: Notify::new() }
    }

    /// Appends a new job, waiting while all places are taken. Fails once the queue is closed.
    pub(super) async fn push(&self, payload: Bytes) -> Result<(), AcquireError> {
        let place = Arc::clone(&self.places).acquire_owned().await?;
        self.lists().waiting.push_back(Job { payload, attempt: 1, place });
        self.changed.notify_waiters();
        Ok(())
    }

    /// No new job any more; whoever waits for a place stops waiting.
    pub(super) fn close(&self) {
        self.places.close();
    }

    /// Takes the next job, waiting until there is one. Given up half way, it has taken none.
    pub(super) async fn pop(&self) -> Job {
        loop {
            // Registered before looking, so that a change between looking and waiting is not missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let due = match self.lists().take() {
                Ok(job) => return job,
                Err(due) => due,
            };
            let falls_due = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                () = changed => {}
                () = falls_due => {}
            }
        }
    }

    /// A job whose consumer let go of it: first in the queue again.
    pub(super) fn put_back(&self, job: Job) {
        self.lists().waiting.push_front(job);
        self.changed.notify_waiters();
    }

    /// A job to be delivered again, not before `delay` is over.
    pub(super) fn push_later(&self, job: Job, delay: Duration) {
        {
            let mut lists = self.lists();
            lists.delayed_so_far += 1;
            let key = (Instant::now() + delay, lists.delayed_so_far);
            lists.delayed.insert(key, job);
        }
        self.changed.notify_waiters();
    }

    /// Ends a job as a dead letter.
    pub(super) fn bury(&self, job: Job, reason: String) {
        let mut lists = self.lists();
        lists.dead.push_back((job.payload, reason));
        if lists.dead.len() > MAX_DEAD_LETTERS.into() {
            lists.dead.pop_front();
            tracing::warn!(dead_letters.kept = MAX_DEAD_LETTERS, "too many dead letters: the oldest is dropped");
        }
    }

    pub(super) fn dead_letters(&self, limit: usize) -> Vec<(Bytes, String)> {
        self.lists().dead.iter().take(limit).cloned().collect()
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        // No code panics while it holds the lists, so a poisoned lock says nothing about them.
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    /// The next job, or when the first delayed one falls due.
    fn take(&mut self) -> Result<Job, Option<Instant>> {
        let now = Instant::now();
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                break;
            }
            self.waiting.push_back(entry.remove());
        }
        self.waiting.pop_front().ok_or_else(|| self.delayed.keys().next().map(|(due, _)| *due))
    }
}

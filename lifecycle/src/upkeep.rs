//! The loops that keep everything moving: relay, inbox, recordings, sweeper. They run in every process, since any
//! of them may be the last one alive.

use crate::{Fault, Lifecycle};
use bus::Bus;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time};
use tokio_util::sync::CancellationToken;

/// How often the inbox and the recordings are looked at when nothing rings.
const LOOK: Duration = Duration::from_millis(250);

/// How long a loop rests after a fault.
const REST: Duration = Duration::from_secs(1);

/// The loops of one process.
pub struct Upkeep {
    lifecycle: Lifecycle,
    bus: Arc<dyn Bus>,
}

impl Upkeep {
    /// Upkeep of this lifecycle, over this bus.
    pub fn new(lifecycle: Lifecycle, bus: Arc<dyn Bus>) -> Self {
        Self { lifecycle, bus }
    }

    /// Runs until cancelled; what is under way is finished first.
    pub async fn run(self, cancel: CancellationToken) {
        if !self.bus.is_durable() {
            // Its jobs died with the process before this one: every unfinished one is issued again.
            while let Err(fault) = self.lifecycle.reissue_jobs(Duration::ZERO).await {
                tracing::warn!(%fault, "unfinished jobs not issued again yet");
                if rest(REST, None, &cancel).await {
                    return;
                }
            }
        }
        tokio::join!(self.relay(&cancel), self.inbox(&cancel), self.recordings(&cancel), self.sweep(&cancel));
    }

    async fn relay(&self, cancel: &CancellationToken) {
        let bell = &self.lifecycle.outbox_bell;
        loop {
            let outcome = self.lifecycle.relay(&*self.bus).await;
            if pause("relay", outcome, self.lifecycle.limits().relay_interval, Some(bell), cancel).await {
                return;
            }
        }
    }

    async fn inbox(&self, cancel: &CancellationToken) {
        let bell = &self.lifecycle.inbox_bell;
        loop {
            let outcome = self.lifecycle.apply_inbox().await;
            if pause("inbox", outcome, LOOK, Some(bell), cancel).await {
                return;
            }
        }
    }

    async fn recordings(&self, cancel: &CancellationToken) {
        loop {
            let outcome = self.lifecycle.scan_recordings().await.map(|()| false);
            if pause("recordings", outcome, LOOK, None, cancel).await {
                return;
            }
        }
    }

    async fn sweep(&self, cancel: &CancellationToken) {
        loop {
            self.lifecycle.sweep().await;
            if rest(self.lifecycle.limits().sweep_interval, None, cancel).await {
                return;
            }
        }
    }
}

/// Waits as the last round suggests: not at all if there is more, a while after a fault. Returns whether to stop.
async fn pause(
    what: &'static str,
    outcome: Result<bool, Fault>,
    interval: Duration,
    bell: Option<&Notify>,
    cancel: &CancellationToken,
) -> bool {
    match outcome {
        Ok(true) => cancel.is_cancelled(),
        Ok(false) => rest(interval, bell, cancel).await,
        Err(fault) => {
            tracing::warn!(what, %fault, "upkeep failed; it goes on");
            rest(REST, None, cancel).await
        }
    }
}

/// Waits for the time, the bell or the end. Returns whether it is the end.
async fn rest(interval: Duration, bell: Option<&Notify>, cancel: &CancellationToken) -> bool {
    let rung = async {
        match bell {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cancel.cancelled() => true,
        () = rung => false,
        () = time::sleep(interval) => false,
    }
}

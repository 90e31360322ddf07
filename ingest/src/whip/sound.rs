//! The sound of one session, recoded on a thread of its own, because libav's work would hold up the sockets.
//!
//! Both ways are bounded: a machine that does not keep up loses sound, which is heard as silence and seen in the log.

use crate::{sample::Unit, sound::Sound as Transcoder};
use bytes::Bytes;
use tokio::{sync::mpsc, task::JoinHandle};

/// Packets that may wait for the transcoder: two seconds.
const PACKETS: usize = 100;
/// What may wait to be handed on.
const UNITS: usize = 200;

/// The way to the transcoder and back.
pub(super) struct Sound {
    packets: mpsc::Sender<(i64, Bytes)>,
    units: mpsc::Receiver<Unit>,
    thread: JoinHandle<()>,
}

impl Sound {
    /// Starts the thread; it ends when this is dropped.
    pub(super) fn start() -> Self {
        let (packets, incoming) = mpsc::channel(PACKETS);
        let (outgoing, units) = mpsc::channel(UNITS);
        let thread = tokio::task::spawn_blocking(move || transcode(incoming, &outgoing));
        Self { packets, units, thread }
    }

    /// Hands over an Opus packet that is heard at `pts` (90 kHz).
    pub(super) fn push(&self, pts: i64, opus: Bytes) {
        if let Err(error) = self.packets.try_send((pts, opus)) {
            tracing::debug!(%error, "a packet of sound was lost");
        }
    }

    /// The next unit for the broadcast; pending for ever once the thread has given up.
    pub(super) async fn next(&mut self) -> Unit {
        match self.units.recv().await {
            Some(unit) => unit,
            None => std::future::pending().await,
        }
    }

    /// Waits for the thread to end.
    pub(super) async fn stop(self) {
        drop((self.packets, self.units));
        if let Err(error) = self.thread.await {
            tracing::error!(%error, "the sound of a broadcast failed");
        }
    }
}

fn transcode(mut packets: mpsc::Receiver<(i64, Bytes)>, units: &mpsc::Sender<Unit>) {
    let mut transcoder = match Transcoder::new() {
        Ok(transcoder) => transcoder,
        Err(error) => return tracing::error!(%error, "a broadcast goes on without sound"),
    };
    // Said with the first frame, not before: a publisher that agreed on sound may never send any.
    let mut config = Some(Unit::from(transcoder.config()));
    while let Some((pts, opus)) = packets.blocking_recv() {
        match transcoder.push(pts, &opus) {
            Ok(samples) => {
                let config = if samples.is_empty() { None } else { config.take() };
                for unit in config.into_iter().chain(samples.into_iter().map(Unit::from)) {
                    if units.blocking_send(unit).is_err() {
                        return;
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "a packet of sound was not Opus"),
        }
    }
}

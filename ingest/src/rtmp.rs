//! The RTMP front (Adobe RTMP 1.0): broadcast apps publish to `rtmp://host/live/{streamKey}`.
//!
//! Anybody may connect, so everything before the key is known is bounded in time and bytes, and whoever is turned away
//! is told why. The protocol's half that a publisher needs is written here: what libraries there are read without bounds.

mod amf;
mod chunk;
mod connection;
mod flv;

use crate::studio::Studio;
use connection::Connection;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The application that publishers name.
pub const APP: &str = "live";
/// How long accepting rests when the system has no room for another connection.
const REST: Duration = Duration::from_millis(100);

/// Bounds of the front.
#[derive(Clone, Debug)]
pub struct RtmpLimits {
    /// Connections at a time, publishing or not.
    pub connections: usize,
    /// How long the way to publishing may take.
    pub opening: Duration,
    /// How long a peer may send nothing.
    pub silence: Duration,
    /// How long a peer may take to read an answer.
    pub answer: Duration,
    /// Largest message before publishing, in bytes.
    pub opening_message_bytes: usize,
    /// Bytes that may come before publishing.
    pub opening_bytes: usize,
    /// Largest message, in bytes: a keyframe.
    pub message_bytes: usize,
}

impl Default for RtmpLimits {
    fn default() -> Self {
        Self {
            connections: 200,
            opening: Duration::from_secs(15),
            silence: Duration::from_secs(15),
            answer: Duration::from_secs(5),
            opening_message_bytes: 16 * 1024,
            opening_bytes: 64 * 1024,
            message_bytes: 4 * 1024 * 1024,
        }
    }
}

/// The listener.
pub struct Rtmp {
    listener: TcpListener,
    studio: Studio,
    limits: Arc<RtmpLimits>,
}

impl Rtmp {
    /// A front that listens on `listener`.
    ///
    /// # Errors
    /// When the system cannot take the listener over.
    pub fn new(listener: std::net::TcpListener, studio: Studio, limits: RtmpLimits) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener: TcpListener::from_std(listener)?, studio, limits: Arc::new(limits) })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes publishers until cancelled; those connected are sent away by the studio.
    pub async fn run(self, cancel: CancellationToken) {
        let room = Arc::new(Semaphore::new(self.limits.connections));
        let tasks = TaskTracker::new();
        loop {
            let Ok(room) = Arc::clone(&room).acquire_owned().await else { break };
            let accepted = tokio::select! {
                () = cancel.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let socket = match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "an RTMP connection could not be taken");
                    sleep(REST).await;
                    continue;
                }
            };
            let connection = Connection::new(socket, self.studio.clone(), Arc::clone(&self.limits));
            let cancel = cancel.clone();
            tasks.spawn(async move {
                connection.run(cancel).await;
                drop(room);
            });
        }
        tasks.close();
        tasks.wait().await;
    }
}

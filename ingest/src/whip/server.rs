//! All WebRTC sessions over one UDP socket: takes offers in, sessions out, and knows what is open.
//!
//! Each session is a task that the server owns and awaits; nothing of a session outlives it. They run on the runtime
//! the server was started on, because whoever carries offers may be a short-lived thread of a web server.

use super::{
    Config,
    offer::{self, Identity},
    routes::Routes,
    session::{Orders, Session},
    socket::Socket,
};
use crate::publication::{Publication, Refused};
use entity::StreamId;
use live::{WhipError, WhipSession};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The server.
pub(super) struct Server {
    config: Config,
    identity: Identity,
    socket: Arc<Socket>,
    routes: Arc<Routes>,
    places: Arc<Semaphore>,
    sessions: Arc<Sessions>,
    runtime: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    /// Binds the socket and receives from it.
    pub(super) async fn start(config: Config) -> io::Result<Self> {
        let identity = Identity::generate().ok_or_else(|| io::Error::other("no DTLS certificate could be made"))?;
        let socket = Arc::new(Socket::bind(config.bind, &config.advertise).await?);
        let (routes, tasks, stop) = (Arc::<Routes>::default(), TaskTracker::new(), CancellationToken::new());
        tasks.spawn({
            let (socket, routes, stop) = (Arc::clone(&socket), Arc::clone(&routes), stop.clone());
            async move { stop.run_until_cancelled(socket.receive(&routes)).await }
        });
        let places = Arc::new(Semaphore::new(config.max_sessions));
        let (sessions, runtime) = (Arc::default(), Handle::current());
        Ok(Self { config, identity, socket, routes, places, sessions, runtime, tasks, stop })
    }

    /// Where the socket is bound.
    pub(super) fn address(&self) -> SocketAddr {
        self.socket.bound()
    }

    /// How many sessions there are.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Answers an offer, and awaits the publisher from then on. `claim` is asked for the publication once the offer has
    /// turned out to be acceptable, so that an offer that is refused changes nothing.
    pub(super) fn admit(
        &self,
        offer: &str,
        claim: impl FnOnce() -> Result<Publication, Refused>,
    ) -> Result<WhipSession, WhipError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| WhipError::Full)?;
        let mut agreed = offer::agree(offer, &self.config, &self.identity, &self.socket)?;
        let publication = claim()?;
        let answer = std::mem::take(&mut agreed.answer);
        let (stream, way) = (publication.stream(), self.routes.open(&agreed.username));
        let session = Box::new(Session::new(agreed, Arc::clone(&self.socket), way, publication, &self.config));
        let orders = Orders { delete: CancellationToken::new(), stop: self.stop.clone() };
        let id = uuid::Uuid::new_v4().to_string();
        let entry = Sessions::enter(&self.sessions, &id, stream, orders.delete.clone());
        let task = async move {
            let _held = (place, entry);
            session.run(&orders).await;
        };
        self.tasks.spawn_on(task, &self.runtime);
        Ok(WhipSession { id, answer })
    }

    /// Ends a session because its publisher says so; returns once it has ended, or `None` when there is no such one.
    pub(super) async fn end(&self, stream: StreamId, session: &str) -> Option<()> {
        let (delete, gone) = {
            let sessions = self.sessions.lock();
            let entry = sessions.get(session).filter(|entry| entry.stream == stream)?;
            (entry.delete.clone(), entry.gone.clone())
        };
        delete.cancel();
        gone.cancelled().await;
        Some(())
    }

    /// Ends every session, telling the publishers, and waits until all tasks have ended.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The sessions there are, by their ids.
#[derive(Default)]
struct Sessions {
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    stream: StreamId,
    delete: CancellationToken,
    gone: CancellationToken,
}

/// A session's place in the list; leaves it when dropped.
struct Entered {
    sessions: Arc<Sessions>,
    id: String,
}

impl Sessions {
    fn enter(sessions: &Arc<Self>, id: &str, stream: StreamId, delete: CancellationToken) -> Entered {
        sessions.lock().insert(id.to_owned(), Entry { stream, delete, gone: CancellationToken::new() });
        Entered { sessions: Arc::clone(sessions), id: id.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // One insertion or removal at a time: a panic elsewhere leaves the list whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(entry) = self.sessions.lock().remove(&self.id) {
            entry.gone.cancel();
        }
    }
}

#[cfg(test)]
mod tests;

//! The WHIP front (RFC 9725): a browser goes live with one offer and one answer.
//!
//! All sessions share one UDP socket and are ICE-lite, so a firewall needs one open port and the server asks nothing of
//! the network. Each session is a task that the front owns and awaits; nothing of a session outlives it. Trickle ICE
//! and ICE restarts are not offered: with all candidates in the answer there is nothing to trickle (PATCH is 405).

mod clock;
mod offer;
mod picture;
mod routes;
mod session;
mod socket;
mod sound;

use crate::publication::{Publication, Refused};
use entity::StreamId;
use live::{WhipError, WhipSession};
use offer::Identity;
use routes::Routes;
use session::{Orders, Session};
use socket::Socket;
use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Where and within which bounds WHIP is taken.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the UDP socket is bound.
    pub bind: SocketAddr,
    /// The addresses that broadcasters reach the socket by; port 0 stands for the bound one. Empty: the machine's own.
    pub advertise: Vec<SocketAddr>,
    /// Sessions at once, those that are not connected yet included.
    pub max_sessions: usize,
    /// Length of an offer.
    pub max_offer_bytes: usize,
    /// From the answer to the encrypted connection.
    pub connect_timeout: Duration,
    /// From one keyframe to the request for the next: a little less than a segment is to last.
    pub keyframe_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8189)),
            advertise: Vec::new(),
            max_sessions: 64,
            max_offer_bytes: 64 * 1024,
            connect_timeout: Duration::from_secs(5),
            keyframe_interval: Duration::from_millis(1900),
        }
    }
}

/// The front. Must be told to [stop](Self::stop) before it is dropped.
pub struct Front {
    config: Config,
    identity: Identity,
    socket: Arc<Socket>,
    routes: Arc<Routes>,
    places: Arc<Semaphore>,
    sessions: Arc<Sessions>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Front {
    /// Binds the socket and receives from it.
    ///
    /// # Errors
    /// When the socket cannot be bound, the machine's addresses cannot be read, or there is no cryptography.
    pub async fn start(config: Config) -> io::Result<Self> {
        let identity = Identity::generate().ok_or_else(|| io::Error::other("no DTLS certificate could be made"))?;
        let socket = Arc::new(Socket::bind(config.bind, &config.advertise).await?);
        let (routes, tasks, stop) = (Arc::<Routes>::default(), TaskTracker::new(), CancellationToken::new());
        tasks.spawn({
            let (socket, routes, stop) = (socket.clone(), routes.clone(), stop.clone());
            async move { stop.run_until_cancelled(socket.receive(&routes)).await }
        });
        let places = Arc::new(Semaphore::new(config.max_sessions));
        Ok(Self { config, identity, socket, routes, places, sessions: Arc::default(), tasks, stop })
    }

    /// Where the socket is bound.
    pub fn address(&self) -> SocketAddr {
        self.socket.bound()
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Answers an offer, and awaits the publisher from then on. `claim` is asked for the publication once the offer has
    /// turned out to be acceptable, so that an offer that is refused changes nothing.
    ///
    /// # Errors
    /// Why there is no session.
    pub async fn open(
        &self,
        offer: &str,
        claim: impl Future<Output = Result<Publication, Refused>>,
    ) -> Result<WhipSession, WhipError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| WhipError::Full)?;
        let mut agreed = offer::agree(offer, &self.config, &self.identity, &self.socket)?;
        let publication = claim.await?;
        let answer = std::mem::take(&mut agreed.answer);
        let (stream, way) = (publication.stream(), self.routes.open(&agreed.username));
        let session = Session::new(agreed, self.socket.clone(), way, publication, &self.config);
        let orders = Orders { delete: CancellationToken::new(), stop: self.stop.clone() };
        let id = uuid::Uuid::new_v4().to_string();
        let entry = Sessions::enter(&self.sessions, &id, stream, orders.delete.clone());
        self.tasks.spawn(async move {
            let _held = (place, entry);
            session.run(&orders).await;
        });
        Ok(WhipSession { id, answer })
    }

    /// Ends a session because its publisher says so; returns once it has ended.
    ///
    /// # Errors
    /// [`WhipError::Unknown`] when there is no such session of this stream, or none any more.
    pub async fn close(&self, stream: StreamId, session: &str) -> Result<(), WhipError> {
        let (delete, gone) = match self.sessions.lock().get(session) {
            Some(entry) if entry.stream == stream => (entry.delete.clone(), entry.gone.clone()),
            _ => return Err(WhipError::Unknown),
        };
        delete.cancel();
        gone.cancelled().await;
        Ok(())
    }

    /// Ends every session, telling the publishers, and waits until all tasks have ended.
    pub async fn stop(&self) {
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
        Entered { sessions: sessions.clone(), id: id.to_owned() }
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

impl From<Refused> for WhipError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::Unknown,
            Refused::WrongToken => Self::WrongToken,
            Refused::Busy => Self::Busy,
            Refused::Ended => Self::Ended,
            Refused::Full => Self::Full,
        }
    }
}

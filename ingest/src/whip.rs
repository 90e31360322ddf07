//! The WHIP front (RFC 9725): a browser goes live with one offer and one answer.
//!
//! All sessions share one UDP socket and are ICE-lite, so a firewall needs one open port and the server asks nothing of
//! the network. Trickle ICE and ICE restarts are not offered: with all candidates in the answer there is nothing to
//! trickle (PATCH is 405).

mod clock;
mod offer;
mod picture;
mod routes;
mod server;
mod session;
mod socket;
mod sound;

use crate::{
    publication::Refused,
    studio::{Credential, Studio},
};
use async_trait::async_trait;
use entity::{PublishToken, StreamId};
use live::{Whip, WhipError, WhipSession};
use server::Server;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

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
    studio: Studio,
    server: Server,
}

impl Front {
    /// Binds the socket and receives from it, on the runtime that is to run the sessions.
    ///
    /// # Errors
    /// When the socket cannot be bound, the machine's addresses cannot be read, or there is no cryptography.
    pub async fn start(studio: Studio, config: Config) -> io::Result<Self> {
        Ok(Self { studio, server: Server::start(config).await? })
    }

    /// Where the socket is bound.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.server.sessions()
    }

    /// Ends every session, telling the publishers, and waits until all tasks have ended.
    pub async fn stop(&self) {
        self.server.stop().await;
    }
}

#[async_trait]
impl Whip for Front {
    async fn open(&self, stream: StreamId, token: &PublishToken, offer: &str) -> Result<WhipSession, WhipError> {
        // Before the offer is read, which costs more: a stranger's is not.
        self.studio.check(stream, token)?;
        self.server.admit(offer, || self.studio.open(Credential::Token(stream, token)))
    }

    async fn close(&self, stream: StreamId, token: &PublishToken, session: &str) -> Result<(), WhipError> {
        self.studio.check(stream, token)?;
        self.server.end(stream, session).await.ok_or(WhipError::Unknown)
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

//! Which session a datagram belongs to: by the ICE username for STUN, by the sender's address for everything else.
//!
//! Two look-ups at most, however many sessions there are. An address is learnt only from a STUN request whose integrity
//! the session has verified. Who forges another's address can have his datagrams, which are encrypted, led astray until
//! the next such request of his own, seconds later.

use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use str0m::ice::StunMessage;
use tokio::sync::mpsc;

/// Datagrams that may wait for one session, about a second of 720p; more are dropped, as a network would.
const INBOX: usize = 512;
/// Addresses that one session is known by: a phone changes its network now and then.
const ADDRESSES: usize = 8;

/// One datagram as it came in.
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    pub(super) at: Instant,
    pub(super) bytes: Bytes,
}

/// Whether the datagram is STUN (RFC 7983, section 7).
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4)
}

/// The way to every session.
#[derive(Default)]
pub(super) struct Routes {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    by_username: HashMap<String, mpsc::Sender<Datagram>>,
    by_address: HashMap<SocketAddr, mpsc::Sender<Datagram>>,
}

impl Routes {
    /// Opens the way to a session whose own ICE username fragment is `username`.
    pub(super) fn open(self: &Arc<Self>, username: &str) -> (Route, mpsc::Receiver<Datagram>) {
        let (sender, inbox) = mpsc::channel(INBOX);
        self.lock().by_username.insert(username.to_owned(), sender.clone());
        let route = Route { routes: self.clone(), username: username.to_owned(), sender, addresses: VecDeque::new() };
        (route, inbox)
    }

    /// Hands the datagram to its session; one of nobody's is dropped.
    pub(super) fn deliver(&self, datagram: Datagram) {
        let inbox = if is_stun(&datagram.bytes) {
            StunMessage::parse(&datagram.bytes)
                .ok()
                .and_then(|stun| Some(stun.split_username()?.0.to_owned()))
                .and_then(|username| self.lock().by_username.get(&username).cloned())
        } else {
            self.lock().by_address.get(&datagram.from).cloned()
        };
        if let Some(inbox) = inbox {
            // A full inbox loses the datagram, which its sender repeats on request.
            let _ = inbox.try_send(datagram);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // The tables are whole between any two lines, so a panic elsewhere leaves them usable.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to one session; closed when dropped.
pub(super) struct Route {
    routes: Arc<Routes>,
    username: String,
    sender: mpsc::Sender<Datagram>,
    addresses: VecDeque<SocketAddr>,
}

impl Route {
    /// Leads what comes from `address` here, from now on. The caller has verified that the peer sends from there.
    pub(super) fn learn(&mut self, address: SocketAddr) {
        let mut tables = self.routes.lock();
        if self.addresses.back() == Some(&address) && tables.leads(address, &self.sender) {
            return;
        }
        tables.by_address.insert(address, self.sender.clone());
        self.addresses.retain(|known| *known != address);
        self.addresses.push_back(address);
        if self.addresses.len() > ADDRESSES
            && let Some(oldest) = self.addresses.pop_front()
        {
            tables.forget(oldest, &self.sender);
        }
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        let mut tables = self.routes.lock();
        tables.by_username.remove(&self.username);
        for address in &self.addresses {
            tables.forget(*address, &self.sender);
        }
    }
}

impl Tables {
    fn leads(&self, address: SocketAddr, sender: &mpsc::Sender<Datagram>) -> bool {
        self.by_address.get(&address).is_some_and(|known| known.same_channel(sender))
    }

    /// Removes the address, unless it has since become another session's.
    fn forget(&mut self, address: SocketAddr, sender: &mpsc::Sender<Datagram>) {
        if self.leads(address, sender) {
            self.by_address.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(from: &str) -> Datagram {
        Datagram { from: from.parse().unwrap(), at: Instant::now(), bytes: Bytes::from_static(&[0x80, 96, 0, 1]) }
    }

    #[test]
    fn media_reaches_the_session_that_learnt_its_address_and_no_other() {
        let routes = Arc::<Routes>::default();
        let (mut first, mut first_inbox) = routes.open("first");
        let (_second, mut second_inbox) = routes.open("second");
        routes.deliver(media("192.0.2.1:5000"));
        assert!(first_inbox.try_recv().is_err(), "an unknown address belongs to nobody");
        first.learn("192.0.2.1:5000".parse().unwrap());
        routes.deliver(media("192.0.2.1:5000"));
        assert!(first_inbox.try_recv().is_ok() && second_inbox.try_recv().is_err());
    }

    #[test]
    fn a_closed_session_leaves_nothing_behind_and_takes_nothing_from_its_successor() {
        let routes = Arc::<Routes>::default();
        let (mut old, _inbox) = routes.open("old");
        let (mut new, mut inbox) = routes.open("new");
        let shared = "192.0.2.1:5000".parse().unwrap();
        old.learn(shared);
        new.learn(shared);
        drop(old);
        routes.deliver(media("192.0.2.1:5000"));
        assert!(inbox.try_recv().is_ok(), "the address is the new session's");
        drop(new);
        let tables = routes.lock();
        assert!(tables.by_username.is_empty() && tables.by_address.is_empty());
    }

    #[test]
    fn an_address_that_another_took_comes_back_with_the_next_request_from_there() {
        let routes = Arc::<Routes>::default();
        let (mut own, mut inbox) = routes.open("own");
        let (mut thief, mut taken) = routes.open("thief");
        let address = "192.0.2.1:5000".parse().unwrap();
        own.learn(address);
        thief.learn(address);
        own.learn(address);
        routes.deliver(media("192.0.2.1:5000"));
        assert!(inbox.try_recv().is_ok() && taken.try_recv().is_err());
    }

    #[test]
    fn a_session_is_known_by_a_bounded_number_of_addresses() {
        let routes = Arc::<Routes>::default();
        let (mut route, _inbox) = routes.open("wanderer");
        for port in 1..1000 {
            route.learn(SocketAddr::from(([192, 0, 2, 1], port)));
        }
        assert_eq!(routes.lock().by_address.len(), ADDRESSES);
    }
}

//! The one UDP socket of all sessions, and the addresses it is known by.
//!
//! Nothing is asked of the network to find them: they are configured, or the machine's own.

use super::routes::{Datagram, Routes};
use bytes::BytesMut;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

/// More than any datagram of WebRTC, whose packets stay below an Ethernet frame.
const LARGEST_DATAGRAM: usize = 2048;
/// Datagrams are carved from blocks of this size, so that there is no allocation for each.
const BLOCK: usize = 64 * 1024;
/// Addresses offered to a broadcaster: each costs its browser a check.
const MOST_ADDRESSES: usize = 16;
/// Rest after an error of the socket, which would otherwise return at once, for ever.
const REST: Duration = Duration::from_millis(20);

/// The socket.
pub(super) struct Socket {
    udp: UdpSocket,
    bound: SocketAddr,
    advertised: Vec<SocketAddr>,
}

impl Socket {
    /// Binds the socket. `advertise` are the addresses broadcasters reach it by, port 0 standing for the bound port;
    /// without any, the machine's own. The first of a family stands for all of it where a local address is needed.
    pub(super) async fn bind(bind: SocketAddr, advertise: &[SocketAddr]) -> io::Result<Self> {
        let udp = UdpSocket::bind(bind).await?;
        let bound = udp.local_addr()?;
        let own = if advertise.is_empty() { own_addresses(bound.ip())? } else { Vec::new() };
        let advertised = advertise
            .iter()
            .copied()
            .chain(own.into_iter().map(|address| SocketAddr::new(address, 0)))
            .map(|address| if address.port() == 0 { SocketAddr::new(address.ip(), bound.port()) } else { address })
            .take(MOST_ADDRESSES)
            .collect::<Vec<_>>();
        if advertised.is_empty() {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no address to offer to broadcasters"));
        }
        Ok(Self { udp, bound, advertised })
    }

    /// Where the socket is bound.
    pub(super) fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// The addresses broadcasters are told, best first; never empty.
    pub(super) fn advertised(&self) -> &[SocketAddr] {
        &self.advertised
    }

    /// The advertised address that a datagram from `peer` is taken to have come to. Which it really was only the kernel
    /// knows, and all of them are this socket.
    pub(super) fn local(&self, peer: SocketAddr) -> SocketAddr {
        let same_family = self.advertised.iter().find(|address| address.is_ipv4() == peer.is_ipv4());
        *same_family.unwrap_or(&self.advertised[0])
    }

    /// Sends without waiting: a full send buffer loses the datagram, as a network would.
    pub(super) fn send(&self, datagram: &[u8], to: SocketAddr) {
        let to = match (self.bound, to) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            _ => to,
        };
        if let Err(error) = self.udp.try_send_to(datagram, to) {
            tracing::debug!(%error, "a datagram was not sent");
        }
    }

    /// Receives for ever, each datagram to its session.
    pub(super) async fn receive(&self, routes: &Routes) {
        let mut block = BytesMut::new();
        loop {
            if block.capacity() < LARGEST_DATAGRAM {
                block = BytesMut::with_capacity(BLOCK);
            }
            match self.udp.recv_buf_from(&mut block).await {
                Ok((_, from)) => {
                    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                    routes.deliver(Datagram { from, at: Instant::now(), bytes: block.split().freeze() });
                }
                Err(error) => {
                    tracing::debug!(%error, "a datagram was not received");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

/// The addresses under which a socket bound to `bound` is reached: those of other machines' view first, loopback last.
fn own_addresses(bound: IpAddr) -> io::Result<Vec<IpAddr>> {
    if !bound.is_unspecified() {
        return Ok(vec![bound]);
    }
    let mut addresses = if_addrs::get_if_addrs()?
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(|address| match address {
            IpAddr::V4(v4) => !v4.is_link_local(),
            // A link-local address needs a scope, which a candidate cannot carry.
            IpAddr::V6(v6) => bound.is_ipv6() && !v6.is_unicast_link_local(),
        })
        .collect::<Vec<_>>();
    if !addresses.iter().any(IpAddr::is_loopback) {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    addresses.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
    addresses.truncate(MOST_ADDRESSES);
    Ok(addresses)
}

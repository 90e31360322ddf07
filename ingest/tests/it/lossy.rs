//! A network that loses datagrams: a UDP proxy between a browser and the server, both of which know only it.
//!
//! Loses at random, but by a seed, so that a run can be repeated.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    collections::{HashMap, hash_map::Entry},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{net::UdpSocket, task::JoinSet};

/// More than any datagram of WebRTC.
const LARGEST: usize = 2048;

/// The proxy; ends when dropped.
pub struct Lossy {
    front: Arc<UdpSocket>,
    percent: Arc<AtomicU32>,
    tasks: JoinSet<()>,
}

impl Lossy {
    /// A proxy that does not lead anywhere yet.
    pub async fn bind() -> anyhow::Result<Self> {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { front: Arc::new(front), percent: Arc::default(), tasks: JoinSet::new() })
    }

    /// Where browsers send.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.front.local_addr()?)
    }

    /// Loses so many datagrams in a hundred, each way, from now on.
    pub fn lose(&self, percent: u32) {
        self.percent.store(percent, Ordering::Relaxed);
    }

    /// Leads to `server` and back.
    pub fn lead_to(&mut self, server: SocketAddr) {
        let front = Arc::clone(&self.front);
        let (dice, percent) = (Arc::new(Mutex::new(StdRng::seed_from_u64(5))), Arc::clone(&self.percent));
        let lost = move || dice.lock().unwrap().random_range(0..100) < percent.load(Ordering::Relaxed);
        self.tasks.spawn(async move {
            let mut backs = HashMap::<SocketAddr, Arc<UdpSocket>>::new();
            let mut ways_back = JoinSet::new();
            let mut datagram = [0; LARGEST];
            while let Ok((length, from)) = front.recv_from(&mut datagram).await {
                let back = match backs.entry(from) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let back = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
                        back.connect(server).await.unwrap();
                        ways_back.spawn(forward(Arc::clone(&back), Arc::clone(&front), from, lost.clone()));
                        new.insert(back)
                    }
                };
                if !lost() {
                    let _ = back.send(&datagram[..length]).await;
                }
            }
        });
    }
}

async fn forward(back: Arc<UdpSocket>, front: Arc<UdpSocket>, to: SocketAddr, lost: impl Fn() -> bool + Send) {
    let mut datagram = [0; LARGEST];
    while let Ok(length) = back.recv(&mut datagram).await {
        if !lost() {
            let _ = front.send_to(&datagram[..length], to).await;
        }
    }
}

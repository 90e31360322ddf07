//! The provider itself: which channels are reserved, who may publish on them, what can be watched.
//!
//! Reservations live in memory, secrets as hashes. A process that starts ends what one before it left open; streams
//! that were only announced then are given up by the lifecycle.

use crate::{
    broadcast::{self, Order, Shared},
    publication::{Closed, Publication, Refused},
    scribe::{self, Announce},
    session::State,
    settings::Settings,
};
use async_trait::async_trait;
use bytes::Bytes;
use entity::{PublishToken, StreamId, time::Clock, token::TokenHash};
use live::{Ingest, Lease, LiveProvider, Local, NotLive, Observation, Playback, ProviderError, Viewer};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use storage::Recordings;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long whoever stops a broadcast waits for its recording to be complete.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long a broadcast that is over is remembered, so that its publisher is told so rather than that it never was.
const MEMORY: Duration = Duration::from_mins(10);
/// How long a recovery that failed is left before the next try.
const RETRY: Duration = Duration::from_secs(1);

/// What the provider works with.
pub struct Parts {
    /// Where bare recordings are written.
    pub recordings: Recordings,
    /// Who hears of what happens.
    pub announce: Arc<dyn Announce>,
    /// Now, for what is written; durations are measured by the monotonic clock.
    pub clock: Clock,
    /// Bounds.
    pub settings: Settings,
}

/// What a publisher proves its right with.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// WHIP: the stream's id and its publish token.
    Token(StreamId, &'a PublishToken),
    /// RTMP: the stream key alone, which is a secret like the token.
    Key(&'a str),
}

/// The embedded live provider. Cheap to clone.
#[derive(Clone)]
pub struct Studio(Arc<Inner>);

struct Inner {
    parts: Arc<Parts>,
    runtime: Handle,
    tasks: TaskTracker,
    closing: CancellationToken,
    channels: Mutex<Channels>,
}

#[derive(Default)]
struct Channels {
    by_stream: HashMap<StreamId, Channel>,
    /// By the hash of the stream key.
    by_key: HashMap<Vec<u8>, StreamId>,
}

struct Channel {
    token: TokenHash,
    shared: Arc<Shared>,
    /// `None` until the first publisher comes.
    orders: Option<mpsc::UnboundedSender<Order>>,
}

impl Studio {
    /// A provider with nothing reserved. Must be called on the runtime that is to run the broadcasts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts: Arc::new(parts),
            runtime: Handle::current(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            channels: Mutex::default(),
        }))
    }

    /// Ends what the last process left open, then waits for the end and ends every broadcast properly.
    pub async fn run(&self, cancel: CancellationToken) {
        let ours = |stream| self.shared(stream).is_some();
        while let Err(error) = scribe::recover(&self.0.parts, &ours).await {
            tracing::warn!(%error, "what the last process left on air is not ended yet");
            if cancel.run_until_cancelled(sleep(RETRY)).await.is_none() {
                break;
            }
        }
        cancel.cancelled().await;
        self.0.closing.cancel();
        for channel in self.channels().by_stream.values() {
            if let Some(orders) = &channel.orders {
                // A broadcast that takes no orders is over.
                let _ = orders.send(Order::Stop(Closed::ShuttingDown, oneshot::channel().0));
            }
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Lets a publisher in.
    ///
    /// # Errors
    /// Why not; the text is for the publisher.
    pub fn open(&self, credential: Credential<'_>) -> Result<Publication, Refused> {
        let mut channels = self.channels();
        let stream = channels.find(credential)?;
        let published = channels.by_stream.values().filter(|channel| channel.shared.session().is_published()).count();
        let channel = channels.by_stream.get_mut(&stream).ok_or(Refused::Unknown)?;
        let comes_back = channel.shared.session().is_published();
        if self.0.closing.is_cancelled() || (published >= self.0.parts.settings.publishers && !comes_back) {
            return Err(Refused::Full);
        }
        let number = channel.shared.session().admit(Instant::now())?;
        let (publication, intake) = Publication::new(stream);
        let orders = channel.orders.get_or_insert_with(|| self.begin(stream, Arc::clone(&channel.shared)));
        orders.send(Order::Publish(number, intake)).map_err(|_| Refused::Ended)?;
        Ok(publication)
    }

    /// Whether the token is this stream's: for requests about a connection that is open.
    ///
    /// # Errors
    /// [`Refused::Unknown`], [`Refused::WrongToken`].
    pub fn check(&self, stream: StreamId, token: &PublishToken) -> Result<(), Refused> {
        self.channels().find(Credential::Token(stream, token)).map(|_| ())
    }

    fn begin(&self, stream: StreamId, shared: Arc<Shared>) -> mpsc::UnboundedSender<Order> {
        let (orders, taken) = mpsc::unbounded_channel();
        let (parts, closing) = (Arc::clone(&self.0.parts), self.0.closing.clone());
        let broadcast = broadcast::run(stream, Local::channel_arn(stream), parts, shared, taken, closing);
        self.0.tasks.spawn_on(broadcast, &self.0.runtime);
        orders
    }

    fn shared(&self, stream: StreamId) -> Option<Arc<Shared>> {
        self.channels().by_stream.get(&stream).map(|channel| Arc::clone(&channel.shared))
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.0.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channels {
    fn find(&self, credential: Credential<'_>) -> Result<StreamId, Refused> {
        match credential {
            Credential::Token(stream, token) => {
                let channel = self.by_stream.get(&stream).ok_or(Refused::Unknown)?;
                if channel.token.matches(token) { Ok(stream) } else { Err(Refused::WrongToken) }
            }
            // The hash is looked up, not the key: how long that takes says nothing of the key.
            Credential::Key(key) => {
                self.by_key.get(&PublishToken::from_client(key).hash().0).copied().ok_or(Refused::Unknown)
            }
        }
    }

    /// How many channels are not over.
    fn reserved(&self) -> usize {
        self.by_stream.values().filter(|channel| channel.shared.session().state() != State::Over).count()
    }

    /// Forgets what has been over for long, and what nobody came for.
    fn tidy(&mut self, now: Instant) {
        self.by_stream.retain(|_, channel| {
            let mut session = channel.shared.session();
            // A channel without a task has nobody else to tell it the time.
            if channel.orders.is_none() {
                session.tick(now);
            }
            session.state() != State::Over || now < session.since() + MEMORY
        });
        let Self { by_stream, by_key } = self;
        by_key.retain(|_, stream| by_stream.contains_key(stream));
    }
}

#[async_trait]
impl LiveProvider for Studio {
    async fn lease(&self, stream: StreamId, token: &PublishToken) -> Result<Lease, ProviderError> {
        let settings = &self.0.parts.settings;
        let now = Instant::now();
        let mut channels = self.channels();
        channels.tidy(now);
        // What is over is remembered for a while, but holds no channel; of that, no more than channels are kept.
        if channels.reserved() >= settings.leases || channels.by_stream.len() >= 2 * settings.leases {
            return Err(ProviderError::Full);
        }
        let key = PublishToken::generate();
        let shared = Arc::new(Shared::new(settings, now));
        channels.by_key.insert(key.hash().0, stream);
        channels.by_stream.insert(stream, Channel { token: token.hash(), shared, orders: None });
        let ingest = Ingest {
            whip_url: settings.offers_whip.then(|| format!("/whip/{stream}")),
            rtmp_url: settings.rtmp_url.clone(),
            stream_key: settings.rtmp_url.as_ref().map(|_| key.reveal().to_owned()),
            ivs: None,
        };
        let playback_url = Some(format!("/live/{stream}/index.m3u8"));
        Ok(Lease { channel_arn: Local::channel_arn(stream), ingest, playback_url })
    }

    async fn release(&self, channel_arn: &str) -> Result<(), ProviderError> {
        let Some(stream) = Local::stream_of(channel_arn) else { return Ok(()) };
        let complete = {
            let channels = self.channels();
            let Some(channel) = channels.by_stream.get(&stream) else { return Ok(()) };
            let Some(orders) = &channel.orders else {
                channel.shared.session().stop(Closed::Stopped, Instant::now());
                return Ok(());
            };
            let (told, complete) = oneshot::channel();
            // A broadcast that takes no orders is over.
            let _ = orders.send(Order::Stop(Closed::Stopped, told));
            complete
        };
        if timeout(STOP_PATIENCE, complete).await.is_err() {
            tracing::warn!(stream.id = %stream, "a broadcast was stopped, and its recording is not complete yet");
        }
        Ok(())
    }

    async fn observe(&self, channel_arn: &str) -> Result<Observation, ProviderError> {
        let shared = Local::stream_of(channel_arn).and_then(|stream| self.shared(stream));
        Ok(match shared.map(|shared| shared.session().aired()) {
            Some(Some(State::Over)) => Observation::OffAir,
            Some(Some(_)) => Observation::OnAir,
            // Somebody else may play on a channel that was only reserved here.
            Some(None) | None => Observation::Unknown,
        })
    }
}

#[async_trait]
impl Playback for Studio {
    fn carries(&self, stream: StreamId) -> bool {
        let aired = self.shared(stream).and_then(|shared| shared.session().aired());
        aired.is_some_and(|state| state != State::Over)
    }

    async fn playlist(&self, stream: StreamId, until: Option<u64>, viewer: Viewer<'_>) -> Result<String, NotLive> {
        let shared = self.shared(stream).ok_or(NotLive::OffAir)?;
        shared.window.playlist(until, viewer).await
    }

    async fn segment(&self, stream: StreamId, name: &str) -> Result<Bytes, NotLive> {
        self.shared(stream).ok_or(NotLive::OffAir)?.window.segment(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Nobody, parts};

    #[tokio::test(start_paused = true)]
    async fn a_channel_that_nobody_published_on_is_given_back_at_once_and_is_free_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let studio = Studio::new(parts(&folder, Settings { leases: 1, ..Settings::default() }, Arc::new(Nobody)));
        let begun = Instant::now();
        for _ in 0..2 {
            let lease = studio.lease(StreamId::generate(), &PublishToken::generate()).await.expect("a channel");
            assert!(matches!(
                studio.lease(StreamId::generate(), &PublishToken::generate()).await,
                Err(ProviderError::Full)
            ));
            studio.release(&lease.channel_arn).await.expect("no fault");
        }
        assert_eq!(begun.elapsed(), Duration::ZERO, "nothing was waited for");
    }
}

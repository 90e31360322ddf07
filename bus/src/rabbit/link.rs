//! One connection to the broker that is made when needed and made again when lost.
//!
//! lapin's own recovery is left off: it replays what was declared on channels that callers hold, so half-confirmed
//! batches and deliveries of the old connection live on beside the new one, and it gives up after a number of tries.
//! Here a lost connection ends everything that hung on it, plainly; whoever needs a channel asks for a new one.

use super::{backoff::Backoff, settings::RabbitSettings, topology::Topology};
use crate::Error;
use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use lapin::{Channel, Connection, ConnectionProperties, uri::AMQPUri};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;

/// lapin gives a peer that accepts but never answers a thread for as long as it stays silent, and offers no way to give
/// up. So tries are kept, not abandoned, and no more than this many are under way.
const MAX_TRIES_UNDER_WAY: usize = 4;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

type Try = BoxFuture<'static, lapin::Result<Connection>>;

pub(super) struct Link {
    /// What the connection is for; a field of its log lines and a label of `bus_reconnects_total`.
    role: &'static str,
    settings: Arc<RabbitSettings>,
    uri: AMQPUri,
    topology: Topology,
    closed: CancellationToken,
    state: Mutex<State>,
    last_failure: std::sync::Mutex<Option<String>>,
}

struct State {
    connection: Option<Connection>,
    /// Whether the topology was declared since there was a reason to doubt that it is there.
    declared: bool,
    connected_before: bool,
    tries: FuturesUnordered<Try>,
    backoff: Backoff,
}

impl Link {
    pub(super) fn new(
        role: &'static str,
        settings: Arc<RabbitSettings>,
        closed: CancellationToken,
    ) -> Result<Self, Error> {
        let state = State {
            connection: None,
            declared: false,
            connected_before: false,
            tries: FuturesUnordered::new(),
            backoff: Backoff::new(settings.first_reconnect_delay, settings.max_reconnect_delay),
        };
        Ok(Self {
            role,
            uri: settings.uri()?,
            topology: Topology::new(&settings),
            settings,
            closed,
            state: Mutex::new(state),
            last_failure: std::sync::Mutex::default(),
        })
    }

    /// A new channel, with the topology declared. Connects, and waits for the next try to be due, for as long as
    /// `patience` lasts. Given up half way, the work done so far helps the next caller.
    pub(super) async fn channel(&self, patience: Duration) -> Result<Channel, Error> {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(closed()),
            opened = timeout(patience, self.open()) => opened.unwrap_or_else(|_| Err(self.timed_out(patience))),
        }
    }

    pub(super) fn ensure_open(&self) -> Result<(), Error> {
        if self.closed.is_cancelled() { Err(closed()) } else { Ok(()) }
    }

    /// The next channel declares the topology again: something of it is missing.
    pub(super) async fn doubt_topology(&self) {
        self.state.lock().await.declared = false;
    }

    /// Whether the broker takes nothing in because it runs out of memory or disk.
    pub(super) async fn is_blocked(&self) -> bool {
        self.state.lock().await.connection.as_ref().is_some_and(|connection| connection.status().blocked())
    }

    /// Closes the connection; what is unsettled goes back to its queue.
    pub(super) async fn close(&self) {
        let closing = async {
            let mut state = self.state.lock().await;
            state.tries.clear();
            if let Some(connection) = state.connection.take()
                && let Err(error) = connection.close(200, "OK".into()).await
            {
                tracing::debug!(bus.role = self.role, %error, "the broker's connection did not close cleanly");
            }
        };
        if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            tracing::warn!(bus.role = self.role, "the broker did not answer the farewell");
        }
    }

    async fn open(&self) -> Result<Channel, Error> {
        let mut state = self.state.lock().await;
        let opened = self.open_on(&mut state).await;
        match &opened {
            Ok(_) => state.backoff.reset(),
            Err(error) => {
                state.backoff.fail();
                self.note_failure(error);
            }
        }
        opened.map_err(|error| Error(error.to_string()))
    }

    async fn open_on(&self, state: &mut State) -> lapin::Result<Channel> {
        state.backoff.wait().await;
        let live = state.connection.take().filter(|connection| connection.status().connected());
        let connection = if let Some(live) = live {
            live
        } else {
            state.declared = false;
            self.connect(state).await?
        };
        let connection = state.connection.insert(connection);
        if !state.declared {
            let channel = connection.create_channel().await?;
            self.topology.declare(&channel).await?;
            state.declared = true;
        }
        connection.create_channel().await
    }

    async fn connect(&self, state: &mut State) -> lapin::Result<Connection> {
        if state.tries.len() < MAX_TRIES_UNDER_WAY {
            let properties =
                ConnectionProperties::default().with_connection_name(format!("emergency-time {}", self.role).into());
            state.tries.push(Connection::connect_uri(self.uri.clone(), properties).boxed());
        }
        let answer = timeout(self.settings.connect_timeout, first_success(&mut state.tries)).await;
        let connection = answer.unwrap_or_else(|_| Err(io_error("no answer in time")))?;
        state.tries.clear();
        let authority = &self.uri.authority;
        tracing::info!(
            bus.role = self.role,
            server.address = authority.host,
            server.port = authority.port,
            "connected to the broker"
        );
        if std::mem::replace(&mut state.connected_before, true) {
            metrics::counter!("bus_reconnects_total", "role" => self.role).increment(1);
        }
        Ok(connection)
    }

    fn note_failure(&self, error: &lapin::Error) {
        tracing::warn!(bus.role = self.role, %error, "cannot reach the broker");
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    fn timed_out(&self, patience: Duration) -> Error {
        let last = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = last.unwrap_or_else(|| "no answer".into());
        Error(format!("no connection within {} ms; last failure: {last}", patience.as_millis()))
    }
}

/// The first connection that is made; the last failure once all have failed.
async fn first_success(tries: &mut FuturesUnordered<Try>) -> lapin::Result<Connection> {
    let mut failure = io_error("nothing was tried");
    while let Some(result) = tries.next().await {
        match result {
            Ok(connection) => return Ok(connection),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn closed() -> Error {
    Error("it is closed".into())
}

fn io_error(text: &str) -> lapin::Error {
    std::io::Error::other(text).into()
}

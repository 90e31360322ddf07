//! `/graphql/ws`: GraphQL over WebSocket, by a route of our own.
//!
//! Speaks the subprotocols `graphql-transport-ws` and, for older clients, `graphql-ws`. Everything is bounded from the
//! first byte, before a client has said who it is: messages, their fragments, operations, queues and times.
//! Sources: the npm package `graphql-ws`, PROTOCOL.md; `subscriptions-transport-ws`, PROTOCOL.md.
//!
//! A client that reads too slowly is closed with 4503: it subscribes again with `after` set to the cursor of the last
//! event it has seen, and misses nothing.

mod close;
mod protocol;
mod socket;

use crate::{operation::Executor, server::State};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Payload},
};
use protocol::Protocol;
use socket::Socket;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

/// What all sockets of the process share.
#[derive(Clone)]
pub(crate) struct Sockets {
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Sockets {
    /// Room for so many sockets; all are closed with 1001 when the token is cancelled.
    pub(crate) fn new(most: usize, closing: CancellationToken) -> Self {
        Self { slots: Arc::new(Semaphore::new(most)), tasks: TaskTracker::new(), closing }
    }

    /// Waits until every socket is closed.
    pub(crate) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Opens a socket.
pub(crate) async fn open(
    request: HttpRequest,
    body: Payload,
    state: Data<State>,
) -> Result<HttpResponse, actix_web::Error> {
    let sockets = state.sockets.clone();
    let Ok(slot) = Arc::clone(&sockets.slots).try_acquire_owned() else {
        return Ok(HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "5"))
            .body("too many sockets"));
    };
    let (response, session, messages) = actix_ws::handle_with_protocols(&request, body, Protocol::NAMES)?;
    let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|name| name.to_str().ok());
    let protocol = chosen.and_then(Protocol::from_name);
    let limits = Arc::clone(&state.limits);
    let messages = messages
        .max_frame_size(limits.message_bytes)
        .aggregate_continuations()
        .max_continuation_size(limits.message_bytes);
    let span = tracing::info_span!("websocket", protocol = protocol.map(Protocol::name));
    let executor: Executor = state.executor.clone();
    let task = async move {
        match protocol {
            Some(protocol) => {
                Socket::new(protocol, session, messages, executor, limits).run(&sockets.closing).await;
            }
            None => socket::refuse(session, messages, close::BAD_SUBPROTOCOL, limits.close_timeout).await,
        }
        drop(slot);
    };
    // The handle is not needed: the tracker owns the task, and the task ends by itself.
    drop(state.sockets.tasks.spawn_local(task.instrument(span)));
    Ok(response)
}

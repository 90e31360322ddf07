//! One socket: a conversation in the order of its subprotocol, until one side ends it.
//!
//! Operations run as tasks of their own and share one short queue to the socket. A reader that does not take what is
//! in it stops the socket, the full queue stops the operations, and the hub ends their subscriptions: what waits for
//! a slow reader is bounded at every step, and it is closed with a code that says to resume.

use super::{
    close::{self, End},
    protocol::{Incoming, Protocol},
};
use crate::{
    Limits,
    operation::{Answer, Executor, Operation, Unanswered, is_refused, lagged, refusal},
    schema::Code,
};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Closed, ProtocolError, Session};
use async_graphql::{Response, parser::types::OperationType};
use futures_util::{FutureExt as _, StreamExt as _};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The socket and what it is about.
pub(super) struct Socket {
    protocol: Protocol,
    session: Session,
    messages: Option<AggregatedMessageStream>,
    executor: Executor,
    limits: Arc<Limits>,
    /// Whether the client has said `connection_init`.
    acknowledged: bool,
    last_heard: Instant,
    running: HashMap<String, Running>,
    tasks: JoinSet<()>,
    /// Told apart from an earlier operation of the same id by this number.
    started: u64,
    queue: mpsc::Sender<Output>,
    outputs: mpsc::Receiver<Output>,
}

struct Running {
    number: u64,
    task: AbortHandle,
}

/// What an operation has to say.
struct Output {
    id: String,
    number: u64,
    said: Said,
}

enum Said {
    /// A message, and whether it is the last thing a slow reader gets.
    Message { text: String, slow: bool },
    /// A message after which nothing of the operation follows, not even its end.
    Last(String),
    /// Its end.
    Over,
}

impl Socket {
    pub(super) fn new(
        protocol: Protocol,
        session: Session,
        messages: AggregatedMessageStream,
        executor: Executor,
        limits: Arc<Limits>,
    ) -> Self {
        let (queue, outputs) = mpsc::channel(limits.socket_queue.max(1));
        Self {
            protocol,
            session,
            messages: Some(messages),
            executor,
            limits,
            acknowledged: false,
            last_heard: Instant::now(),
            running: HashMap::new(),
            tasks: JoinSet::new(),
            started: 0,
            queue,
            outputs,
        }
    }

    /// Talks until it is over, and closes.
    pub(super) async fn run(mut self, closing: &CancellationToken) {
        let began = Instant::now();
        metrics::gauge!("ws_sockets").increment(1.0);
        let Some(mut messages) = self.messages.take() else { return };
        let end = closing.run_until_cancelled(self.converse(&mut messages)).await.unwrap_or(close::GOING_AWAY);
        tracing::debug!(code = end.code, "socket closed");
        let Self { session, tasks, limits, .. } = self;
        drop(tasks);
        if end == close::GONE {
            drop(session);
        } else {
            refuse(session, messages, end, limits.close_timeout).await;
        }
        metrics::gauge!("ws_sockets").decrement(1.0);
        metrics::counter!("ws_closed_total", "code" => end.code.to_string()).increment(1);
        metrics::histogram!("ws_socket_seconds").record(began.elapsed());
    }

    async fn converse(&mut self, messages: &mut AggregatedMessageStream) -> End {
        let mut init_timeout = pin!(sleep(self.limits.init_timeout));
        let mut ping = interval(self.limits.ping_interval);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        loop {
            let step = tokio::select! {
                message = messages.recv() => self.hear(message).await,
                Some(output) = self.outputs.recv() => self.emit(output).await,
                _ = ping.tick() => self.ping().await,
                () = &mut init_timeout, if !self.acknowledged => Err(close::INIT_TIMEOUT),
                Some(_) = self.tasks.join_next() => Ok(()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Takes one message of the client.
    async fn hear(&mut self, message: Option<Result<AggregatedMessage, ProtocolError>>) -> Result<(), End> {
        self.last_heard = Instant::now();
        match message {
            Some(Ok(AggregatedMessage::Text(text))) if text.len() > self.limits.message_bytes => Err(close::TOO_LARGE),
            Some(Ok(AggregatedMessage::Text(text))) => self.obey(&text).await,
            Some(Ok(AggregatedMessage::Binary(_))) => Err(close::INVALID_MESSAGE),
            Some(Ok(AggregatedMessage::Ping(payload))) => within(&self.limits, self.session.pong(&payload)).await,
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
            Some(Ok(AggregatedMessage::Close(_))) => Err(close::NORMAL),
            Some(Err(error)) => Err(close::reading(&error)),
            None => Err(close::GONE),
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), End> {
        match self.protocol.parse(text, &self.limits).map_err(|_| close::INVALID_MESSAGE)? {
            Incoming::Init if self.acknowledged => Err(close::SECOND_INIT),
            Incoming::Init => {
                self.acknowledged = true;
                self.say(Protocol::ACK).await?;
                match self.protocol.keep_alive() {
                    Some(keep_alive) => self.say(keep_alive).await,
                    None => Ok(()),
                }
            }
            Incoming::Ping(payload) => self.say(Protocol::pong(payload.as_deref())).await,
            Incoming::Pong => Ok(()),
            Incoming::Subscribe { .. } if !self.acknowledged => Err(close::UNAUTHORIZED),
            Incoming::Subscribe { id, .. } if self.running.contains_key(&id) => Err(close::DUPLICATE_ID),
            Incoming::Subscribe { id, params } => {
                if self.running.len() >= self.limits.socket_operations {
                    return self.say(self.refused(&id, Code::RateLimited, "too many operations on this socket")).await;
                }
                match Operation::parse(params, &self.limits) {
                    Ok(operation) => self.start(id, operation),
                    Err(response) => self.say(self.protocol.error(&id, &response.errors)).await?,
                }
                Ok(())
            }
            Incoming::Complete { id } => {
                if let Some(running) = self.running.remove(&id) {
                    running.task.abort();
                }
                Ok(())
            }
            Incoming::Terminate => Err(close::NORMAL),
        }
    }

    fn start(&mut self, id: String, operation: Operation) {
        self.started += 1;
        metrics::counter!("ws_operations_total", "kind" => operation.kind().to_string()).increment(1);
        let task = Task {
            id: id.clone(),
            number: self.started,
            protocol: self.protocol,
            executor: self.executor.clone(),
            queue: self.queue.clone(),
        };
        let task = self.tasks.spawn_on(task.run(operation), self.executor.runtime());
        self.running.insert(id, Running { number: self.started, task });
    }

    /// Passes on what an operation says, unless the client has ended it meanwhile.
    async fn emit(&mut self, Output { id, number, said }: Output) -> Result<(), End> {
        if self.running.get(&id).is_none_or(|running| running.number != number) {
            return Ok(());
        }
        match said {
            Said::Message { text, slow } => {
                self.say(text).await?;
                if slow { Err(close::TOO_SLOW) } else { Ok(()) }
            }
            Said::Last(text) => {
                self.running.remove(&id);
                self.say(text).await
            }
            Said::Over => {
                self.running.remove(&id);
                self.say(Protocol::complete(&id)).await
            }
        }
    }

    fn refused(&self, id: &str, code: Code, message: &str) -> String {
        self.protocol.error(id, &refusal(code, message).errors)
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.last_heard.elapsed() > self.limits.idle_timeout {
            return Err(close::IDLE);
        }
        within(&self.limits, self.session.ping(b"")).await?;
        match self.protocol.keep_alive() {
            Some(keep_alive) if self.acknowledged => self.say(keep_alive).await,
            _ => Ok(()),
        }
    }

    async fn say(&mut self, text: impl Into<String>) -> Result<(), End> {
        let began = Instant::now();
        within(&self.limits, self.session.text(text.into())).await?;
        metrics::histogram!("ws_send_seconds").record(began.elapsed());
        Ok(())
    }
}

/// Waits for the connection to take a message, as long as a reader may take nothing.
async fn within(limits: &Limits, sending: impl Future<Output = Result<(), Closed>>) -> Result<(), End> {
    match timeout(limits.send_timeout, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Closed)) => Err(close::GONE),
        Err(_) => Err(close::TOO_SLOW),
    }
}

/// Closes a socket: sends the close frame behind whatever is still queued, and listens for a while, so that what the
/// client has sent meanwhile does not make the system throw the close frame away.
pub(super) async fn refuse(session: Session, mut messages: AggregatedMessageStream, end: End, patience: Duration) {
    let closing = async {
        if session.close(Some(end.into())).await.is_ok() {
            while let Some(Ok(_)) = messages.recv().await {}
        }
    };
    // Whoever does not even take the close frame is cut off.
    let _ = timeout(patience, closing).await;
}

/// One operation under way.
struct Task {
    id: String,
    number: u64,
    protocol: Protocol,
    executor: Executor,
    queue: mpsc::Sender<Output>,
}

impl Task {
    async fn run(self, operation: Operation) {
        let last = match AssertUnwindSafe(self.operate(operation)).catch_unwind().await {
            Ok(last) => last,
            Err(_) => self.answer(&Unanswered::Crashed.response()).await,
        };
        self.say(last).await;
    }

    /// Says what there is to say, and returns the last of it.
    async fn operate(&self, operation: Operation) -> Said {
        if operation.kind() != OperationType::Subscription {
            let response = self.executor.execute(operation).await.unwrap_or_else(Unanswered::response);
            return self.answer(&response).await;
        }
        let mut answers = self.executor.stream(operation);
        while let Some(response) = answers.next().await {
            match self.answer(&response).await {
                Said::Over => {}
                last => return last,
            }
        }
        Said::Over
    }

    /// Passes on one answer; the operation may go on if what is returned is `Over`.
    async fn answer(&self, response: &Response) -> Said {
        if is_refused(response) {
            return Said::Last(self.protocol.error(&self.id, &response.errors));
        }
        let text = self.protocol.next(&self.id, &Answer(response));
        self.say(Said::Message { text, slow: lagged(response) }).await;
        Said::Over
    }

    async fn say(&self, said: Said) {
        // The socket is gone if it does not listen, and this task is about to end with it.
        let _ = self.queue.send(Output { id: self.id.clone(), number: self.number, said }).await;
    }
}

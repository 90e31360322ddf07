//! Executes operations: so many at once, each for so long, on the process's own runtime.
//!
//! HTTP workers have a runtime each that ends with the server; a database connection opened on one would end with it
//! under other parts' hands. So everything that touches the database runs on the runtime the server was started from,
//! as a task that the executor keeps count of.

use super::{Operation, finish, refusal};
use crate::{
    Limits,
    schema::{Code, Schema},
};
use async_graphql::{Response, futures_util::stream::BoxStream};
use futures_util::StreamExt as _;
use std::sync::Arc;
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};
use tokio_util::task::TaskTracker;

/// Executes operations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Executor {
    schema: Schema,
    limits: Arc<Limits>,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    runtime: Handle,
}

/// Why a query or mutation has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Not executed: too many others are.
    Busy,
    /// It took too long and was given up.
    TimedOut,
    /// It panicked.
    Crashed,
}

impl Unanswered {
    /// What a client may know of it.
    pub(crate) fn response(self) -> Response {
        let (code, message) = match self {
            Self::Busy => (Code::Unavailable, "too many requests at once; try again"),
            Self::TimedOut => (Code::Unavailable, "this took too long and was given up"),
            Self::Crashed => (Code::Internal, "something went wrong on our side"),
        };
        refusal(code, message)
    }
}

impl Executor {
    /// An executor whose work runs on the current runtime.
    pub(crate) fn new(schema: Schema, limits: Arc<Limits>) -> Self {
        let slots = Arc::new(Semaphore::new(limits.executions));
        Self { schema, limits, slots, tasks: TaskTracker::new(), runtime: Handle::current() }
    }

    /// Executes a query or a mutation. It goes on to its end, or its timeout, even if this future is dropped: a
    /// mutation is not cut in the middle because its client hung up.
    pub(crate) async fn execute(&self, operation: Operation) -> Result<Response, Unanswered> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| Unanswered::Busy)?;
        let this = self.clone();
        let task = async move {
            let answer = timeout(this.limits.execution_timeout, this.schema.execute(operation.request)).await;
            drop(slot);
            answer.map(|response| finish(response, &this.limits))
        };
        match self.tasks.spawn_on(task, &self.runtime).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => {
                tracing::warn!(timeout_ms = self.limits.execution_timeout.as_millis(), "an operation took too long");
                Err(Unanswered::TimedOut)
            }
            Err(_) => Err(Unanswered::Crashed),
        }
    }

    /// Runs other work that touches the database, to its end even if this future is dropped. `None` if it panicked.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.tasks.spawn_on(work, &self.runtime).await.ok()
    }

    /// The answers of a subscription. Poll it on [`Executor::runtime`].
    pub(crate) fn stream(&self, operation: Operation) -> BoxStream<'static, Response> {
        let limits = Arc::clone(&self.limits);
        self.schema.execute_stream(operation.request).map(move |response| finish(response, &limits)).boxed()
    }

    /// Where everything that touches the database runs.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Waits until everything under way is done.
    pub(crate) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

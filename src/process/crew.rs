//! The tasks of one process: they end together, and in time.

use anyhow::{Context as _, Result, anyhow};
use std::{future::Future, time::Duration};
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

/// How long tasks may take to end once they are told.
const DRAIN: Duration = Duration::from_millis(9_500);

/// The tasks.
pub struct Crew {
    token: CancellationToken,
    tasks: JoinSet<(&'static str, Result<()>)>,
}

impl Crew {
    /// A crew that ends when the token is cancelled.
    pub fn new(token: CancellationToken) -> Self {
        Self { token, tasks: JoinSet::new() }
    }

    /// What tells its tasks to end.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Starts a task.
    pub fn take(&mut self, name: &'static str, task: impl Future<Output = Result<()>> + Send + 'static) {
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Runs until the token is cancelled or a task ends, then ends the others. An error is the first task's that ended
    /// without having been told to.
    pub async fn run(mut self) -> Result<()> {
        let unasked = tokio::select! {
            () = self.token.cancelled() => Ok(()),
            Some(ended) = self.tasks.join_next() => match ended {
                // The signal may have come at the same moment.
                Ok((name, Ok(()))) if !self.token.is_cancelled() => Err(anyhow!("{name} ended")),
                Ok((_, Ok(()))) => Ok(()),
                Ok((name, Err(error))) => Err(error.context(format!("{name} ended"))),
                Err(error) => Err(error).context("a part broke down"),
            },
        };
        tracing::info!("ending");
        self.token.cancel();
        let drained = timeout(DRAIN, async {
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok((_, Ok(()))) => {}
                    Ok((name, Err(error))) => tracing::error!(task = name, error = format!("{error:#}"), "ended badly"),
                    Err(error) => tracing::error!(%error, "a part broke down while ending"),
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "did not end in time and were cut off");
        }
        unasked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn when_one_task_fails_the_others_are_told_and_the_reason_is_kept() {
        let mut crew = Crew::new(CancellationToken::new());
        let (token, (told, was_told)) = (crew.token(), tokio::sync::oneshot::channel());
        crew.take("first", async { Err(anyhow!("no more jobs")) });
        crew.take("second", async move {
            token.cancelled().await;
            told.send(()).map_err(|()| anyhow!("nobody listens"))
        });
        let error = crew.run().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "first ended: no more jobs");
        was_told.await.unwrap();
    }

    #[tokio::test]
    async fn a_crew_that_is_told_to_end_ends_well() {
        let token = CancellationToken::new();
        let mut crew = Crew::new(token.clone());
        let until = crew.token();
        crew.take("only", async move {
            until.cancelled().await;
            Ok(())
        });
        token.cancel();
        crew.run().await.unwrap();
    }
}

//! Waiting: asks again until the answer is there, and says what it waited for when it never comes.

use anyhow::{Result, bail};
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep};

/// Between two questions.
const INTERVAL: Duration = Duration::from_millis(50);

/// For what a healthy machine does in moments, however busy.
pub const SOON: Duration = Duration::from_mins(1);

/// For what needs a whole broadcast to pass, on a machine whose cores are shared.
pub const LATE: Duration = Duration::from_mins(4);

/// Asks until there is an answer. `Ok(Err(state))` means "not yet", with the state to show if time runs out.
pub async fn until<T, F>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Result<T, String>>>,
{
    let started = Instant::now();
    loop {
        match ask().await? {
            Ok(answer) => return Ok(answer),
            Err(state) if started.elapsed() > limit => {
                bail!("not within {} s: {what}; at the end: {state}", limit.as_secs())
            }
            Err(_) => sleep(INTERVAL).await,
        }
    }
}

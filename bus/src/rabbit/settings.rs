//! What a RabbitMQ bus is told: every name, bound and delay in one struct. Its `Debug` and its errors never show the
//! address's password.

use crate::{Error, RedeliveryPolicy};
use lapin::uri::AMQPUri;
use std::{fmt, time::Duration};
use url::{Host, Url};

/// AMQP names have at most 255 bytes; ours add at most 32 to the prefix.
const MAX_PREFIX_BYTES: usize = 200;

/// Settings of a [`Rabbit`](crate::Rabbit).
///
/// `prefix`, `policy.max_delay`, `retry_delays`, `delivery_limit` and `max_jobs` are properties of the queues, so every
/// process must have the same; RabbitMQ refuses to declare an existing queue with other limits.
#[derive(Clone)]
pub struct RabbitSettings {
    /// `amqp://user:password@host:port/vhost` or `amqps://…`.
    pub url: Url,
    /// Begins the name of every queue and exchange.
    pub prefix: String,
    /// How often and how slowly a job comes back.
    pub policy: RedeliveryPolicy,
    /// The delays that retries are rounded up to, besides `policy.max_delay`. One queue each.
    pub retry_delays: Vec<Duration>,
    /// A job delivered more often than this without ever being settled (its consumers crash) becomes a dead letter.
    /// Restarts of the broker or of consumers count as well, hence generous.
    pub delivery_limit: u32,
    /// Waiting jobs above which publishing is refused.
    pub max_jobs: u32,
    /// Notices kept for a process that reads too slowly; with more, the oldest goes.
    pub notice_backlog: u32,
    /// How long connecting, and waiting for a lost connection to return, may take.
    pub connect_timeout: Duration,
    /// How long the broker may take to confirm what was published.
    pub confirm_timeout: Duration,
    /// A peer silent for twice as long is given up. At least 1 s.
    pub heartbeat: Duration,
    /// A consumer of jobs that receives nothing for this long, and holds nothing, subscribes anew.
    pub quiet_limit: Duration,
    /// Delay before the first try to reconnect; it doubles with every failure.
    pub first_reconnect_delay: Duration,
    /// No delay between tries is longer.
    pub max_reconnect_delay: Duration,
}

impl RabbitSettings {
    /// The defaults, for the broker at `url`.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            prefix: "emergency-time".into(),
            policy: RedeliveryPolicy::default(),
            retry_delays: [1, 5, 15, 30].map(Duration::from_secs).into(),
            delivery_limit: 100,
            max_jobs: 1_000_000,
            notice_backlog: 10_000,
            connect_timeout: Duration::from_secs(10),
            confirm_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(10),
            quiet_limit: Duration::from_mins(1),
            first_reconnect_delay: Duration::from_millis(200),
            max_reconnect_delay: Duration::from_secs(5),
        }
    }

    /// The queue delays, shortest first; the last one is the policy's longest.
    pub(super) fn delays(&self) -> Vec<Duration> {
        let longest = self.policy.max_delay.max(Duration::from_millis(1));
        let mut delays: Vec<_> = self.retry_delays.iter().copied().filter(|delay| *delay < longest).collect();
        delays.push(longest);
        delays.sort_unstable();
        delays.dedup();
        delays
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let name_like = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.prefix.is_empty() || self.prefix.len() > MAX_PREFIX_BYTES || !self.prefix.chars().all(name_like) {
            return Err(Error(format!("its prefix must be 1 to {MAX_PREFIX_BYTES} of A-Z a-z 0-9 - _ .")));
        }
        Ok(())
    }

    /// The address in the client's terms. The client's own error could repeat the URL, so it is not passed on.
    pub(super) fn uri(&self) -> Result<AMQPUri, Error> {
        let mut uri: AMQPUri =
            self.url.as_str().parse().map_err(|_| Error("its address is not an amqp:// or amqps:// URL".into()))?;
        // The client knows no IPv6 literals and would silently connect to localhost.
        if let Some(Host::Ipv6(address)) = self.url.host() {
            uri.authority.host = address.to_string();
        }
        let seconds = u16::try_from(self.heartbeat.as_secs()).unwrap_or(u16::MAX);
        uri.query.heartbeat.get_or_insert(seconds.max(1));
        Ok(uri)
    }
}

impl fmt::Debug for RabbitSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitSettings")
            .field("host", &self.url.host_str())
            .field("prefix", &self.prefix)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> RabbitSettings {
        RabbitSettings::new(url.parse().unwrap())
    }

    #[test]
    fn the_password_is_not_in_the_debug_output() {
        let shown = format!("{:?}", settings("amqp://someone:s3cret@broker.example/vhost"));
        assert!(shown.contains("broker.example") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn an_ipv6_address_is_kept() {
        let uri = settings("amqp://[::1]:5673/%2f").uri().unwrap();
        assert_eq!((uri.authority.host.as_str(), uri.authority.port, uri.vhost.as_str()), ("::1", 5673, "/"));
    }

    #[test]
    fn another_kind_of_url_is_refused_without_repeating_it() {
        let error = settings("https://someone:s3cret@broker.example/").uri().unwrap_err().to_string();
        assert!(error.contains("amqp://") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn no_delay_is_longer_than_the_policy_allows() {
        let mut settings = settings("amqp://localhost");
        settings.policy.max_delay = Duration::from_secs(10);
        assert_eq!(settings.delays(), [1, 5, 10].map(Duration::from_secs));
    }
}

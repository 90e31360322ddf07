//! The bus between processes: RabbitMQ if a broker is named, otherwise none.

use super::{Faults, Noted, Secret};
use url::Url;

const PREFIX: &str = "emergency-time";

/// The bus's flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Jobs and events")]
pub struct BusFlags {
    /// The RabbitMQ broker: amqp://user:password@host:5672/vhost or amqps://… Absent: jobs and events stay within the
    /// process, which only `serve` can do.
    #[arg(long, env = "AMQP_URL", value_name = "URL", hide_env_values = true)]
    pub amqp_url: Option<String>,
    /// Begins the name of every queue and exchange, so that several installations can share a broker.
    #[arg(long, env = "AMQP_PREFIX", value_name = "NAME", default_value = PREFIX)]
    pub amqp_prefix: String,
}

/// The broker.
#[derive(Clone, Debug)]
pub struct Broker {
    /// Its address, with the password.
    pub url: Secret<Url>,
    /// Begins every name.
    pub prefix: String,
}

impl Broker {
    /// The address without its secrets.
    pub fn host(&self) -> String {
        let url = self.url.reveal();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", url.host_str().unwrap_or("this machine"))
    }
}

impl BusFlags {
    /// Checks them; `None` is a process without a broker.
    pub fn check(&self, faults: &mut Faults) -> Result<Option<Broker>, Noted> {
        let prefix = match self.amqp_prefix.trim() {
            "" => PREFIX,
            prefix => prefix,
        };
        let name_like = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = prefix.chars().all(name_like);
        if !is_name {
            faults.add("AMQP_PREFIX", format_args!("{prefix:?} has characters other than A-Z a-z 0-9 - _ ."));
        }
        let url = faults.optional("AMQP_URL", self.amqp_url.as_ref(), address)?;
        let broker = url.map(|url| Broker { url: Secret::new(url), prefix: prefix.to_owned() });
        if is_name { Ok(broker) } else { Err(Noted) }
    }

    /// Checks them for a process that shares its work with others.
    pub fn check_shared(&self, faults: &mut Faults) -> Option<Broker> {
        let broker = self.check(faults).ok()?;
        if broker.is_none() {
            faults.add("AMQP_URL", "api and worker processes need a broker between them; `serve` is both in one");
        }
        broker
    }
}

/// Reads the broker's address; repeats nothing of it but the scheme, since it may hold a password.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "amqp" | "amqps" => Ok(url),
        other => Err(format!("the scheme is {other:?}, not amqp or amqps")),
    }
}

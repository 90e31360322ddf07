//! A RabbitMQ node of a test's own, to be killed and started again; it never touches the machine's broker.
//!
//! Everything of the node (data, log, cookie, port mapper) is in a temporary directory and on loopback ports of its own,
//! so any number of them run side by side, under any user.

mod leash;

use anyhow::{Context, Result, bail, ensure};
use leash::Leash;
use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use url::Url;

/// Names the broker that plain tests may share.
pub const SHARED_URL_VARIABLE: &str = "TEST_AMQP_URL";
const USUAL_URL: &str = "amqp://guest:guest@127.0.0.1:5672/%2f";
/// A node needs about 6 s of one core; a busy machine gives it less.
const BOOT_LIMIT: Duration = Duration::from_mins(2);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const GREETING_LIMIT: Duration = Duration::from_secs(2);
/// First, because Debian's `/usr/sbin/rabbitmq-server` insists on the user `rabbitmq`.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const LOG_TAIL_BYTES: usize = 4_000;

/// A broker for tests that only need one to be there: the one named by [`SHARED_URL_VARIABLE`], or the one at the usual
/// local address, or, where neither answers, a node of its own.
pub struct Shared {
    url: String,
    _own: Option<Broker>,
}

impl Shared {
    /// Finds or starts it.
    pub fn find() -> Result<Self> {
        let url = env::var(SHARED_URL_VARIABLE).unwrap_or_else(|_| USUAL_URL.to_owned());
        if answers(&url) {
            return Ok(Self { url, _own: None });
        }
        let own = Broker::start()?;
        Ok(Self { url: own.url(), _own: Some(own) })
    }

    /// Its address, with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A node of this test's own. Dropped, it is killed and its data removed.
pub struct Broker {
    // Dropped in this order: the node before its port mapper, both before their files.
    node: Option<Leash>,
    _port_mapper: Leash,
    ports: Ports,
    server: PathBuf,
    home: TempDir,
}

#[derive(Clone, Copy)]
struct Ports {
    amqp: u16,
    distribution: u16,
    mapper: u16,
}

impl Broker {
    /// Starts a node and waits until it accepts connections. Blocks for some seconds.
    pub fn start() -> Result<Self> {
        let server = find_server()?;
        let home = tempfile::Builder::new().prefix("test-broker-").tempdir()?;
        write_configuration(home.path())?;
        let ports = free_ports()?;
        let mapper_port = ports.mapper.to_string();
        let port_mapper = Leash::start("epmd", |command| {
            command.args(["-address", "127.0.0.1", "-port", &mapper_port]).current_dir(home.path())
        })?;
        let mut broker = Self { node: None, _port_mapper: port_mapper, ports, server, home };
        broker.restart()?;
        Ok(broker)
    }

    /// Its address; the same after every restart.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// Ends the node as its operator would; everything is saved. Returns when it is gone.
    pub fn stop(&mut self) -> Result<()> {
        self.node.take().map_or(Ok(()), Leash::terminate)
    }

    /// Ends the node as a crash would: SIGKILL, no farewell. Returns when it is gone.
    ///
    /// RabbitMQ 3.10 saves the names of new quorum queues when they have not changed for half a second; one declared
    /// just before the kill may come back empty and without a leader. A test that wants its queues to survive declares
    /// them, then calls [`stop`](Self::stop) and [`restart`](Self::restart) once.
    pub fn kill9(&mut self) {
        self.node = None;
    }

    /// Starts the node on the data it left (killing it first if it runs), and waits until it accepts connections.
    pub fn restart(&mut self) -> Result<()> {
        self.kill9();
        let log = File::create(self.home.path().join("console.log"))?;
        let errors = log.try_clone()?;
        let program = self.server.to_str().context("the server's path is not UTF-8")?;
        self.node = Some(Leash::start(program, |command| {
            command.envs(self.environment()).current_dir(self.home.path()).stdout(log).stderr(errors)
        })?);
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let deadline = Instant::now() + BOOT_LIMIT;
        while !answers(&self.url()) {
            if Instant::now() > deadline {
                let log = fs::read(self.home.path().join("console.log")).unwrap_or_default();
                let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned();
                bail!("rabbitmq-server did not answer within {} s; it wrote:\n{tail}", BOOT_LIMIT.as_secs());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.home.path().join(name).display().to_string();
        vec![
            ("HOME", path("")),
            ("ERL_CRASH_DUMP", path("crash.dump")),
            // Makes the start script become the node instead of watching it, so that the leash holds the node.
            ("RUNNING_UNDER_SYSTEMD", "true".into()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
            ("ERL_EPMD_PORT", self.ports.mapper.to_string()),
            ("RABBITMQ_NODENAME", format!("test-{}@localhost", self.ports.amqp)),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".into()),
            ("RABBITMQ_NODE_PORT", self.ports.amqp.to_string()),
            ("RABBITMQ_DIST_PORT", self.ports.distribution.to_string()),
            ("RABBITMQ_MNESIA_BASE", path("data")),
            ("RABBITMQ_LOG_BASE", path("log")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", path("generated")),
            ("RABBITMQ_PID_FILE", path("pid")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins")),
            ("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", path("advanced.config")),
            ("RABBITMQ_CONF_ENV_FILE", path("env.conf")),
            // One scheduler: the tests beside it need the cores.
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}".into()),
        ]
    }
}

fn find_server() -> Result<PathBuf> {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(PathBuf::from(SERVER))
        .chain(env::split_paths(&on_path).map(|folder| folder.join("rabbitmq-server")))
        .find(|candidate| candidate.is_file());
    found.context("no rabbitmq-server on this machine: install the package rabbitmq-server")
}

fn write_configuration(home: &Path) -> Result<()> {
    for folder in ["data", "log", "generated"] {
        fs::create_dir(home.join(folder))?;
    }
    fs::write(home.join("plugins"), "[].\n")?;
    fs::write(home.join("env.conf"), "")?;
    // The default log of a quorum queue's writes grows to 512 MB before it is cut.
    fs::write(home.join("rabbitmq.conf"), "raft.wal_max_size_bytes = 16777216\n")?;
    Ok(())
}

/// Three ports nobody listens on. Held together until all are known, so that they differ.
fn free_ports() -> Result<Ports> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (amqp, distribution, mapper) = (listen()?, listen()?, listen()?);
    Ok(Ports {
        amqp: amqp.local_addr()?.port(),
        distribution: distribution.local_addr()?.port(),
        mapper: mapper.local_addr()?.port(),
    })
}

/// Whether an AMQP 0-9-1 server greets at this address: a port that merely accepts may be a node still starting.
fn answers(url: &str) -> bool {
    greet(url).is_ok()
}

fn greet(url: &str) -> Result<()> {
    let url: Url = url.parse()?;
    let host = url.host_str().context("no host")?;
    let address: SocketAddr =
        (host, url.port().unwrap_or(5672)).to_socket_addrs()?.next().context("the host has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, GREETING_LIMIT)?;
    stream.set_read_timeout(Some(GREETING_LIMIT))?;
    stream.write_all(b"AMQP\x00\x00\x09\x01")?;
    let mut frame_type = [0_u8; 1];
    stream.read_exact(&mut frame_type)?;
    // A method frame is the server's Connection.Start; another version's header would begin with `A`.
    ensure!(frame_type == [1], "no AMQP 0-9-1 server");
    Ok(())
}

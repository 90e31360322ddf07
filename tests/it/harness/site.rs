//! The whole system in one of its two shapes, on services and ports of its own.
//!
//! A test that ends well says so with [`Site::close`]; a site that is dropped before shows the end of every log.

use crate::harness::{
    client::Client,
    database::OwnDatabase,
    deadline,
    object_server::{self, ObjectServer},
    process::{self, Process},
    queue::OwnQueues,
    records::Records,
    scratch,
};
use anyhow::{Context as _, Result, ensure};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};
use storage::{Location, Recordings, Replays, Settings};
use test_broker::Broker;
use url::Url;

/// How the system is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One `serve`: SQLite, files, jobs within the process.
    Embedded,
    /// One `api` and two `worker`s over PostgreSQL, RabbitMQ and S3.
    Production,
    /// The same with a broker that may be killed.
    ProductionWithOwnBroker,
}

/// How many workers production has.
pub const WORKERS: usize = 2;
/// Below the ports of outgoing connections (Linux: from 32768).
const PORTS: std::ops::Range<u16> = 15_000..32_000;
const PORT_TRIES: usize = 100;
/// RabbitMQ, unless `TEST_AMQP_URL` names another.
const DEFAULT_BROKER: &str = "amqp://guest:guest@127.0.0.1:5672/%2f";
/// What the webhook wants to see.
pub const WEBHOOK_SECRET: &str = "webhook-secret-that-no-log-may-show";

/// A running system.
pub struct Site {
    /// A map client of it.
    pub client: Client,
    /// Raw recordings.
    pub recordings: Recordings,
    /// Published replays.
    pub replays: Replays,
    /// The one process that answers HTTP: `serve` or `api`.
    pub front: Process,
    /// The workers; none when embedded.
    pub workers: Vec<Process>,
    /// A broker of its own.
    pub broker: Option<Broker>,
    shape: Shape,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    amqp_url: Option<String>,
    records: Option<Records>,
    services: Vec<Box<dyn std::any::Any + Send>>,
    closed: bool,
}

struct Outside {
    variables: Vec<(String, String)>,
    recordings: Recordings,
    replays: Replays,
    database_url: String,
    amqp_url: Option<String>,
    broker: Option<Broker>,
    services: Vec<Box<dyn std::any::Any + Send>>,
}

impl Site {
    /// Starts everything and waits until it says that it is ready. `extra` are variables for this test.
    pub async fn start(shape: Shape, name: &str, extra: &[(&str, &str)]) -> Result<Self> {
        let folder = scratch().join("sites").join(format!("{name}-{}", std::process::id()));
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => std::fs::create_dir_all(folder.join("tmp"))?,
        }
        let port = free_port()?;
        let outside = match shape {
            Shape::Embedded => embedded(&folder)?,
            Shape::Production | Shape::ProductionWithOwnBroker => production(shape, &folder).await?,
        };
        let mut variables = outside.variables;
        variables.extend(common(&folder, port));
        variables.extend(extra.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let log = |process: &str| folder.join(format!("{process}.log"));
        let front = if shape == Shape::Embedded {
            Process::start("serve", &["serve"], &variables, log("serve"))?
        } else {
            process::run("migrate", &["migrate"], &variables, log("migrate")).await?;
            Process::start("api", &["api"], &variables, log("api"))?
        };
        let workers = if shape == Shape::Embedded { 0 } else { WORKERS };
        let mut site = Self {
            client: Client::new(&format!("http://127.0.0.1:{port}")),
            recordings: outside.recordings,
            replays: outside.replays,
            front,
            workers: Vec::new(),
            broker: outside.broker,
            shape,
            variables,
            amqp_url: outside.amqp_url,
            records: None,
            services: outside.services,
            closed: false,
            folder: folder.clone(),
        };
        for number in 0..workers {
            let name = format!("worker-{number}");
            site.workers.push(Process::start(&name, &["worker"], &site.variables, log(&name))?);
        }
        site.ready().await?;
        site.records = Some(Records::open(&outside.database_url).await?);
        Ok(site)
    }

    /// Waits until the front answers that it is ready.
    pub async fn ready(&mut self) -> Result<()> {
        let url = format!("{}/health/ready", self.client.base());
        let (client, front) = (self.client.clone(), &mut self.front);
        deadline::until("the server is ready", deadline::SOON, || {
            let (ended, client, url) = (front.ended(), client.clone(), url.clone());
            async move {
                ensure!(ended?.is_none(), "it ended at once");
                Ok(match client.get(&url).await {
                    Ok((200, ..)) => Ok(()),
                    Ok((status, _, body)) => Err(format!("{status}: {}", String::from_utf8_lossy(&body))),
                    Err(error) => Err(format!("{error:#}")),
                })
            }
        })
        .await
    }

    /// Which shape it is.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// A folder of this site's own; gone when the test ends well.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `DATA_DIR`.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The database behind it.
    pub fn records(&self) -> Result<&Records> {
        self.records.as_ref().context("the database is not open")
    }

    /// The broker and the queue of dead letters, in production.
    pub fn dead_letters(&self) -> Option<(&str, String)> {
        let prefix = self.variables.iter().find(|(name, _)| name == "AMQP_PREFIX")?;
        Some((self.amqp_url.as_deref()?, format!("{}.redact.dead", prefix.1)))
    }

    /// The variables that every process of this site runs with.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// `host:port` of the front.
    pub fn authority(&self) -> &str {
        self.client.base().trim_start_matches("http://")
    }

    /// All processes.
    pub fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        std::iter::once(&mut self.front).chain(&mut self.workers)
    }

    /// Ends everything in order and makes sure that it ended well: exit codes, no temporary files, no panics and
    /// none of these secrets in any log.
    pub async fn close(mut self, secrets: &[&str]) -> Result<()> {
        for process in self.processes() {
            let status = process.stop().await?;
            ensure!(status.success(), "{} ended with {status} when asked to end", process.name());
        }
        let all_secrets = [WEBHOOK_SECRET, object_server::SECRET_KEY].into_iter().chain(secrets.iter().copied());
        for secret in all_secrets {
            for file in files_below(&self.folder)?.iter().filter(|file| file.extension().is_some_and(|e| e == "log")) {
                let log = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
                ensure!(!log.contains(secret), "{} shows a secret: {secret}", file.display());
                ensure!(!log.contains("panicked at"), "{} shows a panic", file.display());
            }
        }
        let left = files_below(&self.folder.join("tmp"))?;
        ensure!(left.is_empty(), "temporary files were left behind: {left:?}");
        if let Some(records) = self.records.take() {
            records.close().await?;
        }
        self.services.clear();
        std::fs::remove_dir_all(&self.folder)?;
        self.closed = true;
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !self.closed {
            let logs: String = self.processes().map(|process| process.log_tail()).collect();
            eprintln!("what the processes said ({}):\n{logs}", self.folder.display());
        }
    }
}

/// Every file below a folder; none if there is no such folder.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    Ok(files)
}

/// A port that was free a moment ago. A server that is restarted needs one that does not change and that no outgoing
/// connection is given meanwhile, so it lies below those the kernel hands out.
fn free_port() -> Result<u16> {
    let mut candidates = std::iter::repeat_with(|| rand::random_range(PORTS)).take(PORT_TRIES);
    candidates.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).context("no free port")
}

fn common(folder: &Path, port: u16) -> Vec<(String, String)> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    [
        ("BIND", format!("127.0.0.1:{port}")),
        ("RTMP_BIND", "127.0.0.1:0".to_owned()),
        ("WHIP_UDP_BIND", "127.0.0.1:0".to_owned()),
        ("DATA_DIR", text(folder.join("data"))),
        ("TMPDIR", text(folder.join("tmp"))),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn embedded(folder: &Path) -> Result<Outside> {
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    let (settings, root) = (Settings::default(), Location::folder(&data)?);
    Ok(Outside {
        variables: Vec::new(),
        recordings: Recordings::open(&root.join("recordings")?, &settings)?,
        replays: Replays::open(&root.join("replays")?, &settings)?,
        database_url: format!("sqlite://{}?mode=rw", data.join("emergency-time.db").display()),
        amqp_url: None,
        broker: None,
        services: Vec::new(),
    })
}

async fn production(shape: Shape, folder: &Path) -> Result<Outside> {
    let database = OwnDatabase::create().await?;
    let objects = ObjectServer::start(&folder.join("objects")).await?;
    let broker = match shape {
        Shape::ProductionWithOwnBroker => Some(tokio::task::block_in_place(Broker::start)?),
        _ => None,
    };
    let amqp_url = match &broker {
        Some(broker) => broker.url(),
        None => std::env::var("TEST_AMQP_URL").unwrap_or_else(|_| DEFAULT_BROKER.to_owned()),
    };
    let settings = Settings {
        endpoint: Some(Url::parse(&objects.endpoint())?),
        region: Some("us-east-1".into()),
        access_key_id: Some(object_server::ACCESS_KEY.into()),
        secret_access_key: Some(object_server::SECRET_KEY.into()),
        allow_http: true,
        ..Settings::default()
    };
    let root = Location::parse(&format!("s3://{}/site", object_server::BUCKET))?;
    let prefix = format!("test-{}", uuid::Uuid::new_v4().simple());
    let variables = [
        ("DATABASE_URL", database.url().to_owned()),
        ("AMQP_URL", amqp_url.clone()),
        ("AMQP_PREFIX", prefix.clone()),
        ("STORAGE_URL", root.to_string()),
        ("AWS_ENDPOINT_URL", objects.endpoint()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", object_server::ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", object_server::SECRET_KEY.to_owned()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
    ];
    let database_url = database.url().to_owned();
    let mut services: Vec<Box<dyn std::any::Any + Send>> = vec![Box::new(objects), Box::new(database)];
    if broker.is_none() {
        services.push(Box::new(OwnQueues { broker: amqp_url.clone(), prefix }));
    }
    Ok(Outside {
        variables: variables.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        recordings: Recordings::open(&root.join("recordings")?, &settings)?,
        replays: Replays::open(&root.join("replays")?, &settings)?,
        database_url,
        services,
        amqp_url: Some(amqp_url),
        broker,
    })
}

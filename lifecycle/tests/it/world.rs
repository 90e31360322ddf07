//! A lifecycle with a database of its own and stores in a temporary folder.

use bus::{Bus, InProcess, RedeliveryPolicy};
use entity::{Category, Position, PublishToken, time::Clock};
use lifecycle::{Lifecycle, Limits, NewStream, Parts, Started};
use live::{LiveEvent, LiveEventKind, Local, RecordedSegment, RecordingRef};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use std::sync::{Arc, atomic::AtomicI64};
use storage::{Location, Recordings, Replays, Settings};
use tempfile::TempDir;

/// Which database a world stands on.
#[derive(Clone, Copy, Debug)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Both, for tests that must hold on each.
pub const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

pub struct World {
    pub lifecycle: Lifecycle,
    pub db: DatabaseConnection,
    pub replays: Replays,
    pub clock: Arc<AtomicI64>,
    pub folder: TempDir,
    _database: Option<PostgresDatabase>,
}

/// 2026-01-01T00:00:00Z in milliseconds: where every world's clock starts.
pub const START: i64 = 1_767_225_600_000;

impl World {
    pub async fn new(backend: Backend) -> Self {
        Self::with_limits(backend, Limits::default()).await
    }

    pub async fn with_limits(backend: Backend, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (db, database) = connect(backend, &folder).await;
        Migrator::up(&db, None).await.unwrap();
        let root = |name: &str| Location::parse(&format!("file://{}/{name}", folder.path().display())).unwrap();
        let recordings = Recordings::open(&root("recordings"), &Settings::default()).unwrap();
        let replays = Replays::open(&root("replays"), &Settings::default()).unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let lifecycle = Lifecycle::new(Parts {
            db: db.clone(),
            live: Arc::new(Local),
            recordings,
            replays: replays.clone(),
            clock: Clock::Set(clock.clone()),
            limits,
        });
        Self { lifecycle, db, replays, clock, folder, _database: database }
    }

    /// A stream that is waiting for its picture.
    pub async fn stream(&self) -> Started {
        self.lifecycle.start_stream(new_stream()).await.unwrap()
    }

    pub fn bus() -> Arc<dyn Bus> {
        Arc::new(InProcess::new(RedeliveryPolicy::default(), 10_000))
    }
}

pub async fn connect(backend: Backend, folder: &TempDir) -> (DatabaseConnection, Option<PostgresDatabase>) {
    match backend {
        Backend::Sqlite => {
            let mut options =
                ConnectOptions::new(format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display()));
            options.sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
                sqlite.pragma("journal_mode", "WAL").pragma("busy_timeout", "10000").pragma("synchronous", "OFF")
            });
            (Database::connect(options).await.unwrap(), None)
        }
        Backend::Postgres => {
            let database = PostgresDatabase::create().await;
            let mut options = ConnectOptions::new(database.url());
            options.sqlx_logging(false).max_connections(8);
            (Database::connect(options).await.unwrap(), Some(database))
        }
    }
}

/// A database of one test; dropped with it.
pub struct PostgresDatabase {
    name: String,
}

fn server() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())
}

impl PostgresDatabase {
    async fn create() -> Self {
        let name = format!("et_test_{}", uuid::Uuid::new_v4().simple());
        let admin = Database::connect(server()).await.expect("PostgreSQL for tests: set TEST_DATABASE_URL");
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        Self { name }
    }

    fn url(&self) -> String {
        let mut url = url::Url::parse(&server()).unwrap();
        url.set_path(&self.name);
        url.to_string()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        // A test's runtime may be ending: the database is dropped from a thread with a runtime of its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let admin = Database::connect(server()).await?;
                admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await
            })
        });
        if !matches!(dropped.join(), Ok(Ok(_))) {
            eprintln!("test database {} was left behind", self.name);
        }
    }
}

pub fn new_stream() -> NewStream {
    NewStream {
        title: "Smoke over the harbour".into(),
        description: None,
        category: Category::Fire,
        position: Position::new(129.04, 35.1).unwrap(),
        heading: None,
        accuracy: None,
    }
}

/// Messages of one broadcast, built one by one.
pub struct Script {
    channel_arn: String,
    recording: RecordingRef,
}

impl Script {
    pub fn new(started: &Started) -> Self {
        let recording =
            RecordingRef { id: format!("rec-{}", started.stream.id), prefix: format!("ivs/{}", started.stream.id) };
        Self { channel_arn: started.stream.channel_arn.clone(), recording }
    }

    /// A message `at` milliseconds after the world's start.
    pub fn message(&self, at: i64, kind: LiveEventKind) -> LiveEvent {
        let moment = chrono::DateTime::from_timestamp_millis(START + at).unwrap();
        LiveEvent { id: uuid::Uuid::new_v4().to_string(), at: moment, channel_arn: self.channel_arn.clone(), kind }
    }

    pub fn up(&self, at: i64) -> LiveEvent {
        self.message(at, LiveEventKind::StreamUp)
    }

    pub fn down(&self, at: i64) -> LiveEvent {
        self.message(at, LiveEventKind::StreamDown)
    }

    pub fn recording_started(&self, at: i64) -> LiveEvent {
        self.message(at, LiveEventKind::RecordingStarted(self.recording.clone()))
    }

    pub fn segments(&self, at: i64, numbers: std::ops::Range<u32>) -> LiveEvent {
        let segments = numbers
            .map(|number| RecordedSegment {
                number,
                key: format!("{}/media/hls/720p30/{number}.ts", self.recording.prefix),
                duration_ms: 2_000,
                discontinuity: false,
            })
            .collect();
        self.message(at, LiveEventKind::SegmentsWritten { recording: self.recording.clone(), segments })
    }

    pub fn recording_ended(&self, at: i64, segments: Option<u32>) -> LiveEvent {
        self.message(at, LiveEventKind::RecordingEnded { recording: self.recording.clone(), segments })
    }
}

/// A token that is no stream's.
pub fn wrong_token() -> PublishToken {
    PublishToken::generate()
}

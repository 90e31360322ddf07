//! A server for one test, with everything it needs in a folder that goes with it. Recordings lie beside the replays, as
//! they do by default, so that a path that climbs would find them.

use api::{ApiParts, Limits, WebhookSecret, schema::PublicUrls};
use bus::{Bus, InProcess, RedeliveryPolicy};
use entity::{ItemId, Position, event, time::Clock};
use lifecycle::{Lifecycle, Upkeep};
use metrics_exporter_prometheus::PrometheusHandle;
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ActiveModelTrait as _, ActiveValue::NotSet, ConnectOptions, Database, DatabaseConnection, Set};
use serde_json::{Value, json};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};
use storage::{Location, Recordings, Replays, Settings};
use tempfile::TempDir;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// What the sender of webhooks knows in tests.
pub const SECRET: &str = "a secret of the tests";

/// How long anything may take until a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What lies under the server.
pub struct House {
    pub db: DatabaseConnection,
    pub bus: Arc<dyn Bus>,
    pub lifecycle: Lifecycle,
    pub recordings: Recordings,
    pub replays: Replays,
    pub folder: TempDir,
}

impl House {
    pub async fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = database(folder.path()).await;
        let store = |name: &str| Location::folder(&folder.path().join(name)).unwrap();
        let recordings = Recordings::open(&store("recordings"), &Settings::default()).unwrap();
        let replays = Replays::open(&store("replays"), &Settings::default()).unwrap();
        let lifecycle = Lifecycle::new(lifecycle::Parts {
            db: db.clone(),
            live: Arc::new(live::Local),
            recordings: recordings.clone(),
            replays: replays.clone(),
            clock: Clock::System,
            limits: lifecycle::Limits::default(),
        });
        let bus: Arc<dyn Bus> = Arc::new(InProcess::new(RedeliveryPolicy::default(), 1_000));
        Self { db, bus, lifecycle, recordings, replays, folder }
    }

    /// Writes an event about an item to the log, as the lifecycle would, and returns its number.
    pub async fn event(&self, kind: event::Kind, item: ItemId, at: Position) -> i64 {
        let row = event::ActiveModel {
            seq: NotSet,
            at: Set(Clock::System.now()),
            kind: Set(kind),
            item_kind: Set(item.into()),
            item_id: Set(item.uuid()),
            longitude: Set(at.longitude.degrees()),
            latitude: Set(at.latitude.degrees()),
            from_longitude: Set(None),
            from_latitude: Set(None),
        };
        row.insert(&self.db).await.unwrap().seq
    }
}

async fn database(folder: &std::path::Path) -> DatabaseConnection {
    let file = folder.join("test.db");
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(4).sqlx_logging(false).map_sqlx_sqlite_opts(move |options| {
        let options = options.in_memory(false).shared_cache(false).filename(&file).create_if_missing(true);
        options.busy_timeout(PATIENCE).pragma("journal_mode", "WAL").pragma("synchronous", "OFF")
    });
    let db = Database::connect(options).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    db
}

/// A server and what lies under it.
pub struct Served {
    pub house: House,
    pub address: SocketAddr,
    pub http: reqwest::Client,
    token: CancellationToken,
    #[expect(dead_code, reason = "stops the server when the test is over")]
    guard: DropGuard,
    server: JoinHandle<io::Result<()>>,
    upkeep: JoinHandle<()>,
}

impl Served {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with other bounds than the usual ones.
    pub async fn with(adjust: impl FnOnce(&mut Limits)) -> Self {
        Self::over(House::build().await, adjust).await
    }

    pub async fn over(house: House, adjust: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { http_workers: 1, hub_poll: Duration::from_millis(200), ..Limits::default() };
        adjust(&mut limits);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let base: Url = format!("http://{address}/").parse().unwrap();
        let parts = ApiParts {
            db: house.db.clone(),
            bus: Arc::clone(&house.bus),
            lifecycle: house.lifecycle.clone(),
            replays: house.replays.clone(),
            whip: None,
            playback: None,
            limits,
            clock: Clock::System,
            urls: PublicUrls { replays: base.clone(), base },
            places: Arc::new(places::Gazetteer::bundled().unwrap()),
            pages: api::pages::Settings::default(),
            webhook_secret: WebhookSecret::new(SECRET).unwrap(),
            metrics: metrics(),
        };
        let token = CancellationToken::new();
        let server = tokio::spawn(api::serve(parts, vec![listener], token.clone()));
        let upkeep = tokio::spawn(Upkeep::new(house.lifecycle.clone(), Arc::clone(&house.bus)).run(token.clone()));
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let guard = token.clone().drop_guard();
        let this = Self { house, address, http, token, guard, server, upkeep };
        // The listener queues connections from the start, so this waits until the server takes them.
        assert_eq!(this.http.get(this.url("/health/live")).send().await.unwrap().status(), 200);
        this
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Tells the server to stop.
    pub fn begin_stop(&self) {
        self.token.cancel();
    }

    /// Stops the server and returns what it ended with.
    pub async fn stop(self) -> io::Result<()> {
        self.token.cancel();
        self.upkeep.await.unwrap();
        self.server.await.unwrap()
    }

    /// A query or mutation by POST.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let response = self.http.post(self.url("/graphql")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// The process's metrics; those of other tests, if they share the process, are among them.
    pub async fn metrics(&self) -> String {
        self.http.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap()
    }
}

/// The recorder of this process.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| api::health::install_metrics().unwrap()).clone()
}

/// Asks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tick.tick().await;
    }
}

/// Waits for something that must come.
pub async fn soon<T>(what: &str, coming: impl Future<Output = T>) -> T {
    let came = tokio::time::timeout(PATIENCE, coming).await;
    came.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// A place.
pub fn at(longitude: f64, latitude: f64) -> Position {
    Position::new(longitude, latitude).unwrap()
}

/// The earth, as an argument.
pub const WORLD: &str = "{ west: -180, south: -90, east: 180, north: 90 }";

//! Places to test: a fresh folder, or a fresh bucket of an S3 server in this process.

use hyper_util::{rt::TokioIo, server::conn::auto::Builder};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use std::path::{Path, PathBuf};
use storage::{Location, Settings, Store};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

/// The key id that the server takes.
pub const KEY_ID: &str = "AKIATESTKEYID";
/// The secret that goes with it.
pub const SECRET: &str = "a-secret-of-the-test";
/// The bucket that exists.
const BUCKET: &str = "bucket";
/// The store is this part of the bucket.
const PREFIX: &str = "et/recordings";

/// A store and what it stands on; all of it ends when this is dropped.
pub struct Place {
    store: Store,
    folder: TempDir,
    server: Option<Server>,
}

impl Place {
    pub fn files() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(&folder.path().join("made/by/open")).unwrap();
        let store = Store::open(&location, &Settings::default()).unwrap();
        Self { store, folder, server: None }
    }

    pub async fn s3() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let server = Server::start(folder.path()).await;
        let location = Location::parse(&format!("s3://{BUCKET}/{PREFIX}")).unwrap();
        let store = Store::open(&location, &server.settings()).unwrap();
        Self { store, folder, server: Some(server) }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder on this machine that is the store's root.
    pub fn root(&self) -> PathBuf {
        match self.server {
            None => self.folder.path().join("made/by/open"),
            Some(_) => self.folder.path().join(BUCKET).join(PREFIX),
        }
    }

    /// A folder of this test outside the store's root.
    pub fn outside(&self) -> PathBuf {
        let outside = self.folder.path().join("outside");
        std::fs::create_dir_all(&outside).unwrap();
        outside
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }
}

/// An S3 server on a port of its own.
pub struct Server {
    address: std::net::SocketAddr,
    // Dropping the set ends the server and its connections.
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(root: &Path) -> Self {
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let http = Builder::new(hyper_util::rt::TokioExecutor::new());
                    // A client may leave in the middle of a request; that is its affair.
                    let _ = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, _tasks: tasks }
    }

    /// Settings with which a store reaches this server.
    pub fn settings(&self) -> Settings {
        settings_for(&format!("http://{}", self.address))
    }
}

/// Settings for an S3 server at `endpoint`.
pub fn settings_for(endpoint: &str) -> Settings {
    Settings {
        endpoint: Some(endpoint.parse().unwrap()),
        region: Some("us-east-1".into()),
        access_key_id: Some(KEY_ID.into()),
        secret_access_key: Some(SECRET.into()),
        allow_http: true,
        ..Settings::default()
    }
}

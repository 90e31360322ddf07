//! A PostgreSQL database of one test's own, gone with it.

use anyhow::{Context as _, Result};
use sea_orm::{ConnectionTrait as _, Database};
use url::Url;

/// The server, unless `TEST_DATABASE_URL` names another; its user may create databases.
const DEFAULT_SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A database.
pub struct OwnDatabase {
    name: String,
    url: Url,
}

impl OwnDatabase {
    /// Creates an empty one.
    pub async fn create() -> Result<Self> {
        let name = format!("end_to_end_{}", uuid::Uuid::new_v4().simple());
        let mut url = server()?;
        execute(&url, &format!("CREATE DATABASE {name}")).await?;
        url.set_path(&name);
        Ok(Self { name, url })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

fn server() -> Result<Url> {
    let url = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| DEFAULT_SERVER.to_owned());
    Url::parse(&url).context("TEST_DATABASE_URL")
}

async fn execute(server: &Url, statement: &str) -> Result<()> {
    let connection = Database::connect(server.as_str())
        .await
        .with_context(|| format!("PostgreSQL at {server} (set TEST_DATABASE_URL to use another)"))?;
    let done = connection.execute_unprepared(statement).await.with_context(|| statement.to_owned());
    connection.close().await?;
    done.map(drop)
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let Ok(server) = server() else { return };
        // A drop may come inside a runtime, which cannot be blocked on from within.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(execute(&server, &statement))
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("a test database was left behind: {error:#}");
        }
    }
}

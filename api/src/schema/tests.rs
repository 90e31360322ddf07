//! The schema over real parts: both databases, the real hub and lifecycle, in one process.

mod bounds;
mod commands;
mod following;
mod questions;

use super::*;
use crate::read::fixture::{on_every_database, second};
use async_graphql::{Request, Response, ServerError, Variables};
use bus::{InProcess, RedeliveryPolicy};
use entity::{ItemId, event};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use storage::{Location, Recordings, Replays, Settings};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A schema and what it works with; everything ends when it is dropped.
struct Stage {
    schema: Schema,
    db: DatabaseConnection,
    /// Statements sent through `db` since the stage was set.
    statements: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
    _running: DropGuard,
}

impl Stage {
    async fn set(db: DatabaseConnection) -> Self {
        Self::set_with(db, Limits::default()).await
    }

    async fn set_with(mut db: DatabaseConnection, limits: Limits) -> Self {
        // The hub reads on its own connection handle, so that its reading is not counted.
        let limits = Limits { hub_poll: Duration::from_millis(10), ..limits };
        let bus = Arc::new(InProcess::new(RedeliveryPolicy::default(), 16));
        let running = CancellationToken::new();
        let (hub, _task) = Hub::start(db.clone(), bus, limits.clone(), running.clone());
        hub.ready().await;
        let statements = Arc::<Mutex<Vec<String>>>::default();
        let list = Arc::clone(&statements);
        db.set_metric_callback(move |sent| list.lock().unwrap().push(sent.statement.sql.clone()));
        let folder = tempfile::tempdir().unwrap();
        let parts = Parts {
            lifecycle: lifecycle_in(folder.path(), db.clone()),
            db: db.clone(),
            hub,
            limits,
            clock: Clock::System,
            places: Arc::new(places::Gazetteer::bundled().unwrap()),
            urls: PublicUrls {
                base: Url::parse("https://live.example/").unwrap(),
                replays: Url::parse("https://replays.example/public").unwrap(),
            },
            playback: None,
        };
        Self { schema: build(parts), db, statements, _folder: folder, _running: running.drop_guard() }
    }

    async fn ask(&self, query: &str, variables: Value) -> Response {
        self.schema.execute(Request::new(query).variables(Variables::from_json(variables))).await
    }

    /// The data of an answer without errors.
    async fn data(&self, query: &str, variables: Value) -> Value {
        let response = self.ask(query, variables).await;
        assert_eq!(response.errors, [], "{query}");
        response.data.into_json().unwrap()
    }

    /// The only error of an answer.
    async fn error(&self, query: &str, variables: Value) -> ServerError {
        let mut errors = self.ask(query, variables).await.errors;
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
        errors.remove(0)
    }

    /// Writes a line of the public log. Returns its number.
    async fn log(&self, kind: event::Kind, item: ItemId, at: (f64, f64)) -> i64 {
        let line = event::ActiveModel {
            at: Set(second(0)),
            kind: Set(kind),
            item_kind: Set(item.into()),
            item_id: Set(item.uuid()),
            longitude: Set(at.0),
            latitude: Set(at.1),
            ..Default::default()
        };
        line.insert(&self.db).await.unwrap().seq
    }
}

fn lifecycle_in(folder: &Path, db: DatabaseConnection) -> Lifecycle {
    let store = |name: &str| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Location::folder(&folder).unwrap()
    };
    Lifecycle::new(lifecycle::Parts {
        db,
        live: Arc::new(live::Local),
        recordings: Recordings::open(&store("recordings"), &Settings::default()).unwrap(),
        replays: Replays::open(&store("replays"), &Settings::default()).unwrap(),
        clock: Clock::System,
        limits: lifecycle::Limits::default(),
    })
}

/// A value of an error's extensions.
fn extension(error: &ServerError, name: &str) -> Option<String> {
    match error.extensions.as_ref()?.get(name)? {
        async_graphql::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[test]
fn the_schema_file_is_the_one_that_the_code_generates() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written.trim_end() == sdl().trim_end(),
        "schema.graphql is not what the code generates; write it anew with `cargo run -- schema > schema.graphql`"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let sdl = sdl();
    let lines: Vec<&str> = sdl.lines().take_while(|line| *line != "schema {").collect();
    assert!(lines.len() > 100);
    let mut quoted = false;
    for (number, line) in lines.iter().enumerate() {
        let word = line.trim_start();
        if word == "\"\"\"" {
            quoted = !quoted;
        } else if !quoted {
            let defines = ["type ", "input ", "interface ", "enum ", "scalar "].iter().any(|it| line.starts_with(it));
            let names = line.starts_with('\t') && !word.starts_with(')');
            let described = lines[number.saturating_sub(1)].trim_start() == "\"\"\"";
            // Arguments that are described stand in lines of their own.
            let bare_arguments = names && word.contains('(') && !word.ends_with('(');
            assert!((described || !(defines || names)) && !bare_arguments, "line {}: {line}", number + 1);
        }
    }
}

#[test]
fn a_replay_has_one_address_whether_or_not_the_base_ends_with_a_slash() {
    for base in ["https://cdn.example/public", "https://cdn.example/public/"] {
        let urls = PublicUrls { base: Url::parse("http://x/").unwrap(), replays: Url::parse(base).unwrap() };
        assert_eq!(urls.replay("vod/a/index.m3u8"), "https://cdn.example/public/vod/a/index.m3u8");
        assert_eq!(urls.live("/live/a/index.m3u8"), "http://x/live/a/index.m3u8");
        assert_eq!(urls.live("https://ivs.example/a.m3u8"), "https://ivs.example/a.m3u8");
    }
}

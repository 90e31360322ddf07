//! What tests of questions share: a fresh database of each kind, and rows to put into it.

use chrono::DateTime;
use entity::{
    BoundingBox, Category, CctvId, Latitude, Longitude, Position, PublishToken, StreamId, VodId, cctv, stream,
    time::Timestamp, vod,
};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, IntoActiveModel as _,
};
use std::{future::Future, panic::resume_unwind};
use url::Url;
use uuid::Uuid;

/// The PostgreSQL server that tests make their databases on, unless `TEST_DATABASE_URL` names another.
const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";

/// Runs a test on SQLite and on PostgreSQL, each time with an empty database that is gone afterwards.
pub(crate) async fn on_every_database<F, T>(test: F)
where
    F: Fn(DatabaseConnection) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let sqlite = connect("sqlite::memory:", 1).await;
    test(sqlite).await;

    let server = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| POSTGRES.to_owned());
    let admin = Database::connect(server.clone()).await.expect("PostgreSQL for tests");
    let name = format!("api_test_{}", Uuid::now_v7().simple());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let mut url = Url::parse(&server).unwrap();
    url.set_path(&name);
    let postgres = connect(url.as_str(), 4).await;
    // As a task of its own, so that the database is dropped after a test that failed, too.
    let outcome = tokio::spawn(test(postgres)).await;
    admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    if let Err(error) = outcome {
        resume_unwind(error.into_panic());
    }
}

async fn connect(url: &str, connections: u32) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    db
}

/// A box.
pub(crate) fn bbox(west: f64, south: f64, east: f64, north: f64) -> BoundingBox {
    let longitude = |degrees| Longitude::new(degrees).unwrap();
    let latitude = |degrees| Latitude::new(degrees).unwrap();
    BoundingBox::new(longitude(west), latitude(south), longitude(east), latitude(north)).unwrap()
}

/// A moment: so many seconds after the first of January 2030.
pub(crate) fn second(number: i64) -> Timestamp {
    DateTime::from_timestamp(1_893_456_000 + number, 0).unwrap()
}

fn cell(at: (f64, f64)) -> i64 {
    Position::new(at.0, at.1).unwrap().cell()
}

/// A stream on air.
pub(crate) fn stream(at: (f64, f64)) -> stream::Model {
    let id = StreamId::generate();
    stream::Model {
        id,
        status: stream::Status::Live,
        title: format!("broadcast {id}"),
        description: None,
        category: Category::Fire,
        longitude: at.0,
        latitude: at.1,
        cell: cell(at),
        heading: None,
        accuracy: None,
        publish_token_hash: PublishToken::generate().hash(),
        channel_arn: format!("arn:test:{id}"),
        playback_url: None,
        started_at: Some(second(0)),
        interrupted_at: None,
        resumed_at: None,
        ended_at: None,
        failed_at: None,
        removed_at: None,
        viewer_count: 0,
        created_at: second(0),
        updated_at: second(0),
    }
}

/// The replay of a stream, playable.
pub(crate) fn vod(stream: &stream::Model) -> vod::Model {
    let id = VodId::generate();
    vod::Model {
        id,
        stream_id: stream.id,
        status: vod::Status::Ready,
        category: stream.category,
        longitude: stream.longitude,
        latitude: stream.latitude,
        cell: stream.cell,
        recording_id: format!("recording {id}"),
        recording_prefix: format!("recording/{id}"),
        recording_ended_at: Some(second(60)),
        recording_purged_at: None,
        segment_total: Some(4),
        next_scan_at: None,
        scan_failed_at: None,
        listed_at: Some(second(60)),
        segments_known: 4,
        segments_settled: 4,
        gaps: 0,
        duration_ms: 8_000,
        gap_ms: 0,
        progress: 1.0,
        frames: 240,
        frames_detected: 48,
        detections: 30,
        face_tracks: 3,
        frames_filled: 60,
        faces_blurred: 90,
        seconds: 1.5,
        model: Some("centerface".into()),
        engine_version: None,
        thumbnail: None,
        live_thumbnail: None,
        ready_at: Some(second(61)),
        withheld_reason: None,
        created_at: second(0),
        updated_at: second(0),
    }
}

/// A camera with a still picture.
pub(crate) fn cctv(at: (f64, f64)) -> cctv::Model {
    let id = CctvId::generate();
    cctv::Model {
        id,
        source: "test".into(),
        source_id: id.to_string(),
        name: format!("camera {id}"),
        kind: cctv::Kind::Image,
        url: format!("https://cameras.example/{id}.jpg"),
        attribution: None,
        longitude: at.0,
        latitude: at.1,
        cell: cell(at),
        status: cctv::Status::Live,
        observed_at: Some(second(0)),
        created_at: second(0),
        updated_at: second(0),
    }
}

/// Stores a stream.
pub(crate) async fn put_stream(db: &DatabaseConnection, row: &stream::Model) {
    row.clone().into_active_model().reset_all().insert(db).await.unwrap();
}

/// Stores a replay.
pub(crate) async fn put_vod(db: &DatabaseConnection, row: &vod::Model) {
    row.clone().into_active_model().reset_all().insert(db).await.unwrap();
}

/// Stores a camera.
pub(crate) async fn put_cctv(db: &DatabaseConnection, row: &cctv::Model) {
    row.clone().into_active_model().reset_all().insert(db).await.unwrap();
}

/// Positions spread over the earth, the same every time: in clumps, on the antimeridian by both its names, at the
/// poles and the edges of tiles.
pub(crate) fn positions(count: usize) -> Vec<(f64, f64)> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    // Marsaglia's xorshift (2003).
    let mut share = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    let special = [(180.0, 0.1), (-180.0, -0.1), (179.99, 0.0), (-179.99, 0.0), (0.0, 90.0), (10.0, -90.0), (0.0, 0.0)];
    let spread = move |number: usize| match number % 3 {
        0 => (127.0 + share(), 37.0 + share()),
        1 => ((178.5 + 3.0 * share() + 180.0) % 360.0 - 180.0, -2.0 + 4.0 * share()),
        _ => (-180.0 + 360.0 * share(), -90.0 + 180.0 * share()),
    };
    special.into_iter().chain((0..).map(spread)).take(count).collect()
}

//! Migrations go forward and back.

use crate::world::{BACKENDS, connect};
use entity::{Category, PublishToken, SegmentId, StreamId, VodId, segment, stream, time::Clock, vod};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseConnection, EntityTrait as _,
};
use serde_json::json;

/// The last migration before a replay's row counted all that the redaction counts.
const BEFORE_RECORDS: u32 = 3;

#[tokio::test]
async fn the_schema_goes_up_and_down_and_up_again() {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().unwrap();
        let (db, _database) = connect(backend, &folder).await;
        Migrator::up(&db, None).await.unwrap();
        Migrator::down(&db, None).await.unwrap();
        assert_eq!(Migrator::get_applied_migrations(&db).await.unwrap().len(), 0, "{backend:?}");
        Migrator::up(&db, None).await.unwrap();
        assert!(Migrator::get_pending_migrations(&db).await.unwrap().is_empty(), "{backend:?}");
    }
}

#[tokio::test]
async fn replays_of_before_keep_what_their_segments_counted() {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().unwrap();
        let (db, _database) = connect(backend, &folder).await;
        Migrator::up(&db, Some(BEFORE_RECORDS)).await.unwrap();
        let id = insert_half_a_replay(&db).await;
        Migrator::up(&db, None).await.unwrap();
        let row = vod::Entity::find_by_id(id).one(&db).await.unwrap().unwrap();
        assert_eq!((row.frames_detected, row.detections, row.frames_filled), (24, 18, 80), "{backend:?}");
        assert!((row.seconds - 1.0).abs() < 1e-9 && (row.progress - 0.5).abs() < 1e-9, "{row:?}");
        assert_eq!(row.engine_version.as_deref(), Some("0.1.0"));
    }
}

/// A replay of four segments, two of them done, as rows were before.
async fn insert_half_a_replay(db: &DatabaseConnection) -> VodId {
    let (stream, id, now) = (StreamId::generate(), VodId::generate(), Clock::System.now());
    let row = stream::ActiveModel {
        id: Set(stream),
        status: Set(stream::Status::Live),
        title: Set("Smoke".into()),
        category: Set(Category::Fire),
        longitude: Set(127.0),
        latitude: Set(37.5),
        cell: Set(0),
        publish_token_hash: Set(PublishToken::generate().hash()),
        channel_arn: Set("arn".into()),
        viewer_count: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    stream::Entity::insert(row).exec_without_returning(db).await.unwrap();
    let row = vod::ActiveModel {
        id: Set(id),
        stream_id: Set(stream),
        status: Set(vod::Status::Processing),
        category: Set(Category::Fire),
        longitude: Set(127.0),
        latitude: Set(37.5),
        cell: Set(0),
        recording_id: Set("a".into()),
        recording_prefix: Set("ivs/a".into()),
        segments_known: Set(4),
        segments_settled: Set(2),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    vod::Entity::insert(row).exec_without_returning(db).await.unwrap();
    for number in 0..4 {
        let receipt = json!({ "frames": 60, "frames_detected": 12, "detections": 9, "frames_filled": 40, "seconds": 0.5,
            "version": "0.1.0" });
        let row = segment::ActiveModel {
            id: Set(SegmentId::generate()),
            vod_id: Set(id),
            number: Set(number),
            source_key: Set(format!("ivs/a/{number}.ts")),
            duration_ms: Set(2_000),
            discontinuity: Set(false),
            status: Set(if number < 2 { segment::Status::Done } else { segment::Status::Waiting }),
            attempts: Set(0),
            receipt: if number < 2 { Set(Some(receipt)) } else { NotSet },
            ..Default::default()
        };
        segment::Entity::insert(row).exec_without_returning(db).await.unwrap();
    }
    id
}

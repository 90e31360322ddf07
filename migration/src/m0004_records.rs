//! What is kept of a replay besides its segments: pictures, the whole of what the redaction counted, why a segment is
//! missing, how far it was said to be.

#[allow(clippy::wildcard_imports, reason = "the words of a schema, made to be imported whole")]
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement each: SQLite adds one column at a time.
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(PROGRESS).await?;
        connection.execute_unprepared(&counts()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            let name = column.get_column_name().clone();
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn columns() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("vod", text_null("thumbnail")),
        ("vod", text_null("live_thumbnail")),
        ("vod", big_integer("frames_detected").default(0).to_owned()),
        ("vod", big_integer("detections").default(0).to_owned()),
        ("vod", big_integer("frames_filled").default(0).to_owned()),
        ("vod", double("seconds").default(0.0).to_owned()),
        ("vod", text_null("engine_version")),
        ("vod", double("progress").default(0.0).to_owned()),
        ("vod", timestamp_with_time_zone_null("scan_failed_at")),
        ("segment", text_null("thumbnail")),
        ("segment", string_null("gap_reason")),
    ]
}

/// Replays that were there before have come as far as their segments say.
const PROGRESS: &str = "UPDATE vod SET progress = 1.0 * segments_settled / segments_known WHERE segments_known > 0";

/// And their segments' receipts say what was counted.
fn counts() -> String {
    let sum = |name: &str, kind: &str| {
        format!(
            "{name} = (SELECT COALESCE(SUM(CAST(receipt->>'{name}' AS {kind})), 0) FROM segment WHERE vod_id = vod.id)"
        )
    };
    let sums = [
        sum("frames_detected", "bigint"),
        sum("detections", "bigint"),
        sum("frames_filled", "bigint"),
        sum("seconds", "double precision"),
    ];
    let version = "engine_version = (SELECT MAX(receipt->>'version') FROM segment WHERE vod_id = vod.id)";
    format!("UPDATE vod SET {}, {version}", sums.join(", "))
}

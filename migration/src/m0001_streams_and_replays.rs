//! Streams, their replays and the segments these are made of.

#[allow(clippy::wildcard_imports, reason = "the words of a schema, made to be imported whole")]
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(streams()).await?;
        manager.create_table(vods()).await?;
        manager.create_table(segments()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["segment", "vod", "stream"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn streams() -> TableCreateStatement {
    Table::create()
        .table("stream")
        .col(pk_uuid("id"))
        .col(string("status"))
        .col(text("title"))
        .col(text_null("description"))
        .col(string("category"))
        .col(double("longitude"))
        .col(double("latitude"))
        .col(big_integer("cell"))
        .col(double_null("heading"))
        .col(double_null("accuracy"))
        .col(binary("publish_token_hash"))
        .col(string_uniq("channel_arn"))
        .col(text_null("playback_url"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("interrupted_at"))
        .col(timestamp_with_time_zone_null("resumed_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(timestamp_with_time_zone_null("failed_at"))
        .col(timestamp_with_time_zone_null("removed_at"))
        .col(integer("viewer_count").default(0))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .to_owned()
}

fn vods() -> TableCreateStatement {
    Table::create()
        .table("vod")
        .col(pk_uuid("id"))
        .col(uuid("stream_id"))
        .col(string("status"))
        .col(string("category"))
        .col(double("longitude"))
        .col(double("latitude"))
        .col(big_integer("cell"))
        .col(string_uniq("recording_id"))
        .col(text("recording_prefix"))
        .col(timestamp_with_time_zone_null("recording_ended_at"))
        .col(integer_null("segment_total"))
        .col(timestamp_with_time_zone_null("next_scan_at"))
        .col(timestamp_with_time_zone_null("listed_at"))
        .col(integer("segments_known").default(0))
        .col(integer("segments_settled").default(0))
        .col(integer("gaps").default(0))
        .col(big_integer("duration_ms").default(0))
        .col(big_integer("gap_ms").default(0))
        .col(big_integer("frames").default(0))
        .col(big_integer("face_tracks").default(0))
        .col(big_integer("faces_blurred").default(0))
        .col(text_null("model"))
        .col(timestamp_with_time_zone_null("ready_at"))
        .col(text_null("withheld_reason"))
        .col(timestamp_with_time_zone_null("recording_purged_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(ForeignKey::create().name("vod_stream").from("vod", "stream_id").to("stream", "id"))
        .to_owned()
}

fn segments() -> TableCreateStatement {
    Table::create()
        .table("segment")
        .col(pk_uuid("id"))
        .col(uuid("vod_id"))
        .col(integer("number"))
        .col(text("source_key"))
        .col(big_integer("duration_ms"))
        .col(boolean("discontinuity"))
        .col(string("status"))
        .col(timestamp_with_time_zone_null("issued_at"))
        .col(integer("attempts").default(0))
        .col(text_null("result_key"))
        .col(big_integer_null("result_bytes"))
        .col(boolean_null("copied"))
        .col(json_binary_null("receipt"))
        .col(text_null("failure"))
        .col(timestamp_with_time_zone_null("settled_at"))
        .foreign_key(ForeignKey::create().name("segment_vod").from("segment", "vod_id").to("vod", "id"))
        .to_owned()
}

/// What the map, the lists and the sweepers ask for; `cell` first, because a box is a set of cells.
fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str, table: &str, columns: &[&str]| {
        let mut index = Index::create().name(name).table(table.to_owned()).to_owned();
        for column in columns {
            index.col((*column).to_owned());
        }
        index
    };
    vec![
        index("stream_cell", "stream", &["status", "cell", "started_at"]),
        index("stream_recent", "stream", &["created_at", "id"]),
        index("vod_cell", "vod", &["cell", "listed_at"]),
        index("vod_recent", "vod", &["created_at", "id"]),
        index("vod_stream_id", "vod", &["stream_id"]),
        index("vod_scan", "vod", &["next_scan_at"]),
        index("segment_number", "segment", &["vod_id", "number"]).unique().to_owned(),
        index("segment_open", "segment", &["status", "issued_at"]),
    ]
}

//! The public log, the messages owed to the bus, and those that came in from live providers.

#[allow(clippy::wildcard_imports, reason = "the words of a schema, made to be imported whole")]
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(events()).await?;
        manager.create_table(outbox()).await?;
        manager.create_table(inbox()).await?;
        let by_item = Index::create().name("event_item").table("event").col("item_id").col("seq").to_owned();
        let by_time = Index::create().name("event_at").table("event").col("at").to_owned();
        let due = Index::create().name("inbox_due").table("inbox").col("next_try_at").to_owned();
        for index in [by_item, by_time, due] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["inbox", "outbox", "event"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Numbers are never used twice, even after the log was trimmed: `AUTOINCREMENT` on SQLite.
fn events() -> TableCreateStatement {
    Table::create()
        .table("event")
        .col(big_pk_auto("seq"))
        .col(timestamp_with_time_zone("at"))
        .col(string("kind"))
        .col(string("item_kind"))
        .col(uuid("item_id"))
        .col(double("longitude"))
        .col(double("latitude"))
        .col(double_null("from_longitude"))
        .col(double_null("from_latitude"))
        .to_owned()
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("outbox")
        .col(big_pk_auto("id"))
        .col(string("topic"))
        .col(text("payload"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(ColumnDef::new("id").text().not_null().primary_key().to_owned())
        .col(json_binary("event"))
        .col(timestamp_with_time_zone("received_at"))
        .col(timestamp_with_time_zone_null("next_try_at"))
        .col(integer("attempts").default(0))
        .col(text_null("failure"))
        .to_owned()
}

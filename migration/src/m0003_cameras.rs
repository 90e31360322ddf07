//! Public cameras.

#[allow(clippy::wildcard_imports, reason = "the words of a schema, made to be imported whole")]
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(cameras()).await?;
        let source =
            Index::create().name("cctv_source").table("cctv").col("source").col("source_id").unique().to_owned();
        let cell = Index::create().name("cctv_cell").table("cctv").col("cell").to_owned();
        let recent = Index::create().name("cctv_recent").table("cctv").col("created_at").col("id").to_owned();
        manager.create_index(source).await?;
        manager.create_index(recent).await?;
        manager.create_index(cell).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("cctv").to_owned()).await
    }
}

fn cameras() -> TableCreateStatement {
    Table::create()
        .table("cctv")
        .col(pk_uuid("id"))
        .col(text("source"))
        .col(text("source_id"))
        .col(text("name"))
        .col(string("kind"))
        .col(text("url"))
        .col(text_null("attribution"))
        .col(double("longitude"))
        .col(double("latitude"))
        .col(big_integer("cell"))
        .col(string("status"))
        .col(timestamp_with_time_zone_null("observed_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .to_owned()
}

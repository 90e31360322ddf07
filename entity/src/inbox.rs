//! Messages of a live provider, stored before they are acknowledged and kept until they are applied.

use crate::time::Timestamp;
use sea_orm::entity::prelude::*;

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub struct Model {
    /// The provider's id of the message: one that comes twice is stored once.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The message as a `LiveEvent`, JSON.
    #[sea_orm(column_type = "JsonBinary")]
    pub event: Json,
    /// When it came.
    pub received_at: Timestamp,
    /// When it is to be tried again; null once it is applied or given up.
    pub next_try_at: Option<Timestamp>,
    /// Tries so far.
    pub attempts: i32,
    /// Why the last try did not apply it.
    pub failure: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

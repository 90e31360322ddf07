//! Messages that a committed transaction owes the bus. A row is deleted once the bus has confirmed it.

use crate::time::Timestamp;
use sea_orm::entity::prelude::*;

crate::text_enum::text_enum! {
    /// Where a message goes.
    Topic {
        /// To every process: "the public log has grown up to this number". Payload: [`crate::job::EventNotice`].
        Events = "EVENTS",
        /// To every process: "this broadcast has a new picture". Payload: [`crate::job::PictureNotice`].
        Pictures = "PICTURES",
        /// To one worker. Payload: [`crate::job::RedactJob`].
        Jobs = "JOBS",
    }
}

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Messages are sent in this order.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Where it goes.
    pub topic: Topic,
    /// What it says, JSON.
    pub payload: String,
    /// When it was written.
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}

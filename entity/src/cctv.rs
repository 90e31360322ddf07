//! A public camera.

use crate::{CctvId, Position, time::Timestamp};
use sea_orm::entity::prelude::*;

crate::text_enum::text_enum! {
    /// How alive a camera is, judged by the age of its picture.
    Status {
        /// Its picture is fresh.
        Live = "LIVE",
        /// Its picture is old.
        Stale = "STALE",
        /// It has shown nothing for long.
        Dead = "DEAD",
        /// Its picture has not been judged.
        Unknown = "UNKNOWN",
    }
}

crate::text_enum::text_enum! {
    /// What a camera's address gives.
    Kind {
        /// A live playlist.
        Hls = "HLS",
        /// A short clip, renewed from time to time.
        Mp4 = "MP4",
        /// A still picture, renewed from time to time.
        Image = "IMAGE",
    }
}

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cctv")]
pub struct Model {
    /// Chosen by us.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CctvId,
    /// Who publishes it; unique together with `source_id`.
    #[sea_orm(unique_key = "source_and_id")]
    pub source: String,
    /// The source's own name for it.
    #[sea_orm(unique_key = "source_and_id")]
    pub source_id: String,
    /// What it looks at.
    pub name: String,
    /// What `url` gives.
    pub kind: Kind,
    /// The picture.
    pub url: String,
    /// Whom to credit.
    pub attribution: Option<String>,
    /// Degrees.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// [`Position::cell`] of the position.
    pub cell: i64,
    /// How alive it is.
    pub status: Status,
    /// When its picture last changed.
    pub observed_at: Option<Timestamp>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Where it is.
    pub fn position(&self) -> Option<Position> {
        Position::new(self.longitude, self.latitude).ok()
    }
}

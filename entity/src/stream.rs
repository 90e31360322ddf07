//! A stream: one broadcast at a place.
//!
//! The row keeps *facts*, each merged so that order and repetition do not matter (earliest start, latest
//! interruption, earliest end); the status follows from the facts alone, by [`Facts::status`].

use crate::{Category, Position, StreamId, time::Timestamp, token::TokenHash};
use sea_orm::entity::prelude::*;

crate::text_enum::text_enum! {
    /// Where a broadcast stands: `PREPARING → LIVE ⇄ INTERRUPTED → ENDED`, or `FAILED`, `REMOVED`.
    Status {
        /// Started by its broadcaster, no picture yet.
        Preparing = "PREPARING",
        /// On air.
        Live = "LIVE",
        /// On air, but no picture is coming in.
        Interrupted = "INTERRUPTED",
        /// Over.
        Ended = "ENDED",
        /// Never got on air.
        Failed = "FAILED",
        /// Taken down.
        Removed = "REMOVED",
    }
}

impl Status {
    /// Whether the broadcast stands on the map as a live one.
    pub const fn is_on_air(self) -> bool {
        matches!(self, Self::Live | Self::Interrupted)
    }

    /// Whether nothing can bring it on air again.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed | Self::Removed)
    }
}

/// The row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stream")]
pub struct Model {
    /// Chosen by us.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StreamId,
    /// What the facts below amount to; stored so that it can be asked for.
    pub status: Status,
    /// What the broadcaster calls it.
    pub title: String,
    /// More words from the broadcaster.
    pub description: Option<String>,
    /// The hazard it shows.
    pub category: Category,
    /// Degrees.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// [`Position::cell`] of the position.
    pub cell: i64,
    /// Where the camera looks: degrees clockwise from north.
    pub heading: Option<f64>,
    /// Radius of the position's uncertainty in metres.
    pub accuracy: Option<f64>,
    /// Hash of the broadcaster's token.
    pub publish_token_hash: TokenHash,
    /// The leased channel: how messages of the live provider find this stream.
    #[sea_orm(unique)]
    pub channel_arn: String,
    /// Where the live picture plays, if the provider serves one.
    pub playback_url: Option<String>,
    /// Fact: the earliest moment the provider saw it on air.
    pub started_at: Option<Timestamp>,
    /// Fact: the latest moment its picture stopped coming in.
    pub interrupted_at: Option<Timestamp>,
    /// Fact: the latest moment its picture came back.
    pub resumed_at: Option<Timestamp>,
    /// Fact: the earliest moment it was known to be over.
    pub ended_at: Option<Timestamp>,
    /// Fact: the earliest moment the provider gave up on it before it was on air.
    pub failed_at: Option<Timestamp>,
    /// Fact: the moment it was taken down.
    pub removed_at: Option<Timestamp>,
    /// Viewers now.
    pub viewer_count: i32,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}

/// What is known of a broadcast, whatever the order in which it came to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Earliest start.
    pub started_at: Option<Timestamp>,
    /// Latest interruption.
    pub interrupted_at: Option<Timestamp>,
    /// Latest return of the picture.
    pub resumed_at: Option<Timestamp>,
    /// Earliest end.
    pub ended_at: Option<Timestamp>,
    /// Earliest failure.
    pub failed_at: Option<Timestamp>,
    /// Earliest removal.
    pub removed_at: Option<Timestamp>,
}

impl Facts {
    /// The one rule by which a broadcast's status follows from what is known.
    pub fn status(&self) -> Status {
        if self.removed_at.is_some() {
            Status::Removed
        } else if self.ended_at.is_some() {
            Status::Ended
        } else if self.started_at.is_some() {
            // An interruption and a return in the same millisecond: the picture is back.
            if self.interrupted_at > self.resumed_at { Status::Interrupted } else { Status::Live }
        } else if self.failed_at.is_some() {
            Status::Failed
        } else {
            Status::Preparing
        }
    }

    /// Both sets of facts together: commutative, associative, idempotent.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            started_at: earliest(self.started_at, other.started_at),
            interrupted_at: self.interrupted_at.max(other.interrupted_at),
            resumed_at: self.resumed_at.max(other.resumed_at),
            ended_at: earliest(self.ended_at, other.ended_at),
            failed_at: earliest(self.failed_at, other.failed_at),
            removed_at: earliest(self.removed_at, other.removed_at),
        }
    }
}

/// The earlier of two moments, where each may be unknown.
pub fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

impl Model {
    /// Where it is.
    pub fn position(&self) -> Option<Position> {
        Position::new(self.longitude, self.latitude).ok()
    }

    /// What the row knows.
    pub fn facts(&self) -> Facts {
        Facts {
            started_at: self.started_at,
            interrupted_at: self.interrupted_at,
            resumed_at: self.resumed_at,
            ended_at: self.ended_at,
            failed_at: self.failed_at,
            removed_at: self.removed_at,
        }
    }
}

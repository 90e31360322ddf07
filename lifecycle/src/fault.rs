//! What can go wrong that is nobody's mistake; masked before it reaches a client.

/// A fault of the surroundings: asking again later may succeed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// Recordings or replays.
    #[error("storage: {0}")]
    Storage(#[from] storage::Error),
    /// Jobs or notices.
    #[error("{0}")]
    Bus(#[from] bus::Error),
    /// The live provider.
    #[error("{0}")]
    Provider(#[from] live::ProviderError),
    /// A stored message or key that cannot be read: written by another version, or damaged.
    #[error("unreadable {what}: {reason}")]
    Unreadable {
        /// What could not be read.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl Fault {
    pub(crate) fn unreadable(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Unreadable { what, reason: reason.to_string() }
    }
}

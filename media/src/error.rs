//! What can go wrong with a video; the caller knows the input's name and adds it.

/// A failure of reading, decoding, encoding or writing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a video in a known container, empty, or cut off.
    #[error("{0}")]
    Unreadable(String),
    /// A packet or picture is damaged.
    #[error("{0}")]
    Corrupt(String),
    /// No moving picture inside.
    #[error("no video")]
    NoVideo,
    /// Sound, but of a kind that cannot be handled.
    #[error("{0}")]
    Unsupported(String),
    /// The encoder refused or failed.
    #[error("{0}")]
    Encode(String),
    /// The container could not be written.
    #[error("{0}")]
    Mux(String),
}

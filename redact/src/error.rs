//! Why an input could not be redacted; every variant names the input, and none of them leaves an output behind.

/// What went wrong, and with which input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is empty, truncated, corrupt or not a video: examining it again will not help.
    #[error("{what} cannot be read: {reason}")]
    Unreadable {
        /// The name the caller gave the input: a segment number or a file path.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The input holds no moving picture.
    #[error("{what} holds no video")]
    NoVideo {
        /// The name the caller gave the input.
        what: String,
    },
    /// The input is sound, but holds what cannot be redacted or cannot be put into the output's container.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The name the caller gave the input.
        what: String,
        /// What it is that cannot be handled.
        reason: String,
    },
    /// The face model is missing, is not the one it should be, or failed to run.
    #[error("face model {name}: {reason}")]
    Model {
        /// Its path or name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The picture could not be encoded.
    #[error("{what} cannot be encoded: {reason}")]
    Encode {
        /// The name the caller gave the input.
        what: String,
        /// What the encoder or the muxer said.
        reason: String,
    },
    /// It took longer than the options allow.
    #[error("{what} took longer than {limit_ms} ms")]
    TooSlow {
        /// The name the caller gave the input.
        what: String,
        /// How long it might take, in milliseconds.
        limit_ms: u128,
    },
    /// The output could not be written.
    #[error("{path} cannot be written: {reason}")]
    Write {
        /// The output file.
        path: String,
        /// What the system said.
        reason: String,
    },
}

impl Error {
    /// `error` of the media crate, said about the input called `what`.
    pub(crate) fn media(what: &str, error: media::Error) -> Self {
        let what = what.to_owned();
        match error {
            media::Error::Unreadable(reason) | media::Error::Corrupt(reason) => Self::Unreadable { what, reason },
            media::Error::NoVideo => Self::NoVideo { what },
            media::Error::Unsupported(reason) => Self::Unsupported { what, reason },
            media::Error::Encode(reason) | media::Error::Mux(reason) => Self::Encode { what, reason },
        }
    }

    /// Whether the same input would fail in the same way again.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::NoVideo { .. } | Self::Unsupported { .. })
    }
}

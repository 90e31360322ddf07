//! The contract of WHIP (RFC 9725): a browser publishes over WebRTC with one HTTP request.

use async_trait::async_trait;
use entity::{PublishToken, StreamId};

/// Who answers WHIP requests.
#[async_trait]
pub trait Whip: Send + Sync {
    /// Takes an SDP offer; a publisher is expected from now on.
    async fn open(&self, stream: StreamId, token: &PublishToken, offer: &str) -> Result<WhipSession, WhipError>;
    /// Ends a session, and with it the broadcast. The token must be the stream's.
    async fn close(&self, stream: StreamId, token: &PublishToken, session: &str) -> Result<(), WhipError>;
}

/// An accepted offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhipSession {
    /// The last part of the session's address: letters, digits, hyphens. Not secret: the token is asked for as well.
    pub id: String,
    /// The SDP answer.
    pub answer: String,
}

/// Why a request was refused. The text is for the publisher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhipError {
    /// The offer cannot be read (400).
    #[error("the offer cannot be read: {0}")]
    BadOffer(String),
    /// The offer holds nothing that can be taken, such as no H.264 (422).
    #[error("{0}")]
    Unacceptable(String),
    /// The token is not this stream's (401).
    #[error("the publish token is not this stream's")]
    WrongToken,
    /// No such stream or session (404).
    #[error("there is no such stream or session")]
    Unknown,
    /// Somebody publishes already (409).
    #[error("somebody is publishing on this stream already")]
    Busy,
    /// The broadcast is over (410).
    #[error("the broadcast is over")]
    Ended,
    /// No room now (503).
    #[error("the server has as many publishers as it can take; try again later")]
    Full,
}

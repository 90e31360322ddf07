//! The provider itself: who may publish on what, and which broadcasts are under way.

use crate::publication::{Publication, Refused};
use entity::{PublishToken, StreamId};

/// What a publisher proves its right with.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// WHIP: the stream's id and its publish token.
    Token(StreamId, &'a PublishToken),
    /// RTMP: the stream key alone, which is a secret like the token.
    Key(&'a str),
}

/// The embedded live provider. Cheap to clone.
#[derive(Clone)]
pub struct Studio;

impl Studio {
    /// Lets a publisher in.
    ///
    /// # Errors
    /// Why not; the text is for the publisher.
    pub fn open(&self, _credential: Credential<'_>) -> Result<Publication, Refused> {
        Err(Refused::Unknown)
    }

    /// Whether the token is this stream's: for requests about a session that is open.
    ///
    /// # Errors
    /// [`Refused::Unknown`], [`Refused::WrongToken`].
    pub fn check(&self, _stream: StreamId, _token: &PublishToken) -> Result<(), Refused> {
        Err(Refused::Unknown)
    }
}

//! Why a socket is closed: every code we send, once.
//!
//! Codes from 4400 on are those of the subprotocol; clients of the npm package `graphql-ws` do not come back after
//! 4400, 4401, 4406, 4409 and 4429, and do after 1001, 4408, 4503 and 4504.

use actix_ws::{CloseCode, CloseReason, ProtocolError};
use std::io;

/// A close code and what it means, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) code: u16,
    reason: &'static str,
}

pub(super) const NORMAL: End = End { code: 1000, reason: "" };
pub(super) const GOING_AWAY: End = End { code: 1001, reason: "the server is going away; come back" };
pub(super) const PROTOCOL_ERROR: End = End { code: 1002, reason: "not a WebSocket" };
pub(super) const NOT_UTF8: End = End { code: 1007, reason: "text is not UTF-8" };
pub(super) const TOO_LARGE: End = End { code: 1009, reason: "a message is too large" };
pub(super) const INVALID_MESSAGE: End = End { code: 4400, reason: "Invalid message" };
pub(super) const UNAUTHORIZED: End = End { code: 4401, reason: "Unauthorized" };
pub(super) const BAD_SUBPROTOCOL: End = End { code: 4406, reason: "Subprotocol not acceptable" };
pub(super) const INIT_TIMEOUT: End = End { code: 4408, reason: "Connection initialisation timeout" };
pub(super) const DUPLICATE_ID: End = End { code: 4409, reason: "Subscriber for this id already exists" };
pub(super) const SECOND_INIT: End = End { code: 4429, reason: "Too many initialisation requests" };
pub(super) const TOO_SLOW: End = End { code: 4503, reason: "read too slowly; resume from your cursor" };
pub(super) const IDLE: End = End { code: 4504, reason: "no answer to pings" };
/// The connection is gone: there is nobody to send a close frame to.
pub(super) const GONE: End = End { code: 1006, reason: "" };

impl From<End> for CloseReason {
    fn from(end: End) -> Self {
        Self { code: CloseCode::Other(end.code), description: (!end.reason.is_empty()).then(|| end.reason.to_owned()) }
    }
}

/// What a fault of reading comes to.
pub(super) fn reading(error: &ProtocolError) -> End {
    match error {
        ProtocolError::Overflow => TOO_LARGE,
        ProtocolError::Io(error) => match error.kind() {
            // How actix-ws says that reserved bits are set, and that text is not UTF-8.
            io::ErrorKind::InvalidData if error.to_string().contains("reserved bits") => PROTOCOL_ERROR,
            io::ErrorKind::InvalidData => NOT_UTF8,
            // How it says that fragments together are too large.
            io::ErrorKind::Other if error.to_string().contains("continuation size") => TOO_LARGE,
            _ => GONE,
        },
        _ => PROTOCOL_ERROR,
    }
}

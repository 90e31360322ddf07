//! The messages of both subprotocols: what a client may say, and how we say things to it.
//!
//! Only parses and writes; what may be said when is for the socket to judge.

use crate::{Limits, operation::Params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `graphql-transport-ws`, of the npm package `graphql-ws`.
    Transport,
    /// `graphql-ws`, of the older npm package `subscriptions-transport-ws`.
    Legacy,
}

/// What a client says.
pub(super) enum Incoming {
    /// It wants to begin.
    Init,
    /// It wants an answer, with the same payload.
    Ping(Option<Box<RawValue>>),
    /// It answers.
    Pong,
    /// It wants an operation executed, under an id of its choice.
    Subscribe {
        /// Its choice.
        id: String,
        /// The operation.
        params: Params,
    },
    /// It wants no more of an operation.
    Complete {
        /// Which one.
        id: String,
    },
    /// It leaves.
    Terminate,
}

/// A message that is not one of the subprotocol.
pub(super) struct Invalid;

impl Protocol {
    /// Their names in `Sec-WebSocket-Protocol`.
    pub(super) const NAMES: &[&str] = &["graphql-transport-ws", "graphql-ws"];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Transport, Self::Legacy].into_iter().find(|protocol| protocol.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Transport => "graphql-transport-ws",
            Self::Legacy => "graphql-ws",
        }
    }

    /// Reads a message.
    pub(super) fn parse(self, text: &str, limits: &Limits) -> Result<Incoming, Invalid> {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
            #[serde(default)]
            id: Option<String>,
            #[serde(default, borrow)]
            payload: Option<&'a RawValue>,
        }
        let Message { kind, id, payload } = serde_json::from_str(text).map_err(|_| Invalid)?;
        let id = || id.filter(|id| !id.is_empty() && id.len() <= limits.operation_id_bytes).ok_or(Invalid);
        // A payload, where there may be one, is a map.
        let map = payload.is_none_or(|payload| payload.get().starts_with('{'));
        match (self, kind.as_ref()) {
            (_, "connection_init") if map => Ok(Incoming::Init),
            (Self::Transport, "ping") if map => Ok(Incoming::Ping(payload.map(ToOwned::to_owned))),
            (Self::Transport, "pong") if map => Ok(Incoming::Pong),
            (Self::Transport, "subscribe") | (Self::Legacy, "start") => {
                let params = serde_json::from_str(payload.ok_or(Invalid)?.get()).map_err(|_| Invalid)?;
                Ok(Incoming::Subscribe { id: id()?, params })
            }
            (Self::Transport, "complete") | (Self::Legacy, "stop") => Ok(Incoming::Complete { id: id()? }),
            (Self::Legacy, "connection_terminate") => Ok(Incoming::Terminate),
            _ => Err(Invalid),
        }
    }

    /// "You may begin."
    pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;

    /// What tells an older client that we are still here; newer ones know by WebSocket pings.
    pub(super) const fn keep_alive(self) -> Option<&'static str> {
        match self {
            Self::Transport => None,
            Self::Legacy => Some(r#"{"type":"ka"}"#),
        }
    }

    /// The answer to a client's ping.
    pub(super) fn pong(payload: Option<&RawValue>) -> String {
        write("pong", None, payload)
    }

    /// One answer of an operation.
    pub(super) fn next(self, id: &str, answer: &impl Serialize) -> String {
        let kind = if self == Self::Transport { "next" } else { "data" };
        write(kind, Some(id), Some(answer))
    }

    /// An operation that was refused and is over.
    pub(super) fn error(self, id: &str, errors: &[impl Serialize]) -> String {
        match self {
            Self::Transport => write("error", Some(id), Some(errors)),
            // The older subprotocol has room for one.
            Self::Legacy => write("error", Some(id), errors.first()),
        }
    }

    /// An operation that is over.
    pub(super) fn complete(id: &str) -> String {
        write("complete", Some(id), None::<&()>)
    }
}

fn write<P: Serialize + ?Sized>(kind: &'static str, id: Option<&str>, payload: Option<&P>) -> String {
    #[derive(Serialize)]
    struct Message<'a, P: ?Sized> {
        #[serde(rename = "type")]
        kind: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a P>,
    }
    serde_json::to_string(&Message { kind, id, payload }).unwrap_or_else(|error| {
        // Only a map with keys that are no strings could fail, and GraphQL has none.
        tracing::error!(error = %error, "a message cannot be written as JSON");
        r#"{"type":"ping"}"#.to_owned()
    })
}

//! The one way from a failure to an error of an answer: a code, a sentence for people, nothing of the inside.
//!
//! [`Failure`] deliberately has no `Display`: async-graphql makes an error, without a code and with the whole text, of
//! whatever has one.

use super::scalars::Cursor;
use crate::hub::Ended;
use async_graphql::{Error, ErrorExtensions as _};
use sea_orm::DbErr;
use std::fmt::Display;

/// `extensions.code` of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The request cannot be taken as it is.
    BadInput,
    /// There is no such thing.
    NotFound,
    /// Too much was asked for in too short a time.
    RateLimited,
    /// Not now; asking again later may succeed.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// The word on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BadInput => "BAD_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Why a field has no answer, as far as a client may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A value that cannot be taken.
    BadInput {
        /// Its path in the arguments, such as `bbox.west`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such thing.
    NotFound(&'static str),
    /// A part of ours is away for the moment.
    Unavailable,
    /// A subscription was read too slowly and goes on after this event.
    Lagged(i64),
    /// A fault of ours.
    Internal,
}

impl Failure {
    /// A value that cannot be taken.
    pub(crate) fn bad_input(field: impl Into<String>, reason: impl Display) -> Self {
        Self::BadInput { field: field.into(), reason: reason.to_string() }
    }

    /// A fault of ours: logged here, shown as such.
    pub(crate) fn internal(error: impl Display) -> Self {
        tracing::error!(%error, "a field could not be answered");
        Self::Internal
    }

    /// A fault of the surroundings: logged here, shown as something to try again.
    pub(crate) fn unavailable(error: impl Display) -> Self {
        tracing::warn!(%error, "a field could not be answered for now");
        Self::Unavailable
    }

    /// What a client can decide by.
    pub(crate) const fn code(&self) -> Code {
        match self {
            Self::BadInput { .. } => Code::BadInput,
            Self::NotFound(_) => Code::NotFound,
            Self::Unavailable | Self::Lagged(_) => Code::Unavailable,
            Self::Internal => Code::Internal,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::BadInput { field, reason } => format!("{field}: {reason}"),
            Self::NotFound(what) => format!("there is no such {what}"),
            Self::Unavailable => "not available now; try again later".into(),
            Self::Lagged(_) => "read too slowly; subscribe again after extensions.resumeAfter".into(),
            Self::Internal => "something went wrong on our side".into(),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.message()).extend_with(|_, extensions| {
            extensions.set("code", failure.code().as_str());
            match &failure {
                Failure::BadInput { field, .. } => extensions.set("field", field.as_str()),
                Failure::Lagged(seq) => extensions.set("resumeAfter", Cursor::Event(*seq).to_string()),
                _ => {}
            }
        })
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        match error {
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Lagged { resume_after } => Self::Lagged(resume_after),
            Ended::CursorTooOld => Self::bad_input("after", "too old: read the map again and go on after its cursor"),
            Ended::Closed => Self::Unavailable,
        }
    }
}

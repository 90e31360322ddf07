//! The schema's own scalars, and how each is written.
//!
//! A coordinate's range is checked where it becomes a position or a box, not here, so that the error can name the
//! field.

use super::{Failure, Result};
use crate::read::page::Mark;
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::SecondsFormat;
use entity::time::{Timestamp, to_millis};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Degrees as a client sent them, or as a row keeps them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Longitude(pub f64);

/// Degrees as a client sent them, or as a row keeps them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latitude(pub f64);

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

/// A place in a sequence: of the public log, or of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// After the event of this number.
    Event(i64),
    /// After this row of a list.
    Row(Mark),
}

/// Degrees east of Greenwich (WGS 84), −180 to 180.
#[Scalar]
impl ScalarType for Longitude {
    fn parse(value: Value) -> InputValueResult<Self> {
        degrees(value).map(Self).map_err(InputValueError::propagate)
    }

    fn to_value(&self) -> Value {
        self.0.into()
    }
}

/// Degrees north of the equator (WGS 84), −90 to 90.
#[Scalar]
impl ScalarType for Latitude {
    fn parse(value: Value) -> InputValueResult<Self> {
        degrees(value).map(Self).map_err(InputValueError::propagate)
    }

    fn to_value(&self) -> Value {
        self.0.into()
    }
}

fn degrees(value: Value) -> InputValueResult<f64> {
    match &value {
        Value::Number(number) => number.as_f64().ok_or_else(|| InputValueError::custom("not a number of degrees")),
        _ => Err(InputValueError::expected_type(value)),
    }
}

/// A moment, UTC, to the millisecond, as RFC 3339 writes it: `2030-01-31T23:59:59.000Z`. Other offsets are taken and
/// turned into UTC.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let moment = chrono::DateTime::parse_from_rfc3339(text)
            .map_err(|error| InputValueError::custom(format!("not a moment as in RFC 3339: {error}")))?;
        Ok(Self(to_millis(moment.to_utc())))
    }

    fn to_value(&self) -> Value {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true).into()
    }
}

/// A place in a sequence, opaque. A cursor of the map or of an event is taken by `mapEvents(after:)`; one of a
/// connection by the same connection's `after`.
#[Scalar]
impl ScalarType for Cursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse().map_err(|NotACursor| InputValueError::custom("not a cursor of this API"))
    }

    fn to_value(&self) -> Value {
        self.to_string().into()
    }
}

/// A text that is no cursor.
#[derive(Debug, PartialEq, Eq)]
pub struct NotACursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Self::Event(seq) => format!("event:{seq}"),
            Self::Row(mark) => format!("row:{}:{}", mark.created_at.timestamp_millis(), mark.id.simple()),
        };
        f.write_str(&URL_SAFE_NO_PAD.encode(plain))
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> std::result::Result<Self, NotACursor> {
        let plain = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let plain = str::from_utf8(&plain).map_err(|_| NotACursor)?;
        let cursor = match plain.split(':').collect::<Vec<_>>()[..] {
            ["event", seq] => seq.parse().ok().filter(|seq| *seq >= 0).map(Self::Event),
            ["row", millis, id] => row(millis, id).map(Self::Row),
            _ => None,
        };
        cursor.ok_or(NotACursor)
    }
}

fn row(millis: &str, id: &str) -> Option<Mark> {
    let created_at = Timestamp::from_timestamp_millis(millis.parse().ok()?)?;
    Some(Mark { created_at, id: Uuid::try_parse(id).ok()? })
}

impl Cursor {
    /// The number of an event.
    pub(crate) fn event(self) -> Result<i64> {
        match self {
            Self::Event(seq) => Ok(seq),
            Self::Row(_) => Err(Failure::bad_input("after", "a cursor of a connection, not of the map or an event")),
        }
    }

    /// The place in a list.
    pub(crate) fn row(self) -> Result<Mark> {
        match self {
            Self::Row(mark) => Ok(mark),
            Self::Event(_) => Err(Failure::bad_input("after", "a cursor of an event, not of a connection")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_itself() {
        let created_at = Timestamp::from_timestamp_millis(1_893_456_000_123).unwrap();
        for cursor in [Cursor::Event(0), Cursor::Event(i64::MAX), Cursor::Row(Mark { created_at, id: Uuid::now_v7() })]
        {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn no_other_text_is_a_cursor() {
        let encoded = |plain: &str| URL_SAFE_NO_PAD.encode(plain);
        for wrong in
            [String::new(), "7".into(), "event:7".into(), encoded("event:-1"), encoded("event:"), encoded("row:7")]
        {
            assert_eq!(wrong.parse::<Cursor>(), Err(NotACursor), "{wrong}");
        }
    }

    #[test]
    fn a_moment_is_written_in_utc_to_the_millisecond() {
        let moment = DateTime::parse(Value::from("2030-01-31T12:00:00.1239+09:00")).map_err(drop).unwrap();
        assert_eq!(moment.to_value(), Value::from("2030-01-31T03:00:00.123Z"));
        assert!(DateTime::parse(Value::from("yesterday")).is_err());
    }
}

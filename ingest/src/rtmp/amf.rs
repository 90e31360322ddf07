//! AMF0 (Action Message Format, Adobe 2007), as much of it as RTMP's commands are made of.
//!
//! Values that nobody here asks for are read over; nesting and size are bounded, since anybody may send them.

use bytes::{BufMut as _, BytesMut};

const NUMBER: u8 = 0;
const BOOLEAN: u8 = 1;
const STRING: u8 = 2;
const OBJECT: u8 = 3;
const NULL: u8 = 5;
const UNDEFINED: u8 = 6;
const ECMA_ARRAY: u8 = 8;
const OBJECT_END: u8 = 9;
const STRICT_ARRAY: u8 = 10;
const DATE: u8 = 11;
const LONG_STRING: u8 = 12;

/// How deep values may lie in each other; commands have two levels.
const MAX_DEPTH: u8 = 8;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Text(String),
    Object(Vec<(String, Value)>),
    Null,
    /// Something that no command of ours asks for.
    Other,
}

/// What came is no AMF0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("AMF0 that cannot be read")]
pub(super) struct Malformed;

impl Value {
    /// The property of this name, if it is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let Self::Object(properties) = self else { return None };
        properties.iter().find_map(|(key, value)| match value {
            Self::Text(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Reads values to the end.
pub(super) fn read(mut from: &[u8]) -> Result<Vec<Value>, Malformed> {
    let mut values = Vec::new();
    while !from.is_empty() {
        values.push(value(&mut from, 0)?);
    }
    Ok(values)
}

fn value(from: &mut &[u8], depth: u8) -> Result<Value, Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed);
    }
    Ok(match take::<1>(from)?[0] {
        NUMBER => Value::Number(f64::from_be_bytes(take(from)?)),
        BOOLEAN => take::<1>(from).map(|_| Value::Other)?,
        STRING => Value::Text(text(from)?),
        OBJECT => Value::Object(properties(from, depth)?),
        ECMA_ARRAY => {
            take::<4>(from)?;
            Value::Object(properties(from, depth)?)
        }
        NULL | UNDEFINED => Value::Null,
        STRICT_ARRAY => {
            for _ in 0..u32::from_be_bytes(take(from)?) {
                value(from, depth + 1)?;
            }
            Value::Other
        }
        DATE => take::<10>(from).map(|_| Value::Other)?,
        LONG_STRING => {
            let length = usize::try_from(u32::from_be_bytes(take(from)?)).map_err(|_| Malformed)?;
            *from = from.get(length..).ok_or(Malformed)?;
            Value::Other
        }
        _ => return Err(Malformed),
    })
}

fn properties(from: &mut &[u8], depth: u8) -> Result<Vec<(String, Value)>, Malformed> {
    let mut properties = Vec::new();
    loop {
        let name = text(from)?;
        if name.is_empty() {
            return if take::<1>(from)?[0] == OBJECT_END { Ok(properties) } else { Err(Malformed) };
        }
        properties.push((name, value(from, depth + 1)?));
    }
}

fn text(from: &mut &[u8]) -> Result<String, Malformed> {
    let length = usize::from(u16::from_be_bytes(take(from)?));
    let (text, rest) = from.split_at_checked(length).ok_or(Malformed)?;
    *from = rest;
    String::from_utf8(text.to_vec()).map_err(|_| Malformed)
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = from.split_first_chunk::<N>().ok_or(Malformed)?;
    *from = rest;
    Ok(*taken)
}

/// Writes values.
pub(super) fn write(values: &[Value]) -> BytesMut {
    let mut to = BytesMut::new();
    for value in values {
        put(value, &mut to);
    }
    to
}

fn put(value: &Value, to: &mut BytesMut) {
    match value {
        Value::Number(number) => {
            to.put_u8(NUMBER);
            to.put_f64(*number);
        }
        Value::Text(text) => {
            to.put_u8(STRING);
            put_text(text, to);
        }
        Value::Object(properties) => {
            to.put_u8(OBJECT);
            for (name, value) in properties {
                put_text(name, to);
                put(value, to);
            }
            to.put_slice(&[0, 0, OBJECT_END]);
        }
        Value::Null | Value::Other => to.put_u8(NULL),
    }
}

/// What we write is short; what were not is cut.
fn put_text(text: &str, to: &mut BytesMut) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    to.put_u16(length);
    to.put_slice(&text.as_bytes()[..usize::from(length)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Vec<Value> {
        let app = Value::Object(vec![("app".into(), Value::Text("live".into())), ("n".into(), Value::Number(1.5))]);
        vec![Value::Text("connect".into()), Value::Number(1.0), app, Value::Null]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read = read(&write(&command())).unwrap();
        assert_eq!(read, command());
        assert_eq!(read[2].text("app"), Some("live"));
        assert_eq!((read[2].text("n"), read[0].text("app")), (None, None));
    }

    #[test]
    fn values_of_metadata_are_read_over() {
        let mut bytes = vec![ECMA_ARRAY, 0, 0, 0, 9, 0, 1, b'd', DATE];
        bytes.extend([0; 10]);
        bytes.extend([
            0,
            1,
            b'l',
            LONG_STRING,
            0,
            0,
            0,
            2,
            b'h',
            b'i',
            0,
            1,
            b'a',
            STRICT_ARRAY,
            0,
            0,
            0,
            1,
            UNDEFINED,
        ]);
        bytes.extend([0, 1, b't', BOOLEAN, 1, 0, 0, OBJECT_END]);
        let [Value::Object(properties)] = &read(&bytes).unwrap()[..] else { panic!() };
        assert_eq!(properties.len(), 4);
    }

    #[test]
    fn what_is_cut_off_or_nested_without_end_is_refused() {
        let bytes = write(&command());
        let cuts = (0..bytes.len()).filter(|end| read(&bytes[..*end]).is_ok()).count();
        assert_eq!(cuts, 4, "only where a value begins");
        assert_eq!(read(&[STRICT_ARRAY, 0, 0, 0, 1].repeat(1_000_000)), Err(Malformed));
        assert_eq!(read(&[OBJECT, 0, 1, b'x'].repeat(1_000_000)), Err(Malformed));
        assert_eq!(read(&[STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff, NULL]), Err(Malformed));
    }
}

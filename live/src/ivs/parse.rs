//! Reads one EventBridge message. What it returns is checked: texts are bounded, a recording's folder cannot climb.
//!
//! What we do not know is ignored, not refused: a refused message is sent again for a day.

use super::{LIMIT_BREACH, RECORDING_STATE, SOURCE, STREAM_HEALTH, STREAM_STATE};
use crate::event::{LiveEvent, LiveEventKind, RecordingRef};
use entity::time::{Timestamp, to_millis};
use serde_json::{Map, Value};
use storage::Key;

/// The longest id, ARN or name that is taken, in bytes.
const MAX_NAME_BYTES: usize = 512;
/// A longer reason is cut here, in characters.
const MAX_REASON_CHARS: usize = 500;

/// What a message comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// Something that concerns a stream or a recording.
    Event(LiveEvent),
    /// A proper message that changes nothing for us.
    Ignored {
        /// The message's `detail-type`.
        detail_type: String,
        /// What told it apart within its type; empty if there was nothing of the kind.
        name: String,
        /// Why it changes nothing.
        reason: &'static str,
    },
}

/// Why a text is no message: sending it again would not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct Malformed {
    /// Where in the message, such as `detail.event_name`.
    pub at: String,
    /// What is wrong there.
    pub what: String,
}

/// What one message means, before its envelope is read.
enum Meaning {
    Event(LiveEventKind),
    Nothing(&'static str),
}

/// Reads one message. How large it may be is the caller's affair.
pub fn parse(body: &[u8]) -> Result<Parsed, Malformed> {
    let value: Value = serde_json::from_slice(body).map_err(|e| {
        let what = if e.is_eof() { "the message ends too early" } else { "this is not JSON" };
        malformed(&format!("line {}, column {}", e.line(), e.column()), what)
    })?;
    let message = value.as_object().ok_or_else(|| malformed("the message", "is not an object"))?;
    let detail_type = name(message, "", "detail-type")?;
    let ignored = |name: &str, reason| Parsed::Ignored { detail_type: detail_type.into(), name: name.into(), reason };
    if name(message, "", "source")? != SOURCE {
        return Ok(ignored("", "it does not come from IVS"));
    }
    let told_by = match detail_type {
        STREAM_STATE | STREAM_HEALTH => "event_name",
        LIMIT_BREACH => "limit_name",
        RECORDING_STATE => "recording_status",
        _ => return Ok(ignored("", "its detail-type is unknown")),
    };
    let detail = field(message, "", "detail")?.as_object().ok_or_else(|| malformed("detail", "is not an object"))?;
    let told = name(detail, "detail.", told_by)?;
    let meaning = match detail_type {
        STREAM_STATE => stream_state(told, detail),
        STREAM_HEALTH => stream_health(told),
        RECORDING_STATE => recording_state(told, detail)?,
        _ => Meaning::Nothing("a limit of the account or of the picture was passed"),
    };
    match meaning {
        Meaning::Nothing(reason) => Ok(ignored(told, reason)),
        Meaning::Event(kind) => Ok(Parsed::Event(LiveEvent {
            id: name(message, "", "id")?.to_owned(),
            at: time(message)?,
            channel_arn: channel(message)?.to_owned(),
            kind,
        })),
    }
}

fn stream_state(name: &str, detail: &Map<String, Value>) -> Meaning {
    match name {
        // After a takeover the channel goes on, with another broadcaster.
        "Stream Start" | "Stream Takeover" => Meaning::Event(LiveEventKind::StreamUp),
        "Stream End" | "Session Ended" => Meaning::Event(LiveEventKind::StreamDown),
        "Stream Failure" => Meaning::Event(LiveEventKind::StreamFailed { reason: reason(detail, "reason") }),
        "Session Created" => Meaning::Nothing("no picture is on air yet"),
        "Stream Takeover Failure" => Meaning::Nothing("whoever was on air stays on air"),
        _ => Meaning::Nothing("its event_name is unknown"),
    }
}

fn stream_health(name: &str) -> Meaning {
    match name {
        "Starvation Start" => Meaning::Event(LiveEventKind::StreamInterrupted),
        "Starvation End" => Meaning::Event(LiveEventKind::StreamBack),
        _ => Meaning::Nothing("its event_name is unknown"),
    }
}

fn recording_state(status: &str, detail: &Map<String, Value>) -> Result<Meaning, Malformed> {
    let kind = match status {
        "Recording Start" => LiveEventKind::RecordingStarted(recording(detail)?),
        "Recording End" => LiveEventKind::RecordingEnded { recording: recording(detail)?, segments: None },
        "Recording Start Failure" | "Recording End Failure" => {
            // Without a folder, nothing was written.
            let folder = text(detail, "detail.", "recording_s3_key_prefix")?;
            let recording = if folder.is_empty() { None } else { Some(recording(detail)?) };
            LiveEventKind::RecordingFailed { recording, reason: reason(detail, "recording_status_reason") }
        }
        _ => return Ok(Meaning::Nothing("its recording_status is unknown")),
    };
    Ok(Meaning::Event(kind))
}

fn recording(detail: &Map<String, Value>) -> Result<RecordingRef, Malformed> {
    let id = name(detail, "detail.", "recording_session_id")?.to_owned();
    let prefix = Key::parse(text(detail, "detail.", "recording_s3_key_prefix")?)
        .map_err(|e| malformed("detail.recording_s3_key_prefix", &e.to_string()))?;
    Ok(RecordingRef { id, prefix: prefix.to_string() })
}

fn channel(message: &Map<String, Value>) -> Result<&str, Malformed> {
    let resources = field(message, "", "resources")?.as_array();
    let resources = resources.ok_or_else(|| malformed("resources", "is not a list"))?;
    let arn = resources.first().ok_or_else(|| malformed("resources", "names no channel"))?;
    let arn = arn.as_str().ok_or_else(|| malformed("resources[0]", "is not a text"))?;
    bounded(arn, "resources[0]")
}

fn time(message: &Map<String, Value>) -> Result<Timestamp, Malformed> {
    let text = text(message, "", "time")?;
    let time = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| malformed("time", "is not an RFC 3339 time"))?;
    Ok(to_millis(time.to_utc()))
}

/// The reason that a message gives, if it gives one as text.
fn reason(detail: &Map<String, Value>, key: &str) -> String {
    detail.get(key).and_then(Value::as_str).unwrap_or_default().chars().take(MAX_REASON_CHARS).collect()
}

fn name<'a>(object: &'a Map<String, Value>, path: &str, key: &str) -> Result<&'a str, Malformed> {
    bounded(text(object, path, key)?, &format!("{path}{key}"))
}

fn bounded<'a>(text: &'a str, at: &str) -> Result<&'a str, Malformed> {
    match text {
        "" => Err(malformed(at, "is empty")),
        text if text.len() > MAX_NAME_BYTES => Err(malformed(at, "is too long")),
        text => Ok(text),
    }
}

fn text<'a>(object: &'a Map<String, Value>, path: &str, key: &str) -> Result<&'a str, Malformed> {
    field(object, path, key)?.as_str().ok_or_else(|| malformed(&format!("{path}{key}"), "is not a text"))
}

fn field<'a>(object: &'a Map<String, Value>, path: &str, key: &str) -> Result<&'a Value, Malformed> {
    object.get(key).ok_or_else(|| malformed(&format!("{path}{key}"), "is missing"))
}

fn malformed(at: &str, what: &str) -> Malformed {
    Malformed { at: at.to_owned(), what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn start() -> Value {
        json!({
            "id": "message-1", "detail-type": STREAM_STATE, "source": SOURCE, "time": "2026-01-02T03:04:05.678Z",
            "resources": ["arn:aws:ivs:us-west-2:123456789012:channel/AbCdef1G2hij"],
            "detail": { "event_name": "Stream Start", "stream_id": "st-1" },
        })
    }

    fn recording(status: &str, prefix: &Value) -> Value {
        let mut message = start();
        message["detail-type"] = json!(RECORDING_STATE);
        message["detail"] = json!({
            "recording_status": status, "recording_session_id": "rec-1", "recording_s3_key_prefix": prefix,
        });
        message
    }

    fn read(message: &Value) -> Result<Parsed, Malformed> {
        parse(message.to_string().as_bytes())
    }

    #[test]
    fn what_is_missing_or_of_a_wrong_type_is_named_by_its_place() {
        for (place, value, at, what) in [
            ("/id", Value::Null, "id", "is not a text"),
            ("/id", json!(""), "id", "is empty"),
            ("/id", json!("x".repeat(513)), "id", "is too long"),
            ("/time", json!(1_767_323_045), "time", "is not a text"),
            ("/time", json!("yesterday"), "time", "is not an RFC 3339 time"),
            ("/resources", json!([]), "resources", "names no channel"),
            ("/resources", json!("arn"), "resources", "is not a list"),
            ("/resources", json!([1]), "resources[0]", "is not a text"),
            ("/detail-type", json!(["x"]), "detail-type", "is not a text"),
            ("/source", json!(1), "source", "is not a text"),
            ("/detail", json!("x"), "detail", "is not an object"),
            ("/detail/event_name", json!({}), "detail.event_name", "is not a text"),
        ] {
            let mut message = start();
            *message.pointer_mut(place).unwrap() = value;
            assert_eq!(read(&message), Err(malformed(at, what)), "{place}");
        }
        for field in ["id", "time", "resources", "detail-type", "source", "detail"] {
            let mut message = start();
            message.as_object_mut().unwrap().remove(field);
            assert_eq!(read(&message), Err(malformed(field, "is missing")));
        }
    }

    #[test]
    fn what_is_not_json_is_malformed_at_its_line() {
        for (body, at, what) in [
            (&b""[..], "line 1, column 0", "the message ends too early"),
            (b"{\"id\":\n\"x\",", "line 2, column 4", "the message ends too early"),
            (b"{\"id\":\nx}", "line 2, column 1", "this is not JSON"),
            (b"\xff\xfe", "line 1, column 1", "this is not JSON"),
            (b"[1]", "the message", "is not an object"),
            (b"null", "the message", "is not an object"),
        ] {
            assert_eq!(parse(body), Err(malformed(at, what)), "{body:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_recording_whose_folder_climbs_is_malformed() {
        for prefix in ["../secret", "a/../../b", "/etc", "a//b", "a\\b", "%2e%2e/a", "a/", "a\u{0}b"] {
            for status in ["Recording Start", "Recording End", "Recording End Failure", "Recording Start Failure"] {
                let wrong = read(&recording(status, &json!(prefix))).unwrap_err();
                assert_eq!(wrong.at, "detail.recording_s3_key_prefix", "{status} {prefix:?}");
            }
        }
        for prefix in [json!(null), json!(7)] {
            assert!(read(&recording("Recording Start", &prefix)).is_err());
        }
        assert!(read(&recording("Recording Start", &json!(""))).is_err(), "a recording that began has a folder");
    }

    #[test]
    fn what_we_do_not_know_is_ignored_with_its_name() {
        let mut message = start();
        message["detail"]["event_name"] = json!("Stream Levitated");
        let Parsed::Ignored { detail_type, name, .. } = read(&message).unwrap() else { panic!() };
        assert_eq!((detail_type.as_str(), name.as_str()), (STREAM_STATE, "Stream Levitated"));
        message["detail-type"] = json!("IVS Composition State Change");
        message["detail"] = json!(null);
        let Parsed::Ignored { detail_type, .. } = read(&message).unwrap() else { panic!() };
        assert_eq!(detail_type, "IVS Composition State Change");
        let mut message = start();
        message["source"] = json!("aws.ec2");
        assert!(matches!(read(&message), Ok(Parsed::Ignored { .. })));
    }

    #[test]
    fn the_time_is_kept_to_the_millisecond_whatever_its_zone() {
        let mut message = start();
        message["time"] = json!("2026-01-02T12:04:05.678901+09:00");
        let Parsed::Event(event) = read(&message).unwrap() else { panic!() };
        assert_eq!(event.at.timestamp_millis(), 1_767_323_045_678);
    }

    #[test]
    fn a_long_reason_is_cut() {
        let mut message = start();
        message["detail"] = json!({ "event_name": "Stream Failure", "reason": "é".repeat(MAX_REASON_CHARS + 1) });
        let Parsed::Event(event) = read(&message).unwrap() else { panic!() };
        assert_eq!(event.kind, LiveEventKind::StreamFailed { reason: "é".repeat(MAX_REASON_CHARS) });
    }
}

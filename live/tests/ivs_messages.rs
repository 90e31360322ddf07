//! Every example message of the IVS documentation, and that what we write as IVS is what we read as IVS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use live::ivs::{self, Parsed, message};
use live::{LiveEvent, LiveEventKind, RecordingRef};
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};

const ARN: &str = "arn:aws:ivs:us-west-2:123456789012:channel/AbCdef1G2hij";
const ID: &str = "01234567-0123-0123-0123-012345678901";
const PREFIX: &str = "ivs/v1/123456789012/AbCdef1G2hij/2020/6/23/20/12/j8Z9O91ndcVs";

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ivs")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap()
}

fn recording() -> RecordingRef {
    RecordingRef { id: "a6RfV23ES97iyfoQ".into(), prefix: PREFIX.into() }
}

/// What each example comes to: an event, or why it is ignored.
fn expected() -> Vec<(&'static str, Result<LiveEventKind, &'static str>)> {
    use LiveEventKind as Kind;
    let failed = "Transcode capacity exceeded. Please try again.";
    vec![
        ("eb_limit_breach_concurrent_broadcasts.json", Err("Concurrent Broadcasts")),
        ("eb_limit_breach_concurrent_viewers.json", Err("Concurrent Viewers")),
        ("eb_limit_breach_ingest_bitrate.json", Err("Ingest Bitrate")),
        ("eb_limit_breach_ingest_resolution_edge.json", Err("Ingest Resolution")),
        ("eb_limit_breach_ingest_resolution_total.json", Err("Ingest Resolution")),
        ("eb_recording_end.json", Ok(Kind::RecordingEnded { recording: recording(), segments: None })),
        (
            "eb_recording_end_failure.json",
            Ok(Kind::RecordingFailed { recording: Some(recording()), reason: "InternalServerException".into() }),
        ),
        ("eb_recording_start.json", Ok(Kind::RecordingStarted(recording()))),
        (
            "eb_recording_start_failure.json",
            Ok(Kind::RecordingFailed { recording: None, reason: "ValidationException".into() }),
        ),
        ("eb_stream_health_starvation_end.json", Ok(Kind::StreamBack)),
        ("eb_stream_health_starvation_start.json", Ok(Kind::StreamInterrupted)),
        ("eb_stream_state_session_created.json", Err("Session Created")),
        ("eb_stream_state_session_ended.json", Ok(Kind::StreamDown)),
        ("eb_stream_state_stream_end.json", Ok(Kind::StreamDown)),
        ("eb_stream_state_stream_failure.json", Ok(Kind::StreamFailed { reason: failed.into() })),
        ("eb_stream_state_stream_start.json", Ok(Kind::StreamUp)),
        ("eb_stream_state_stream_takeover.json", Ok(Kind::StreamUp)),
        ("eb_stream_state_stream_takeover_failure.json", Err("Stream Takeover Failure")),
    ]
}

#[test]
fn every_documented_message_comes_to_what_it_should() {
    for (file, expected) in expected() {
        let body = fixture(file);
        let raw: Value = serde_json::from_slice(&body).unwrap();
        match (ivs::parse(&body).unwrap(), expected) {
            (Parsed::Event(event), Ok(kind)) => {
                assert_eq!((event.id.as_str(), event.channel_arn.as_str(), event.kind), (ID, ARN, kind), "{file}");
                let time = event.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                assert_eq!(raw["time"], time, "{file}");
            }
            (Parsed::Ignored { detail_type, name, .. }, Err(expected)) => {
                assert_eq!(name, expected, "{file}");
                assert_eq!(raw["detail-type"], detail_type, "{file}");
            }
            (parsed, expected) => panic!("{file}: {parsed:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn no_example_is_left_out() {
    let listed: BTreeSet<String> = expected().into_iter().map(|(file, _)| file.to_owned()).collect();
    let present: BTreeSet<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("eb_"))
        .collect();
    assert_eq!(present, listed);
}

fn envelope_of(raw: &Value) -> message::Envelope {
    message::Envelope {
        id: raw["id"].as_str().unwrap().into(),
        at: raw["time"].as_str().unwrap().parse().unwrap(),
        channel_arn: ARN.into(),
        stream_id: raw["detail"]["stream_id"].as_str().unwrap().into(),
    }
}

#[test]
fn what_we_write_has_the_fields_of_the_documented_messages_and_no_others() {
    let place = message::Recording {
        session_id: "a6RfV23ES97iyfoQ".into(),
        bucket: "r2s3-dev-channel-1-recordings".into(),
        prefix: PREFIX.into(),
    };
    for file in [
        "eb_stream_state_stream_start.json",
        "eb_stream_state_stream_end.json",
        "eb_recording_start.json",
        "eb_recording_end.json",
    ] {
        let mut documented: Value = serde_json::from_slice(&fixture(file)).unwrap();
        let envelope = envelope_of(&documented);
        let written = match file {
            "eb_stream_state_stream_start.json" => message::stream_start(&envelope),
            "eb_stream_state_stream_end.json" => message::stream_end(&envelope),
            "eb_recording_start.json" => message::recording_start(&envelope, &place),
            _ => message::recording_end(&envelope, &place, 99_370_264),
        };
        // The example was recorded over two broadcasts; and its channel has a given name.
        if file == "eb_recording_end.json" {
            documented["detail"]["recording_session_stream_ids"] = serde_json::json!([envelope.stream_id]);
        }
        documented["detail"]["channel_name"] = "AbCdef1G2hij".into();
        assert_eq!(written, documented, "{file}");
    }
}

#[test]
fn what_we_write_is_read_back_to_the_millisecond() {
    let envelope = message::Envelope {
        id: "message-1".into(),
        at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        channel_arn: "arn:emergency-time:live:local:0:channel/0199".into(),
        stream_id: "st-1".into(),
    };
    let place = message::Recording { session_id: "rec".into(), bucket: "b".into(), prefix: "ivs/v1/0/0199/x".into() };
    let recording = RecordingRef { id: "rec".into(), prefix: "ivs/v1/0/0199/x".into() };
    for (written, kind) in [
        (message::stream_start(&envelope), LiveEventKind::StreamUp),
        (message::stream_end(&envelope), LiveEventKind::StreamDown),
        (message::recording_start(&envelope, &place), LiveEventKind::RecordingStarted(recording.clone())),
        (
            message::recording_end(&envelope, &place, 2_000),
            LiveEventKind::RecordingEnded { recording: recording.clone(), segments: None },
        ),
    ] {
        let expected =
            LiveEvent { id: "message-1".into(), at: envelope.at, channel_arn: envelope.channel_arn.clone(), kind };
        assert_eq!(ivs::parse(written.to_string().as_bytes()), Ok(Parsed::Event(expected)));
    }
}

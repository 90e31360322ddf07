//! Writes EventBridge messages as IVS does, so that whoever plays IVS is told apart from it by nothing.

use super::{RECORDING_STATE, SOURCE, STREAM_STATE};
use chrono::SecondsFormat;
use entity::time::Timestamp;
use serde_json::{Value, json};

/// What every message says.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Unique; a message sent again keeps it.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// `arn:aws:ivs:<region>:<account>:channel/<name>`
    pub channel_arn: String,
    /// The broadcast on the channel: each one has a new `st-…`.
    pub stream_id: String,
}

/// The recording that a message is about.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Unique; every message about the recording has it.
    pub session_id: String,
    /// The bucket's name.
    pub bucket: String,
    /// The recording's folder in it, without a slash at its end.
    pub prefix: String,
}

/// The broadcast is on air.
pub fn stream_start(envelope: &Envelope) -> Value {
    stream_state(envelope, "Stream Start")
}

/// The broadcast is over.
pub fn stream_end(envelope: &Envelope) -> Value {
    stream_state(envelope, "Stream End")
}

/// The recording has begun.
pub fn recording_start(envelope: &Envelope, recording: &Recording) -> Value {
    recording_state(envelope, recording, "Recording Start", 0)
}

/// The recording is complete and `duration_ms` long.
pub fn recording_end(envelope: &Envelope, recording: &Recording, duration_ms: u64) -> Value {
    let mut message = recording_state(envelope, recording, "Recording End", duration_ms);
    message["detail"]["recording_session_stream_ids"] = json!([envelope.stream_id]);
    message
}

fn stream_state(envelope: &Envelope, event_name: &str) -> Value {
    let detail = json!({
        "event_name": event_name,
        "channel_name": channel_name(envelope),
        "stream_id": envelope.stream_id,
    });
    message(envelope, STREAM_STATE, detail)
}

fn recording_state(envelope: &Envelope, recording: &Recording, status: &str, duration_ms: u64) -> Value {
    let detail = json!({
        "channel_name": channel_name(envelope),
        "stream_id": envelope.stream_id,
        "recording_status": status,
        "recording_status_reason": "",
        "recording_s3_bucket_name": recording.bucket,
        "recording_s3_key_prefix": recording.prefix,
        "recording_duration_ms": duration_ms,
        "recording_session_id": recording.session_id,
    });
    message(envelope, RECORDING_STATE, detail)
}

/// A channel's resource name serves as its given name.
fn channel_name(envelope: &Envelope) -> &str {
    envelope.channel_arn.rsplit('/').next().unwrap_or_default()
}

fn message(envelope: &Envelope, detail_type: &str, detail: Value) -> Value {
    // arn:partition:service:region:account:resource
    let mut parts = envelope.channel_arn.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut message = json!({
        "version": "0",
        "id": envelope.id,
        "detail-type": detail_type,
        "source": SOURCE,
        "account": account,
        "time": envelope.at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "region": region,
        "resources": [envelope.channel_arn],
    });
    message["detail"] = detail;
    message
}

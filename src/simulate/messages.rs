//! The messages IVS sends about a broadcast, in its order.

use entity::time::Timestamp;
use live::ivs::message::{self, Envelope, Recording};
use serde_json::Value;
use uuid::Uuid;

/// What the messages about one broadcast have in common.
pub struct Messages {
    channel_arn: String,
    stream_id: String,
    recording_end_only: bool,
}

impl Messages {
    /// Messages about a new broadcast on a channel.
    pub fn new(channel_arn: &str, recording_end_only: bool) -> Self {
        let stream_id = format!("st-{}", Uuid::new_v4().simple());
        Self { channel_arn: channel_arn.to_owned(), stream_id, recording_end_only }
    }

    pub fn session_created(&self, at: Timestamp) -> Option<Value> {
        // IVS words it as the start of the stream with another name.
        self.unless_lost(renamed(message::stream_start(&self.envelope(at)), "Session Created"))
    }

    pub fn stream_start(&self, at: Timestamp) -> Option<Value> {
        self.unless_lost(message::stream_start(&self.envelope(at)))
    }

    pub fn recording_start(&self, at: Timestamp, recording: &Recording) -> Option<Value> {
        self.unless_lost(message::recording_start(&self.envelope(at), recording))
    }

    pub fn stream_end(&self, at: Timestamp) -> Option<Value> {
        self.unless_lost(message::stream_end(&self.envelope(at)))
    }

    pub fn session_ended(&self, at: Timestamp) -> Option<Value> {
        self.unless_lost(renamed(message::stream_end(&self.envelope(at)), "Session Ended"))
    }

    pub fn recording_end(&self, at: Timestamp, recording: &Recording, duration_ms: u64) -> Value {
        message::recording_end(&self.envelope(at), recording, duration_ms)
    }

    fn unless_lost(&self, message: Value) -> Option<Value> {
        (!self.recording_end_only).then_some(message)
    }

    fn envelope(&self, at: Timestamp) -> Envelope {
        let (channel_arn, stream_id) = (self.channel_arn.clone(), self.stream_id.clone());
        Envelope { id: Uuid::new_v4().to_string(), at, channel_arn, stream_id }
    }
}

fn renamed(mut message: Value, event_name: &str) -> Value {
    message["detail"]["event_name"] = event_name.into();
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::time::Clock;
    use live::{
        LiveEventKind,
        ivs::{Parsed, parse},
    };

    fn kind(message: &Value) -> Option<LiveEventKind> {
        match parse(message.to_string().as_bytes()).unwrap() {
            Parsed::Event(event) => Some(event.kind),
            Parsed::Ignored { .. } => None,
        }
    }

    #[test]
    fn the_server_reads_them_as_what_they_are() {
        let messages = Messages::new("arn:emergency-time:live:local:0:channel/stream_1", false);
        let now = Clock::System.now();
        let recording = Recording { session_id: "r".into(), bucket: "b".into(), prefix: "ivs/v1/0/c/r".into() };
        assert_eq!(kind(&messages.stream_start(now).unwrap()), Some(LiveEventKind::StreamUp));
        assert_eq!(kind(&messages.stream_end(now).unwrap()), Some(LiveEventKind::StreamDown));
        let start = kind(&messages.recording_start(now, &recording).unwrap());
        assert!(matches!(start, Some(LiveEventKind::RecordingStarted(started)) if started.prefix == recording.prefix));
        let end = kind(&messages.recording_end(now, &recording, 5));
        assert!(matches!(end, Some(LiveEventKind::RecordingEnded { recording, .. }) if recording.id == "r"));
        // No message of a session may be malformed, whatever the server makes of it.
        kind(&messages.session_created(now).unwrap());
        kind(&messages.session_ended(now).unwrap());
    }

    #[test]
    fn every_message_but_the_last_can_be_lost() {
        let messages = Messages::new("arn:emergency-time:live:local:0:channel/stream_1", true);
        let now = Clock::System.now();
        assert!(messages.stream_start(now).is_none() && messages.session_ended(now).is_none());
    }
}

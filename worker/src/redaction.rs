//! One segment's way: fetched with its neighbours, redacted, stored.

use crate::Parts;
use bytes::Bytes;
use lifecycle::{RedactedSegment, SegmentWork};
use redact::{Output, SegmentInput};
use std::time::Instant;
use storage::{Error, Key};

/// The content type of a segment (RFC 8216, section 3.2).
const SEGMENT_TYPE: &str = "video/mp2t";

/// Why a segment was not redacted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something about the segment: it counts as a try.
    Segment(String),
    /// Something about the surroundings: it does not.
    Surroundings(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Self::Surroundings(error.to_string()),
            Error::NotFound(_) | Error::Refused(_) => Self::Segment(error.to_string()),
        }
    }
}

impl Parts {
    /// Redacts a segment and stores the result; returns when that is durable.
    pub(crate) async fn redact(&self, work: &SegmentWork) -> Result<RedactedSegment, Failure> {
        metrics::histogram!("segment_stage_seconds", "stage" => "wait").record(seconds(work.waited_ms));
        let fetched = Instant::now();
        let (target, before, after) = tokio::try_join!(
            async { Ok(self.recordings.get(&work.source).await?) },
            self.context(work.before.as_ref()),
            self.context(work.after.as_ref()),
        )?;
        observe("fetch", fetched);

        let redacted = Instant::now();
        let (engine, source) = (self.engine.clone(), target.clone());
        let name = format!("segment {} of {}", work.number, work.vod);
        let task = tokio::task::spawn_blocking(move || {
            let input =
                SegmentInput { name: &name, before: before.as_deref(), target: &source, after: after.as_deref() };
            engine.segment(input)
        });
        let done = match task.await {
            Ok(done) => done.map_err(|error| Failure::Segment(error.to_string()))?,
            Err(error) => return Err(Failure::Segment(format!("the redaction broke down: {error}"))),
        };
        observe("redact", redacted);

        let stored = Instant::now();
        let (bytes, copied) = match done.output {
            Output::Unchanged => (target, true),
            Output::Reencoded(bytes) => (Bytes::from(bytes), false),
        };
        let size = bytes.len() as u64;
        self.replays.put(&work.result, bytes, SEGMENT_TYPE).await?;
        observe("store", stored);

        let receipt = serde_json::to_value(&done.receipt).map_err(|error| Failure::Segment(error.to_string()))?;
        Ok(RedactedSegment {
            bytes: size,
            copied,
            frames: done.receipt.frames,
            face_tracks: done.receipt.face_tracks,
            faces_blurred: done.receipt.faces_blurred,
            model: format!("{} sha256:{}", done.receipt.model.name, done.receipt.model.sha256),
            receipt,
        })
    }

    /// A neighbour, for context; one that is gone is no context.
    async fn context(&self, key: Option<&Key>) -> Result<Option<Bytes>, Failure> {
        let Some(key) = key else { return Ok(None) };
        match self.recordings.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn observe(stage: &'static str, since: Instant) {
    metrics::histogram!("segment_stage_seconds", "stage" => stage).record(since.elapsed().as_secs_f64());
}

#[expect(clippy::cast_precision_loss, reason = "a wait in milliseconds is far below 2^53")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

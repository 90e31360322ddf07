//! One segment's way: fetched with its neighbours, redacted, stored; and a picture of what was stored.

use crate::Parts;
use bytes::Bytes;
use entity::{Thumbnail, segment::GapReason, thumbnail::Format};
use lifecycle::{RedactedSegment, SegmentWork};
use media::StillFormat;
use redact::SegmentInput;
use std::time::Instant;
use storage::{Error, Key};

/// The content type of a segment (RFC 8216, section 3.2).
const SEGMENT_TYPE: &str = "video/mp2t";

/// Why a segment was not redacted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something about the segment: it counts as a try.
    Segment(GapReason, String),
    /// Something about the segment that will be so again however often it is tried.
    Hopeless(GapReason, String),
    /// Something about the surroundings: it does not.
    Surroundings(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Self::Surroundings(error.to_string()),
            Error::NotFound(_) => Self::Segment(GapReason::Missing, error.to_string()),
            Error::Refused(_) => Self::Segment(GapReason::Unsupported, error.to_string()),
        }
    }
}

impl Failure {
    /// What the engine said of a segment. One that is looked at `alone`, though others went before it, may be readable
    /// with its predecessor, which may come yet.
    fn of(error: &redact::Error, alone: bool) -> Self {
        let class = match error {
            redact::Error::Unreadable { .. } => GapReason::Unreadable,
            redact::Error::NoVideo { .. } | redact::Error::Unsupported { .. } => GapReason::Unsupported,
            redact::Error::Model { .. }
            | redact::Error::Encode { .. }
            | redact::Error::Write { .. }
            | redact::Error::TooSlow { .. } => GapReason::Failed,
        };
        let failure = if error.is_permanent() && !alone { Self::Hopeless } else { Self::Segment };
        failure(class, error.to_string())
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
        let alone = work.number > 0 && before.is_none();
        let engine = self.engine.clone();
        let name = format!("segment {} of {}", work.number, work.vod);
        let task = tokio::task::spawn_blocking(move || {
            let input =
                SegmentInput { name: &name, before: before.as_deref(), target: &target, after: after.as_deref() };
            engine.segment(input)
        });
        let done = match task.await {
            Ok(done) => done.map_err(|error| Failure::of(&error, alone))?,
            Err(error) => {
                return Err(Failure::Segment(GapReason::Failed, format!("the redaction broke down: {error}")));
            }
        };
        observe("redact", redacted);

        let stored = Instant::now();
        let copied = done.receipt.frames_copied == done.receipt.frames;
        let bytes = Bytes::from(done.bytes);
        let size = bytes.len() as u64;
        self.replays.put(&work.result, bytes.clone(), SEGMENT_TYPE).await?;
        observe("store", stored);

        let thumbnail = if work.wants_thumbnail { self.thumbnail(work, bytes).await } else { None };
        // By way of text, which writes a 32-bit 0.15 as 0.15 and not as the 64-bit number nearest to it.
        let receipt = serde_json::to_string(&done.receipt).and_then(|text| serde_json::from_str(&text));
        let receipt = receipt.map_err(|error| Failure::Segment(GapReason::Failed, error.to_string()))?;
        Ok(RedactedSegment { bytes: size, copied, receipt, thumbnail })
    }

    /// Makes a picture of what was published and stores it. A picture that fails is a picture less: the segment is
    /// good without it.
    async fn thumbnail(&self, work: &SegmentWork, published: Bytes) -> Option<Thumbnail> {
        let begun = Instant::now();
        let (outcome, thumbnail) = match self.draw(work, published).await {
            Ok(Some(thumbnail)) => ("made", Some(thumbnail)),
            Ok(None) => ("blank", None),
            Err(reason) => {
                tracing::warn!(vod.id = %work.vod, segment.number = work.number, reason, "no thumbnail of a segment");
                ("failed", None)
            }
        };
        observe("thumbnail", begun);
        metrics::counter!("thumbnails_total", "outcome" => outcome).increment(1);
        thumbnail
    }

    async fn draw(&self, work: &SegmentWork, published: Bytes) -> Result<Option<Thumbnail>, String> {
        let task = tokio::task::spawn_blocking(move || redact::thumbnail(&published));
        let drawn = task.await.map_err(|error| format!("the drawing broke down: {error}"))?;
        let Some(drawn) = drawn.map_err(|error| error.to_string())? else { return Ok(None) };
        let format = match drawn.format {
            StillFormat::WebP => Format::WebP,
            StillFormat::Jpeg => Format::Jpeg,
        };
        let thumbnail = Thumbnail { segment: work.number, format };
        let key = work.thumbnail_key(thumbnail).map_err(|fault| fault.to_string())?;
        let stored = self.replays.put(&key, drawn.bytes.into(), format.content_type()).await;
        stored.map(|()| Some(thumbnail)).map_err(|error| error.to_string())
    }

    /// A neighbour, for context; one that is gone is no context.
    async fn context(&self, key: Option<&Key>) -> Result<Option<Bytes>, Failure> {
        let Some(key) = key else { return Ok(None) };
        match self.recordings.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            // One that is too large is no context either; it becomes a gap of its own.
            Err(Error::NotFound(_) | Error::Refused(_)) => Ok(None),
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

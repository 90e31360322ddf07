//! A replay's receipt: what was done so that no face is shown, segment by segment and in all, in a file beside it.
//!
//! It holds numbers, names and settings only, never a place in a picture or a piece of one, so that it can be published
//! as it is. Segments' receipts are read by the names of their fields, since workers of several versions may have
//! written them.

use entity::{VodId, segment};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the file; a field that is new does not change it, one that changes its meaning or goes away does.
const VERSION: u32 = 1;

/// The content type of a receipt.
pub(crate) const RECEIPT_TYPE: &str = "application/json";

/// What the redaction reports of one segment, as far as it is passed on; what is missing counts as nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct SegmentReceipt {
    pub frames: i64,
    pub frames_detected: i64,
    pub detections: i64,
    pub face_tracks: i64,
    pub frames_filled: i64,
    pub faces_blurred: i64,
    pub frames_copied: i64,
    pub longest_unseen_frames: i64,
    pub seconds: f64,
    pub model: Option<Model>,
    pub version: Option<String>,
    pub settings: Value,
    pub libraries: Value,
}

/// Which face model looked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Model {
    pub name: String,
    pub sha256: String,
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} sha256:{}", self.name, self.sha256)
    }
}

impl SegmentReceipt {
    /// Reads what a worker wrote. One that cannot be read counts as nothing: the segment it belongs to is redacted and
    /// stored, and must not be held back for it.
    pub(crate) fn read(written: &Value) -> Self {
        Self::deserialize(written).unwrap_or_else(|error| {
            tracing::warn!(%error, "a segment's receipt cannot be read; it counts as nothing");
            Self::default()
        })
    }
}

/// The file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    version: u32,
    vod: VodId,
    duration_ms: i64,
    totals: Totals,
    engines: Vec<Engine>,
    segments: Vec<Line>,
}

/// Counts; of one segment or of all.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    frames: i64,
    frames_detected: i64,
    detections: i64,
    face_tracks: i64,
    frames_filled: i64,
    faces_blurred: i64,
    frames_copied: i64,
    /// The longest stretch of frames on which something new was shown before the detector looked there; of several
    /// segments, the longest of any.
    longest_unseen_frames: i64,
    seconds: f64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    segments: usize,
    copied: usize,
    reencoded: usize,
    gaps: usize,
    gap_ms: i64,
    #[serde(flatten)]
    counts: Counts,
}

/// What looked, and how: once, however many segments it was.
#[derive(PartialEq, Serialize)]
struct Engine {
    version: Option<String>,
    model: Option<Model>,
    settings: Value,
    libraries: Value,
}

/// One segment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    number: i32,
    duration_ms: i64,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_reason: Option<segment::GapReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<usize>,
    #[serde(flatten)]
    counts: Option<Counts>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Outcome {
    Copied,
    Reencoded,
    Gap,
}

/// The file of a replay with these segments, all of them settled, in order.
pub(crate) fn render(vod: VodId, segments: &[segment::Model]) -> Result<Vec<u8>, serde_json::Error> {
    let mut receipt = Receipt {
        version: VERSION,
        vod,
        duration_ms: segments.iter().map(|segment| segment.duration_ms).sum(),
        totals: Totals { segments: segments.len(), ..Totals::default() },
        engines: Vec::new(),
        segments: Vec::with_capacity(segments.len()),
    };
    for segment in segments {
        receipt.add(segment);
    }
    let mut file = serde_json::to_vec_pretty(&receipt)?;
    file.push(b'\n');
    Ok(file)
}

impl Receipt {
    fn add(&mut self, segment: &segment::Model) {
        let outcome = match (segment.status, segment.copied) {
            (segment::Status::Done, Some(true)) => Outcome::Copied,
            (segment::Status::Done, _) => Outcome::Reencoded,
            _ => Outcome::Gap,
        };
        let done = segment.receipt.as_ref().map(SegmentReceipt::read);
        let counts = done.as_ref().map(Counts::of);
        let engine = done.map(|done| self.engine(done));
        self.totals.add(outcome, segment.duration_ms, counts.unwrap_or_default());
        self.segments.push(Line {
            number: segment.number,
            duration_ms: segment.duration_ms,
            outcome,
            gap_reason: segment.gap_reason,
            engine,
            counts,
        });
    }

    /// The place of a segment's engine in the list; added if it is the first of its kind.
    fn engine(&mut self, done: SegmentReceipt) -> usize {
        let engine = Engine {
            version: done.version,
            model: done.model,
            settings: camel_case(done.settings),
            libraries: done.libraries,
        };
        self.engines.iter().position(|known| *known == engine).unwrap_or_else(|| {
            self.engines.push(engine);
            self.engines.len() - 1
        })
    }
}

impl Counts {
    fn of(done: &SegmentReceipt) -> Self {
        Self {
            frames: done.frames,
            frames_detected: done.frames_detected,
            detections: done.detections,
            face_tracks: done.face_tracks,
            frames_filled: done.frames_filled,
            faces_blurred: done.faces_blurred,
            frames_copied: done.frames_copied,
            longest_unseen_frames: done.longest_unseen_frames,
            seconds: done.seconds,
        }
    }
}

impl Totals {
    fn add(&mut self, outcome: Outcome, duration_ms: i64, counts: Counts) {
        match outcome {
            Outcome::Copied => self.copied += 1,
            Outcome::Reencoded => self.reencoded += 1,
            Outcome::Gap => {
                self.gaps += 1;
                self.gap_ms += duration_ms;
            }
        }
        self.counts.frames += counts.frames;
        self.counts.frames_detected += counts.frames_detected;
        self.counts.detections += counts.detections;
        self.counts.face_tracks += counts.face_tracks;
        self.counts.frames_filled += counts.frames_filled;
        self.counts.faces_blurred += counts.faces_blurred;
        self.counts.frames_copied += counts.frames_copied;
        self.counts.longest_unseen_frames = self.counts.longest_unseen_frames.max(counts.longest_unseen_frames);
        self.counts.seconds += counts.seconds;
    }
}

/// The same with `names_like_this` as `namesLikeThis`, as everywhere in what clients get.
fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (camel(&name), camel_case(value))).collect(),
        Value::Array(values) => values.into_iter().map(camel_case).collect(),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        name.chars().chain(capital).chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::{SegmentId, segment::GapReason, segment::Status};
    use serde_json::json;

    fn segment(number: i32, status: Status, copied: Option<bool>, receipt: Option<Value>) -> segment::Model {
        segment::Model {
            id: SegmentId::generate(),
            vod_id: VodId::generate(),
            number,
            source_key: "a secret place".into(),
            duration_ms: 2_000,
            discontinuity: false,
            status,
            issued_at: None,
            attempts: 1,
            result_key: None,
            result_bytes: None,
            copied,
            receipt,
            thumbnail: None,
            gap_reason: (status == Status::Gap).then_some(GapReason::Unreadable),
            failure: (status == Status::Gap).then(|| "packet 7 of a secret place".into()),
            settled_at: None,
        }
    }

    fn written(frames: i64, version: &str) -> Value {
        json!({
            "frames": frames, "frames_detected": 12, "detections": 9, "face_tracks": 2, "frames_filled": 40,
            "faces_blurred": 50, "frames_copied": 25, "longest_unseen_frames": frames - 60,
            "seconds": 0.5, "examine_seconds": 0.3, "version": version,
            "model": { "name": "CenterFace", "sha256": "09" },
            "settings": { "detect_every": 5, "linking": { "bridge_ms": 900 } },
            "libraries": { "avcodec": "59", "opencv": "4" },
            "a_field_of_a_later_version": { "boxes": [1, 2, 3, 4] },
        })
    }

    fn rendered(segments: &[segment::Model]) -> Value {
        serde_json::from_slice(&render(VodId::generate(), segments).unwrap()).unwrap()
    }

    #[test]
    fn totals_are_the_sums_of_the_lines_and_an_engine_is_named_once() {
        let receipt = rendered(&[
            segment(0, Status::Done, Some(true), Some(written(60, "1.0"))),
            segment(1, Status::Done, Some(false), Some(written(61, "1.0"))),
            segment(2, Status::Gap, None, None),
            segment(3, Status::Done, Some(false), Some(written(62, "1.1"))),
        ]);
        let totals = &receipt["totals"];
        assert_eq!(
            (&totals["frames"], &totals["facesBlurred"], &totals["framesCopied"], &totals["seconds"]),
            (&json!(183), &json!(150), &json!(75), &json!(1.5))
        );
        assert_eq!(totals["longestUnseenFrames"], json!(2), "the longest of any segment");
        assert_eq!((&totals["segments"], &totals["copied"], &totals["reencoded"]), (&json!(4), &json!(1), &json!(2)));
        assert_eq!(
            (&totals["gaps"], &totals["gapMs"], &receipt["durationMs"]),
            (&json!(1), &json!(2_000), &json!(8_000))
        );
        let engines: Vec<&Value> = receipt["segments"].as_array().unwrap().iter().map(|line| &line["engine"]).collect();
        assert_eq!(engines, [&json!(0), &json!(0), &Value::Null, &json!(1)]);
        assert_eq!(receipt["engines"].as_array().unwrap().len(), 2);
        assert_eq!(receipt["engines"][0]["settings"], json!({ "detectEvery": 5, "linking": { "bridgeMs": 900 } }));
        assert_eq!(receipt["engines"][0]["libraries"], json!({ "avcodec": "59", "opencv": "4" }));
    }

    #[test]
    fn a_gap_says_its_class_and_nothing_of_the_inside() {
        let text =
            String::from_utf8(render(VodId::generate(), &[segment(0, Status::Gap, None, None)]).unwrap()).unwrap();
        assert!(text.contains("\"gapReason\": \"UNREADABLE\""), "{text}");
        assert!(!text.contains("secret") && !text.contains("packet"), "{text}");
    }

    #[test]
    fn what_is_not_known_here_is_not_published_and_what_is_missing_counts_as_nothing() {
        let lean = json!({ "frames": 7 });
        let segments = [
            segment(0, Status::Done, Some(true), Some(lean)),
            segment(1, Status::Done, Some(true), Some(written(3, "9"))),
            segment(2, Status::Done, Some(true), Some(json!({ "frames": "many" }))),
        ];
        let receipt = rendered(&segments);
        assert_eq!(receipt["totals"]["frames"], 10);
        assert!(!receipt.to_string().contains("boxes"), "{receipt}");
    }
}

//! The end of a segment's way: redacted or given up, its replay's counts, its picture, the event, and the replay itself
//! if it was the last.
//!
//! A result counts once: the first to settle the row wins, and a second copy of the job finds it settled.

use crate::{Fault, Lifecycle, SegmentWork, receipt::SegmentReceipt, recordings::update_counts, work::result_key};
use entity::{
    ItemId, Thumbnail, event,
    job::RedactJob,
    segment::{self, GapReason},
    vod,
};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, EntityTrait as _, IntoActiveModel as _, QuerySelect as _};

/// A redacted segment whose object is stored.
#[derive(Clone, Debug)]
pub struct RedactedSegment {
    /// Size of the object.
    pub bytes: u64,
    /// Whether every frame was copied, since none shows a face.
    pub copied: bool,
    /// All that the redaction reports.
    pub receipt: serde_json::Value,
    /// The picture made of it, if one was wanted and made; its object is stored.
    pub thumbnail: Option<Thumbnail>,
}

/// What a segment came to.
enum Outcome {
    Done(RedactedSegment),
    Gap { class: GapReason, reason: String },
}

impl Lifecycle {
    /// Records a result. Returns whether this call settled the segment.
    pub async fn finish(&self, work: &SegmentWork, done: RedactedSegment) -> Result<bool, Fault> {
        let job = RedactJob { vod: work.vod, segment: work.segment };
        self.settle(&job, Outcome::Done(done)).await
    }

    /// Makes a segment a gap in its replay, for a reason that may be published and one in full that may not. Returns
    /// whether this call settled the segment.
    pub async fn give_up(&self, job: &RedactJob, class: GapReason, reason: &str) -> Result<bool, Fault> {
        tracing::error!(vod.id = %job.vod, segment.id = %job.segment, reason, "segment given up: the replay has a gap");
        self.settle(job, Outcome::Gap { class, reason: reason.to_owned() }).await
    }

    /// Settles a queued segment once.
    async fn settle(&self, job: &RedactJob, outcome: Outcome) -> Result<bool, Fault> {
        let mut write = self.write().await?;
        let replay = vod::Entity::find_by_id(job.vod).lock_exclusive().one(&*write).await?;
        let segment = segment::Entity::find_by_id(job.segment).lock_exclusive().one(&*write).await?;
        let (Some(replay), Some(segment)) = (replay, segment) else { return Ok(false) };
        if segment.status != segment::Status::Queued || segment.vod_id != replay.id {
            return Ok(false);
        }
        let thumbnail = if let Outcome::Done(done) = &outcome { done.thumbnail } else { None };
        let result = result_key(replay.id, segment.number)?;
        let (mut segment_row, mut replay_row) = (segment.into_active_model(), replay.clone().into_active_model());
        outcome.record(result.as_str(), &mut segment_row, &replay, &mut replay_row);
        segment_row.settled_at = Set(Some(write.now()));
        segment_row.update(&*write).await?;
        let mut moved_on = false;
        if let Some(thumbnail) = thumbnail {
            moved_on = self.show(&mut write, &replay, &mut replay_row, thumbnail).await?;
        }
        let replay = update_counts(&write, replay_row).await?;
        if replay.listed_at.is_some() {
            let at = (replay.longitude, replay.latitude);
            write.event(event::Kind::VodProgressed, ItemId::Vod(replay.id), at, None);
        }
        write.commit().await?;
        if moved_on {
            self.retire_thumbnails(replay.id).await;
        }
        if replay.is_settled() {
            self.finalise_all(&[replay.id]).await;
        }
        Ok(true)
    }
}

impl Outcome {
    /// Writes the outcome into the segment's row, and adds it to what its replay counts.
    fn record(
        self,
        result: &str,
        segment: &mut segment::ActiveModel,
        replay: &vod::Model,
        sums: &mut vod::ActiveModel,
    ) {
        match self {
            Self::Done(done) => {
                let receipt = SegmentReceipt::read(&done.receipt);
                sums.frames = Set(replay.frames + receipt.frames);
                sums.frames_detected = Set(replay.frames_detected + receipt.frames_detected);
                sums.detections = Set(replay.detections + receipt.detections);
                sums.face_tracks = Set(replay.face_tracks + receipt.face_tracks);
                sums.frames_filled = Set(replay.frames_filled + receipt.frames_filled);
                sums.faces_blurred = Set(replay.faces_blurred + receipt.faces_blurred);
                sums.seconds = Set(replay.seconds + receipt.seconds);
                sums.model = Set(receipt.model.map(|model| model.to_string()).or_else(|| replay.model.clone()));
                sums.engine_version = Set(receipt.version.or_else(|| replay.engine_version.clone()));
                segment.status = Set(segment::Status::Done);
                segment.result_key = Set(Some(result.to_owned()));
                segment.result_bytes = Set(i64::try_from(done.bytes).ok());
                segment.copied = Set(Some(done.copied));
                segment.receipt = Set(Some(done.receipt));
                segment.thumbnail = Set(done.thumbnail);
            }
            Self::Gap { class, reason } => {
                segment.status = Set(segment::Status::Gap);
                segment.gap_reason = Set(Some(class));
                segment.failure = Set(Some(reason));
            }
        }
    }
}

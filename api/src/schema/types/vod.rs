//! A replay, as the public sees it.

use super::{
    Stream,
    place::Position,
    words::{Category, VodStatus},
};
use crate::{
    loader::Loaders,
    schema::{PublicUrls, Result, part, scalars::DateTime},
};
use async_graphql::{Context, ID, Object, SimpleObject};
use entity::{
    Thumbnail,
    vod::{self, Status},
};

/// What a replay is called whose broadcast was taken down.
const UNTITLED: &str = "Replay";

/// The replay of a broadcast, with the faces that were found blurred.
pub struct Vod(pub(crate) vod::Model);

/// What was done to hide faces. While the replay is `PROCESSING`, so far.
#[derive(SimpleObject)]
pub struct Redaction {
    /// Frames decoded and followed: all there are.
    frames: i32,
    /// Frames on which the detector looked, those of neighbouring segments included; through the others, faces were
    /// followed.
    frames_detected: i32,
    /// Faces the detector found, counted in every frame it ran on.
    detections: i32,
    /// Faces followed, each counted once in every segment of the recording it is seen in.
    face_tracks: i32,
    /// Faces blurred where they were followed and not detected, counted in every frame.
    frames_filled: i32,
    /// Faces blurred, counted in every frame.
    faces_blurred: i32,
    /// Segments that could not be examined and are left out of the replay.
    gaps: i32,
    /// The face model used, with its version; null before the first segment.
    model: Option<String>,
    /// The version of the redaction, of the segment done last; null before the first segment.
    version: Option<String>,
    /// How long the redaction of its segments took, in seconds, added up; several are worked on at once.
    seconds: f64,
    /// All of this and more for each segment, as JSON; null unless the replay is `READY`.
    receipt_url: Option<String>,
}

/// The replay of a broadcast, with the faces that were found blurred.
#[Object]
impl Vod {
    /// Opaque, and the same for ever.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Where it stands.
    async fn status(&self) -> VodStatus {
        self.0.status.into()
    }

    /// The broadcast it replays; null if that was taken down.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Option<Stream>> {
        Ok(part::<Loaders>(ctx)?.load_one(self.0.stream_id).await?.map(Stream))
    }

    /// The broadcast's title.
    pub(crate) async fn title(&self, ctx: &Context<'_>) -> Result<String> {
        let stream = part::<Loaders>(ctx)?.load_one(self.0.stream_id).await?;
        Ok(stream.map_or_else(|| UNTITLED.to_owned(), |stream| stream.title))
    }

    /// The hazard it shows.
    async fn category(&self) -> Category {
        self.0.category.into()
    }

    /// Where the broadcast was last.
    pub(crate) async fn position(&self) -> Position {
        Position::new(self.0.longitude, self.0.latitude)
    }

    /// When its recording began.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Its length in milliseconds; while it is `PROCESSING`, of what is recorded so far.
    async fn duration_ms(&self) -> i32 {
        int(self.0.duration_ms)
    }

    /// Where it plays (HLS); null unless it is `READY`.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn playback_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let urls = part::<PublicUrls>(ctx)?;
        let ready = self.0.status == Status::Ready;
        Ok(ready.then(|| urls.of_replay(self.0.id, &"index.m3u8")))
    }

    /// When it could first be played; null before.
    async fn ready_at(&self) -> Option<DateTime> {
        self.0.ready_at.map(DateTime)
    }

    /// How much of it has been dealt with, 0 to 1. It never falls, and is 1 only once everything is recorded and dealt
    /// with; while the recording grows it may stand still.
    async fn progress(&self) -> f64 {
        self.0.progress
    }

    /// Why it is `WITHHELD`, in words for people; null otherwise.
    async fn withheld_reason(&self) -> Option<String> {
        self.0.withheld_reason.clone().filter(|_| self.0.status == Status::Withheld)
    }

    /// What was done to hide faces.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn redaction(&self, ctx: &Context<'_>) -> Result<Redaction> {
        let urls = part::<PublicUrls>(ctx)?;
        let ready = self.0.status == Status::Ready;
        Ok(Redaction {
            frames: int(self.0.frames),
            frames_detected: int(self.0.frames_detected),
            detections: int(self.0.detections),
            face_tracks: int(self.0.face_tracks),
            frames_filled: int(self.0.frames_filled),
            faces_blurred: int(self.0.faces_blurred),
            gaps: self.0.gaps,
            model: self.0.model.clone(),
            version: self.0.engine_version.clone(),
            seconds: self.0.seconds,
            receipt_url: ready.then(|| urls.of_replay(self.0.id, &"receipt.json")),
        })
    }

    /// A picture of it, at most 480 pixels wide: the first blurred frame that shows something. Null while there is
    /// none, and for good when it is `WITHHELD`.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    pub(crate) async fn thumbnail_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.picture(self.0.thumbnail, part::<PublicUrls>(ctx)?))
    }
}

impl Vod {
    /// The address of one of its pictures, if any may be shown.
    pub(crate) fn picture(&self, thumbnail: Option<Thumbnail>, urls: &PublicUrls) -> Option<String> {
        let shown = matches!(self.0.status, Status::Processing | Status::Ready);
        thumbnail.filter(|_| shown).map(|thumbnail| urls.of_replay(self.0.id, &thumbnail))
    }
}

/// GraphQL's `Int` has 32 bits; what is more is shown as the most.
fn int(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}

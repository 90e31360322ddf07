//! A public camera, as the public sees it.

use super::{
    place::Position,
    words::{CctvKind, CctvStatus},
};
use crate::schema::scalars::DateTime;
use async_graphql::{ID, Object};
use entity::cctv::{self, Kind};

/// A public camera.
pub struct Cctv(pub(crate) cctv::Model);

/// A public camera.
#[Object]
impl Cctv {
    /// Opaque, and the same for ever.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it looks at.
    pub(crate) async fn title(&self) -> String {
        self.0.name.clone()
    }

    /// How alive it is.
    async fn status(&self) -> CctvStatus {
        self.0.status.into()
    }

    /// Who publishes it.
    async fn source(&self) -> String {
        self.0.source.clone()
    }

    /// Whom to credit wherever it is shown.
    async fn attribution(&self) -> Option<String> {
        self.0.attribution.clone()
    }

    /// What it gives.
    async fn kind(&self) -> CctvKind {
        self.0.kind.into()
    }

    /// Where it is.
    pub(crate) async fn position(&self) -> Position {
        Position::new(self.0.longitude, self.0.latitude)
    }

    /// Where its moving picture plays, for kind `HLS` or `MP4`; null for `IMAGE`.
    async fn playback_url(&self) -> Option<String> {
        Some(self.0.url.clone()).filter(|_| self.0.kind != Kind::Image)
    }

    /// Its still picture, for kind `IMAGE`; null for the others.
    async fn image_url(&self) -> Option<String> {
        self.still()
    }

    /// When its picture last changed; null if that is not known.
    async fn observed_at(&self) -> Option<DateTime> {
        self.0.observed_at.map(DateTime)
    }

    /// A small picture of it: its own, for kind `IMAGE`.
    pub(crate) async fn thumbnail_url(&self) -> Option<String> {
        self.still()
    }
}

impl Cctv {
    fn still(&self) -> Option<String> {
        Some(self.0.url.clone()).filter(|_| self.0.kind == Kind::Image)
    }
}

//! A broadcast, as the public sees it.

use super::{
    Cctv, Vod,
    place::{self, Place, Position},
    words::{Category, StreamStatus},
};
use crate::{
    Limits,
    loader::{Loaders, VodOf},
    read::cctvs::Around,
    schema::{
        PublicUrls, Result,
        connection::{size, weight},
        part,
        scalars::DateTime,
    },
};
use async_graphql::{Context, ID, Object};
use entity::stream;
use live::Playback;
use std::sync::Arc;

/// `first` of `nearbyCctvs`, if it is left out.
const NEARBY: i32 = 5;

/// One broadcast at a place.
pub struct Stream(pub(crate) stream::Model);

/// One broadcast at a place.
#[Object]
impl Stream {
    /// Opaque, and the same for ever.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Where it stands.
    async fn status(&self) -> StreamStatus {
        self.0.status.into()
    }

    /// The hazard it shows.
    async fn category(&self) -> Category {
        self.0.category.into()
    }

    /// What its broadcaster calls it.
    pub(crate) async fn title(&self) -> String {
        self.0.title.clone()
    }

    /// More words from its broadcaster.
    async fn description(&self) -> Option<String> {
        self.0.description.clone()
    }

    /// Where it is now, or was last.
    pub(crate) async fn position(&self) -> Position {
        Position::new(self.0.longitude, self.0.latitude)
    }

    /// Where the camera looks: degrees clockwise from north, 0 to below 360.
    async fn heading(&self) -> Option<f64> {
        self.0.heading
    }

    /// Radius of the position's uncertainty in metres.
    async fn accuracy(&self) -> Option<f64> {
        self.0.accuracy
    }

    /// When it was announced.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it came on air; null before.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it was over; null before.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Where the live picture plays (HLS). Null unless it is `LIVE` or `INTERRUPTED`, and where the live provider
    /// serves no picture.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn playback_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(address) = self.0.playback_url.as_ref().filter(|_| self.0.status.is_on_air()) else { return Ok(None) };
        // A path is played by this server, so it alone says whether there is anything to play.
        let here = part::<Option<Arc<dyn Playback>>>(ctx)?.as_ref();
        if address.starts_with('/') && !here.is_some_and(|here| here.carries(self.0.id)) {
            return Ok(None);
        }
        Ok(Some(part::<PublicUrls>(ctx)?.live(address)))
    }

    /// How many watch it now; nobody once it is over.
    async fn viewer_count(&self) -> i32 {
        if self.0.status.is_on_air() { self.0.viewer_count } else { 0 }
    }

    /// Its replay, the newest where an interruption left several. It exists while the broadcast is still on air, and
    /// stands on the map once it is over.
    async fn vod(&self, ctx: &Context<'_>) -> Result<Option<Vod>> {
        Ok(part::<Loaders>(ctx)?.load_one(VodOf(self.0.id)).await?.map(Vod))
    }

    /// The place nearest to it; null if none is near.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn address(&self, ctx: &Context<'_>) -> Result<Option<Place>> {
        place::of_row(ctx, self.0.longitude, self.0.latitude)
    }

    /// A picture of it, at most 480 pixels wide, made of a blurred frame. While it is on air, of about ten seconds ago:
    /// every new picture has a new address, which `stream` tells those who follow it. After its end, its replay's. Null
    /// while there is none.
    pub(crate) async fn thumbnail_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(vod) = self.vod(ctx).await? else { return Ok(None) };
        let thumbnail = if self.0.status.is_on_air() { vod.0.live_thumbnail } else { vod.0.thumbnail };
        Ok(vod.picture(thumbnail, part::<PublicUrls>(ctx)?))
    }

    /// Cameras within ten kilometres, nearest first; dead ones are left out.
    #[graphql(complexity = "weight(first.unwrap_or(NEARBY), child_complexity)")]
    async fn nearby_cctvs(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(NEARBY)", desc = "At most how many.")] first: Option<i32>,
    ) -> Result<Vec<Cctv>> {
        let first = size(first.unwrap_or(NEARBY), part::<Limits>(ctx)?)?;
        let around = Around::new(self.0.longitude, self.0.latitude, first);
        let cameras = part::<Loaders>(ctx)?.load_one(around).await?.unwrap_or_default();
        Ok(cameras.into_iter().map(Cctv).collect())
    }
}

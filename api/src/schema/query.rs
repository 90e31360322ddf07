//! What can be asked for.

use super::{
    Failure, Result,
    connection::{CctvConnection, PAGE, StreamConnection, VodConnection, page, size, weight},
    part,
    scalars::{Cursor, DateTime},
    types::{
        Cctv, Node, Stream, Vod,
        input::{BoundingBoxInput, PositionInput},
        map::MapView,
        place::{self, Place},
        words::{Category, CctvKind, CctvStatus, MapItemKind, StreamStatus, VodStatus, domain},
    },
};
use crate::{
    Limits,
    hub::Hub,
    read::{
        cctvs, items,
        map::{self, Sight},
        streams, vods,
    },
};
use async_graphql::{Context, ID, Object};
use entity::{BoundingBox, event::ItemKind};
use places::Gazetteer;
use sea_orm::DatabaseConnection;
use std::sync::Arc;

/// `first` of the map, if it is left out.
const MAP: i32 = 200;

/// `first` of `places`, if it is left out.
const PLACES: i32 = 5;

/// Characters of the longest text that `places` takes; no place has a longer name.
const TEXT: usize = 200;

/// What can be asked for.
pub struct Query;

/// What can be asked for.
///
/// An error's `extensions.code` says what kind it is: `BAD_INPUT` (then `extensions.field` names the argument, where
/// there is one), `NOT_FOUND`, `RATE_LIMITED`, `UNAVAILABLE` (ask again later) or `INTERNAL`.
#[Object]
impl Query {
    /// What stands on the map in a box. To follow it from then on, subscribe to `mapEvents(after: cursor)`.
    #[graphql(complexity = "weight(first.unwrap_or(MAP), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn map(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The part of the earth that is looked at.")] bbox: BoundingBoxInput,
        #[graphql(desc = "The map's zoom, as web maps count it (tiles of 512 pixels); sets how coarse clusters are.")]
        zoom: f64,
        #[graphql(desc = "Only these kinds; all if left out.")] kinds: Option<Vec<MapItemKind>>,
        #[graphql(desc = "Only these hazards; all if left out. Cameras have none and are always shown.")]
        categories: Option<Vec<Category>>,
        #[graphql(
            desc = "Only broadcasts that came on air, and replays whose recording began, at this moment or later; \
            any if left out. Cameras have no such moment and are always shown."
        )]
        since: Option<DateTime>,
        #[graphql(default_with = "Some(MAP)", desc = "At most how many items and clusters together.")] first: Option<
            i32,
        >,
    ) -> Result<MapView> {
        let sight = Sight {
            bbox: bbox.parse("bbox")?,
            zoom,
            first: size(first.unwrap_or(MAP), part::<Limits>(ctx)?)?,
            kinds: domain(kinds).unwrap_or_else(|| ItemKind::ALL.to_vec()),
            categories: domain(categories),
            since: since.map(|moment| moment.0),
        };
        // First the cursor, then the items: a change between the two is seen twice, the other way round it is missed.
        let cursor = part::<Hub>(ctx)?.cursor().await?;
        Ok(MapView::new(map::view(db(ctx)?, &sight).await?, cursor))
    }

    /// Broadcasts, the last announced first.
    #[graphql(complexity = "weight(first.unwrap_or(PAGE), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn streams(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only in this box.")] bbox: Option<BoundingBoxInput>,
        #[graphql(desc = "Only these; if left out, those that are or have been on air: LIVE, INTERRUPTED, ENDED.")]
        statuses: Option<Vec<StreamStatus>>,
        #[graphql(desc = "Only these hazards.")] categories: Option<Vec<Category>>,
        #[graphql(desc = "Only those that came on air at this moment or later.")] started_after: Option<DateTime>,
        #[graphql(desc = "Only those that came on air before this moment.")] started_before: Option<DateTime>,
        #[graphql(default_with = "Some(PAGE)", desc = "At most how many.")] first: Option<i32>,
        #[graphql(desc = "After this cursor of the same list.")] after: Option<Cursor>,
    ) -> Result<StreamConnection> {
        use entity::stream::Status::{Ended, Interrupted, Live};
        let page = page(first, after, part(ctx)?)?;
        let filter = streams::Filter {
            bbox: area(bbox)?,
            statuses: Some(domain(statuses).unwrap_or_else(|| vec![Live, Interrupted, Ended])),
            categories: domain(categories),
            started_after: started_after.map(|moment| moment.0),
            started_before: started_before.map(|moment| moment.0),
        };
        Ok(StreamConnection::new(streams::list(db(ctx)?, filter, page).await?, page))
    }

    /// Replays, the last recorded first.
    #[graphql(complexity = "weight(first.unwrap_or(PAGE), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn vods(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only in this box.")] bbox: Option<BoundingBoxInput>,
        #[graphql(desc = "Only these; if left out, those that can be played or will be: PROCESSING, READY.")]
        statuses: Option<Vec<VodStatus>>,
        #[graphql(desc = "Only these hazards.")] categories: Option<Vec<Category>>,
        #[graphql(desc = "Only those whose recording began at this moment or later.")] created_after: Option<DateTime>,
        #[graphql(desc = "Only those whose recording began before this moment.")] created_before: Option<DateTime>,
        #[graphql(default_with = "Some(PAGE)", desc = "At most how many.")] first: Option<i32>,
        #[graphql(desc = "After this cursor of the same list.")] after: Option<Cursor>,
    ) -> Result<VodConnection> {
        use entity::vod::Status::{Processing, Ready};
        let page = page(first, after, part(ctx)?)?;
        let filter = vods::Filter {
            bbox: area(bbox)?,
            statuses: Some(domain(statuses).unwrap_or_else(|| vec![Processing, Ready])),
            categories: domain(categories),
            created_after: created_after.map(|moment| moment.0),
            created_before: created_before.map(|moment| moment.0),
        };
        Ok(VodConnection::new(vods::list(db(ctx)?, filter, page).await?, page))
    }

    /// Public cameras, the last added first.
    #[graphql(complexity = "weight(first.unwrap_or(PAGE), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn cctvs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only in this box.")] bbox: Option<BoundingBoxInput>,
        #[graphql(desc = "Only these; all if left out.")] statuses: Option<Vec<CctvStatus>>,
        #[graphql(desc = "Only those that give this; all if left out.")] kinds: Option<Vec<CctvKind>>,
        #[graphql(desc = "Only those of this publisher.")] source: Option<String>,
        #[graphql(default_with = "Some(PAGE)", desc = "At most how many.")] first: Option<i32>,
        #[graphql(desc = "After this cursor of the same list.")] after: Option<Cursor>,
    ) -> Result<CctvConnection> {
        let page = page(first, after, part(ctx)?)?;
        let filter = cctvs::Filter { bbox: area(bbox)?, statuses: domain(statuses), kinds: domain(kinds), source };
        Ok(CctvConnection::new(cctvs::list(db(ctx)?, filter, page).await?, page))
    }

    /// One broadcast; null if there is none of this id, or it was taken down.
    async fn stream(&self, ctx: &Context<'_>, #[graphql(desc = "Which broadcast.")] id: ID) -> Result<Option<Stream>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(streams::by_id(db(ctx)?, id).await?.map(Stream))
    }

    /// One replay; null if there is none of this id, or it was taken down.
    async fn vod(&self, ctx: &Context<'_>, #[graphql(desc = "Which replay.")] id: ID) -> Result<Option<Vod>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(vods::by_id(db(ctx)?, id).await?.map(Vod))
    }

    /// One camera; null if there is none of this id.
    async fn cctv(&self, ctx: &Context<'_>, #[graphql(desc = "Which camera.")] id: ID) -> Result<Option<Cctv>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(cctvs::by_id(db(ctx)?, id).await?.map(Cctv))
    }

    /// Whatever has this id; null if nothing has, or it was taken down.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Which thing.")] id: ID) -> Result<Option<Node>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(items::by_id(db(ctx)?, id).await?.map(Node::from))
    }

    /// Places by name, in any language there are names in, the likeliest first: every word of the text begins a word of
    /// the place's name or of what it lies in.
    #[graphql(complexity = "weight(first.unwrap_or(PLACES), child_complexity)")]
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn places(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A name, or the beginning of one.")] text: String,
        #[graphql(desc = "Prefer places near this position.")] near: Option<PositionInput>,
        #[graphql(default_with = "Some(PLACES)", desc = "At most how many.")] first: Option<i32>,
    ) -> Result<Vec<Place>> {
        let first = size(first.unwrap_or(PLACES), part::<Limits>(ctx)?)?;
        let near = near.map(|near| near.parse("near")).transpose()?;
        if text.trim().is_empty() {
            return Err(Failure::bad_input("text", "must not be empty"));
        }
        if text.chars().count() > TEXT {
            return Err(Failure::bad_input("text", "must not be longer than 200 characters"));
        }
        let most = usize::try_from(first).unwrap_or(usize::MAX);
        let found = part::<Arc<Gazetteer>>(ctx)?.search(&text, near, most);
        Ok(found.into_iter().cloned().map(Place).collect())
    }

    /// The place nearest to a position; null if none is near.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn address(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where.")] position: PositionInput,
    ) -> Result<Option<Place>> {
        place::at(ctx, position.parse("position")?)
    }
}

fn db<'a>(ctx: &Context<'a>) -> Result<&'a DatabaseConnection> {
    part(ctx)
}

fn area(bbox: Option<BoundingBoxInput>) -> Result<Option<BoundingBox>> {
    bbox.map(|bbox| bbox.parse("bbox")).transpose()
}

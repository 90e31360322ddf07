//! What can be followed. A subscription that ends of itself says how to go on.

use super::{
    Failure, Result,
    event::MapEvent,
    part,
    scalars::Cursor,
    types::{
        self,
        input::BoundingBoxInput,
        words::{MapItemKind, domain},
    },
};
use crate::{
    hub::{Hub, Interest},
    read::streams,
};
use async_graphql::{Context, ID, Subscription};
use entity::{ItemId, StreamId, stream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream as sequence};
use sea_orm::DatabaseConnection;

/// What can be followed.
pub struct Subscription;

/// What can be followed. A subscription ends with an error: `UNAVAILABLE` with `extensions.resumeAfter`, a cursor to go
/// on after, when it was read too slowly; `UNAVAILABLE` without one when the server shuts down: go on after the last
/// cursor seen.
#[Subscription]
impl Subscription {
    /// Every change in a box, in order, each once. Fails with `BAD_INPUT` when `after` is too old: then read the map
    /// again.
    #[expect(clippy::unused_async, reason = "resolvers are async")]
    async fn map_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The part of the earth that is looked at.")] bbox: BoundingBoxInput,
        #[graphql(desc = "Only these kinds; all if left out.")] kinds: Option<Vec<MapItemKind>>,
        #[graphql(desc = "Every change after this cursor of the map or of an event; from now on if left out.")]
        after: Option<Cursor>,
    ) -> Result<impl Stream<Item = Result<MapEvent>> + use<>> {
        let interest =
            Interest { bbox: bbox.parse("bbox")?, kinds: domain(kinds), after: after.map(Cursor::event).transpose()? };
        let events = part::<Hub>(ctx)?.subscribe(interest);
        Ok(events.filter_map(|event| std::future::ready(event.map(MapEvent::of).map_err(Failure::from).transpose())))
    }

    /// A broadcast as it is now, and again after every change of it and with every new thumbnail. Fails with
    /// `NOT_FOUND` if there is none of this id; ends when it is taken down.
    async fn stream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which broadcast.")] id: ID,
    ) -> Result<impl Stream<Item = Result<types::Stream>> + use<>> {
        let id: StreamId = id.parse().map_err(|_| Failure::NotFound("stream"))?;
        let db = part::<DatabaseConnection>(ctx)?.clone();
        // First the subscription, then the row: a change between the two is seen twice, not missed.
        let hub = part::<Hub>(ctx)?;
        let (events, pictures) = (hub.watch(ItemId::Stream(id)), hub.pictures(id));
        let now = streams::by_id(&db, id).await?.ok_or(Failure::NotFound("stream"))?;
        // Pictures never end: the end of the events ends both.
        let events = events.map_ok(|_| Some(())).chain(sequence::once(std::future::ready(Ok(None))));
        let changes = sequence::select(events, pictures.map(|()| Ok(Some(()))));
        let changes = changes.try_take_while(|change| std::future::ready(Ok(change.is_some())));
        let later = changes.map_err(Failure::from).and_then(move |_| read(db.clone(), id));
        let later = later.try_take_while(|row| std::future::ready(Ok(row.is_some())));
        let rows = sequence::once(std::future::ready(Ok(Some(now)))).chain(later);
        Ok(rows.try_filter_map(|row| std::future::ready(Ok(row.map(types::Stream)))))
    }
}

async fn read(db: DatabaseConnection, id: StreamId) -> Result<Option<stream::Model>> {
    Ok(streams::by_id(&db, id).await?)
}

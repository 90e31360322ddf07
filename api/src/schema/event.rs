//! Events of the public log, as subscribers get them. The item is read when the event is delivered, so that what was
//! taken down since is not shown again.

use super::{
    Result, part,
    scalars::{Cursor, DateTime},
    types::MapItem,
};
use crate::loader::Loaders;
use async_graphql::{Context, ID, Interface, Object};
use entity::event::{self, Kind};
use std::sync::Arc;

/// A change of something on the map.
#[derive(Interface)]
#[graphql(
    field(
        name = "cursor",
        ty = "Cursor",
        desc = "Its place in the log: `after` of a subscription that goes on from here."
    ),
    field(name = "at", ty = "DateTime", desc = "When it was written."),
    field(name = "item_id", ty = "ID", desc = "What changed."),
    field(name = "item", ty = "Option<MapItem>", desc = "What changed, as it is now; null if it has been taken down.")
)]
pub enum MapEvent {
    /// A broadcast is on air.
    StreamStarted(StreamStarted),
    /// A broadcast is somewhere else.
    StreamMoved(StreamMoved),
    /// A broadcast has its first thumbnail.
    StreamPictured(StreamPictured),
    /// A broadcast's picture stopped.
    StreamInterrupted(StreamInterrupted),
    /// A broadcast is over.
    StreamEnded(StreamEnded),
    /// More of a replay is done.
    VodProgressed(VodProgressed),
    /// A replay can be played.
    VodReady(VodReady),
    /// A replay will not be shown.
    VodWithheld(VodWithheld),
    /// Something was taken down.
    ItemRemoved(ItemRemoved),
    /// A camera changed.
    CctvChanged(CctvChanged),
}

macro_rules! events {
    ($($kind:ident: $doc:tt),+ $(,)?) => {
        $(
            #[doc = $doc]
            pub struct $kind(Arc<event::Model>);

            #[doc = $doc]
            #[Object]
            impl $kind {
                /// Its place in the log: `after` of a subscription that goes on from here.
                async fn cursor(&self) -> Cursor {
                    Cursor::Event(self.0.seq)
                }

                /// When it was written.
                async fn at(&self) -> DateTime {
                    DateTime(self.0.at)
                }

                /// What changed.
                async fn item_id(&self) -> ID {
                    self.0.item().to_string().into()
                }

                /// What changed, as it is now; null if it has been taken down.
                async fn item(&self, ctx: &Context<'_>) -> Result<Option<MapItem>> {
                    Ok(part::<Loaders>(ctx)?.load_one(self.0.item()).await?.map(MapItem::from))
                }
            }
        )+

        impl MapEvent {
            /// An event as subscribers to the map get it; `None` if it is none of theirs.
            pub(crate) fn of(event: Arc<event::Model>) -> Option<Self> {
                match event.kind {
                    $(Kind::$kind => Some(Self::$kind($kind(event))),)+
                    Kind::StreamWatched => None,
                }
            }
        }
    };
}

events! {
    StreamStarted: "A broadcast is on air, or on air again after an interruption.",
    StreamMoved: "A broadcast is somewhere else now. Told to those whose box holds the old place or the new one.",
    StreamPictured: "A broadcast has its first thumbnail. The later ones are told by `stream` only.",
    StreamInterrupted: "A broadcast's picture stopped coming in.",
    StreamEnded: "A broadcast is over.",
    VodProgressed: "A replay takes the place of its broadcast, or more of it is done.",
    VodReady: "A replay can be played.",
    VodWithheld: "A replay will not be shown: it could not be blurred safely.",
    ItemRemoved: "Something was taken down: forget it.",
    CctvChanged: "A camera is new or has changed.",
}

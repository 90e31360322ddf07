//! The GraphQL schema: what clients can ask for, in the words of `schema.graphql`, which is generated from here.
//!
//! Resolvers are thin: they parse what a client sent, ask `read` or `lifecycle`, and put the answer into words. Only a
//! [`Failure`] can become an error of an answer, so that nothing of the inside is shown by mistake.

mod connection;
mod errors;
mod event;
mod guard;
mod mutation;
mod query;
mod scalars;
mod subscription;
pub(crate) mod types;

#[cfg(test)]
mod tests;

pub(crate) use errors::{Code, Failure};

use crate::{Limits, hub::Hub};
use async_graphql::Context;
use entity::{VodId, time::Clock};
use lifecycle::Lifecycle;
use live::Playback;
use places::Gazetteer;
use sea_orm::DatabaseConnection;
use std::{any::Any, fmt::Display, sync::Arc};
use url::Url;

/// The schema; cheap to clone.
pub type Schema = async_graphql::Schema<query::Query, mutation::Mutation, subscription::Subscription>;

/// What a resolver answers: a value, or a failure a client may see.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// What the schema works with.
#[derive(Clone)]
pub struct Parts {
    /// The rows; only read here.
    pub db: DatabaseConnection,
    /// The one writer.
    pub lifecycle: Lifecycle,
    /// Where events come from.
    pub hub: Hub,
    /// Bounds.
    pub limits: Limits,
    /// Now.
    pub clock: Clock,
    /// Addresses given to clients.
    pub urls: PublicUrls,
    /// Names of places.
    pub places: Arc<Gazetteer>,
    /// Live pictures, where the live provider is in this process.
    pub playback: Option<Arc<dyn Playback>>,
}

/// Addresses given to clients.
#[derive(Clone, Debug)]
pub struct PublicUrls {
    /// Where this API is reached; addresses of the live provider that name no host are under it.
    pub base: Url,
    /// Where the replay store's objects are served: an object's key is appended to it.
    pub replays: Url,
}

impl PublicUrls {
    /// The address of an object of the replay store.
    pub(crate) fn replay(&self, key: &str) -> String {
        let mut url = self.replays.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(key.split('/'));
        }
        url.into()
    }

    /// The address of a file of a replay.
    pub(crate) fn of_replay(&self, vod: VodId, file: &dyn Display) -> String {
        self.replay(&format!("vod/{vod}/{file}"))
    }

    /// The address of a page of ours.
    pub(crate) fn page(&self, path: &str) -> String {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url.into()
    }

    /// An address of the live provider, in full.
    pub(crate) fn live(&self, address: &str) -> String {
        self.base.join(address).map_or_else(|_| address.to_owned(), Into::into)
    }
}

/// The schema over these parts. Every request it executes gets loaders of its own and is measured first.
pub fn build(parts: Parts) -> Schema {
    let limits = &parts.limits;
    async_graphql::Schema::build(query::Query, mutation::Mutation, subscription::Subscription)
        .limit_depth(limits.graphql_depth)
        .limit_complexity(limits.graphql_complexity)
        .limit_recursive_depth(limits.graphql_recursion)
        .limit_directives(limits.graphql_directives)
        .extension(guard::Guard::new(parts.db.clone(), limits))
        .data(parts.db)
        .data(parts.lifecycle)
        .data(parts.hub)
        .data(parts.limits)
        .data(parts.clock)
        .data(parts.urls)
        .data(parts.places)
        .data(parts.playback)
        .finish()
}

/// The schema in GraphQL's own language: the text of `schema.graphql`.
pub fn sdl() -> String {
    async_graphql::Schema::build(query::Query, mutation::Mutation, subscription::Subscription).finish().sdl()
}

/// A part of the schema or the request.
fn part<'a, T: Any + Send + Sync>(ctx: &Context<'a>) -> Result<&'a T> {
    ctx.data_opt().ok_or_else(|| Failure::internal(format_args!("no {} in the context", std::any::type_name::<T>())))
}

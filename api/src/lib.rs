//! The API: GraphQL over HTTP and WebSocket, replays, live video, the live provider's webhook, health and the pages.
//!
//! Knows queries, not how state changes: every change goes through `lifecycle`. Whatever comes in over the network is
//! measured against a bound of [`Limits`] before it is parsed, kept or executed.

mod body;
mod graphql_http;
pub mod health;
pub mod hub;
mod limits;
mod loader;
mod operation;
pub mod pages;
mod playback;
mod precondition;
mod read;
mod replay;
pub mod schema;
mod server;
mod trace;
mod webhook;
mod whip;
mod ws;

pub use limits::Limits;
pub use server::{ApiParts, serve};
pub use webhook::WebhookSecret;

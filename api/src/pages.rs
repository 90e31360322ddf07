//! The pages: the map client at `/`, GraphiQL at `/graphiql`, and what the map client is told about this server.
//!
//! A page may load nothing from another site unless the operator named that site: [`Settings`] is the only way to widen a
//! policy, and [`policy`] the only place that writes one.

mod assets;
mod basemap;
mod broadcast_sdk;
mod encoding;
mod policy;
mod share;

pub use broadcast_sdk::{BroadcastSdk, NotAScript};
pub use policy::{NotASource, Source};

use crate::{schema::PublicUrls, server::State};
use actix_web::{
    HttpRequest, HttpResponse, Route,
    dev::HttpServiceFactory,
    guard,
    http::{StatusCode, header},
    middleware::Compress,
    web::{self, Data, ServiceConfig},
};
use assets::Found;
use policy::Policies;
use serde::Serialize;
use std::path::PathBuf;
use url::Url;

/// What an operator can set about the pages.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A MapLibre style to draw the map with, instead of the one that needs no network.
    pub basemap_style: Option<Url>,
    /// A PMTiles file of the region, in the schema of Protomaps, to draw the map with.
    pub basemap_file: Option<PathBuf>,
    /// Other sites whose pictures, films, tiles and streams the pages may load.
    pub sources: Vec<Source>,
    /// What browsers go live with over Amazon IVS, if they shall.
    pub broadcast_sdk: Option<BroadcastSdk>,
}

/// The settings as they are served, made once.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    policies: Policies,
    config: Config,
    basemap: Option<PathBuf>,
}

/// What the map client asks for first: `/config.json`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    basemap: Basemap,
    /// Sites that a picture or film may come from, as in a content security policy.
    sources: Vec<String>,
    /// Whom to credit for the names of places.
    places_attribution: &'static str,
    /// The script that a page goes live with over Amazon IVS.
    broadcast_sdk: Option<String>,
}

/// What the map is drawn from.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Basemap {
    /// Our own tiles, at `/basemap.pmtiles`.
    Offline,
    /// The operator's tiles at `/basemap.pmtiles`, in the schema of Protomaps.
    Protomaps,
    /// A style somewhere.
    Style { url: Url },
}

impl Pages {
    pub(crate) fn new(settings: Settings, urls: &PublicUrls) -> Self {
        let Settings { basemap_style, basemap_file, mut sources, broadcast_sdk } = settings;
        let ours = [Some(&urls.base), Some(&urls.replays), basemap_style.as_ref()];
        sources.extend(ours.into_iter().flatten().filter_map(Source::of));
        sources.sort();
        sources.dedup();
        let basemap = match (basemap_style, &basemap_file) {
            (Some(url), _) => Basemap::Style { url },
            (None, Some(_)) => Basemap::Protomaps,
            (None, None) => Basemap::Offline,
        };
        let config = Config {
            basemap,
            sources: sources.iter().map(ToString::to_string).collect(),
            places_attribution: places::ATTRIBUTION,
            broadcast_sdk: broadcast_sdk.as_ref().map(|sdk| sdk.address().to_owned()),
        };
        Self { policies: Policies::new(&sources, broadcast_sdk.as_ref()), config, basemap: basemap_file }
    }
}

/// Every address of the pages; must come after all others, since it also answers what nobody else does.
pub(crate) fn routes(config: &mut ServiceConfig) {
    // Not compressed: parts of compressed bytes would be parts of something else.
    config.service(web::resource("/basemap.pmtiles").route(read().to(basemap::serve))).service(compressed());
}

fn compressed() -> impl HttpServiceFactory {
    web::scope("")
        .wrap(Compress::default())
        .service(web::resource("/").route(read().to(map)))
        .service(web::resource("/wall").route(read().to(map)))
        .service(web::resource("/embed").route(read().to(embed)))
        .service(web::resource("/s/{item}").route(read().to(share::page)))
        .service(web::resource("/config.json").route(read().to(settings)))
        .service(web::resource(["/graphiql", "/graphiql/"]).route(read().to(graphiql)))
        .default_service(read().to(file))
}

/// GET and HEAD.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn map(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let policy = &state.pages.policies.map;
    assets::page(&request, "index.html", assets::NO_MAP, policy)
}

/// The map again, for a frame of any site: it can only be looked at.
async fn embed(request: HttpRequest, state: Data<State>) -> HttpResponse {
    assets::page(&request, "index.html", assets::NO_MAP, &state.pages.policies.embed)
}

async fn graphiql(request: HttpRequest, state: Data<State>) -> HttpResponse {
    assets::page(&request, "graphiql/index.html", assets::NO_GRAPHIQL, &state.pages.policies.graphiql)
}

async fn settings(state: Data<State>) -> HttpResponse {
    state
        .pages
        .policies
        .map
        .begin(StatusCode::OK)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .json(&state.pages.config)
}

/// Everything that has no address of its own: a file, or nothing.
async fn file(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let name = request.path().trim_start_matches('/');
    let policies = &state.pages.policies;
    // A worker is held to the policy of the file it was loaded from.
    let policy = if name.starts_with("graphiql/") { &policies.graphiql } else { &policies.map };
    match Found::by_name(name) {
        Some(found) => found.answer(&request, policy),
        None => policy
            .begin(StatusCode::NOT_FOUND)
            .content_type("text/plain; charset=utf-8")
            .body("there is nothing here\n"),
    }
}

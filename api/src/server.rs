//! The server: its routes, its bounds, and how it stops.
//!
//! A shutdown first tells every WebSocket to come back later (1001) and stops listening, then waits for what is under
//! way, and only then lets go of the hub, so that no subscription ends as if it had failed.

use crate::{
    Limits, WebhookSecret, graphql_http,
    health::{self, Probe},
    hub::Hub,
    operation::Executor,
    pages::{self, Pages},
    playback, replay,
    schema::{self, PublicUrls},
    trace, webhook, whip, ws,
};
use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header,
    middleware::{Compress, from_fn},
    web::{self, Data, ServiceConfig},
};
use bus::Bus;
use entity::time::Clock;
use lifecycle::Lifecycle;
use live::{Playback, Whip};
use metrics_exporter_prometheus::PrometheusHandle;
use places::Gazetteer;
use sea_orm::DatabaseConnection;
use std::{io, net::TcpListener, pin::pin, sync::Arc};
use storage::Replays;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long browsers may remember what CORS allows, in seconds.
const CORS_AGE_SECONDS: usize = 86_400;

/// What the API works with.
pub struct ApiParts {
    /// The rows.
    pub db: DatabaseConnection,
    /// Where event notices come from.
    pub bus: Arc<dyn Bus>,
    /// The one writer.
    pub lifecycle: Lifecycle,
    /// Redacted replays; the API never sees recordings.
    pub replays: Replays,
    /// Who takes broadcasts from browsers, if that is in this process.
    pub whip: Option<Arc<dyn Whip>>,
    /// Who serves live pictures, if that is in this process.
    pub playback: Option<Arc<dyn Playback>>,
    /// Bounds.
    pub limits: Limits,
    /// Now.
    pub clock: Clock,
    /// Addresses given to clients.
    pub urls: PublicUrls,
    /// Names of places.
    pub places: Arc<Gazetteer>,
    /// What the pages may load and what their map is drawn from.
    pub pages: pages::Settings,
    /// What the sender of webhooks must know.
    pub webhook_secret: WebhookSecret,
    /// The process's metrics, from [`health::install_metrics`].
    pub metrics: PrometheusHandle,
}

/// What every request may use.
pub(crate) struct State {
    pub(crate) limits: Arc<Limits>,
    pub(crate) executor: Executor,
    pub(crate) sockets: ws::Sockets,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) replays: Replays,
    pub(crate) states: replay::States,
    pub(crate) webhook_secret: WebhookSecret,
    pub(crate) whip: Option<Arc<dyn Whip>>,
    pub(crate) playback: Option<Arc<dyn Playback>>,
    pub(crate) db: DatabaseConnection,
    pub(crate) urls: PublicUrls,
    pub(crate) places: Arc<Gazetteer>,
    pub(crate) pages: Pages,
}

/// Serves the API on the listeners until the token is cancelled; then lets what is under way end, for at most
/// [`Limits::shutdown_timeout`]. Must be called on the runtime that owns the parts.
pub async fn serve(parts: ApiParts, listeners: Vec<TcpListener>, token: CancellationToken) -> io::Result<()> {
    let limits = Arc::new(parts.limits.clone());
    let hub_token = CancellationToken::new();
    let _stop_hub = hub_token.clone().drop_guard();
    let (hub, reader) = Hub::start(parts.db.clone(), Arc::clone(&parts.bus), parts.limits.clone(), hub_token.clone());
    // A database that is away now is no reason not to answer: it is what `/health/ready` is for.
    let _ = timeout(limits.check_timeout, hub.ready()).await;

    let probe = probe(&parts);
    let (metrics, upkeep) = (parts.metrics.clone(), health::fold_metrics(parts.metrics.clone(), limits.metrics_upkeep));
    let state = Data::new(state(parts, hub, Arc::clone(&limits), token.clone()));
    let app_state = state.clone();
    let server = start(listeners, limits.http_workers, &limits, move |config| {
        config.app_data(app_state.clone());
        health::routes(config, probe.clone(), metrics.clone());
        routes(config);
    })?;
    let result = tokio::select! {
        result = until_cancelled(server, &token) => result,
        () = upkeep => Ok(()),
    };
    let drained = async {
        state.sockets.drain().await;
        state.executor.drain().await;
    };
    if timeout(limits.drain_timeout, drained).await.is_err() {
        tracing::warn!("some operations did not end in time and were left behind");
    }
    hub_token.cancel();
    if let Err(error) = reader.await {
        tracing::error!(error = %error, "the reader of the event log failed");
    }
    result
}

fn state(parts: ApiParts, hub: Hub, limits: Arc<Limits>, token: CancellationToken) -> State {
    let ApiParts { db, lifecycle, replays, clock, urls, places, pages, webhook_secret, whip, playback, .. } = parts;
    let schema = schema::build(schema::Parts {
        db: db.clone(),
        lifecycle: lifecycle.clone(),
        hub,
        limits: (*limits).clone(),
        clock,
        urls: urls.clone(),
        places: Arc::clone(&places),
        playback: playback.clone(),
    });
    State {
        executor: Executor::new(schema, Arc::clone(&limits)),
        sockets: ws::Sockets::new(limits.sockets, token),
        states: replay::States::new(db.clone(), limits.replay_states, limits.replay_state_age),
        limits,
        lifecycle,
        replays,
        webhook_secret,
        whip,
        playback,
        db,
        pages: Pages::new(pages, &urls),
        urls,
        places,
    }
}

fn probe(parts: &ApiParts) -> Probe {
    let (db, bus, replays) = (parts.db.clone(), Arc::clone(&parts.bus), parts.replays.clone());
    Probe::new(&parts.limits)
        .part("database", move || {
            let db = db.clone();
            async move { db.ping().await }
        })
        .part("bus", move || {
            let bus = Arc::clone(&bus);
            async move { bus.check().await }
        })
        .part("storage", move || {
            let replays = replays.clone();
            async move { replays.check().await }
        })
}

fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/graphql").wrap(Compress::default()).wrap(any_origin()).to(graphql_http::handle))
        .service(web::resource("/graphql/ws").route(web::get().to(ws::open)))
        .service(web::resource("/webhooks/ivs").route(web::post().to(webhook::ivs)))
        .service(web::resource("/vod/{vod}/{file}").wrap(any_origin()).to(replay::serve))
        .service(web::resource("/live/{stream}/{file}").wrap(any_origin()).to(playback::serve))
        .service(web::resource("/whip/{stream}").wrap(any_origin()).route(web::post().to(whip::publish)))
        .service(
            web::resource("/whip/{stream}/{session}")
                .wrap(any_origin())
                .route(web::delete().to(whip::end))
                .default_service(web::to(whip::not_allowed)),
        )
        .configure(pages::routes);
}

/// Pages of any site may ask: there are no cookies and no other credentials that a browser would add by itself.
fn any_origin() -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods(["GET", "HEAD", "POST", "PATCH", "DELETE"])
        .allow_any_header()
        .expose_headers([header::CONTENT_RANGE, header::ETAG, header::LOCATION, header::RETRY_AFTER])
        .max_age(CORS_AGE_SECONDS)
}

/// Starts a server with the bounds and the tracing of every server of ours.
pub(crate) fn start(
    listeners: Vec<TcpListener>,
    workers: usize,
    limits: &Limits,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let mut server = HttpServer::new(move || App::new().configure(routes.clone()).wrap(from_fn(trace::request)))
        .disable_signals()
        .max_connections(limits.connections_per_worker)
        .client_request_timeout(limits.head_timeout)
        .keep_alive(limits.keep_alive)
        .shutdown_timeout(limits.shutdown_timeout.as_secs());
    if workers > 0 {
        server = server.workers(workers);
    }
    for listener in listeners {
        server = server.listen(bounded(listener, limits)?)?;
    }
    Ok(server.run())
}

/// A listener whose connections are cut by the system when a peer takes nothing of what is sent to it for long: no
/// other part of the server sees such a peer.
fn bounded(listener: TcpListener, limits: &Limits) -> io::Result<TcpListener> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&listener).set_tcp_user_timeout(Some(limits.unsent_timeout))?;
    Ok(listener)
}

/// Runs a server to its end, which the token brings about.
pub(crate) async fn until_cancelled(server: Server, token: &CancellationToken) -> io::Result<()> {
    let handle = server.handle();
    let mut server = pin!(server);
    tokio::select! {
        result = &mut server => result,
        () = token.cancelled() => tokio::join!(server, handle.stop(true)).0,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_connection_taken_has_the_listeners_bound_on_unsent_bytes() {
        let limits = Limits::default();
        let listener = bounded(TcpListener::bind("127.0.0.1:0").unwrap(), &limits).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (taken, _) = listener.accept().unwrap();
        let timeout = socket2::SockRef::from(&taken).tcp_user_timeout().unwrap();
        assert_eq!(timeout, Some(limits.unsent_timeout));
    }
}

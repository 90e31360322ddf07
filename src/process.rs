//! The processes that run until they are told to end: what each is made of, and how it ends.
//!
//! Every task of a process belongs to its [`Crew`]: when one of them ends, or a signal comes, the others are told, and
//! all are waited for, for a bounded time.

mod crew;
mod live;

use self::live::Broadcasting;
use crate::{
    config::{Api, Broker, Http, Redaction, Rows, Serve, Storage, Worker},
    database,
    shutdown::Signals,
};
use ::live::{LiveProvider, Local, Playback, Whip};
use anyhow::{Context as _, Result};
use api::{ApiParts, WebhookSecret, health, health::Probe, schema::PublicUrls};
use bus::{Bus, InProcess, Rabbit, RabbitSettings, RedeliveryPolicy};
use crew::Crew;
use entity::time::Clock;
use lifecycle::{Lifecycle, Limits, Parts, Upkeep};
use metrics_exporter_prometheus::PrometheusHandle;
use sea_orm::DatabaseConnection;
use std::{future::Future, net::SocketAddr, net::TcpListener, num::NonZeroUsize, sync::Arc, time::Duration};
use storage::{Recordings, Replays};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Unfinished jobs that a process without a broker holds; with more, whoever issues them waits.
const JOBS_IN_PROCESS: usize = 10_000;
/// How long a process that starts waits for a database or a broker that starts at the same time.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits between two tries.
const START_INTERVAL: Duration = Duration::from_millis(500);
/// How long parting from broker and database may take.
const PARTING: Duration = Duration::from_secs(1);

/// Everything in one process.
pub async fn serve(config: Serve) -> Result<()> {
    let signals = Signals::listen()?;
    let metrics = health::install_metrics().context("the metrics cannot be kept")?;
    let (listener, bound) = listen("BIND", config.http.bind)?;
    let rtmp = config.ingest.rtmp_bind.map(|bind| listen("RTMP_BIND", bind)).transpose()?;
    let engine = engine(&config.redaction).await?;
    let stores = open_stores(&config.rows.storage)?;
    let public = config.http.public_url(bound).context("PUBLIC_URL")?;
    let broadcasting = Broadcasting::new(&config.ingest, rtmp, &public, stores.0.clone()).await?;
    let live = Arc::new(broadcasting.studio.clone());
    let opened = Shared::open(&config.rows, stores, config.broker.as_ref(), Some(live.clone()), &signals).await?;
    let Some(shared) = opened else { return Ok(()) };
    let mut crew = Crew::new(signals.token());
    let mut api = shared.api_parts(&config.http, bound, metrics)?;
    api.playback = Some(live as Arc<dyn Playback>);
    api.whip = broadcasting.whip.clone().map(|front| front as Arc<dyn Whip>);
    crew.take("live", broadcasting.run(shared.lifecycle.clone(), crew.token()));
    crew.take("worker", work(shared.worker(engine, &config.redaction), crew.token()));
    announce(&api.urls, &shared);
    crew.take("api", answer(api, listener, crew.token()));
    crew.take("upkeep", upkeep(&shared, crew.token()));
    let outcome = crew.run().await;
    shared.part().await;
    outcome
}

/// The API alone.
pub async fn api(config: Api) -> Result<()> {
    let signals = Signals::listen()?;
    let metrics = health::install_metrics().context("the metrics cannot be kept")?;
    let (listener, bound) = listen("BIND", config.http.bind)?;
    let stores = open_stores(&config.rows.storage)?;
    let opened = Shared::open(&config.rows, stores, Some(&config.broker), None, &signals).await?;
    let Some(shared) = opened else { return Ok(()) };
    let mut crew = Crew::new(signals.token());
    let api = shared.api_parts(&config.http, bound, metrics)?;
    announce(&api.urls, &shared);
    crew.take("api", answer(api, listener, crew.token()));
    crew.take("upkeep", upkeep(&shared, crew.token()));
    let outcome = crew.run().await;
    shared.part().await;
    outcome
}

/// A worker alone.
pub async fn worker(config: Worker) -> Result<()> {
    let signals = Signals::listen()?;
    let listener = config.bind.map(|bind| listen("WORKER_BIND", bind)).transpose()?;
    let engine = engine(&config.redaction).await?;
    let stores = open_stores(&config.rows.storage)?;
    let opened = Shared::open(&config.rows, stores, Some(&config.broker), None, &signals).await?;
    let Some(shared) = opened else { return Ok(()) };
    let mut crew = Crew::new(signals.token());
    if let Some((listener, bound)) = listener {
        // Without a listener nobody reads metrics, so none are kept.
        let metrics = health::install_metrics().context("the metrics cannot be kept")?;
        tracing::info!(%bound, "health and metrics are answered");
        crew.take("health", probe(shared.probe(), metrics, listener, crew.token()));
    }
    crew.take("worker", work(shared.worker(engine, &config.redaction), crew.token()));
    crew.take("upkeep", upkeep(&shared, crew.token()));
    tracing::info!(threads = config.redaction.threads, "working");
    let outcome = crew.run().await;
    shared.part().await;
    outcome
}

/// What every process is made of.
struct Shared {
    db: DatabaseConnection,
    bus: Arc<dyn Bus>,
    lifecycle: Lifecycle,
    recordings: Recordings,
    replays: Replays,
}

impl Shared {
    /// Opens it all; `None` if a signal came first. `live` is the provider in this process, if it has everything in it.
    async fn open(
        rows: &Rows,
        (recordings, replays): (Recordings, Replays),
        broker: Option<&Broker>,
        live: Option<Arc<dyn LiveProvider>>,
        signals: &Signals,
    ) -> Result<Option<Self>> {
        let opening = async {
            let db = database::open_current(&rows.database, live.is_some(), START_PATIENCE).await?;
            let bus = open_bus(broker).await?;
            let live = live.unwrap_or_else(|| Arc::new(Local));
            let lifecycle = lifecycle(&db, live, &recordings, &replays);
            anyhow::Ok(Self { db, bus, lifecycle, recordings, replays })
        };
        let token = signals.token();
        tokio::select! {
            opened = opening => opened.map(Some),
            () = token.cancelled() => Ok(None),
        }
    }

    fn api_parts(&self, http: &Http, bound: SocketAddr, metrics: PrometheusHandle) -> Result<ApiParts> {
        let base = http.public_url(bound).context("PUBLIC_URL")?;
        let replays = http.replays_public_url.clone().unwrap_or_else(|| base.clone());
        let secret = WebhookSecret::new(http.webhook_secret.reveal().as_str()).context("WEBHOOK_SECRET is empty")?;
        Ok(ApiParts {
            db: self.db.clone(),
            bus: self.bus.clone(),
            lifecycle: self.lifecycle.clone(),
            replays: self.replays.clone(),
            whip: None,
            playback: None,
            limits: api::Limits::default(),
            clock: Clock::System,
            urls: PublicUrls { base, replays },
            places: Arc::new(places::Gazetteer::bundled().context("the bundled places")?),
            pages: http.pages.clone(),
            webhook_secret: secret,
            metrics,
        })
    }

    fn worker(&self, engine: redact::Engine, redaction: &Redaction) -> worker::Worker {
        let (segments_at_once, _) = shares(redaction.threads);
        let segments_at_once = u16::try_from(segments_at_once).unwrap_or(u16::MAX);
        worker::Worker::new(worker::Parts {
            lifecycle: self.lifecycle.clone(),
            bus: self.bus.clone(),
            recordings: self.recordings.clone(),
            replays: self.replays.clone(),
            engine: Arc::new(engine),
            settings: worker::Settings { segments_at_once, ..worker::Settings::default() },
        })
    }

    fn probe(&self) -> Probe {
        let (db, bus) = (self.db.clone(), self.bus.clone());
        let (recordings, replays) = (self.recordings.clone(), self.replays.clone());
        Probe::new(&api::Limits::default())
            .part("database", move || {
                let db = db.clone();
                async move { db.ping().await }
            })
            .part("bus", move || {
                let bus = bus.clone();
                async move { bus.check().await }
            })
            .part("recordings", move || {
                let recordings = recordings.clone();
                async move { recordings.check().await }
            })
            .part("replays", move || {
                let replays = replays.clone();
                async move { replays.check().await }
            })
    }

    /// Parts from broker and database.
    async fn part(self) {
        let Self { db, bus, .. } = self;
        if timeout(PARTING, bus.close()).await.is_err() {
            tracing::warn!("the bus did not close in time");
        }
        match timeout(PARTING, db.close()).await {
            Ok(Ok(())) => tracing::info!("ended"),
            Ok(Err(error)) => tracing::warn!(%error, "the database was not closed"),
            Err(_) => tracing::warn!("the database did not close in time"),
        }
    }
}

/// The one writer, over stores that are opened for it: for commands that change rows and end.
pub fn lifecycle_over(db: &DatabaseConnection, storage: &Storage) -> Result<Lifecycle> {
    let (recordings, replays) = open_stores(storage)?;
    Ok(lifecycle(db, Arc::new(Local), &recordings, &replays))
}

fn lifecycle(
    db: &DatabaseConnection,
    live: Arc<dyn LiveProvider>,
    recordings: &Recordings,
    replays: &Replays,
) -> Lifecycle {
    Lifecycle::new(Parts {
        db: db.clone(),
        live,
        recordings: recordings.clone(),
        replays: replays.clone(),
        clock: Clock::System,
        limits: Limits::default(),
    })
}

fn open_stores(storage: &Storage) -> Result<(Recordings, Replays)> {
    let recordings = Recordings::open(&storage.recordings, &storage.settings);
    let replays = Replays::open(&storage.replays, &storage.settings);
    Ok((recordings.context("the recordings cannot be opened")?, replays.context("the replays cannot be opened")?))
}

async fn open_bus(broker: Option<&Broker>) -> Result<Arc<dyn Bus>> {
    let Some(broker) = broker else {
        return Ok(Arc::new(InProcess::new(RedeliveryPolicy::default(), JOBS_IN_PROCESS)));
    };
    let settings = RabbitSettings { prefix: broker.prefix.clone(), ..RabbitSettings::new(broker.url.reveal().clone()) };
    let connect = || Rabbit::connect(settings.clone());
    let rabbit = patiently("the broker", START_PATIENCE, connect).await;
    Ok(Arc::new(rabbit.with_context(|| format!("the broker at {} cannot be used", broker.host()))?))
}

/// Tries until it succeeds or patience ends: what starts at the same time need not be there first.
pub async fn patiently<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(
    what: &str,
    patience: Duration,
    mut task: impl FnMut() -> F,
) -> Result<T, E> {
    let began = Instant::now();
    loop {
        match task().await {
            Err(error) if began.elapsed() < patience => {
                tracing::info!(what, %error, "not there yet");
                sleep(START_INTERVAL).await;
            }
            done => return done,
        }
    }
}

fn listen(name: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("{name}: nothing can be answered on {address}"))?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// How many segments are redacted at once, and on how many threads each. Two at once shorten the wait at the end of a
/// broadcast; beyond that, threads help a segment as much as company does.
fn shares(threads: NonZeroUsize) -> (usize, usize) {
    let segments = (threads.get() / 2).max(threads.get().min(2));
    (segments, threads.get() / segments)
}

async fn engine(redaction: &Redaction) -> Result<redact::Engine> {
    let (_, threads) = shares(redaction.threads);
    let options = redact::Options { threads: threads.try_into().unwrap_or(u32::MAX), ..redact::Options::default() };
    let model = redaction.model.clone();
    Ok(tokio::task::spawn_blocking(move || redact::Engine::new(&model, options)).await??)
}

async fn answer(parts: ApiParts, listener: TcpListener, token: CancellationToken) -> Result<()> {
    api::serve(parts, vec![listener], token).await.context("HTTP cannot be answered")
}

async fn probe(probe: Probe, metrics: PrometheusHandle, listener: TcpListener, token: CancellationToken) -> Result<()> {
    let limits = api::Limits::default();
    health::serve_probe(probe, metrics, listener, &limits, token).await.context("health cannot be answered")
}

async fn work(worker: worker::Worker, token: CancellationToken) -> Result<()> {
    worker.run(token).await.context("the worker cannot take jobs")
}

fn upkeep(shared: &Shared, token: CancellationToken) -> impl Future<Output = Result<()>> + Send + use<> {
    let upkeep = Upkeep::new(shared.lifecycle.clone(), shared.bus.clone());
    async move {
        Box::pin(upkeep.run(token)).await;
        Ok(())
    }
}

fn announce(urls: &PublicUrls, shared: &Shared) {
    let base = urls.base.as_str().trim_end_matches('/');
    println!("Emergency Time is at {base} (playground: {base}/graphiql). Ctrl-C ends it.");
    tracing::info!(url = base, broker = shared.bus.is_durable(), "answering");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_threads_are_used_than_were_allowed() {
        for threads in 1..=256 {
            let (segments, each) = shares(NonZeroUsize::new(threads).unwrap());
            assert!(segments >= 1 && each >= 1 && segments * each <= threads, "{threads}: {segments} × {each}");
        }
        assert_eq!(shares(NonZeroUsize::new(2).unwrap()), (2, 1));
    }
}

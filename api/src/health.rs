//! `/health/live`, `/health/ready`, `/metrics`: whether the process is up, whether its parts are well, what it does.
//!
//! Used by the api and, on a port of its own, by the worker. An answer names the part that fails; why it fails is in
//! the log only, because these addresses may be open to anybody.

use crate::{Limits, server};
use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, ServiceConfig},
};
use futures_util::{FutureExt as _, future::BoxFuture, future::join_all};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::{
    fmt::Display,
    io,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;

/// Bounds of the buckets of every histogram, in seconds: from a lookup in memory to a redacted segment.
const BUCKETS_SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Which part, and whether it is well.
type Answers = Vec<(&'static str, bool)>;

/// Installs the recorder of the process's metrics. Call it once, in `main`; a second call is an error.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().set_buckets(BUCKETS_SECONDS)?.install_recorder()
}

/// Folds what histograms have recorded, as long as nobody reads them; without it they would grow.
pub(crate) async fn fold_metrics(metrics: PrometheusHandle, every: Duration) {
    let mut tick = tokio::time::interval(every);
    loop {
        tick.tick().await;
        metrics.run_upkeep();
    }
}

/// What must be well for the process to do its work.
#[derive(Clone)]
pub struct Probe {
    parts: Vec<(&'static str, Check)>,
    check_timeout: Duration,
    max_age: Duration,
    last: Arc<Mutex<Option<(Instant, Answers)>>>,
}

impl Probe {
    /// A probe without parts: always well.
    pub fn new(limits: &Limits) -> Self {
        Self { parts: Vec::new(), check_timeout: limits.check_timeout, max_age: limits.check_age, last: Arc::default() }
    }

    /// Adds a part and how to ask it whether it is well.
    #[must_use]
    pub fn part<F, E>(mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.parts.push((name, Arc::new(move || check().map(|well| well.map_err(|e| e.to_string())).boxed())));
        self
    }

    /// Asks every part, all at once; or recalls what they said a moment ago. Who asks while they are asked waits for
    /// the same answers.
    async fn ask(&self) -> Answers {
        let mut last = self.last.lock().await;
        if let Some((_, parts)) = last.as_ref().filter(|(when, _)| when.elapsed() < self.max_age) {
            return parts.clone();
        }
        let parts = join_all(self.parts.iter().map(|(name, check)| async move {
            let well = match timeout(self.check_timeout, check()).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::warn!(part = name, error, "a part is not well");
                    false
                }
                Err(_) => {
                    tracing::warn!(part = name, "a part does not answer");
                    false
                }
            };
            (*name, well)
        }))
        .await;
        *last = Some((Instant::now(), parts.clone()));
        parts
    }
}

/// The three addresses.
pub(crate) fn routes(config: &mut ServiceConfig, probe: Probe, metrics: PrometheusHandle) {
    config
        .app_data(Data::new(probe))
        .app_data(Data::new(metrics))
        .route("/health/live", web::get().to(live))
        .route("/health/ready", web::get().to(ready))
        .route("/metrics", web::get().to(render));
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(serde_json::json!({ "status": "ok" }))
}

async fn ready(probe: Data<Probe>) -> HttpResponse {
    let parts = probe.ask().await;
    let well = parts.iter().all(|&(_, well)| well);
    let word = |well| if well { "ok" } else { "failing" };
    let parts: serde_json::Map<_, _> =
        parts.into_iter().map(|(name, well)| (name.to_owned(), word(well).into())).collect();
    let mut answer = if well { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({ "status": word(well), "parts": parts }))
}

async fn render(metrics: Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}

/// Serves nothing but health and metrics, for a process that has no other server, until the token is cancelled.
pub async fn serve_probe(
    probe: Probe,
    metrics: PrometheusHandle,
    listener: TcpListener,
    limits: &Limits,
    token: CancellationToken,
) -> io::Result<()> {
    let (folded, every) = (metrics.clone(), limits.metrics_upkeep);
    let server = server::start(vec![listener], 1, limits, move |config| {
        routes(config, probe.clone(), metrics.clone());
    })?;
    tokio::select! {
        result = server::until_cancelled(server, &token) => result,
        () = fold_metrics(folded, every) => Ok(()),
    }
}

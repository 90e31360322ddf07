//! `POST /webhooks/ivs`: messages of Amazon IVS, by way of Amazon EventBridge.
//!
//! A message is stored before it is acknowledged and applied afterwards, so the sender, which waits five seconds and
//! then sends again for a day, hears of nothing but the database's being away. Who sends is known by a shared secret
//! alone: EventBridge signs nothing.

use crate::{
    body::{self, BodyError},
    server::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use live::{LiveEvent, ivs::Parsed};
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;

/// The header that carries the secret; `Authorization: Bearer` is taken as well.
const SECRET_HEADER: &str = "x-emergency-time-secret";

/// What the sender must know. Prints nothing of itself.
#[derive(Clone)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// The secret; `None` if it is empty, because then everybody would know it.
    pub fn new(secret: impl Into<String>) -> Option<Self> {
        Some(secret.into()).filter(|secret| !secret.is_empty()).map(Self)
    }

    /// Whether a text is the secret; takes as long for a wrong one as for the right one of the same length.
    fn is(&self, text: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(text).into()
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Takes one message.
pub(crate) async fn ivs(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let outcome = receive(&request, payload, &state).await;
    metrics::counter!("webhook_messages_total", "status" => outcome.status.as_str().to_owned()).increment(1);
    let mut answer = HttpResponse::build(outcome.status);
    if outcome.status == StatusCode::SERVICE_UNAVAILABLE {
        answer.insert_header((header::RETRY_AFTER, "1"));
    }
    match outcome.error {
        None => answer.finish(),
        Some(error) => answer.json(serde_json::json!({ "error": error })),
    }
}

struct Outcome {
    status: StatusCode,
    error: Option<String>,
}

impl Outcome {
    const ACCEPTED: Self = Self { status: StatusCode::ACCEPTED, error: None };

    fn refused(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: Some(error.into()) }
    }
}

async fn receive(request: &HttpRequest, payload: Payload, state: &State) -> Outcome {
    if !is_known(request, &state.webhook_secret) {
        tracing::warn!("a webhook's sender did not know the secret");
        return Outcome::refused(StatusCode::UNAUTHORIZED, "the secret is missing or wrong");
    }
    let limits = &state.limits;
    let body = match body::read(request, payload, limits.webhook_bytes, limits.body_timeout).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            let most = format!("the body is longer than {} bytes", limits.webhook_bytes);
            return Outcome::refused(StatusCode::PAYLOAD_TOO_LARGE, most);
        }
        Err(BodyError::TooSlow) => {
            return Outcome::refused(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
        }
        Err(BodyError::Broken) => return Outcome::refused(StatusCode::BAD_REQUEST, "the body broke off"),
    };
    match live::ivs::parse(&body) {
        Ok(Parsed::Event(event)) => store(event, state).await,
        Ok(Parsed::Ignored { detail_type, name, reason }) => {
            tracing::info!(detail_type, name, reason, "a message of the live provider changes nothing");
            Outcome::ACCEPTED
        }
        Err(malformed) => {
            tracing::warn!(at = malformed.at, what = malformed.what, "a webhook's message is malformed");
            Outcome::refused(StatusCode::BAD_REQUEST, malformed.to_string())
        }
    }
}

/// Stores a message on the runtime that owns the database's connections.
async fn store(event: LiveEvent, state: &State) -> Outcome {
    let lifecycle = state.lifecycle.clone();
    let storing = state.executor.run(async move { lifecycle.receive(&event).await });
    match timeout(state.limits.webhook_timeout, storing).await {
        Ok(Some(Ok(()))) => return Outcome::ACCEPTED,
        Ok(Some(Err(fault))) => tracing::error!(error = %fault, "a message of the live provider was not stored"),
        Ok(None) => tracing::error!("storing a message of the live provider panicked"),
        Err(_) => tracing::error!("storing a message of the live provider took too long"),
    }
    Outcome::refused(StatusCode::SERVICE_UNAVAILABLE, "not stored; send it again")
}

fn is_known(request: &HttpRequest, secret: &WebhookSecret) -> bool {
    let own = request.headers().get(SECRET_HEADER).map(header::HeaderValue::as_bytes);
    let bearer =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    own.or(bearer).is_some_and(|text| secret.is(text))
}

//! `/graphql`: GraphQL over HTTP, with its media types and status codes.
//! Source: GraphQL over HTTP, working draft; measured by the audits of the npm package `graphql-http`.
//!
//! A browser sends JSON to another site only after asking (CORS preflight), but forms and plain text at once; so only
//! JSON is taken, and GET only reads.

use crate::{
    Limits,
    body::{self, BodyError},
    operation::{Answer, Operation, Params, Unanswered, is_refused, refusal},
    schema::Code,
    server::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{Bytes, Data, Payload},
};
use async_graphql::{Response, parser::types::OperationType};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap};

/// What the answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    /// Every answer to a well-formed request is 200.
    Json,
    /// A request that was refused as a whole is 400.
    GraphqlResponse,
}

impl Media {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    /// The best of what the client accepts; without a word from it, JSON.
    fn negotiate(request: &HttpRequest) -> Option<Self> {
        let mut accepted = request.headers().get_all(header::ACCEPT).peekable();
        if accepted.peek().is_none() {
            return Some(Self::Json);
        }
        let ranges = accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let mut best: Option<(f32, Self)> = None;
        for (media, weight) in ranges.filter_map(accepted_media) {
            if weight > best.map_or(0.0, |(most, _)| most) {
                best = Some((weight, media));
            }
        }
        best.map(|(_, media)| media)
    }
}

/// One range of an `Accept` header with its weight, if it is one we can serve.
/// Source: RFC 9110, 12.5.1.
fn accepted_media(range: &str) -> Option<(Media, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let media = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => Media::GraphqlResponse,
        "application/json" | "application/*" | "*/*" => Media::Json,
        _ => return None,
    };
    let mut weight = 1.0;
    for parameter in parts {
        match parameter.to_ascii_lowercase().split_once('=') {
            Some(("q", value)) => weight = value.trim().parse().ok()?,
            Some(("charset", value)) if !value.trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some((media, weight))
}

/// Why a request was not taken, with its answer.
struct Refused {
    status: StatusCode,
    response: Box<Response>,
}

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, response: Box::new(refusal(Code::BadInput, message)) }
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    fn answer(&self, media: Media) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => answer.insert_header((header::ALLOW, "POST")),
            StatusCode::SERVICE_UNAVAILABLE => answer.insert_header((header::RETRY_AFTER, "1")),
            _ => &mut answer,
        };
        write(answer, media, &Answer(&self.response))
    }
}

impl From<Unanswered> for Refused {
    fn from(unanswered: Unanswered) -> Self {
        let status = match unanswered {
            Unanswered::Busy | Unanswered::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Unanswered::Crashed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, response: Box::new(unanswered.response()) }
    }
}

/// Every method of `/graphql`.
pub(crate) async fn handle(request: HttpRequest, body: Payload, state: Data<State>) -> HttpResponse {
    let Some(media) = Media::negotiate(&request) else {
        let message = "answers are application/graphql-response+json or application/json";
        return Refused::new(StatusCode::NOT_ACCEPTABLE, message).answer(Media::Json);
    };
    let answered = match *request.method() {
        Method::POST => post(&request, body, &state, media).await,
        Method::GET => get(&request, &state, media).await,
        _ => {
            let mut answer = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "use GET or POST").answer(media);
            answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
            return answer;
        }
    };
    answered.unwrap_or_else(|refused| refused.answer(media))
}

async fn get(request: &HttpRequest, state: &State, media: Media) -> Result<HttpResponse, Refused> {
    let params = query_params(request.query_string())?;
    let operation = match Operation::parse(params, &state.limits) {
        Ok(operation) => operation,
        Err(response) => return Ok(answer(media, &response)),
    };
    if operation.kind() != OperationType::Query {
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "GET only reads: send this with POST"));
    }
    Ok(answer(media, &state.executor.execute(operation).await?))
}

/// The parameters of a GET request; maps are JSON in them.
fn query_params(query: &str) -> Result<Params, Refused> {
    let mut params: HashMap<Cow<'_, str>, Cow<'_, str>> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let mut json = |name: &str| match params.remove(name) {
        Some(text) if !text.is_empty() => {
            serde_json::from_str(&text).map_err(|error| Refused::malformed(format!("{name}: {error}")))
        }
        _ => Ok(serde_json::Value::Null),
    };
    let (variables, extensions) = (json("variables")?, json("extensions")?);
    let body = serde_json::json!({
        "query": params.get("query"),
        "operationName": params.get("operationName").filter(|name| !name.is_empty()),
        "variables": variables,
        "extensions": extensions,
    });
    serde_json::from_value(body).map_err(|error| Refused::malformed(error.to_string()))
}

async fn post(request: &HttpRequest, body: Payload, state: &State, media: Media) -> Result<HttpResponse, Refused> {
    check_content_type(request)?;
    let body = read(request, body, &state.limits).await?;
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return batch(&body, state, media).await;
    }
    let params = serde_json::from_slice(&body).map_err(|error| Refused::malformed(error.to_string()))?;
    Ok(answer(media, &one(params, state).await?))
}

/// One request of a POST body.
async fn one(params: Params, state: &State) -> Result<Response, Unanswered> {
    match Operation::parse(params, &state.limits) {
        Ok(operation) => state.executor.execute(operation).await,
        Err(response) => Ok(*response),
    }
}

/// Several requests, one after the other, so that a batch costs one slot at a time. None is executed unless all are
/// well formed.
async fn batch(body: &[u8], state: &State, media: Media) -> Result<HttpResponse, Refused> {
    let malformed = |error: serde_json::Error| Refused::malformed(error.to_string());
    let requests: Vec<&RawValue> = serde_json::from_slice(body).map_err(malformed)?;
    if requests.is_empty() || requests.len() > state.limits.batch_requests {
        return Err(Refused::malformed(format!("a batch has 1 to {} requests", state.limits.batch_requests)));
    }
    let requests: Vec<Params> = requests
        .iter()
        .map(|request| serde_json::from_str(request.get()))
        .collect::<Result<_, _>>()
        .map_err(malformed)?;
    let mut responses = Vec::with_capacity(requests.len());
    for params in requests {
        responses.push(one(params, state).await.unwrap_or_else(Unanswered::response));
    }
    let answers: Vec<_> = responses.iter().map(Answer).collect();
    Ok(write(HttpResponse::Ok(), media, &answers))
}

/// Only JSON in UTF-8 is taken, and only as it is.
fn check_content_type(request: &HttpRequest) -> Result<(), Refused> {
    let unsupported = |message: &'static str| Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(unsupported("send application/json"));
    }
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then_some(value.trim_matches('"'))
    });
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return Err(unsupported("send UTF-8"));
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported("send the body uncompressed"));
    }
    Ok(())
}

/// Reads a body, at most so many bytes of it and for so long.
async fn read(request: &HttpRequest, payload: Payload, limits: &Limits) -> Result<Bytes, Refused> {
    body::read(request, payload, limits.body_bytes, limits.body_timeout).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {} bytes", limits.body_bytes))
        }
        BodyError::TooSlow => Refused::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly"),
        BodyError::Broken => Refused::malformed("the body broke off"),
    })
}

/// An answer with its status.
fn answer(media: Media, response: &Response) -> HttpResponse {
    let refused = media == Media::GraphqlResponse && is_refused(response);
    let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    write(HttpResponse::build(status), media, &Answer(response))
}

fn write(mut answer: actix_web::HttpResponseBuilder, media: Media, body: &impl serde::Serialize) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(json) => answer
            .insert_header((header::CONTENT_TYPE, media.name()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::VARY, "Accept"))
            .body(json),
        Err(error) => {
            tracing::error!(error = %error, "an answer cannot be written as JSON");
            crate::trace::fault()
        }
    }
}

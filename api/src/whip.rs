//! `/whip/{stream}`: broadcasting from a browser (RFC 9725), where the live provider is in this process.
//!
//! This side is HTTP alone: the token, the SDP as text, the status that goes with a reason. What the SDP says is the
//! provider's affair.

use crate::{
    body::{self, BodyError},
    server::State,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use entity::{PublishToken, StreamId};
use live::{Whip, WhipError};
use std::sync::Arc;

/// The type of offers and answers.
const SDP: &str = "application/sdp";

/// Why a request was refused before the provider heard of it.
struct Refusal(StatusCode, String);

/// Takes an offer.
pub(crate) async fn publish(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let stream = request.match_info().get("stream").unwrap_or_default().to_owned();
    match open(&request, payload, &state).await {
        Ok(Some(Ok(session))) => HttpResponse::Created()
            .insert_header((header::CONTENT_TYPE, SDP))
            .insert_header((header::LOCATION, format!("/whip/{stream}/{}", session.id)))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(session.answer),
        Ok(Some(Err(error))) => refused(status(&error), &error.to_string()),
        Ok(None) => crate::trace::fault(),
        Err(Refusal(status, reason)) => refused(status, &reason),
    }
}

/// Ends a session.
pub(crate) async fn end(request: HttpRequest, state: Data<State>) -> HttpResponse {
    match close(&request, &state).await {
        Ok(Some(Ok(()))) => HttpResponse::Ok().finish(),
        Ok(Some(Err(error))) => refused(status(&error), &error.to_string()),
        Ok(None) => crate::trace::fault(),
        Err(Refusal(status, reason)) => refused(status, &reason),
    }
}

/// Everything else that can be asked of a session: there is no trickling and no restarting of ICE.
pub(crate) async fn not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "DELETE, OPTIONS")).finish()
}

async fn open(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
) -> Result<Option<Result<live::WhipSession, WhipError>>, Refusal> {
    let (whip, stream, token) = parties(request, state)?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_sdp) {
        return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the body must be {SDP}")));
    }
    let limits = &state.limits;
    let offer =
        body::read(request, payload, limits.sdp_bytes, limits.body_timeout).await.map_err(|error| match error {
            BodyError::TooLarge => Refusal(StatusCode::PAYLOAD_TOO_LARGE, "the offer is too long".into()),
            BodyError::TooSlow => Refusal(StatusCode::REQUEST_TIMEOUT, "the offer came too slowly".into()),
            BodyError::Broken => Refusal(StatusCode::BAD_REQUEST, "the offer broke off".into()),
        })?;
    let offer = String::from_utf8(offer.into())
        .map_err(|_| Refusal(StatusCode::BAD_REQUEST, "the offer is not UTF-8".into()))?;
    Ok(state.executor.run(async move { whip.open(stream, &token, &offer).await }).await)
}

async fn close(request: &HttpRequest, state: &State) -> Result<Option<Result<(), WhipError>>, Refusal> {
    let (whip, stream, token) = parties(request, state)?;
    let session = request.match_info().get("session").unwrap_or_default().to_owned();
    Ok(state.executor.run(async move { whip.close(stream, &token, &session).await }).await)
}

/// Who answers, what is asked about, and by which right.
fn parties(request: &HttpRequest, state: &State) -> Result<(Arc<dyn Whip>, StreamId, PublishToken), Refusal> {
    let unknown = |reason: &str| Refusal(StatusCode::NOT_FOUND, reason.into());
    let whip = state.whip.clone().ok_or_else(|| unknown("broadcasting by WHIP is not offered by this server"))?;
    let stream = request.match_info().get("stream").unwrap_or_default().parse();
    let stream = stream.map_err(|_| unknown("there is no such stream"))?;
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        bearer.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or_else(|| Refusal(StatusCode::UNAUTHORIZED, "the publish token is missing".into()))?;
    Ok((whip, stream, PublishToken::from_client(token.trim())))
}

fn is_sdp(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(SDP))
}

fn status(error: &WhipError) -> StatusCode {
    match error {
        WhipError::BadOffer(_) => StatusCode::BAD_REQUEST,
        WhipError::Unacceptable(_) => StatusCode::UNPROCESSABLE_ENTITY,
        WhipError::WrongToken => StatusCode::UNAUTHORIZED,
        WhipError::Unknown => StatusCode::NOT_FOUND,
        WhipError::Busy => StatusCode::CONFLICT,
        WhipError::Ended => StatusCode::GONE,
        WhipError::Full => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refused(status: StatusCode, reason: &str) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.insert_header((header::RETRY_AFTER, "5"));
    }
    answer.insert_header((header::CACHE_CONTROL, "no-store")).body(format!("{reason}\n"))
}

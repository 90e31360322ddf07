//! What every HTTP request leaves behind: a span, a line, a measurement; and an answer even if its handler panicked.
//!
//! Addresses, queries, variables and headers are not recorded, because tokens travel in them: the route's pattern says
//! which handler it was.

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{Method, StatusCode},
    middleware::Next,
};
use futures_util::FutureExt as _;
use std::{panic::AssertUnwindSafe, time::Instant};
use tracing::{Instrument as _, field::Empty};

/// Middleware around every request.
pub(crate) async fn request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let method = method(request.method());
    let span = tracing::info_span!("http", method, route = Empty, status = Empty, duration_ms = Empty);
    // The handler's state is gone with its panic; what is shared is behind locks that hold nothing half done.
    let result = AssertUnwindSafe(next.call(request)).catch_unwind().instrument(span.clone()).await;
    let result = result.unwrap_or_else(|_| {
        tracing::error!(parent: &span, "a handler panicked");
        Err(InternalError::from_response("panic", fault()).into())
    });
    let (status, route) = match &result {
        Ok(response) => (response.status(), response.request().match_pattern()),
        Err(error) => (error.as_response_error().status_code(), None),
    };
    let route = route.unwrap_or_else(|| "unmatched".into());
    record(&span, method, &route, status, began);
    result
}

fn record(span: &tracing::Span, method: &'static str, route: &str, status: StatusCode, began: Instant) {
    let duration = began.elapsed();
    #[expect(clippy::cast_possible_truncation, reason = "584 million years fit")]
    let duration_ms = duration.as_millis() as u64;
    span.record("route", route).record("status", status.as_u16()).record("duration_ms", duration_ms);
    if status.is_server_error() {
        tracing::warn!(parent: span, "request failed");
    } else {
        tracing::debug!(parent: span, "request served");
    }
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.as_str().to_owned())];
    metrics::histogram!("http_request_seconds", &labels).record(duration);
}

/// The method's name if it is one of the usual ones: clients must not be able to make up label values.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The answer to a request that met a fault of ours.
pub(crate) fn fault() -> HttpResponse {
    HttpResponse::InternalServerError().json(serde_json::json!({
        "errors": [{ "message": "something went wrong on our side", "extensions": { "code": "INTERNAL" } }]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, middleware::from_fn, test, web};

    #[actix_web::test]
    async fn a_handler_that_panics_is_answered_with_500_and_nothing_of_its_inside() {
        async fn faulty() -> HttpResponse {
            panic!("the secret inside")
        }
        let app = App::new().route("/faulty", web::get().to(faulty)).wrap(from_fn(request));
        let app = test::init_service(app).await;
        let error = test::try_call_service(&app, test::TestRequest::get().uri("/faulty").to_request()).await;
        let response = error.unwrap_err().error_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap_or_default();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL");
        assert!(!body.to_string().contains("secret"));
    }
}

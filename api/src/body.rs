//! Bodies of requests, read into memory: at most so many bytes and for so long, counted while they come in.

use actix_web::{
    HttpRequest,
    http::header,
    web::{Bytes, BytesMut, Payload},
};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::timeout;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is longer than allowed.
    TooLarge,
    /// It took longer than allowed.
    TooSlow,
    /// It ended too early, or was not sent as it was announced.
    Broken,
}

/// Reads the body of a request, never keeping more than `most` bytes.
pub(crate) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    most: usize,
    within: Duration,
) -> Result<Bytes, BodyError> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > most) {
        return Err(BodyError::TooLarge);
    }
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if body.len() + chunk.len() > most {
                return Err(BodyError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    timeout(within, reading).await.unwrap_or(Err(BodyError::TooSlow))
}

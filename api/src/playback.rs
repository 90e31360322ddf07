//! `/live/{stream}/{file}`: what is on air now, as HLS, where the live provider is in this process.
//!
//! Live pictures show bare faces, so no cache may keep what is answered here, and the provider alone decides whether
//! there is anything to answer.

use crate::server::State;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web::{Data, Query},
};
use entity::StreamId;
use live::{NotLive, Playback, Viewer};
use serde::Deserialize;

const PLAYLIST: &str = "index.m3u8";

/// What a player may ask of a playlist (draft-pantos-hls-rfc8216bis, 6.2.5).
#[derive(Debug, Deserialize)]
struct Directives {
    /// Answer when there is a segment of this number.
    #[serde(rename = "_HLS_msn")]
    until: Option<u64>,
}

/// GET and HEAD.
pub(crate) async fn serve(request: HttpRequest, state: Data<State>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    let Some(playback) = &state.playback else {
        return not_found("live video is not served by this server");
    };
    // As they stand in the path: what would have to be decoded first is no name of ours.
    let part = |name| request.match_info().get(name).unwrap_or_default();
    let Ok(stream) = part("stream").parse() else { return not_found(&NotLive::OffAir.to_string()) };
    answer(&**playback, &request, stream, part("file")).await
}

async fn answer(playback: &dyn Playback, request: &HttpRequest, stream: StreamId, file: &str) -> HttpResponse {
    let (content_type, bytes) = if file == PLAYLIST {
        let until = match Query::<Directives>::from_query(request.query_string()) {
            Ok(directives) => directives.until,
            Err(error) => return refused(&format!("the playlist's address: {error}")),
        };
        let playlist = playback.playlist(stream, until, viewer(request)).await;
        ("application/vnd.apple.mpegurl", playlist.map(Into::into))
    } else {
        ("video/mp2t", playback.segment(stream, file).await)
    };
    match bytes {
        Ok(bytes) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, content_type))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(bytes),
        Err(reason @ NotLive::Starting) => {
            let mut answer = not_found(&reason.to_string());
            answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            answer
        }
        Err(reason @ NotLive::FarAhead) => refused(&reason.to_string()),
        Err(reason) => not_found(&reason.to_string()),
    }
}

/// Who asks: by the address a proxy in front of this server names, since all viewers behind it share its own. It may be
/// made up, and then a number on the map is wrong.
fn viewer(request: &HttpRequest) -> Viewer<'_> {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let address = request.connection_info().realip_remote_addr().and_then(|address| address.parse().ok());
    Viewer { address, agent }
}

fn refused(reason: &str) -> HttpResponse {
    HttpResponse::BadRequest().insert_header((header::CACHE_CONTROL, "no-store")).body(format!("{reason}\n"))
}

fn not_found(reason: &str) -> HttpResponse {
    HttpResponse::NotFound().insert_header((header::CACHE_CONTROL, "no-store")).body(format!("{reason}\n"))
}

//! `/basemap.pmtiles`: the tiles the map is drawn from, read in parts (HTTP ranges).
//!
//! The operator's own file where there is one, else the world that is part of the binary.

use super::assets::Found;
use crate::{
    precondition::{self, Part},
    server::State,
};
use actix_files::NamedFile;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes, Data},
};
use std::{io, path::PathBuf};

const NAME: &str = "basemap.pmtiles";
const CONTENT_TYPE: &str = "application/vnd.pmtiles";

pub(super) async fn serve(request: HttpRequest, state: Data<State>) -> HttpResponse {
    match &state.pages.basemap {
        None => bundled(&request, &state),
        Some(path) => match open(path.clone()).await {
            Ok(file) => {
                let kind = CONTENT_TYPE.parse().unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
                let file = file.set_content_type(kind).disable_content_disposition();
                let mut answer = file.into_response(&request);
                let revalidate = header::HeaderValue::from_static("no-cache");
                answer.headers_mut().insert(header::CACHE_CONTROL, revalidate);
                answer
            }
            Err(error) => {
                tracing::error!(error = %error, "the file of BASEMAP_PMTILES cannot be read");
                HttpResponse::ServiceUnavailable().body("the basemap cannot be read\n")
            }
        },
    }
}

/// Opening may wait for a disk.
async fn open(path: PathBuf) -> io::Result<NamedFile> {
    web::block(move || NamedFile::open(path)).await.map_err(io::Error::other)?
}

fn bundled(request: &HttpRequest, state: &State) -> HttpResponse {
    let policy = &state.pages.policies.map;
    let Some(found) = Found::by_name(NAME) else {
        return policy.begin(StatusCode::NOT_FOUND).body("this build has no basemap\n");
    };
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let etag = found.etag();
    let range = header(header::RANGE).filter(|_| precondition::is_current(header(header::IF_RANGE), &etag));
    let size = found.bytes().len() as u64;
    let range = match precondition::part(range, size) {
        Part::Whole => return found.answer(request, policy),
        Part::Range(range) => range,
        Part::Nowhere => {
            let mut answer = policy.begin(StatusCode::RANGE_NOT_SATISFIABLE);
            return answer.insert_header((header::CONTENT_RANGE, format!("bytes */{size}"))).finish();
        }
    };
    let place = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
    let part = found.bytes().get(place(range.start)..place(range.end)).unwrap_or_default();
    policy
        .begin(StatusCode::PARTIAL_CONTENT)
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1)))
        .content_type(CONTENT_TYPE)
        .body(Bytes::copy_from_slice(part))
}

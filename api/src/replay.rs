//! `/vod/{vod}/{file}`: the objects of replays that are ready, and the pictures of those that are being made, from the
//! replay store.
//!
//! Nothing but a well-formed id of such a replay and a file name of our own making comes near the store, and the store
//! served here is the replays' own: there is no path, however it is written, that leads to a recording.

mod state;

pub(crate) use state::States;

use crate::{
    precondition::{self, Part},
    server::State,
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{Method, StatusCode, header},
    web::{Bytes, Data},
};
use entity::{Thumbnail, VodId};
use futures_util::{Stream, stream};
use state::Shown;
use std::ops::Range;
use storage::{Key, Meta, Replays};

/// How long caches may keep a segment, which never changes but may be taken down.
const SEGMENT_CACHE: &str = "public, max-age=3600";
/// How long caches may keep a picture: it never changes, but a replay that is withheld must not be looked at for long.
const PICTURE_CACHE: &str = "public, max-age=60";
/// How long caches may keep everything else, so that a replay taken down is soon no longer begun.
const LIST_CACHE: &str = "public, max-age=10";

/// A file of a replay.
struct File {
    key: Key,
    content_type: &'static str,
    cache: &'static str,
    /// How much of a replay must be shown for this to be among it.
    part_of: Shown,
}

impl File {
    /// The file, if it can be one: `index.m3u8`, a segment's six digits, `receipt.json`, a thumbnail.
    fn parse(vod: VodId, name: &str) -> Option<Self> {
        let key = Key::parse(&format!("vod/{vod}/{name}")).ok()?;
        if let Ok(picture) = name.parse::<Thumbnail>() {
            let content_type = picture.format.content_type();
            return Some(Self { key, content_type, cache: PICTURE_CACHE, part_of: Shown::Pictures });
        }
        let (content_type, cache) = match name.split_once('.')? {
            ("index", "m3u8") => ("application/vnd.apple.mpegurl", LIST_CACHE),
            ("receipt", "json") => ("application/json", LIST_CACHE),
            (stem, "ts") if stem.len() == 6 && stem.bytes().all(|b| b.is_ascii_digit()) => {
                ("video/mp2t", SEGMENT_CACHE)
            }
            _ => return None,
        };
        Some(Self { key, content_type, cache, part_of: Shown::Everything })
    }
}

/// GET and HEAD.
pub(crate) async fn serve(request: HttpRequest, state: Data<State>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    // As they stand in the path: what would have to be decoded first is no name of ours.
    let part = |name| request.match_info().get(name).unwrap_or_default();
    let Some((vod, file)) = part("vod").parse().ok().and_then(|vod| Some((vod, File::parse(vod, part("file"))?)))
    else {
        return not_found();
    };
    match state.states.shown(vod, &state.executor).await {
        Ok(shown) if shown >= file.part_of => {}
        Ok(_) => return not_found(),
        Err(state::Unknown) => return unavailable(),
    }
    let replays = state.replays.clone();
    let key = file.key.clone();
    match state.executor.run(async move { replays.head(&key).await }).await {
        Some(Ok(meta)) => answer(&request, &file, &meta, &state),
        Some(Err(storage::Error::NotFound(_))) => not_found(),
        Some(Err(storage::Error::Refused(reason))) => {
            tracing::warn!(key = %file.key, reason, "a replay's object was refused");
            not_found()
        }
        Some(Err(storage::Error::Unavailable(reason))) => {
            tracing::error!(key = %file.key, reason, "the replay store is unavailable");
            unavailable()
        }
        None => crate::trace::fault(),
    }
}

fn answer(request: &HttpRequest, file: &File, meta: &Meta, state: &State) -> HttpResponse {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if precondition::is_known(header(header::IF_NONE_MATCH), &meta.etag) {
        return described(StatusCode::NOT_MODIFIED, file, meta).finish();
    }
    let range = header(header::RANGE).filter(|_| precondition::is_current(header(header::IF_RANGE), &meta.etag));
    let (status, range) = match precondition::part(range, meta.size) {
        Part::Whole => (StatusCode::OK, 0..meta.size),
        Part::Range(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Nowhere => {
            let size = format!("bytes */{}", meta.size);
            let mut answer = described(StatusCode::RANGE_NOT_SATISFIABLE, file, meta);
            return answer.insert_header((header::CONTENT_RANGE, size)).finish();
        }
    };
    let mut answer = described(status, file, meta);
    answer.insert_header((header::CONTENT_TYPE, file.content_type));
    if status == StatusCode::PARTIAL_CONTENT {
        let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, meta.size);
        answer.insert_header((header::CONTENT_RANGE, content_range));
    }
    let length = range.end - range.start;
    let chunk = state.limits.replay_chunk_bytes.max(1);
    // For HEAD, too: only the length of the body is used then, and it is never polled.
    answer.body(SizedStream::new(length, chunks(state, file.key.clone(), range, chunk)))
}

/// What every answer about the object says of it.
fn described(status: StatusCode, file: &File, meta: &Meta) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::ETAG, meta.etag.as_str()))
        .insert_header((header::LAST_MODIFIED, header::HttpDate::from(std::time::SystemTime::from(meta.modified))))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, file.cache))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // Compressed ranges would be ranges of something else.
        .insert_header(header::ContentEncoding::Identity);
    answer
}

/// The bytes, one chunk in memory at a time. A fault in the middle breaks the connection, so that what arrived is not
/// taken for the whole.
fn chunks(state: &State, key: Key, range: Range<u64>, chunk: u64) -> impl Stream<Item = Result<Bytes, Broken>> + use<> {
    let source = (state.replays.clone(), state.executor.clone(), key);
    stream::try_unfold((source, range), move |((replays, executor, key), rest): (Source, _)| async move {
        if rest.is_empty() {
            return Ok(None);
        }
        let end = rest.end.min(rest.start + chunk);
        let (store, wanted, part) = (replays.clone(), key.clone(), rest.start..end);
        let read = executor.run(async move { store.get_range(&wanted, part).await }).await;
        match read {
            Some(Ok(bytes)) if bytes.len() as u64 == end - rest.start => {
                Ok(Some((bytes, ((replays, executor, key), end..rest.end))))
            }
            Some(Ok(_)) => Err(Broken("the object has changed")),
            Some(Err(error)) => {
                tracing::error!(key = %key, error = %error, "a replay's object broke off");
                Err(Broken("the replay store is unavailable"))
            }
            None => Err(Broken("a fault of ours")),
        }
    })
}

type Source = (Replays, crate::operation::Executor, Key);

/// Why the bytes broke off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(&'static str);

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().insert_header((header::CACHE_CONTROL, "no-store")).body("there is no such replay\n")
}

fn unavailable() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::RETRY_AFTER, "1"))
        .body("not available now\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_making_are_files() {
        let vod = VodId::generate();
        for name in
            ["index.m3u8", "000000.ts", "123456.ts", "receipt.json", "thumbnail-000012.webp", "thumbnail-000000.jpg"]
        {
            assert!(File::parse(vod, name).is_some(), "{name}");
        }
        let wrong = [
            "",
            ".",
            "..",
            "index",
            "other.m3u8",
            "00000.ts",
            "0000000.ts",
            "00000a.ts",
            "a.ts",
            ".jpg",
            "A.jpg",
            "a/b.jpg",
            "..jpg",
            "a..jpg",
            "a%2e.jpg",
            "a\\b.jpg",
            "a.jpg.exe",
            "thumb-1.jpg",
            "thumbnail.webp",
            "thumbnail-1.webp",
            "thumbnail-000012.webp.ts",
            "thumbnail-00001a.webp",
            "other.json",
            "receipt.json.ts",
            "a.mp4",
            "index.m3u8/",
            "a\0.jpg",
        ];
        for name in wrong {
            assert!(File::parse(vod, name).is_none(), "{name}");
        }
    }
}

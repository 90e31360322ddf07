//! The pages: the map client at `/`, GraphiQL at `/graphiql`, from the files that `make web` builds into `web/dist`.
//!
//! The files are part of the binary. If they were not built, a page says so and how to; nothing else depends on them.
//! No page may load, run or be framed by anything of another site.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::fmt::Write as _;

#[derive(RustEmbed)]
#[folder = "../web/dist/"]
#[allow_missing = true]
struct Dist;

/// Workers from blobs and styles in elements are what GraphiQL's editor is built on; `ws:` and `wss:` because `'self'`
/// does not cover them in every browser.
const POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; \
    connect-src 'self' ws: wss:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Files whose names change with their content.
const HASHED_CACHE: &str = "public, max-age=31536000, immutable";
/// Everything else is asked for again each time.
const CACHE: &str = "no-cache";

const NO_MAP: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Emergency Time</title>\
    <body><h1>Emergency Time</h1><p>The API is up. This build has no map client.</p><ul>\
    <li><a href=\"/graphiql\">GraphiQL</a>: ask the API and follow it live</li>\
    <li><code>/graphql</code> and <code>/graphql/ws</code>: the API itself</li></ul></body></html>";
const NO_GRAPHIQL: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>GraphiQL</title>\
    <body><h1>GraphiQL is not built</h1><p>Run <code>make web</code>, then build and start the server again. \
    The API itself is up at <code>/graphql</code>.</p></body></html>";

/// `/`.
pub(crate) async fn map(request: HttpRequest) -> HttpResponse {
    page(&request, "index.html", NO_MAP)
}

/// `/graphiql`.
pub(crate) async fn graphiql(request: HttpRequest) -> HttpResponse {
    page(&request, "graphiql/index.html", NO_GRAPHIQL)
}

/// Everything that has no address of its own: a file, or nothing.
pub(crate) async fn file(request: HttpRequest) -> HttpResponse {
    let name = request.path().trim_start_matches('/');
    match find(name) {
        Some(file) => answer(&request, name, file),
        None => {
            secured(StatusCode::NOT_FOUND).content_type("text/plain; charset=utf-8").body("there is nothing here\n")
        }
    }
}

fn page(request: &HttpRequest, name: &str, otherwise: &'static str) -> HttpResponse {
    match find(name) {
        Some(file) => answer(request, name, file),
        None => secured(StatusCode::OK)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, CACHE))
            .body(otherwise),
    }
}

/// A file by its name; names that climb or hide are no names.
fn find(name: &str) -> Option<EmbeddedFile> {
    let plain = !name.is_empty() && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    let plain = plain && !name.contains(['\\', '\0', '%']);
    plain.then(|| Dist::get(name)).flatten()
}

fn answer(request: &HttpRequest, name: &str, file: EmbeddedFile) -> HttpResponse {
    let etag = etag(&file);
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let mut answer = secured(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    let hashed = name.split('/').any(|part| part == "assets");
    answer
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, if hashed { HASHED_CACHE } else { CACHE }));
    if known {
        return answer.finish();
    }
    answer.content_type(content_type(name)).body(file.data.into_owned())
}

fn content_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    let text = guessed.type_() == "text" || guessed.subtype() == "javascript" || guessed.subtype() == "json";
    if text { format!("{}; charset=utf-8", guessed.essence_str()) } else { guessed.essence_str().to_owned() }
}

fn etag(file: &EmbeddedFile) -> String {
    let mut etag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        // Writing to a string cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag + "\""
}

/// An answer with the headers that keep other sites out.
fn secured(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header(("cross-origin-opener-policy", "same-origin"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_climbs_or_hides_is_no_file() {
        for name in ["", "..", "../Cargo.toml", "graphiql/../../package.json", "/etc/passwd", ".git/config", "a//b"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn scripts_and_styles_are_served_as_what_they_are() {
        assert_eq!(content_type("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("a.css"), "text/css; charset=utf-8");
        assert_eq!(content_type("a.svg"), "image/svg+xml");
        assert_eq!(content_type("a.wasm"), "application/wasm");
    }
}

//! The files of the pages, as `make web` builds them into `web/dist`.
//!
//! They are part of the binary, each also as the build compressed it. If they were not built, a page says so and how to;
//! nothing else depends on them.

use super::{encoding::Encoding, policy::Policy};
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

/// Files whose names change with their content.
const HASHED_CACHE: &str = "public, max-age=31536000, immutable";
/// Everything else is asked for again each time.
const CACHE: &str = "no-cache";

pub(super) const NO_MAP: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>Emergency Time</title></head><body><h1>Emergency Time</h1><p>The API is up, but the map is not built: run <code>make web</code>, then build and \
    start the server again.</p><ul>\
    <li><a href=\"/graphiql\">GraphiQL</a>: ask the API and follow it live</li>\
    <li><code>/graphql</code> and <code>/graphql/ws</code>: the API itself</li></ul></body></html>";
pub(super) const NO_GRAPHIQL: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>GraphiQL</title>\
    <body><h1>GraphiQL is not built</h1><p>Run <code>make web</code>, then build and start the server again. \
    The API itself is up at <code>/graphql</code>.</p></body></html>";

/// A page, or what is said where it was not built.
pub(super) fn page(request: &HttpRequest, name: &str, otherwise: &'static str, policy: &Policy) -> HttpResponse {
    match Found::by_name(name) {
        Some(found) => found.answer(request, policy),
        None => html(policy, otherwise),
    }
}

/// A page that is not a file.
pub(super) fn html(policy: &Policy, text: impl Into<String>) -> HttpResponse {
    policy
        .begin(StatusCode::OK)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, CACHE))
        .body(text.into())
}

/// A file that was found.
pub(super) struct Found<'a> {
    name: &'a str,
    file: EmbeddedFile,
}

impl<'a> Found<'a> {
    /// A file by its name; names that climb or hide are no names.
    pub(super) fn by_name(name: &'a str) -> Option<Self> {
        let plain = !name.is_empty() && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        let plain = plain && !name.contains(['\\', '\0', '%']);
        let file = plain.then(|| Dist::get(name)).flatten()?;
        Some(Self { name, file })
    }

    /// What is in it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.file.data
    }

    /// What tells this content from any other.
    pub(super) fn etag(&self) -> String {
        let mut etag = String::from("\"");
        for byte in &self.file.metadata.sha256_hash()[..16] {
            // Writing to a string cannot fail.
            let _ = write!(etag, "{byte:02x}");
        }
        etag + "\""
    }

    /// The file as it was compressed for a client like this one, if it was.
    fn compressed(&self, request: &HttpRequest) -> Option<(Encoding, EmbeddedFile)> {
        let accept = request.headers().get(header::ACCEPT_ENCODING)?.to_str().ok()?;
        let mut accepted = Encoding::ALL.into_iter().filter(|encoding| encoding.is_accepted(accept));
        accepted.find_map(|encoding| {
            let file = Dist::get(&format!("{}{}", self.name, encoding.ending()))?;
            Some((encoding, file))
        })
    }

    /// The whole file, unless the client has it.
    pub(super) fn answer(mut self, request: &HttpRequest, policy: &Policy) -> HttpResponse {
        let encoding = self.compressed(request).map(|(encoding, file)| {
            self.file = file;
            encoding
        });
        // Of the bytes that are sent, so that no client takes one encoding for another.
        let etag = self.etag();
        let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
        let mut answer = policy.begin(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
        let hashed = self.name.split('/').any(|part| part == "assets");
        answer
            .insert_header((header::ETAG, etag))
            .insert_header((header::VARY, "accept-encoding"))
            .insert_header((header::CACHE_CONTROL, if hashed { HASHED_CACHE } else { CACHE }));
        if let Some(encoding) = encoding {
            answer.insert_header((header::CONTENT_ENCODING, encoding.name()));
        }
        if known {
            return answer.finish();
        }
        answer.content_type(content_type(self.name)).body(self.file.data.into_owned())
    }
}

fn content_type(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    let text = guessed.type_() == "text" || guessed.subtype() == "javascript" || guessed.subtype() == "json";
    if name.ends_with(".webmanifest") {
        "application/manifest+json".to_owned()
    } else if text {
        format!("{}; charset=utf-8", guessed.essence_str())
    } else {
        guessed.essence_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_climbs_or_hides_is_no_file() {
        for name in ["", "..", "../Cargo.toml", "graphiql/../../package.json", "/etc/passwd", ".git/config", "a//b"] {
            assert!(Found::by_name(name).is_none(), "{name}");
        }
    }

    #[test]
    fn files_are_served_as_what_they_are() {
        assert_eq!(content_type("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("a.css"), "text/css; charset=utf-8");
        assert_eq!(content_type("a.svg"), "image/svg+xml");
        assert_eq!(content_type("a.wasm"), "application/wasm");
        assert_eq!(content_type("app.webmanifest"), "application/manifest+json");
    }
}

//! What a page may load, and who may frame it: the headers that keep other sites out.
//!
//! Source: W3C, Content Security Policy Level 3.

use super::BroadcastSdk;
use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};
use std::{fmt, str::FromStr};
use url::Url;

/// Another site that pages may load pictures, films and streams from: `https://cameras.example`,
/// `https://*.example:8443`, `wss://…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(String);

/// A text that is no [`Source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not scheme://host, as in https://cameras.example or https://*.example:8443")]
pub struct NotASource;

impl Source {
    /// The site of an address.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let origin = url.origin();
        origin.is_tuple().then(|| Self(origin.ascii_serialization()))
    }
}

impl FromStr for Source {
    type Err = NotASource;

    /// Reads what could stand in a policy and nothing else: a word that slipped in would change the whole policy.
    fn from_str(text: &str) -> Result<Self, NotASource> {
        let (scheme, place) = text.split_once("://").ok_or(NotASource)?;
        let (host, port) = place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
        let host = host.strip_prefix("*.").unwrap_or(host);
        let labels = host.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        });
        let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let known = matches!(scheme, "http" | "https" | "ws" | "wss");
        (known && labels && port).then(|| Self(text.to_ascii_lowercase())).ok_or(NotASource)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The policies of all pages.
#[derive(Clone, Debug)]
pub(super) struct Policies {
    /// The map client, as a page of its own.
    pub(super) map: Policy,
    /// The map client in a frame of another site.
    pub(super) embed: Policy,
    /// The playground.
    pub(super) graphiql: Policy,
}

/// What one page may do.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    rules: String,
    framed: bool,
}

impl Policies {
    pub(super) fn new(sources: &[Source], broadcast_sdk: Option<&BroadcastSdk>) -> Self {
        let others = sources.iter().fold(String::new(), |list, source| list + " " + &source.0);
        let map = |framed: bool| {
            let ancestors = if framed { "*" } else { "'none'" };
            let sdk = broadcast_sdk.filter(|_| !framed);
            let script = sdk.map(|sdk| format!(" {}", sdk.address())).unwrap_or_default();
            // The SDK draws at the pace of a worker that it makes itself.
            let worker = sdk.map_or("", |_| " blob:");
            let sites = sdk.map(|_| format!(" {}", BroadcastSdk::SITES.join(" "))).unwrap_or_default();
            let rules = format!(
                "default-src 'none'; script-src 'self'{script}; worker-src 'self'{worker}; style-src 'self'; \
                 font-src 'self'; img-src 'self' data: blob:{others}; media-src 'self' blob:{others}; \
                 connect-src 'self'{others}{sites}; \
                 manifest-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; \
                 frame-ancestors {ancestors}"
            );
            Policy { rules, framed }
        };
        // Workers from blobs and styles in elements are what GraphiQL's editor is built on; `ws:` and `wss:` because it
        // may be pointed at another server.
        let graphiql = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; \
            style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; \
            connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; \
            frame-ancestors 'none'";
        Self { map: map(false), embed: map(true), graphiql: Policy { rules: graphiql.to_owned(), framed: false } }
    }
}

impl Policy {
    /// An answer with the headers that keep other sites out.
    pub(super) fn begin(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut answer = HttpResponse::build(status);
        answer
            .insert_header((header::CONTENT_SECURITY_POLICY, self.rules.as_str()))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header(("cross-origin-opener-policy", "same-origin"));
        if self.framed {
            answer.insert_header(("permissions-policy", "camera=(), microphone=()"));
        } else {
            answer
                .insert_header((header::X_FRAME_OPTIONS, "DENY"))
                .insert_header(("permissions-policy", "camera=(self), microphone=(self), geolocation=(self)"));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_site_and_nothing_that_changes_a_policy() {
        for text in ["https://a.example", "http://127.0.0.1:8080", "https://*.a.example:8443", "wss://x"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        let wrong = [
            "",
            "*",
            "https:",
            "https://",
            "a.example",
            "'unsafe-inline'",
            "https://a; script-src *",
            "https://a b",
            "https://*",
            "https://a.*",
            "https://a/path",
            "https://a:0",
            "https://a:b",
            "data:",
            "ftp://a",
            "https://a,b",
        ];
        for text in wrong {
            assert_eq!(text.parse::<Source>(), Err(NotASource), "{text}");
        }
    }

    #[test]
    fn only_pictures_films_and_requests_may_come_from_a_named_site() {
        let policies = Policies::new(&["https://a.example".parse().unwrap()], None);
        let named: Vec<_> = policies.map.rules.split(';').filter(|rule| rule.contains("a.example")).collect();
        assert_eq!(named.len(), 3, "{named:?}");
        assert!(named.iter().all(|rule| ["img", "media", "connect"].iter().any(|kind| rule.contains(kind))));
        assert!(!policies.graphiql.rules.contains("a.example"));
    }

    #[test]
    fn a_script_of_another_site_is_run_only_where_it_is_named_and_never_in_a_frame() {
        let without = Policies::new(&[], None);
        let sdk = "https://a.example/1.0/sdk.js".parse().unwrap();
        let with = Policies::new(&[], Some(&sdk));
        assert!(with.map.rules.contains("; script-src 'self' https://a.example/1.0/sdk.js; "), "{}", with.map.rules);
        assert!(with.map.rules.contains("connect-src 'self' https://*.webrtc.live-video.net:4443 "));
        assert!(with.map.rules.contains("; worker-src 'self' blob:; "));
        assert!(!without.map.rules.contains("live-video") && !without.map.rules.contains("worker-src 'self' blob:"));
        assert_eq!(with.embed.rules, without.embed.rules);
        assert_eq!(with.graphiql.rules, without.graphiql.rules);
    }
}

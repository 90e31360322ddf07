//! Pages, health and metrics.

use crate::harness::Served;
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn the_pages_are_there_and_keep_other_sites_out() {
    let served = Served::start().await;
    for path in ["/", "/wall", "/s/stream_0", "/graphiql", "/graphiql/"] {
        let page = served.http.get(served.url(path)).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let header = |name| page.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert!(header("content-type").starts_with("text/html"), "{path}");
        let policy = header("content-security-policy");
        for rule in ["default-src '", "worker-src 'self'", "frame-ancestors 'none'", "object-src 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'self' 'unsafe-inline'"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(page.text().await.unwrap().starts_with("<!doctype html>"), "{path}");
    }
}

#[tokio::test]
async fn the_map_may_use_no_other_site_and_only_the_embedded_one_may_be_framed() {
    let served = Served::start().await;
    let policy = async |path| {
        let page = served.http.get(served.url(path)).send().await.unwrap();
        let framed = page.headers().get("x-frame-options").is_none();
        (page.headers()["content-security-policy"].to_str().unwrap().to_owned(), framed)
    };
    let (map, framed) = policy("/").await;
    assert!(map.starts_with("default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self';"), "{map}");
    assert!(!map.contains("unsafe") && !map.contains('*') && !framed, "{map}");
    let (embedded, framed) = policy("/embed").await;
    assert!(embedded.contains("frame-ancestors *") && framed, "{embedded}");
}

#[tokio::test]
async fn the_map_is_told_what_it_is_drawn_from_and_what_it_may_load() {
    let served = Served::start().await;
    let told: Value = served.http.get(served.url("/config.json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(told["basemap"], json!({ "kind": "offline" }));
    assert_eq!(told["sources"], json!([format!("http://{}", served.address)]));
}

#[tokio::test]
async fn what_is_not_there_is_404_and_shows_no_file() {
    let served = Served::start().await;
    for path in ["/nothing", "/graphiql/nothing.js", "/.env", "/Cargo.toml", "/graphiql/../Cargo.toml", "/live/x"] {
        let answer = served.http.get(served.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_server_whose_parts_are_well_is_ready() {
    let served = Served::start().await;
    let answer = served.http.get(served.url("/health/ready")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let parts = json!({ "database": "ok", "bus": "ok", "storage": "ok" });
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "status": "ok", "parts": parts }));
}

#[tokio::test]
async fn a_server_names_each_part_that_fails_and_nothing_of_its_inside() {
    let served = Served::start().await;
    served.house.db.clone().close().await.unwrap();
    served.house.bus.close().await;
    let answer = served.http.get(served.url("/health/ready")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let parts = json!({ "database": "failing", "bus": "failing", "storage": "ok" });
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "status": "failing", "parts": parts }));
    assert_eq!(served.http.get(served.url("/health/live")).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_tell_requests_by_route_and_never_by_address() {
    let served = Served::start().await;
    served.ask("{ __typename }", json!({})).await;
    served.http.get(served.url("/vod/some-secret-id/index.m3u8")).send().await.unwrap();
    let metrics = served.metrics().await;
    assert!(metrics.contains("http_request_seconds_bucket{method=\"POST\",route=\"/graphql\",status=\"200\""));
    assert!(metrics.contains("route=\"/vod/{vod}/{file}\",status=\"404\""), "{metrics}");
    assert!(!metrics.contains("some-secret-id"));
}

#[tokio::test]
async fn a_probe_serves_health_and_metrics_and_nothing_else() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = api::Limits::default();
    let probe = api::health::Probe::new(&limits)
        .part("database", || async { Ok::<_, String>(()) })
        .part("model", || async { Err("the file /secret/place is damaged") });
    let token = tokio_util::sync::CancellationToken::new();
    let (metrics, stop) = (crate::harness::metrics(), token.clone());
    let server = tokio::spawn(async move { api::health::serve_probe(probe, metrics, listener, &limits, stop).await });
    let get = |path: &str| reqwest::get(format!("http://{address}{path}"));
    assert_eq!(get("/health/live").await.unwrap().status(), StatusCode::OK);
    let ready = get("/health/ready").await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let parts = json!({ "database": "ok", "model": "failing" });
    assert_eq!(ready.json::<Value>().await.unwrap(), json!({ "status": "failing", "parts": parts }));
    assert_eq!(get("/metrics").await.unwrap().status(), StatusCode::OK);
    for path in ["/", "/graphql", "/graphiql"] {
        assert_eq!(get(path).await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    token.cancel();
    server.await.unwrap().unwrap();
}

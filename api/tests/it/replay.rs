//! `/vod/…`: what is served of a ready replay, and that nothing else is, whatever the path.

use crate::harness::{Served, at};
use bytes::Bytes;
use entity::{Category, StreamId, VodId, time::Clock, vod};
use lifecycle::NewStream;
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, IntoActiveModel as _};
use std::{net::SocketAddr, path::Path};
use storage::Key;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What is written into recordings: it must never be seen.
const BARE: &str = "a bare face";

/// A replay of one segment. Unless it is over, its recording goes on, so that nobody finishes it meanwhile.
fn row(stream_id: StreamId, status: vod::Status) -> vod::Model {
    let id = VodId::generate();
    let now = Clock::System.now();
    vod::Model {
        id,
        stream_id,
        status,
        category: Category::Fire,
        longitude: 127.0,
        latitude: 37.5,
        cell: at(127.0, 37.5).cell(),
        recording_id: id.to_string(),
        recording_prefix: format!("ivs/{id}"),
        recording_ended_at: None,
        recording_purged_at: None,
        segment_total: (status != vod::Status::Processing).then_some(1),
        next_scan_at: None,
        scan_failed_at: None,
        listed_at: Some(now),
        segments_known: 1,
        segments_settled: 1,
        gaps: 0,
        duration_ms: 2_000,
        gap_ms: 0,
        progress: 1.0,
        frames: 60,
        frames_detected: 12,
        detections: 0,
        face_tracks: 0,
        frames_filled: 0,
        faces_blurred: 0,
        seconds: 1.5,
        model: None,
        engine_version: None,
        thumbnail: None,
        live_thumbnail: None,
        ready_at: Some(now),
        withheld_reason: None,
        created_at: now,
        updated_at: now,
    }
}

/// A replay with a playlist and one segment of a thousand bytes.
async fn replay(served: &Served, status: vod::Status) -> VodId {
    let stream = NewStream {
        title: "Smoke".into(),
        description: None,
        category: Category::Fire,
        position: at(127.0, 37.5),
        heading: None,
        accuracy: None,
    };
    let started = served.house.lifecycle.start_stream(stream).await.unwrap();
    let row = row(started.stream.id, status);
    let id = row.id;
    row.into_active_model().reset_all().insert(&served.house.db).await.unwrap();
    put(served, &format!("vod/{id}/index.m3u8"), "#EXTM3U\n").await;
    put(served, &format!("vod/{id}/000000.ts"), &segment()).await;
    put(served, &format!("vod/{id}/receipt.json"), "{}").await;
    put(served, &format!("vod/{id}/thumbnail-000000.webp"), "picture").await;
    let bare = Key::parse(&format!("vod/{id}/000000.ts")).unwrap();
    served.house.recordings.put(&bare, Bytes::from(BARE), "video/mp2t").await.unwrap();
    id
}

fn segment() -> String {
    let lines: Vec<String> = (0..100).map(|n| format!("{n:09}\n")).collect();
    lines.concat()
}

async fn put(served: &Served, key: &str, content: &str) {
    let key = Key::parse(key).unwrap();
    served.house.replays.put(&key, Bytes::from(content.to_owned()), "application/octet-stream").await.unwrap();
}

async fn get(served: &Served, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = served.http.get(served.url(path));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_ready_replay_is_served_with_what_players_need() {
    let served = Served::start().await;
    let id = replay(&served, vod::Status::Ready).await;
    let playlist = get(&served, &format!("/vod/{id}/index.m3u8"), &[("origin", "https://example.org")]).await;
    assert_eq!(playlist.status(), StatusCode::OK);
    assert_eq!(header(&playlist, "content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(header(&playlist, "access-control-allow-origin"), "*");
    assert_eq!(playlist.text().await.unwrap(), "#EXTM3U\n");
    let whole = get(&served, &format!("/vod/{id}/000000.ts"), &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&whole, "content-type"), "video/mp2t");
    assert_eq!(header(&whole, "accept-ranges"), "bytes");
    assert_eq!(header(&whole, "content-length"), "1000");
    assert!(!header(&whole, "etag").is_empty() && header(&whole, "cache-control").contains("max-age"));
    assert_eq!(whole.text().await.unwrap(), segment());
}

#[tokio::test]
async fn an_object_larger_than_a_chunk_arrives_whole() {
    let served = Served::with(|limits| limits.replay_chunk_bytes = 7).await;
    let id = replay(&served, vod::Status::Ready).await;
    let path = format!("/vod/{id}/000000.ts");
    assert_eq!(get(&served, &path, &[]).await.text().await.unwrap(), segment());
    let part = get(&served, &path, &[("range", "bytes=3-903")]).await;
    assert_eq!(part.text().await.unwrap(), segment()[3..=903]);
}

#[tokio::test]
async fn a_range_is_served_as_206_and_one_outside_as_416() {
    let served = Served::start().await;
    let id = replay(&served, vod::Status::Ready).await;
    let path = format!("/vod/{id}/000000.ts");
    for (range, content_range, expected) in [
        ("bytes=0-9", "bytes 0-9/1000", 0..10),
        ("bytes=990-", "bytes 990-999/1000", 990..1000),
        ("bytes=-5", "bytes 995-999/1000", 995..1000),
        ("bytes=10-5000", "bytes 10-999/1000", 10..1000),
    ] {
        let part = get(&served, &path, &[("range", range), ("accept-encoding", "gzip")]).await;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(header(&part, "content-range"), content_range);
        assert_eq!(part.text().await.unwrap(), segment()[expected]);
    }
    let nowhere = get(&served, &path, &[("range", "bytes=1000-")]).await;
    assert_eq!(nowhere.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&nowhere, "content-range"), "bytes */1000");
    let several = get(&served, &path, &[("range", "bytes=0-1,5-6")]).await;
    assert_eq!((several.status(), several.text().await.unwrap()), (StatusCode::OK, segment()));
}

#[tokio::test]
async fn a_client_that_has_the_object_gets_304_and_a_stale_part_is_not_continued() {
    let served = Served::start().await;
    let id = replay(&served, vod::Status::Ready).await;
    let path = format!("/vod/{id}/000000.ts");
    let etag = header(&get(&served, &path, &[]).await, "etag").to_owned();
    let known = get(&served, &path, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status(), header(&known, "etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
    assert!(known.bytes().await.unwrap().is_empty());
    let current = get(&served, &path, &[("range", "bytes=0-9"), ("if-range", &etag)]).await;
    assert_eq!(current.status(), StatusCode::PARTIAL_CONTENT);
    let stale = get(&served, &path, &[("range", "bytes=0-9"), ("if-range", "\"other\"")]).await;
    assert_eq!(stale.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_says_what_get_would_without_the_bytes() {
    let served = Served::start().await;
    let id = replay(&served, vod::Status::Ready).await;
    let request = format!("HEAD /vod/{id}/000000.ts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = exchange(served.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.to_lowercase().contains("content-length: 1000"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn other_methods_are_refused_and_a_players_preflight_is_answered() {
    let served = Served::start().await;
    let id = replay(&served, vod::Status::Ready).await;
    let url = served.url(&format!("/vod/{id}/000000.ts"));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        assert_eq!(served.http.request(method, &url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    let preflight = served.http.request(Method::OPTIONS, &url).header("origin", "https://example.org");
    let preflight = preflight
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "range")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(header(&preflight, "access-control-allow-origin"), "*");
    assert_eq!(header(&preflight, "access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_replay_that_is_not_ready_is_not_there_but_for_its_pictures_while_it_is_made() {
    let served = Served::start().await;
    for status in vod::Status::ALL {
        let id = replay(&served, *status).await;
        for file in ["index.m3u8", "000000.ts", "receipt.json", "thumbnail-000000.webp", "thumbnail-000001.webp"] {
            let shown = match status {
                vod::Status::Ready => file != "thumbnail-000001.webp",
                vod::Status::Processing => file == "thumbnail-000000.webp",
                vod::Status::Withheld | vod::Status::Removed => false,
            };
            let answer = get(&served, &format!("/vod/{id}/{file}"), &[]).await;
            let expected = if shown { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(answer.status(), expected, "{status} {file}");
        }
    }
    let unknown = get(&served, &format!("/vod/{}/index.m3u8", VodId::generate()), &[]).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_replay_taken_down_is_gone_once_its_state_is_no_longer_believed() {
    let served = Served::with(|limits| limits.replay_state_age = std::time::Duration::ZERO).await;
    let id = replay(&served, vod::Status::Ready).await;
    let path = format!("/vod/{id}/000000.ts");
    assert_eq!(get(&served, &path, &[]).await.status(), StatusCode::OK);
    let removed = vod::ActiveModel { id: Set(id), status: Set(vod::Status::Removed), ..Default::default() };
    removed.update(&served.house.db).await.unwrap();
    assert_eq!(get(&served, &path, &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_path_leads_to_a_recording() {
    let served = Served::start().await;
    let id = replay(&served, vod::Status::Ready).await;
    let recordings = served.house.folder.path().join("recordings");
    let bare = recordings.join(format!("vod/{id}/000000.ts"));
    assert_eq!(std::fs::read_to_string(&bare).unwrap(), BARE, "the bait lies where the paths point");
    link(&bare, &served.house.folder.path().join(format!("replays/vod/{id}/000001.ts")));
    link(&recordings.join("vod"), &served.house.folder.path().join("replays/vod/linked"));
    for path in tricks(id, &bare) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes();
        let answer = exchange(served.address, &request).await;
        assert!(!answer.contains(BARE), "{path}");
        let refused = ["HTTP/1.1 404", "HTTP/1.1 400", "HTTP/1.1 405"].iter().any(|status| answer.starts_with(status));
        assert!(refused, "{path}: {answer}");
    }
}

fn tricks(id: VodId, bare: &Path) -> Vec<String> {
    let climb = format!("recordings/vod/{id}/000000.ts");
    let mut paths = vec![
        format!("/vod/{id}/000001.ts"),
        format!("/vod/linked/{id}/000000.ts"),
        format!("/vod/linked/000000.ts"),
        format!("/{climb}"),
        format!("/vod/{}", bare.display()),
        format!("/vod/{id}/{}", bare.display()),
        format!("/vod/{id}/%2f{}", bare.display()),
        format!("/vod/{id}%00/000000.ts"),
        format!("/vod/{id}/000000.ts%00.jpg"),
        format!("/vod/{id}/..\\..\\..\\recordings\\vod\\{id}\\000000.ts"),
        format!("/vod/{}/000000.ts", id.to_string().to_uppercase()),
        format!("/vod//{id}/000000.ts"),
        format!("/vod/{id}//000000.ts"),
        format!("/vod/{id}/./000000.ts"),
        format!("/graphiql/../../{climb}"),
        format!("/graphiql/%2e%2e/%2e%2e/%2e%2e/{climb}"),
    ];
    for up in ["..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "..;", "%c0%ae%c0%ae", "．．"] {
        for slash in ["/", "%2f", "%2F", "%5c", "\\", "%252f"] {
            for depth in 1..=4 {
                let up = format!("{up}{slash}").repeat(depth);
                paths.push(format!("/vod/{up}{}", climb.replace('/', slash)));
                paths.push(format!("/vod/{id}/{up}{}", climb.replace('/', slash)));
                paths.push(format!("/{up}{climb}"));
            }
        }
    }
    paths
}

fn link(target: &Path, name: &Path) {
    std::os::unix::fs::symlink(target, name).unwrap();
}

/// Sends bytes as they are and returns everything that comes back.
async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    crate::harness::soon("the answer", socket.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

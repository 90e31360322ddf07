//! Queries.

use super::*;
use crate::read::fixture::{cctv, put_cctv, put_stream, put_vod, stream, vod};
use entity::{StreamId, stream as broadcast, vod as replay};

const MAP: &str = "query ($bbox: BoundingBoxInput!, $first: Int) {
    map(bbox: $bbox, zoom: 12, first: $first) {
        items { __typename id title position { longitude latitude } thumbnailUrl }
        clusters { id count counts { streams vods cctvs } bbox { west south east north } }
        cursor
    }
}";

fn world() -> Value {
    json!({ "west": -180, "south": -90, "east": 180, "north": 90 })
}

#[tokio::test]
async fn the_map_answers_each_kind_by_its_type_and_where_to_go_on() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let live = stream((127.0, 37.5));
        let ended = broadcast::Model { status: broadcast::Status::Ended, ..stream((126.0, 37.0)) };
        let (replay, camera) = (vod(&ended), cctv((125.0, 36.0)));
        put_stream(&stage.db, &live).await;
        put_stream(&stage.db, &ended).await;
        put_vod(&stage.db, &replay).await;
        put_cctv(&stage.db, &camera).await;
        let seq = stage.log(event::Kind::StreamStarted, ItemId::Stream(live.id), (127.0, 37.5)).await;

        let map = stage.data(MAP, json!({ "bbox": world() })).await["map"].take();
        let items = map["items"].as_array().unwrap();
        let shown: Vec<_> = items.iter().map(|it| (it["__typename"].as_str(), it["title"].as_str())).collect();
        assert_eq!(
            shown,
            [
                (Some("Stream"), Some(live.title.as_str())),
                (Some("Vod"), Some(ended.title.as_str())),
                (Some("Cctv"), Some(camera.name.as_str())),
            ]
        );
        assert_eq!(items[0]["position"], json!({ "longitude": 127.0, "latitude": 37.5 }));
        assert_eq!(items[2]["thumbnailUrl"], json!(camera.url));
        assert_eq!(map["cursor"].as_str().unwrap().parse(), Ok(scalars::Cursor::Event(seq)));
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_is_told_as_clusters() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        for _ in 0..3 {
            put_cctv(&stage.db, &cctv((127.0, 37.5))).await;
        }
        put_stream(&stage.db, &stream((127.0, 37.5))).await;
        put_stream(&stage.db, &stream((-60.0, -30.0))).await;
        let map = stage.data(MAP, json!({ "bbox": world(), "first": 4 })).await["map"].take();
        assert_eq!(map["items"].as_array().unwrap().len(), 1);
        let [cluster] = &map["clusters"].as_array().unwrap()[..] else { panic!("{map}") };
        assert_eq!(cluster["count"], 4);
        assert_eq!(cluster["counts"], json!({ "streams": 1, "vods": 0, "cctvs": 3 }));
        assert_eq!(cluster["bbox"], json!({ "west": 127.0, "south": 37.5, "east": 127.0, "north": 37.5 }));
    })
    .await;
}

#[tokio::test]
async fn what_was_removed_is_answered_nowhere() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let gone = broadcast::Model { status: broadcast::Status::Removed, ..stream((1.0, 1.0)) };
        let shown = broadcast::Model { status: broadcast::Status::Ended, ..stream((1.0, 1.0)) };
        let orphan = vod(&gone);
        let removed = replay::Model { status: replay::Status::Removed, ..vod(&shown) };
        put_stream(&stage.db, &gone).await;
        put_stream(&stage.db, &shown).await;
        put_vod(&stage.db, &orphan).await;
        put_vod(&stage.db, &removed).await;
        let query = "query ($gone: ID!, $shown: ID!, $orphan: ID!, $removed: ID!) {
            stream(id: $gone) { id }
            ended: stream(id: $shown) { vod { id } }
            vod(id: $removed) { id }
            orphan: vod(id: $orphan) { title stream { title } }
            a: node(id: $gone) { id }
            b: node(id: $removed) { id }
            streams(statuses: [REMOVED]) { nodes { id } }
            vods(statuses: [REMOVED]) { nodes { id } }
        }";
        let ids = json!({
            "gone": gone.id.to_string(), "shown": shown.id.to_string(),
            "orphan": orphan.id.to_string(), "removed": removed.id.to_string(),
        });
        let expected = json!({
            "stream": null,
            "ended": { "vod": null },
            "vod": null,
            "orphan": { "title": "Replay", "stream": null },
            "a": null, "b": null,
            "streams": { "nodes": [] }, "vods": { "nodes": [] },
        });
        assert_eq!(stage.data(query, ids).await, expected);
    })
    .await;
}

#[tokio::test]
async fn an_id_of_another_kind_or_of_nothing_is_null() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let row = stream((1.0, 1.0));
        put_stream(&stage.db, &row).await;
        let query = "query ($id: ID!) { stream(id: $id) { id } vod(id: $id) { id } cctv(id: $id) { id }
            node(id: $id) { __typename id } }";
        let id = row.id.to_string();
        let answer = stage.data(query, json!({ "id": id })).await;
        assert_eq!(answer["stream"]["id"], json!(id));
        assert_eq!(answer["node"], json!({ "__typename": "Stream", "id": id }));
        assert!(answer["vod"].is_null() && answer["cctv"].is_null());
        for id in ["", "7", "stream_", &StreamId::generate().to_string()] {
            let answer = stage.data(query, json!({ "id": id })).await;
            assert!(answer.as_object().unwrap().values().all(Value::is_null), "{id}: {answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_played_only_while_it_may_be() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let playback_url = Some("https://elsewhere.example/a/index.m3u8".to_owned());
        let live = broadcast::Model { playback_url, ..stream((1.0, 1.0)) };
        // Of this server, in whose process no live provider carries it.
        let playback_url = Some("/live/a/index.m3u8".to_owned());
        let simulated = broadcast::Model { playback_url, ..stream((1.0, 1.0)) };
        let over = broadcast::Model {
            id: StreamId::generate(),
            channel_arn: "arn:over".into(),
            status: broadcast::Status::Ended,
            ..live.clone()
        };
        let ready = vod(&over);
        let reason = Some("too many gaps".to_owned());
        let withheld = replay::Model { status: replay::Status::Withheld, withheld_reason: reason, ..vod(&over) };
        put_stream(&stage.db, &live).await;
        put_stream(&stage.db, &simulated).await;
        put_stream(&stage.db, &over).await;
        put_vod(&stage.db, &ready).await;
        put_vod(&stage.db, &withheld).await;
        let query = "query ($live: ID!, $simulated: ID!, $over: ID!, $ready: ID!, $withheld: ID!) {
            live: stream(id: $live) { playbackUrl }
            simulated: stream(id: $simulated) { playbackUrl }
            over: stream(id: $over) { playbackUrl }
            ready: vod(id: $ready) { playbackUrl progress durationMs readyAt withheldReason
                redaction { frames faceTracks facesBlurred gaps model } }
            withheld: vod(id: $withheld) { playbackUrl withheldReason }
        }";
        let ids = json!({
            "live": live.id.to_string(), "simulated": simulated.id.to_string(), "over": over.id.to_string(),
            "ready": ready.id.to_string(), "withheld": withheld.id.to_string(),
        });
        let answer = stage.data(query, ids).await;
        assert_eq!(answer["live"]["playbackUrl"], "https://elsewhere.example/a/index.m3u8");
        assert_eq!(answer["simulated"]["playbackUrl"], Value::Null);
        assert_eq!(answer["over"]["playbackUrl"], Value::Null);
        assert_eq!(answer["withheld"], json!({ "playbackUrl": null, "withheldReason": "too many gaps" }));
        let address = format!("https://replays.example/public/vod/{}/index.m3u8", ready.id);
        assert_eq!(
            answer["ready"],
            json!({
                "playbackUrl": address, "progress": 1.0, "durationMs": 8000, "readyAt": "2030-01-01T00:01:01.000Z",
                "withheldReason": null,
                "redaction": { "frames": 240, "faceTracks": 3, "facesBlurred": 90, "gaps": 0, "model": "centerface" },
            })
        );
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_walked_to_its_end_by_its_cursors() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        for _ in 0..7 {
            put_cctv(&stage.db, &cctv((1.0, 1.0))).await;
        }
        let query = "query ($after: Cursor) { cctvs(first: 3, after: $after) {
            edges { cursor node { id } } nodes { id }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
        let (mut after, mut seen, mut pages) = (Value::Null, Vec::new(), Vec::new());
        loop {
            let page = stage.data(query, json!({ "after": after })).await["cctvs"].take();
            let edges = page["edges"].as_array().unwrap();
            let info = &page["pageInfo"];
            assert_eq!(info["hasPreviousPage"], json!(!after.is_null()));
            assert_eq!(info["startCursor"], edges[0]["cursor"]);
            let nodes: Vec<&Value> = edges.iter().map(|edge| &edge["node"]).collect();
            assert_eq!(page["nodes"].as_array().unwrap().iter().collect::<Vec<_>>(), nodes);
            seen.extend(nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
            pages.push(edges.len());
            after = info["endCursor"].clone();
            if info["hasNextPage"] == json!(false) {
                break;
            }
        }
        assert_eq!(pages, [3, 3, 1]);
        seen.dedup();
        assert_eq!(seen.len(), 7);
    })
    .await;
}

#[tokio::test]
async fn fifty_replays_with_their_streams_and_cameras_are_not_read_one_by_one() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        for number in 0..50 {
            let at = (f64::from(number), 1.0);
            let ended = broadcast::Model { status: broadcast::Status::Ended, ..stream(at) };
            put_stream(&stage.db, &ended).await;
            put_vod(&stage.db, &vod(&ended)).await;
            put_cctv(&stage.db, &cctv(at)).await;
        }
        let query = "{ vods(first: 50) { nodes { title stream { vod { id } nearbyCctvs(first: 2) { id } } } } }";
        stage.statements.lock().unwrap().clear();
        let answer = stage.data(query, json!({})).await;
        let statements = stage.statements.lock().unwrap().clone();
        let nodes = answer["vods"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 50);
        assert!(nodes.iter().all(|it| it["stream"]["nearbyCctvs"].as_array().unwrap().len() == 1), "{answer}");
        // Six when nothing hinders; a busy machine may cut a batch in two, but never into one statement for each.
        assert!(statements.len() < nodes.len(), "{statements:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_value_that_cannot_be_taken_is_named() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let bbox = |west: f64, south: f64| json!({ "west": west, "south": south, "east": 1, "north": 1 });
        let row = scalars::Cursor::Row(crate::read::page::Mark { created_at: second(0), id: uuid::Uuid::now_v7() });
        let vods = "query ($bbox: BoundingBoxInput, $after: Cursor, $first: Int) {
            vods(bbox: $bbox, after: $after, first: $first) { nodes { id } } }";
        for (query, variables, field) in [
            (MAP, json!({ "bbox": bbox(-181.0, 0.0) }), "bbox.west"),
            (MAP, json!({ "bbox": bbox(0.0, 2.0) }), "bbox.south"),
            (MAP, json!({ "bbox": bbox(0.0, 0.0), "first": 501 }), "first"),
            (vods, json!({ "first": 0 }), "first"),
            (vods, json!({ "bbox": bbox(200.0, 0.0) }), "bbox.west"),
            (vods, json!({ "after": scalars::Cursor::Event(1).to_string() }), "after"),
            ("subscription ($after: Cursor, $bbox: BoundingBoxInput!) { mapEvents(bbox: $bbox, after: $after) { at } }",
             json!({ "bbox": bbox(0.0, 0.0), "after": row.to_string() }), "after"),
            ("{ address(position: { longitude: 0, latitude: 91 }) { name } }", json!({}), "position.latitude"),
            ("{ places(text: \" \") { name } }", json!({}), "text"),
            ("query($t: String!) { places(text: $t) { name } }", json!({ "t": "a".repeat(201) }), "text"),
        ] {
            let request = Request::new(query).variables(Variables::from_json(variables));
            let mut answers = stage.schema.execute_stream(request);
            let response = futures_util::StreamExt::next(&mut answers).await.unwrap();
            let error = &response.errors[0];
            assert_eq!(extension(error, "code").as_deref(), Some("BAD_INPUT"), "{error:?}");
            assert_eq!(extension(error, "field").as_deref(), Some(field), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_fault_of_the_database_is_shown_without_its_inside() {
    use sea_orm::ConnectionTrait as _;
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        stage.db.execute_unprepared("DROP TABLE cctv").await.unwrap();
        let error = stage.error("{ cctvs { nodes { id } } }", json!({})).await;
        assert_eq!(extension(&error, "code").as_deref(), Some("INTERNAL"));
        assert_eq!(error.message, "something went wrong on our side");
    })
    .await;
}

#[tokio::test]
async fn places_are_found_by_name_and_by_position_in_both_languages() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let query = "{ places(text: \"해운대\", first: 1) { name ko: name(language: KO) position { longitude } }
            address(position: { longitude: 126.98, latitude: 37.57 }) { ko: name(language: KO) }
            sea: address(position: { longitude: -160, latitude: 0 }) { name } }";
        let found =
            json!({ "name": "Haeundae-gu, Busan", "ko": "부산광역시 해운대구", "position": { "longitude": 129.1636 } });
        let expected = json!({ "places": [found], "address": { "ko": "서울특별시 종로구" }, "sea": null });
        assert_eq!(stage.data(query, json!({})).await, expected);
    })
    .await;
}

//! GraphQL over HTTP: media types, status codes, and what is refused before it is executed.

use crate::harness::Served;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";
const START: &str = "mutation { startStream(input: { title: \"Smoke\", category: FIRE, \
    position: { longitude: 127, latitude: 37.5 } }) { __typename } }";

async fn post(served: &Served, accept: &str, body: impl Into<reqwest::Body>) -> Response {
    let request = served.http.post(served.url("/graphql")).header("accept", accept);
    request.header("content-type", JSON).body(body).send().await.unwrap()
}

async fn get(served: &Served, query: &[(&str, &str)]) -> Response {
    let mut url = url::Url::parse(&served.url("/graphql")).unwrap();
    url.query_pairs_mut().extend_pairs(query);
    served.http.get(url).header("accept", GRAPHQL).send().await.unwrap()
}

fn media(response: &Response) -> String {
    response.headers()["content-type"].to_str().unwrap().to_owned()
}

/// The code of the only error of a refused request, which has no data.
async fn code(response: Response) -> String {
    let answer: Value = response.json().await.unwrap();
    assert!(answer.get("data").is_none(), "{answer}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_answer_is_of_the_media_type_asked_for() {
    let served = Served::start().await;
    for (accept, expected) in [
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, application/graphql-response+json;q=0.9, */*;q=0.1", GRAPHQL),
        ("application/graphql-response+json;q=0.1, application/json;q=0.2", JSON),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL),
    ] {
        let answer = post(&served, accept, json!({ "query": "{ __typename }" }).to_string()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{accept}");
        assert_eq!(media(&answer), format!("{expected}; charset=utf-8"), "{accept}");
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "__typename": "Query" } }));
    }
    let other = post(&served, "text/html", json!({ "query": "{ __typename }" }).to_string()).await;
    assert_eq!(other.status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_request_that_is_not_well_formed_is_400() {
    let served = Served::start().await;
    for body in [
        "",
        "{",
        "null",
        "\"{ __typename }\"",
        "{}",
        r#"{"query":null}"#,
        r#"{"query":1}"#,
        r#"{"query":["{ __typename }"]}"#,
        r#"{"query":"{ __typename }","operationName":1}"#,
        r#"{"query":"{ __typename }","variables":"{}"}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
        r#"{"query":"{ __typename }","extensions":1}"#,
    ] {
        for accept in [JSON, GRAPHQL] {
            let answer = post(&served, accept, body).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(code(answer).await, "BAD_INPUT");
        }
    }
    let nulls = r#"{"query":"{ __typename }","operationName":null,"variables":null,"extensions":null}"#;
    assert_eq!(post(&served, GRAPHQL, nulls).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_document_that_is_refused_is_400_or_200_by_media_type_and_has_no_data() {
    let served = Served::start().await;
    for query in [
        "{",
        "{ nothing }",
        "query ($id: ID!) { stream(id: $id) { id } }",
        "query A { __typename } query B { __typename }",
    ] {
        let body = json!({ "query": query }).to_string();
        for (accept, status) in [(JSON, StatusCode::OK), (GRAPHQL, StatusCode::BAD_REQUEST)] {
            let answer = post(&served, accept, body.clone()).await;
            assert_eq!(answer.status(), status, "{query}");
            assert_eq!(code(answer).await, "BAD_INPUT", "{query}");
        }
    }
}

#[tokio::test]
async fn a_fault_of_one_field_leaves_the_rest_and_the_status() {
    let served = Served::start().await;
    let query = "{ __typename map(bbox: { west: 0, south: 1, east: 0, north: 0 }, zoom: 3) { cursor } }";
    let answer = post(&served, GRAPHQL, json!({ "query": query }).to_string()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_INPUT");
    assert_eq!(answer["errors"][0]["path"], json!(["map"]));
    assert!(answer.as_object().unwrap().contains_key("data"));
}

#[tokio::test]
async fn get_reads() {
    let served = Served::start().await;
    let query = "query Q($id: ID!) { stream(id: $id) { id } __typename }";
    let variables = r#"{"id":"stream_00000000000000000000000000000000"}"#;
    let answer = get(&served, &[("query", query), ("variables", variables), ("operationName", "Q")]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.json::<Value>().await.unwrap()["data"]["__typename"], "Query");
    for (name, value) in [("variables", "{"), ("variables", "[]"), ("extensions", "1")] {
        let answer = get(&served, &[("query", "{ __typename }"), (name, value)]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}={value}");
    }
    assert_eq!(get(&served, &[]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn get_does_not_write_and_nothing_subscribes_over_http() {
    let served = Served::start().await;
    let several = format!("query A {{ __typename }} mutation B {}", START.trim_start_matches("mutation "));
    for query in [&[("query", START)][..], &[("query", several.as_str()), ("operationName", "B")]] {
        let answer = get(&served, query).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], "POST");
    }
    let subscription = format!("subscription {{ mapEvents(bbox: {}) {{ cursor }} }}", crate::harness::WORLD);
    assert_eq!(get(&served, &[("query", &subscription)]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    let posted = post(&served, GRAPHQL, json!({ "query": subscription }).to_string()).await;
    assert_eq!(posted.status(), StatusCode::BAD_REQUEST);
    assert_eq!(streams(&served).await, 0, "nothing was started");
}

#[tokio::test]
async fn what_a_browser_sends_without_asking_is_not_executed() {
    let served = Served::start().await;
    let body = json!({ "query": START }).to_string();
    let form = format!("query={START}");
    for (content_type, body) in [
        ("text/plain", &body),
        ("text/plain; application/json", &body),
        ("application/x-www-form-urlencoded", &form),
        ("multipart/form-data; boundary=x", &body),
        ("application/json; charset=utf-16", &body),
        ("application/graphql", &body),
        ("", &body),
    ] {
        let request = served.http.post(served.url("/graphql")).header("content-type", content_type);
        let answer = request.body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
    }
    let without = served.http.post(served.url("/graphql")).body(body.clone()).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let packed = served.http.post(served.url("/graphql")).header("content-type", JSON);
    let packed = packed.header("content-encoding", "gzip").body(body).send().await.unwrap();
    assert_eq!(packed.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(streams(&served).await, 0, "nothing was started");
    assert_eq!(post(&served, JSON, json!({ "query": START }).to_string()).await.status(), StatusCode::OK);
    assert_eq!(streams(&served).await, 1);
}

async fn streams(served: &Served) -> u64 {
    use sea_orm::{EntityTrait as _, PaginatorTrait as _};
    entity::stream::Entity::find().count(&served.house.db).await.unwrap()
}

#[tokio::test]
async fn other_methods_are_405_with_what_is_allowed() {
    let served = Served::start().await;
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD] {
        let answer = served.http.request(method, served.url("/graphql")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], "GET, POST");
    }
}

#[tokio::test]
async fn dashboards_of_any_site_may_ask_without_credentials() {
    let served = Served::start().await;
    let preflight =
        served.http.request(Method::OPTIONS, served.url("/graphql")).header("origin", "https://example.org");
    let preflight = preflight
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert!(!preflight.headers().contains_key("access-control-allow-credentials"));
    let request = served.http.post(served.url("/graphql")).header("origin", "https://example.org");
    let answer = request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_batch_is_answered_in_order_and_bounded() {
    let served = Served::with(|limits| limits.batch_requests = 3).await;
    let one = json!({ "query": "{ __typename }" });
    let answer = post(&served, GRAPHQL, json!([one, { "query": "{ nothing }" }, one]).to_string()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answers: Vec<Value> = answer.json().await.unwrap();
    assert_eq!(
        (&answers[0]["data"]["__typename"], &answers[2]["data"]["__typename"]),
        (&json!("Query"), &json!("Query"))
    );
    assert_eq!(answers[1]["errors"][0]["extensions"]["code"], "BAD_INPUT");
    for wrong in [json!([]), json!([one, one, one, one]), json!([[one]]), json!([1]), json!([{ "query": START }, 1])] {
        assert_eq!(post(&served, GRAPHQL, wrong.to_string()).await.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(streams(&served).await, 0, "nothing of a batch is executed unless all of it is well formed");
}

//! Documents that ask for too much.

use super::*;
use std::fmt::Write as _;

fn repeated(count: usize, part: impl Fn(usize) -> String) -> String {
    let fields: Vec<String> = (0..count).map(part).collect();
    format!("{{ {} }}", fields.join(" "))
}

#[tokio::test]
async fn too_many_aliases_are_refused() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let query = |count| format!("{{ cctvs(first: 1) {{ nodes {} }} }}", repeated(count, |n| format!("a{n}: id")));
        stage.data(&query(30), json!({})).await;
        let error = stage.error(&query(31), json!({})).await;
        assert_eq!(error.message, "the document has more than 30 aliases");
        assert_eq!(extension(&error, "code").as_deref(), Some("BAD_INPUT"));
    })
    .await;
}

#[tokio::test]
async fn too_many_root_fields_are_refused_also_through_a_fragment() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let root = |count| repeated(count, |n| format!("a{n}: node(id: \"{n}\") {{ id }}"));
        stage.data(&root(20), json!({})).await;
        let error = stage.error(&root(21), json!({})).await;
        assert_eq!(error.message, "the operation has more than 20 root fields");
        let split = format!("{{ ...f b: __typename }} fragment f on Query {}", root(20));
        assert_eq!(stage.error(&split, json!({})).await.message, error.message);
    })
    .await;
}

#[tokio::test]
async fn a_list_counts_as_often_as_it_may_be_long() {
    on_every_database(|db| async move {
        let stage = Stage::set_with(db, Limits { graphql_complexity: 1_000, ..Limits::default() }).await;
        let query = "query ($first: Int, $near: Int) {
            streams(first: $first) { nodes { id nearbyCctvs(first: $near) { id title } } } }";
        stage.data(query, json!({ "first": 10, "near": 5 })).await;
        let error = stage.error(query, json!({ "first": 10, "near": 50 })).await;
        assert_eq!(error.message, "Query is too complex.");
        let error = stage.error(query, json!({ "first": i32::MAX, "near": i32::MAX })).await;
        assert_eq!(error.message, "Query is too complex.");
    })
    .await;
}

#[tokio::test]
async fn what_lies_too_deep_is_refused_and_introspection_is_not() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let mut query = "{ __schema { types { fields { type { name".to_owned();
        for _ in 0..9 {
            query.push_str(" ofType { name");
        }
        query.push_str(&" }".repeat(9 + 5));
        stage.data(&query, json!({})).await;

        let mut deep = "{ vods { nodes ".to_owned();
        for _ in 0..10 {
            deep.push_str("{ stream { vod ");
        }
        write!(deep, "{{ id }} {}", " }".repeat(22)).unwrap();
        assert_eq!(stage.error(&deep, json!({})).await.message, "Query is nested too deep.");
    })
    .await;
}

#[tokio::test]
async fn too_many_directives_on_a_field_are_refused() {
    on_every_database(|db| async move {
        let stage = Stage::set(db).await;
        let query = format!("{{ node(id: \"7\") {{ id {} }} }}", "@include(if: true) ".repeat(6));
        let error = stage.error(&query, json!({})).await;
        assert!(error.message.contains("directives"), "{}", error.message);
    })
    .await;
}

//! What only a server can get wrong: that it is away, slow, or of another opinion, and what is told of it.

use crate::place::{KEY_ID, Place, SECRET, settings_for};
use std::time::Duration;
use storage::{Error, Key, Location, Settings, Store};
use tokio::net::TcpListener;

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// Every question to a store that cannot be used, and that no answer tells a secret or an address.
async fn assert_unavailable(location: &str, settings: &Settings, told: &str) {
    let store = Store::open(&Location::parse(location).unwrap(), settings).unwrap();
    let object = key("private/object");
    let answers = [
        store.get(&object).await.map(drop),
        store.head(&object).await.map(drop),
        store.put(&object, "x".into(), "video/mp2t").await,
        store.delete(&object).await,
        store.list(&object).await.map(drop),
        store.check().await,
    ];
    for answer in answers {
        let Err(error @ Error::Unavailable(_)) = answer else { panic!("{answer:?}") };
        let words = format!("{error} {error:?}");
        assert!(words.contains(told), "{words}");
        for secret in [KEY_ID, SECRET, "wrong-secret", "://", "127.0.0.1", "bucket/", "private"] {
            assert!(!words.contains(secret), "{secret} is told: {words}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_without_telling_them() {
    let place = Place::s3().await;
    let settings = Settings { secret_access_key: Some("wrong-secret".into()), ..place.server().settings() };
    assert_unavailable("s3://bucket/et", &settings, "S3 denies permission").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_told_after_bounded_tries() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = Settings { retries: 1, ..settings_for(&format!("http://{address}")) };
    assert_unavailable("s3://bucket/et", &settings, "S3 cannot be reached").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_given_up() {
    // Connections wait in the listener's queue, accepted by nobody.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let settings = Settings { retries: 1, request_timeout: Duration::from_millis(50), ..settings_for(&endpoint) };
    assert_unavailable("s3://bucket/et", &settings, "S3 took too long").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_must_be_allowed() {
    let place = Place::s3().await;
    let settings = Settings { allow_http: false, retries: 0, ..place.server().settings() };
    let store = Store::open(&Location::parse("s3://bucket").unwrap(), &settings);
    let refused = match store {
        Ok(store) => store.check().await,
        Err(e) => Err(e),
    };
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_told_by_the_check() {
    let place = Place::s3().await;
    let store = Store::open(&Location::parse("s3://no-such-bucket").unwrap(), &place.server().settings()).unwrap();
    assert_eq!(store.check().await, Err(Error::Unavailable("there is no such bucket".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_sees_nothing_of_the_bucket_outside_its_prefix() {
    let place = Place::s3().await;
    let whole = Store::open(&Location::parse("s3://bucket").unwrap(), &place.server().settings()).unwrap();
    whole.put(&key("vod/1"), "outside".into(), "video/mp2t").await.unwrap();
    place.store().put(&key("vod/1"), "inside".into(), "video/mp2t").await.unwrap();
    assert_eq!(place.store().get(&key("vod/1")).await.unwrap(), "inside");
    assert_eq!(place.store().list(&key("vod")).await.unwrap().len(), 1);
    assert_eq!(whole.get(&key("et/recordings/vod/1")).await.unwrap(), "inside");
    assert!(place.root().join("vod/1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_larger_than_allowed_is_neither_written_nor_read() {
    let place = Place::s3().await;
    place.store().put(&key("large"), vec![0; 11].into(), "video/mp2t").await.unwrap();
    let settings = Settings { max_object_bytes: 10, ..place.server().settings() };
    let store = Store::open(&Location::parse("s3://bucket/et/recordings").unwrap(), &settings).unwrap();
    for refused in [store.get(&key("large")).await.map(drop), store.put(&key("x"), vec![0; 11].into(), "x/y").await] {
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
}

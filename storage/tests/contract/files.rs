//! What only a folder can get wrong: symbolic links, unfinished files, what lies there already.

use crate::place::Place;
use std::{
    fs,
    os::unix::fs::symlink,
    time::{Duration, SystemTime},
};
use storage::{Error, Key, Location, Recordings, Settings, Store};

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn assert_refused<T: std::fmt::Debug>(result: &Result<T, Error>) {
    assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
}

#[tokio::test]
async fn a_symbolic_link_out_of_the_root_is_refused_whatever_is_asked() {
    let place = Place::files();
    let (store, outside) = (place.store(), place.outside());
    fs::write(outside.join("secret"), "bare faces").unwrap();
    symlink(&outside, place.root().join("folder")).unwrap();
    symlink(outside.join("secret"), place.root().join("object")).unwrap();
    symlink(outside.join("nowhere"), place.root().join("dangling")).unwrap();
    for name in ["folder/secret", "object"] {
        assert_refused(&store.get(&key(name)).await);
        assert_refused(&store.get_range(&key(name), 0..1).await);
        assert_refused(&store.head(&key(name)).await);
    }
    for name in ["folder/secret", "folder/new", "folder/new/folder/x", "object", "dangling", "dangling/x"] {
        assert_refused(&store.put(&key(name), "written through".into(), "video/mp2t").await);
    }
    assert_refused(&store.list(&key("folder")).await);
    assert_refused(&store.delete(&key("folder/secret")).await);
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "bare faces");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn a_folder_that_holds_a_link_out_of_the_root_is_not_listed() {
    let place = Place::files();
    let outside = place.outside();
    fs::write(outside.join("secret"), "bare faces").unwrap();
    place.store().put(&key("vod/1.ts"), "x".into(), "video/mp2t").await.unwrap();
    symlink(outside.join("secret"), place.root().join("vod/2.ts")).unwrap();
    assert_refused(&place.store().list(&key("vod")).await);
}

#[tokio::test]
async fn deleting_a_link_out_of_the_root_leaves_what_it_leads_to() {
    let place = Place::files();
    let outside = place.outside();
    fs::write(outside.join("secret"), "bare faces").unwrap();
    symlink(outside.join("secret"), place.root().join("object")).unwrap();
    place.store().delete(&key("object")).await.unwrap();
    assert!(fs::symlink_metadata(place.root().join("object")).is_err());
    assert!(outside.join("secret").exists());
}

#[tokio::test]
async fn a_link_within_the_root_is_followed_by_readers_and_replaced_by_writers() {
    let place = Place::files();
    let store = place.store();
    store.put(&key("a/object"), "first".into(), "video/mp2t").await.unwrap();
    symlink(place.root().join("a/object"), place.root().join("link")).unwrap();
    assert_eq!(store.get(&key("link")).await.unwrap(), "first");
    store.put(&key("link"), "second".into(), "video/mp2t").await.unwrap();
    assert_eq!(store.get(&key("link")).await.unwrap(), "second");
    assert_eq!(store.get(&key("a/object")).await.unwrap(), "first");
}

#[tokio::test]
async fn a_root_that_is_itself_a_link_is_a_root() {
    let place = Place::files();
    let link = place.outside().join("link");
    symlink(place.root(), &link).unwrap();
    let store = Store::open(&Location::folder(&link).unwrap(), &Settings::default()).unwrap();
    store.put(&key("a"), "x".into(), "video/mp2t").await.unwrap();
    assert_eq!(place.store().get(&key("a")).await.unwrap(), "x");
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_neither_served_nor_listed_and_later_removed() {
    let place = Place::files();
    let aside = place.root().join(".unfinished");
    fs::write(aside.join("77-1"), "half an obj").unwrap();
    fs::write(aside.join("77-2"), "half an obj").unwrap();
    let old = SystemTime::now() - Duration::from_hours(2);
    fs::File::options().write(true).open(aside.join("77-1")).unwrap().set_modified(old).unwrap();
    symlink(&aside, place.root().join("link")).unwrap();
    assert!(Key::parse(".unfinished/77-1").is_err());
    assert_refused(&place.store().get(&key("link/77-1")).await);
    place.store().put(&key("vod/1"), "x".into(), "video/mp2t").await.unwrap();
    assert_eq!(place.store().list(&key("vod")).await.unwrap().len(), 1);

    Store::open(&Location::folder(&place.root()).unwrap(), &Settings::default()).unwrap();
    assert!(!aside.join("77-1").exists(), "left over since two hours");
    assert!(aside.join("77-2").exists(), "another process may still be writing it");
}

#[tokio::test]
async fn a_put_that_fails_leaves_nothing_behind() {
    let place = Place::files();
    let store = place.store();
    store.put(&key("a/b"), "x".into(), "video/mp2t").await.unwrap();
    assert_refused(&store.put(&key("a"), "over a folder".into(), "video/mp2t").await);
    assert_refused(&store.put(&key("a/b/c"), "under an object".into(), "video/mp2t").await);
    assert_eq!(fs::read_dir(place.root().join(".unfinished")).unwrap().count(), 0);
    assert_eq!(store.get(&key("a/b")).await.unwrap(), "x");
}

#[tokio::test]
async fn the_last_deletion_in_a_folder_removes_the_folder() {
    let place = Place::files();
    let store = place.store();
    store.put(&key("ivs/v1/1/2/x"), "x".into(), "video/mp2t").await.unwrap();
    store.put(&key("ivs/v1/y"), "y".into(), "video/mp2t").await.unwrap();
    store.delete(&key("ivs/v1/1/2/x")).await.unwrap();
    assert!(!place.root().join("ivs/v1/1").exists());
    store.delete(&key("ivs/v1/y")).await.unwrap();
    assert!(!place.root().join("ivs").exists());
    assert!(place.root().exists());
}

#[tokio::test]
async fn an_object_larger_than_allowed_is_neither_written_nor_read() {
    let place = Place::files();
    place.store().put(&key("large"), vec![0; 11].into(), "video/mp2t").await.unwrap();
    let settings = Settings { max_object_bytes: 10, max_listed: 1, ..Settings::default() };
    let store = Store::open(&Location::folder(&place.root()).unwrap(), &settings).unwrap();
    assert_refused(&store.get(&key("large")).await);
    assert_eq!(store.get_range(&key("large"), 0..10).await.unwrap().len(), 10);
    assert_refused(&store.put(&key("vod/larger"), vec![0; 11].into(), "video/mp2t").await);
    for name in ["vod/1", "vod/2"] {
        store.put(&key(name), "x".into(), "video/mp2t").await.unwrap();
    }
    assert_refused(&store.list(&key("vod")).await);
}

#[tokio::test]
async fn a_store_whose_folder_is_gone_says_so() {
    let place = Place::files();
    fs::remove_dir_all(place.root()).unwrap();
    let checked = place.store().check().await;
    assert!(matches!(checked, Err(Error::Unavailable(_))), "{checked:?}");
    let file = place.outside().join("file");
    fs::write(&file, "").unwrap();
    let opened = Recordings::open(&Location::folder(&file).unwrap(), &Settings::default());
    assert!(matches!(opened, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_folder_is_not_an_object() {
    let place = Place::files();
    let store = place.store();
    store.put(&key("folder/inner/object"), "x".into(), "video/mp2t").await.unwrap();
    for name in ["folder", "folder/inner"] {
        assert_eq!(store.get(&key(name)).await, Err(Error::NotFound(key(name))));
        assert_eq!(store.head(&key(name)).await, Err(Error::NotFound(key(name))));
        store.delete(&key(name)).await.unwrap();
    }
    assert_eq!(store.get(&key("folder/inner/object")).await.unwrap(), "x");
}

#[tokio::test]
async fn a_listing_tells_what_the_head_tells() {
    let place = Place::files();
    let store = place.store();
    for name in ["vod/7/000001.ts", "vod/7/index.m3u8"] {
        store.put(&key(name), "x".into(), "given/otherwise").await.unwrap();
    }
    for (key, meta) in store.list(&key("vod")).await.unwrap() {
        assert_eq!(meta, store.head(&key).await.unwrap());
        assert_eq!(meta.content_type.as_deref(), Some(key.content_type()));
    }
}

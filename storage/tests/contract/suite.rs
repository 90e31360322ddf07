//! What every store does, whatever keeps its objects.

use bytes::Bytes;
use storage::{Error, Key, Store};
use tokio::task::JoinSet;

const TS: &str = "video/mp2t";

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

async fn put(store: &Store, text: &str, bytes: impl Into<Bytes>) {
    store.put(&key(text), bytes.into(), TS).await.unwrap();
}

pub async fn what_was_put_is_got_back_whole(store: &Store) {
    let large: Bytes = (0..3_000_001_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    for (name, bytes) in [("a", Bytes::from_static(b"one")), ("vod/7/000001.ts", large), ("vod/7/ü b+c.ts", "x".into())]
    {
        store.put(&key(name), bytes.clone(), TS).await.unwrap();
        assert_eq!(store.get(&key(name)).await.unwrap(), bytes, "{name}");
    }
    put(store, "a", "another, longer").await;
    assert_eq!(store.get(&key("a")).await.unwrap(), "another, longer");
    put(store, "a", "").await;
    assert_eq!(store.get(&key("a")).await.unwrap(), "");
}

pub async fn an_empty_object_is_an_object(store: &Store) {
    put(store, "folder/empty", "").await;
    assert_eq!(store.get(&key("folder/empty")).await.unwrap(), "");
    assert_eq!(store.head(&key("folder/empty")).await.unwrap().size, 0);
    let refused = store.get_range(&key("folder/empty"), 0..1).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

pub async fn the_head_tells_size_type_and_a_tag_that_changes_with_the_object(store: &Store) {
    put(store, "vod/1.ts", "12345").await;
    let first = store.head(&key("vod/1.ts")).await.unwrap();
    assert_eq!((first.size, first.content_type.as_deref()), (5, Some(TS)));
    assert!(first.etag.len() > 2 && first.etag.starts_with('"') && first.etag.ends_with('"'), "{}", first.etag);
    let same = store.head(&key("vod/1.ts")).await.unwrap();
    assert_eq!(same, first);
    put(store, "vod/1.ts", "54321").await;
    let second = store.head(&key("vod/1.ts")).await.unwrap();
    assert_ne!(second.etag, first.etag);
    assert!(second.modified >= first.modified);
}

pub async fn a_range_is_cut_at_the_end_and_refused_past_it(store: &Store) {
    put(store, "a", "0123456789").await;
    for (from, to, text) in [(0, 10, "0123456789"), (0, 1, "0"), (3, 7, "3456"), (9, 10, "9"), (7, 99, "789")] {
        assert_eq!(store.get_range(&key("a"), from..to).await.unwrap(), text);
    }
    for (from, to) in [(10, 11), (99, 100), (5, 5), (6, 5)] {
        let refused = store.get_range(&key("a"), from..to).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{from}..{to}: {refused:?}");
    }
}

pub async fn an_unknown_key_is_not_found_whatever_is_asked(store: &Store) {
    put(store, "a/b", "x").await;
    for name in ["b", "a/c", "a/b/c", "b/c/d"] {
        let unknown = key(name);
        let missing = Error::NotFound(unknown.clone());
        assert_eq!(store.get(&unknown).await, Err(missing.clone()), "{name}");
        assert_eq!(store.get_range(&unknown, 0..1).await, Err(missing.clone()), "{name}");
        assert_eq!(store.head(&unknown).await, Err(missing), "{name}");
        assert_eq!(store.list(&unknown).await, Ok(Vec::new()), "{name}");
    }
}

pub async fn a_deleted_object_is_gone_and_deleting_it_again_is_fine(store: &Store) {
    put(store, "a/b/c", "x").await;
    put(store, "a/d", "y").await;
    store.delete(&key("a/b/c")).await.unwrap();
    assert_eq!(store.get(&key("a/b/c")).await, Err(Error::NotFound(key("a/b/c"))));
    assert_eq!(store.get(&key("a/d")).await.unwrap(), "y");
    for name in ["a/b/c", "never", "never/was"] {
        store.delete(&key(name)).await.unwrap();
    }
}

pub async fn a_listing_has_the_folder_and_the_folders_in_it_and_nothing_else(store: &Store) {
    for name in
        ["vod/7/index.m3u8", "vod/7/000010.ts", "vod/7/000002.ts", "vod/7/hls/x.ts", "vod/70/000001.ts", "vod/8"]
    {
        put(store, name, name.to_owned()).await;
    }
    let listed = store.list(&key("vod/7")).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names, ["vod/7/000002.ts", "vod/7/000010.ts", "vod/7/hls/x.ts", "vod/7/index.m3u8"]);
    for (key, meta) in &listed {
        assert_eq!(meta.size, key.as_str().len() as u64);
    }
    assert_eq!(store.list(&key("vod")).await.unwrap().len(), 6);
    assert_eq!(store.list(&key("vod/8")).await.unwrap(), [], "an object is not in the folder of its own name");
}

pub async fn a_listing_past_a_thousand_objects_is_whole(store: &Store) {
    const OBJECTS: usize = 1_100;
    const AT_ONCE: usize = 16;
    let mut puts = JoinSet::new();
    for n in 0..OBJECTS {
        if puts.len() == AT_ONCE {
            puts.join_next().await.unwrap().unwrap();
        }
        let store = store.clone();
        puts.spawn(async move { put(&store, &format!("many/{n:06}"), "x").await });
    }
    puts.join_all().await;
    let listed = store.list(&key("many")).await.unwrap();
    assert_eq!(listed.len(), OBJECTS);
    assert!(listed.iter().enumerate().all(|(n, (key, _))| key.as_str() == format!("many/{n:06}")));
}

pub async fn concurrent_puts_of_one_key_leave_one_whole_object(store: &Store) {
    const LENGTH: usize = 200_000;
    let mut puts = JoinSet::new();
    for byte in 0..8_u8 {
        let store = store.clone();
        puts.spawn(async move { put(&store, "raced/object", vec![byte; LENGTH]).await });
    }
    puts.join_all().await;
    let left = store.get(&key("raced/object")).await.unwrap();
    assert_eq!(left.len(), LENGTH);
    assert!(left.iter().all(|byte| *byte == left[0]), "the object is a mixture");
    assert_eq!(store.list(&key("raced")).await.unwrap().len(), 1);
}

pub async fn readers_never_see_half_an_object(store: &Store) {
    const LENGTH: usize = 300_000;
    put(store, "seen/object", vec![0; LENGTH]).await;
    let writer = {
        let store = store.clone();
        async move {
            for byte in 1..20_u8 {
                put(&store, "seen/object", vec![byte; LENGTH]).await;
            }
        }
    };
    let reader = async {
        for _ in 0..20 {
            let seen = store.get(&key("seen/object")).await.unwrap();
            assert_eq!(seen.len(), LENGTH);
            assert!(seen.iter().all(|byte| *byte == seen[0]), "the object is a mixture");
        }
    };
    tokio::join!(writer, reader);
}

pub async fn puts_beside_deletions_in_one_folder_all_succeed(store: &Store) {
    let mut tasks = JoinSet::new();
    for n in 0..4 {
        let store = store.clone();
        tasks.spawn(async move {
            let key = key(&format!("shared/folder/{n}"));
            for _ in 0..25 {
                store.put(&key, "x".into(), TS).await.unwrap();
                store.delete(&key).await.unwrap();
            }
            store.put(&key, "last".into(), TS).await.unwrap();
        });
    }
    tasks.join_all().await;
    let listed = store.list(&key("shared")).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|(_, meta)| meta.size == 4));
}

pub async fn an_open_store_can_be_used(store: &Store) {
    store.check().await.unwrap();
}

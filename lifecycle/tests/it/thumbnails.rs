//! Pictures of a replay: which are wanted, which are named, which are kept, and who is told.

use crate::{
    replays::{begun, jobs, redacted, replay},
    world::{BACKENDS, Backend, Script, World},
};
use entity::{Thumbnail, VodId, event, job::RedactJob, outbox, segment::GapReason, thumbnail::Format, vod};
use lifecycle::RedactedSegment;
use sea_orm::EntityTrait as _;
use storage::Key;

/// A broadcast on air, of which `segments` segments of two seconds are issued.
async fn on_air(world: &World, segments: u32) -> Script {
    let script = Script::new(&world.stream().await);
    for message in [script.up(0), script.segments(1, 0..segments + 1)] {
        world.lifecycle.apply(&message).await.unwrap();
    }
    script
}

fn picture(segment: i32) -> Thumbnail {
    Thumbnail { segment, format: Format::WebP }
}

/// Does a segment as a worker does; whether a picture of it was wanted.
async fn redact(world: &World, job: &RedactJob, is_blank: bool) -> bool {
    let work = begun(world, job).await;
    let thumbnail = (work.wants_thumbnail && !is_blank).then(|| picture(work.number));
    if let Some(thumbnail) = thumbnail {
        let key = work.thumbnail_key(thumbnail).unwrap();
        world.replays.put(&key, "picture".into(), "image/webp").await.unwrap();
    }
    assert!(world.lifecycle.finish(&work, RedactedSegment { thumbnail, ..redacted() }).await.unwrap());
    work.wants_thumbnail
}

async fn stored(world: &World, vod: VodId) -> Vec<String> {
    let objects = world.replays.list(&Key::parse(&format!("vod/{vod}")).unwrap()).await.unwrap();
    objects.into_iter().map(|(key, _)| key.name().to_owned()).collect()
}

async fn kinds(world: &World) -> Vec<event::Kind> {
    event::Entity::find().all(&world.db).await.unwrap().into_iter().map(|event| event.kind).collect()
}

async fn told_to_followers(world: &World) -> usize {
    let messages = outbox::Entity::find().all(&world.db).await.unwrap();
    messages.into_iter().filter(|message| message.topic == outbox::Topic::Pictures).count()
}

#[tokio::test]
async fn a_broadcast_on_air_gets_a_picture_every_ten_seconds_and_the_map_hears_of_the_first() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        on_air(&world, 17).await;
        let mut wanted = Vec::new();
        for job in &jobs(&world).await[..17] {
            wanted.push(redact(&world, job, false).await);
        }
        let numbers: Vec<usize> = (0..17).filter(|&number| wanted[number]).collect();
        assert_eq!(numbers, [0, 5, 10, 15], "{backend:?}");
        let row = replay(&world).await;
        assert_eq!((row.thumbnail, row.live_thumbnail), (Some(picture(0)), Some(picture(15))));
        assert_eq!(kinds(&world).await, [event::Kind::StreamStarted, event::Kind::StreamPictured]);
        assert_eq!(told_to_followers(&world).await, 3);
        let kept = ["thumbnail-000000.webp", "thumbnail-000010.webp", "thumbnail-000015.webp"];
        assert_eq!(stored(&world, row.id).await, kept, "the first, the newest and the one before it");
    }
}

#[tokio::test]
async fn a_segment_that_shows_nothing_leaves_its_turn_to_the_next() {
    let world = World::new(Backend::Sqlite).await;
    on_air(&world, 8).await;
    let mut wanted = Vec::new();
    for (number, job) in jobs(&world).await[..8].iter().enumerate() {
        wanted.push(redact(&world, job, number < 2 || number == 7).await);
    }
    assert_eq!(wanted, [true, true, true, false, false, false, false, true]);
    assert_eq!(replay(&world).await.live_thumbnail, Some(picture(2)));
}

#[tokio::test]
async fn a_replay_shows_its_first_segment_in_whatever_order_they_were_done_and_keeps_it() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let script = on_air(&world, 3).await;
        world.lifecycle.apply(&script.down(2)).await.unwrap();
        world.lifecycle.apply(&script.recording_ended(3, Some(4))).await.unwrap();
        let jobs = jobs(&world).await;
        for number in [2, 1, 3, 0] {
            assert_eq!(redact(&world, &jobs[number], false).await, number != 3, "segment {number}");
        }
        let ready = replay(&world).await;
        assert_eq!((ready.status, ready.thumbnail, ready.live_thumbnail), (vod::Status::Ready, Some(picture(0)), None));
        let pictures: Vec<_> =
            stored(&world, ready.id).await.into_iter().filter(|name| name.ends_with("webp")).collect();
        assert_eq!(pictures, ["thumbnail-000000.webp"]);
        assert_eq!(told_to_followers(&world).await, 0, "nobody follows a picture of a broadcast that is over");
        assert!(!kinds(&world).await.contains(&event::Kind::StreamPictured));
    }
}

#[tokio::test]
async fn the_older_of_two_pictures_made_at_once_is_not_shown_as_the_newest() {
    let world = World::new(Backend::Sqlite).await;
    on_air(&world, 7).await;
    let jobs = jobs(&world).await;
    redact(&world, &jobs[0], false).await;
    let (five, six) = (begun(&world, &jobs[5]).await, begun(&world, &jobs[6]).await);
    assert!(five.wants_thumbnail && six.wants_thumbnail);
    for work in [&six, &five] {
        let key = work.thumbnail_key(picture(work.number)).unwrap();
        world.replays.put(&key, "picture".into(), "image/webp").await.unwrap();
        let done = RedactedSegment { thumbnail: Some(picture(work.number)), ..redacted() };
        assert!(world.lifecycle.finish(work, done).await.unwrap());
    }
    let row = replay(&world).await;
    assert_eq!((row.thumbnail, row.live_thumbnail), (Some(picture(0)), Some(picture(6))));
}

#[tokio::test]
async fn nothing_stays_of_the_pictures_of_a_withheld_replay() {
    let world = World::new(Backend::Sqlite).await;
    let script = on_air(&world, 3).await;
    let jobs = jobs(&world).await;
    redact(&world, &jobs[0], false).await;
    assert_eq!(stored(&world, replay(&world).await.id).await.len(), 1);
    world.lifecycle.apply(&script.down(2)).await.unwrap();
    world.lifecycle.apply(&script.recording_ended(3, Some(4))).await.unwrap();
    for job in &jobs[1..] {
        assert!(world.lifecycle.give_up(job, GapReason::Unreadable, "torn").await.unwrap());
    }
    let closed = replay(&world).await;
    assert_eq!(closed.status, vod::Status::Withheld);
    assert!(stored(&world, closed.id).await.is_empty());
}

#[tokio::test]
async fn a_picture_that_a_worker_died_over_goes_with_the_live_ones() {
    let world = World::new(Backend::Sqlite).await;
    let script = on_air(&world, 3).await;
    let jobs = jobs(&world).await;
    let died = begun(&world, &jobs[2]).await;
    world.replays.put(&died.thumbnail_key(picture(2)).unwrap(), "picture".into(), "image/webp").await.unwrap();
    redact(&world, &jobs[0], false).await;
    world.lifecycle.apply(&script.down(2)).await.unwrap();
    world.lifecycle.apply(&script.recording_ended(3, Some(4))).await.unwrap();
    for job in &jobs[1..] {
        redact(&world, job, false).await;
    }
    assert_eq!(replay(&world).await.status, vod::Status::Ready);
    let names = stored(&world, replay(&world).await.id).await;
    assert_eq!(names, ["index.m3u8", "receipt.json", "thumbnail-000000.webp"]);
}

//! The hub by itself: who gets which events, in what order, and what a slow reader is told.

use crate::harness::{House, at, soon};
use api::{
    Limits,
    hub::{Ended, Hub, Interest},
};
use entity::{
    BoundingBox, CctvId, ItemId, Latitude, Longitude, StreamId,
    event::{self, ItemKind, Kind},
    job::EventNotice,
    time::Clock,
};
use futures_util::{Stream, StreamExt as _};
use sea_orm::{ActiveModelTrait as _, ActiveValue::NotSet, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Running {
    house: Arc<House>,
    hub: Hub,
    token: CancellationToken,
    reader: JoinHandle<()>,
}

type Events = Pin<Box<dyn Stream<Item = Result<Arc<event::Model>, Ended>> + Send>>;

impl Running {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(adjust: impl FnOnce(&mut Limits)) -> Self {
        Self::over(Arc::new(House::build().await), adjust).await
    }

    async fn over(house: Arc<House>, adjust: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { hub_poll: Duration::from_millis(50), hub_batch: 7, ..Limits::default() };
        adjust(&mut limits);
        let token = CancellationToken::new();
        let (hub, reader) = Hub::start(house.db.clone(), Arc::clone(&house.bus), limits, token.clone());
        soon("the hub is ready", hub.ready()).await;
        Self { house, hub, token, reader }
    }

    fn follow(&self, after: Option<i64>) -> Events {
        self.hub.subscribe(Interest { bbox: BoundingBox::WORLD, kinds: None, after }).boxed()
    }

    /// Writes so many events about cameras in Seoul.
    async fn write(&self, count: usize) -> Vec<i64> {
        write(&self.house, count).await
    }
}

async fn write(house: &House, count: usize) -> Vec<i64> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        numbers.push(house.event(Kind::CctvChanged, ItemId::Cctv(CctvId::generate()), at(127.0, 37.5)).await);
    }
    numbers
}

async fn take(events: &mut Events, count: usize) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(soon("an event", events.next()).await.unwrap().unwrap().seq);
    }
    numbers
}

fn bbox(west: f64, south: f64, east: f64, north: f64) -> BoundingBox {
    let longitude = |degrees| Longitude::new(degrees).unwrap();
    let latitude = |degrees| Latitude::new(degrees).unwrap();
    BoundingBox::new(longitude(west), latitude(south), longitude(east), latitude(north)).unwrap()
}

#[tokio::test]
async fn a_subscriber_gets_every_event_once_and_in_order_without_any_notice() {
    let running = Running::start().await;
    let mut events = running.follow(None);
    let written = running.write(40).await;
    assert_eq!(take(&mut events, 40).await, written);
}

#[tokio::test]
async fn a_notice_wakes_the_hub_long_before_its_next_look() {
    let running = Running::with(|limits| limits.hub_poll = Duration::from_hours(1)).await;
    let mut events = running.follow(None);
    let written = running.write(1).await;
    // The hub asks for notices in its own time, and one sent before it listens is lost.
    let notice = serde_json::to_vec(&EventNotice { seq: written[0] }).unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let event = soon("the event", async {
        loop {
            tokio::select! {
                event = events.next() => break event,
                _ = tick.tick() => running.house.bus.publish_notice(notice.clone().into()).await.unwrap(),
            }
        }
    });
    assert_eq!(event.await.unwrap().unwrap().seq, written[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catching_up_while_events_are_written_leaves_no_gap_and_no_double() {
    let running = Running::start().await;
    let mut written = running.write(30).await;
    let after = written[9];
    let house = Arc::clone(&running.house);
    let writer = tokio::spawn(async move { write(&house, 120).await });
    let followers: Vec<Events> = (0..5).map(|_| running.follow(Some(after))).collect();
    let mut seen = Vec::new();
    for mut follower in followers {
        seen.push(tokio::spawn(async move { take(&mut follower, 140).await }));
    }
    written.extend(writer.await.unwrap());
    for numbers in seen {
        assert_eq!(numbers.await.unwrap(), written[10..]);
    }
}

#[tokio::test]
async fn only_events_in_the_box_and_of_the_kinds_asked_for_are_delivered() {
    let running = Running::start().await;
    let interest = |bbox, kinds| Interest { bbox, kinds, after: None };
    let mut fiji = running.hub.subscribe(interest(bbox(170.0, -20.0, -170.0, -10.0), None)).boxed();
    let mut streams = running.hub.subscribe(interest(BoundingBox::WORLD, Some(vec![ItemKind::Stream]))).boxed();
    let (camera, stream) = (ItemId::Cctv(CctvId::generate()), ItemId::Stream(StreamId::generate()));
    let house = &running.house;
    house.event(Kind::CctvChanged, camera, at(127.0, 37.5)).await;
    let east = house.event(Kind::CctvChanged, camera, at(179.0, -15.0)).await;
    let seoul = house.event(Kind::StreamStarted, stream, at(127.0, 37.5)).await;
    let west = house.event(Kind::StreamStarted, stream, at(-179.0, -15.0)).await;
    assert_eq!(take(&mut fiji, 2).await, [east, west]);
    assert_eq!(take(&mut streams, 2).await, [seoul, west]);
}

#[tokio::test]
async fn a_move_is_told_where_the_item_was_and_where_it_is_and_once_to_who_sees_both() {
    let running = Running::start().await;
    let boxes = [bbox(126.0, 37.0, 128.0, 38.0), bbox(128.5, 35.0, 129.5, 36.0), bbox(120.0, 30.0, 135.0, 40.0)];
    let mut followers =
        boxes.map(|bbox| running.hub.subscribe(Interest { bbox, kinds: None, after: None }).boxed() as Events);
    let stream = ItemId::Stream(StreamId::generate());
    let moved = event::ActiveModel {
        seq: NotSet,
        at: Set(Clock::System.now()),
        kind: Set(Kind::StreamMoved),
        item_kind: Set(ItemKind::Stream),
        item_id: Set(stream.uuid()),
        longitude: Set(129.0),
        latitude: Set(35.2),
        from_longitude: Set(Some(127.0)),
        from_latitude: Set(Some(37.5)),
    };
    let moved = moved.insert(&running.house.db).await.unwrap().seq;
    let mut ends = Vec::new();
    for place in [at(127.0, 37.5), at(129.0, 35.2)] {
        ends.push(running.house.event(Kind::StreamEnded, stream, place).await);
    }
    assert_eq!(take(&mut followers[0], 2).await, [moved, ends[0]]);
    assert_eq!(take(&mut followers[1], 2).await, [moved, ends[1]]);
    assert_eq!(take(&mut followers[2], 3).await, [moved, ends[0], ends[1]]);
}

#[tokio::test]
async fn who_watches_an_item_hears_of_it_alone() {
    let running = Running::start().await;
    let (this, other) = (ItemId::Stream(StreamId::generate()), ItemId::Stream(StreamId::generate()));
    let mut events = running.hub.watch(this).boxed() as Events;
    let first = running.house.event(Kind::StreamStarted, this, at(1.0, 1.0)).await;
    running.house.event(Kind::StreamStarted, other, at(1.0, 1.0)).await;
    let second = running.house.event(Kind::StreamEnded, this, at(2.0, 2.0)).await;
    assert_eq!(take(&mut events, 2).await, [first, second]);
}

#[tokio::test]
async fn a_slow_reader_is_cut_and_misses_nothing_when_it_resumes() {
    let running = Running::with(|limits| limits.hub_queue = 8).await;
    let mut slow = running.follow(None);
    let written = running.write(40).await;
    // Whoever watches this item hears of it when everything before it has been delivered.
    let last = ItemId::Stream(StreamId::generate());
    let mut witness = running.hub.watch(last).boxed() as Events;
    let marker = running.house.event(Kind::StreamStarted, last, at(1.0, 1.0)).await;
    assert_eq!(take(&mut witness, 1).await, [marker]);
    let mut seen = Vec::new();
    let resume_after = loop {
        match soon("an event or the end", slow.next()).await.unwrap() {
            Ok(event) => seen.push(event.seq),
            Err(Ended::Lagged { resume_after }) => break resume_after,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(seen, written[..8], "what was queued is delivered before the end");
    assert!(slow.next().await.is_none());
    let mut resumed = running.follow(Some(resume_after));
    assert_eq!(take(&mut resumed, 33).await, [&written[8..], &[marker]].concat());
}

#[tokio::test]
async fn a_cursor_from_before_the_oldest_event_kept_is_too_old() {
    let running = Running::start().await;
    let written = running.write(20).await;
    event::Entity::delete_many().filter(event::Column::Seq.lte(written[9])).exec(&running.house.db).await.unwrap();
    let mut gone = running.follow(Some(written[8]));
    assert!(matches!(soon("the end", gone.next()).await, Some(Err(Ended::CursorTooOld))));
    assert!(gone.next().await.is_none());
    // The event itself is gone, but nothing after it is.
    let mut kept = running.follow(Some(written[9]));
    assert_eq!(take(&mut kept, 10).await, written[10..]);
}

#[tokio::test]
async fn a_cursor_of_another_log_or_too_far_back_is_refused() {
    let running = Running::with(|limits| limits.hub_catch_up = 10).await;
    let written = running.write(20).await;
    for after in [written[19] + 1, written[0], -1] {
        let mut events = running.follow(Some(after));
        assert!(matches!(soon("the end", events.next()).await, Some(Err(Ended::CursorTooOld))), "{after}");
    }
}

#[tokio::test]
async fn the_cursor_stays_when_the_log_is_emptied() {
    let running = Running::start().await;
    assert_eq!(running.hub.cursor().await.unwrap(), 0);
    let mut events = running.follow(None);
    let written = running.write(3).await;
    take(&mut events, 3).await;
    event::Entity::delete_many().exec(&running.house.db).await.unwrap();
    assert_eq!(running.hub.cursor().await.unwrap(), written[2]);
    let mut resumed = running.follow(Some(written[2]));
    let next = running.write(1).await;
    assert_eq!(take(&mut resumed, 1).await, next);
}

#[tokio::test]
async fn every_subscription_ends_with_the_hub() {
    let running = Running::start().await;
    let mut following = [running.follow(None), running.follow(Some(0))];
    let written = running.write(1).await;
    for events in &mut following {
        assert_eq!(take(events, 1).await, written);
    }
    running.token.cancel();
    running.reader.await.unwrap();
    for events in &mut following {
        assert!(matches!(soon("the end", events.next()).await, Some(Err(Ended::Closed))));
    }
    let late = running.hub.subscribe(Interest { bbox: BoundingBox::WORLD, kinds: None, after: None });
    assert!(matches!(soon("the end", late.boxed().next()).await, Some(Err(Ended::Closed))));
}

//! What broadcasters ask for.

use crate::world::{BACKENDS, World, new_stream, wrong_token};
use entity::{Position, StreamId, event, stream, token::TokenHash};
use lifecycle::{CommandError, Movement};
use sea_orm::EntityTrait as _;

const THERE: (f64, f64) = (126.98, 37.57);

fn there() -> Movement {
    Movement { position: Position::new(THERE.0, THERE.1).unwrap(), heading: Some(90.0), accuracy: Some(12.0) }
}

#[tokio::test]
async fn a_started_stream_waits_for_its_picture_and_keeps_only_the_hash_of_its_token() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let started = world.stream().await;
        let row = stream::Entity::find_by_id(started.stream.id).one(&world.db).await.unwrap().unwrap();
        assert_eq!(row, started.stream);
        assert_eq!(row.status, stream::Status::Preparing);
        assert_eq!(row.publish_token_hash, TokenHash(started.token.hash().0));
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_named() {
    let world = World::new(BACKENDS[0]).await;
    let field = |wrong: lifecycle::NewStream| {
        let lifecycle = world.lifecycle.clone();
        async move {
            match lifecycle.start_stream(wrong).await {
                Err(CommandError::Invalid { field, .. }) => field,
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(field(lifecycle::NewStream { title: "  ".into(), ..new_stream() }).await, "title");
    assert_eq!(field(lifecycle::NewStream { title: "x".repeat(121), ..new_stream() }).await, "title");
    assert_eq!(field(lifecycle::NewStream { title: "a\u{0}b".into(), ..new_stream() }).await, "title");
    assert_eq!(
        field(lifecycle::NewStream { description: Some("x".repeat(2001)), ..new_stream() }).await,
        "description"
    );
    assert_eq!(field(lifecycle::NewStream { heading: Some(360.0), ..new_stream() }).await, "heading");
    assert_eq!(field(lifecycle::NewStream { accuracy: Some(f64::NAN), ..new_stream() }).await, "accuracy");
    assert_eq!(stream::Entity::find().all(&world.db).await.unwrap().len(), 0);
}

#[tokio::test]
async fn only_the_holder_of_the_token_moves_and_stops_a_stream_and_only_once() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let started = world.stream().await;
        let (id, token) = (started.stream.id, &started.token);
        let lifecycle = &world.lifecycle;

        assert!(matches!(lifecycle.stop_stream(id, &wrong_token()).await, Err(CommandError::WrongToken)));
        assert!(matches!(lifecycle.move_stream(id, &wrong_token(), there()).await, Err(CommandError::WrongToken)));
        let unknown = StreamId::generate();
        assert!(matches!(lifecycle.stop_stream(unknown, token).await, Err(CommandError::UnknownStream)));

        let moved = lifecycle.move_stream(id, token, there()).await.unwrap();
        assert_eq!((moved.longitude, moved.latitude, moved.heading), (THERE.0, THERE.1, Some(90.0)));
        assert_eq!(moved.cell, there().position.cell());

        assert_eq!(lifecycle.stop_stream(id, token).await.unwrap().status, stream::Status::Ended);
        assert!(matches!(lifecycle.stop_stream(id, token).await, Err(CommandError::AlreadyOver)));
        assert!(matches!(lifecycle.move_stream(id, token, there()).await, Err(CommandError::AlreadyOver)));
    }
}

#[tokio::test]
async fn a_move_on_air_tells_both_where_it_was_and_where_it_is() {
    let world = World::new(BACKENDS[0]).await;
    let started = world.stream().await;
    world.lifecycle.apply(&crate::world::Script::new(&started).up(0)).await.unwrap();
    world.lifecycle.move_stream(started.stream.id, &started.token, there()).await.unwrap();
    let events = event::Entity::find().all(&world.db).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [event::Kind::StreamStarted, event::Kind::StreamMoved]);
    let positions: Vec<_> = events[1].positions().collect();
    assert_eq!(positions, [there().position, new_stream().position]);
}

#[tokio::test]
async fn a_number_of_viewers_is_told_when_it_changes() {
    for backend in BACKENDS {
        let world = World::new(backend).await;
        let started = world.stream().await;
        for count in [3, 3, 0] {
            world.lifecycle.count_viewers(&started.stream.channel_arn, count).await.unwrap();
        }
        world.lifecycle.count_viewers("a channel of nobody", 9).await.unwrap();
        let kinds: Vec<_> =
            event::Entity::find().all(&world.db).await.unwrap().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [event::Kind::StreamWatched, event::Kind::StreamWatched]);
        world.lifecycle.count_viewers(&started.stream.channel_arn, 7).await.unwrap();
        let row = stream::Entity::find_by_id(started.stream.id).one(&world.db).await.unwrap().unwrap();
        assert_eq!(row.viewer_count, 7);
    }
}

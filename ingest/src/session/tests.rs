//! The states of a broadcast, hours of them in no time.

use super::*;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A broadcast that is on air since `.1`, by publisher 1.
fn on_air() -> (Session, Instant) {
    let now = Instant::now();
    let mut session = Session::new(&Settings::default(), now);
    assert_eq!(session.admit(now), Ok(1));
    assert_eq!(session.picture(1, now), Some(Change::Up));
    (session, now)
}

fn told(change: Change) -> Step {
    Step { change: Some(change), close: None }
}

#[test]
fn a_broadcast_comes_on_air_with_its_first_picture_and_is_told_once() {
    let (mut session, now) = on_air();
    assert_eq!(session.picture(1, now + seconds(1)), None);
    assert_eq!((session.state(), session.is_published()), (State::OnAir, true));
}

#[test]
fn a_second_publisher_is_refused_while_pictures_come_and_let_in_once_they_do_not() {
    let (mut session, now) = on_air();
    assert_eq!(session.admit(now + seconds(2)), Err(Refused::Busy));
    assert_eq!(session.admit(now + seconds(3)), Ok(2));
    assert_eq!(session.picture(1, now + seconds(4)), None, "the first has given way");
    assert_eq!(session.leave(1, true, now + seconds(4)), None, "and can end nothing");
    assert_eq!(session.picture(2, now + seconds(4)), None, "three seconds are not over: nobody was told");
}

#[test]
fn three_seconds_without_a_picture_interrupt_and_a_picture_brings_it_back() {
    let (mut session, now) = on_air();
    assert_eq!(session.tick(now + Duration::from_millis(2_999)), Step::default());
    assert_eq!(session.deadline(), Some(now + seconds(3)));
    assert_eq!(session.tick(now + seconds(3)), told(Change::Interrupted));
    assert_eq!(session.tick(now + seconds(4)), Step::default());
    assert_eq!(session.picture(1, now + seconds(20)), Some(Change::Back));
    assert_eq!(session.tick(now + seconds(23)), told(Change::Interrupted));
}

#[test]
fn a_publisher_that_is_lost_may_come_back_within_the_grace_window_only() {
    let (mut session, now) = on_air();
    assert_eq!(session.leave(1, false, now), None);
    assert_eq!(session.tick(now + seconds(3)), told(Change::Interrupted));
    assert_eq!(session.admit(now + seconds(32)), Ok(2));
    assert_eq!(session.leave(2, false, now + seconds(32)), None);
    assert_eq!(session.admit(now + seconds(33)), Err(Refused::Ended));
    assert_eq!(session.tick(now + seconds(33)).change, Some(Change::Down));
    assert_eq!((session.state(), session.deadline()), (State::Over, None));
}

#[test]
fn a_publisher_that_says_it_is_done_ends_the_broadcast_at_once() {
    let (mut session, now) = on_air();
    assert_eq!(session.leave(1, true, now), Some(Change::Down));
    assert_eq!(session.admit(now), Err(Refused::Ended));
}

#[test]
fn a_publisher_that_is_done_before_its_first_picture_has_ended_nothing() {
    let now = Instant::now();
    let mut session = Session::new(&Settings::default(), now);
    assert_eq!(session.admit(now), Ok(1));
    assert_eq!(session.leave(1, true, now), None);
    assert_eq!(session.admit(now), Ok(2));
}

#[test]
fn a_stop_is_final_and_told_once() {
    let (mut session, now) = on_air();
    let step = Step { change: Some(Change::Down), close: Some(Closed::Stopped) };
    assert_eq!(session.stop(Closed::Stopped, now), step);
    assert_eq!(session.stop(Closed::Stopped, now).change, None);
    assert_eq!((session.picture(1, now), session.tick(now + seconds(100))), (None, Step::default()));
}

#[test]
fn a_publisher_without_a_picture_is_sent_away_and_may_try_again() {
    let now = Instant::now();
    let mut session = Session::new(&Settings::default(), now);
    assert_eq!(session.admit(now), Ok(1));
    let step = Step { change: None, close: Some(Closed::NoVideo) };
    assert_eq!(session.tick(now + seconds(10)), step);
    assert_eq!(session.admit(now + seconds(11)), Ok(2));
    assert_eq!(session.picture(2, now + seconds(12)), Some(Change::Up));
}

#[test]
fn a_channel_nobody_publishes_on_is_given_up_after_ten_minutes_without_a_word() {
    let now = Instant::now();
    let mut session = Session::new(&Settings::default(), now);
    assert_eq!(session.deadline(), Some(now + seconds(600)));
    assert_eq!(session.admit(now + seconds(600)), Err(Refused::Unknown));
    assert_eq!((session.tick(now + seconds(600)), session.state()), (Step::default(), State::Over));
}

#[test]
fn a_broadcast_that_lasts_too_long_is_ended_with_the_reason() {
    let (mut session, now) = on_air();
    let last = now + seconds(12 * 3_600);
    assert_eq!(session.picture(1, last - seconds(1)), None);
    assert_eq!(session.tick(last - Duration::from_millis(1)), Step::default());
    let step = Step { change: Some(Change::Down), close: Some(Closed::TooLong) };
    assert_eq!(session.tick(last), step);
}

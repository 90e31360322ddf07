//! One broadcast's states: who publishes, whether a picture comes in, when it is over.
//!
//! `waiting → on air ⇄ interrupted → over`. No clock and no task in here: the time comes with every call, so hours pass
//! in a test as fast as it can call.

use crate::{
    publication::{Closed, Refused},
    settings::Settings,
};
use std::time::Duration;
use tokio::time::Instant;

/// What the world must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The broadcast is on air.
    Up,
    /// No picture comes in.
    Interrupted,
    /// The picture is back.
    Back,
    /// The broadcast is over.
    Down,
}

/// What follows from a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// What the world must be told.
    pub(crate) change: Option<Change>,
    /// What the connected publisher must be told, and that it must go.
    pub(crate) close: Option<Closed>,
}

/// Where a broadcast stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No picture yet.
    Waiting,
    /// Pictures come in.
    OnAir,
    /// They do not, but may again.
    Interrupted,
    /// Over, for good.
    Over,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
struct Rules {
    unpublished: Duration,
    first_picture: Duration,
    idle: Duration,
    grace: Duration,
    longest: Duration,
}

/// One broadcast.
#[derive(Debug)]
pub(crate) struct Session {
    rules: Rules,
    state: State,
    /// When `state` began; on air, the last picture came then.
    since: Instant,
    /// When it came on air.
    began: Option<Instant>,
    publisher: Option<Publisher>,
    publishers: u64,
}

#[derive(Clone, Copy, Debug)]
struct Publisher {
    number: u64,
    /// When it came, or its last picture did.
    alive: Instant,
}

impl Session {
    /// A broadcast that may begin.
    pub(crate) fn new(settings: &Settings, now: Instant) -> Self {
        let rules = Rules {
            unpublished: settings.unpublished,
            first_picture: settings.first_picture,
            idle: settings.idle,
            grace: settings.grace,
            longest: settings.longest,
        };
        Self { rules, state: State::Waiting, since: now, began: None, publisher: None, publishers: 0 }
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Where it stands, if it ever was on air.
    pub(crate) fn aired(&self) -> Option<State> {
        self.began.map(|_| self.state)
    }

    /// Whether a publisher is connected.
    pub(crate) fn is_published(&self) -> bool {
        self.publisher.is_some()
    }

    /// Since when nothing has changed: on air, since the last picture.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Lets a publisher in; its number tells it from those before it. One from which nothing comes gives way.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<u64, Refused> {
        match self.state {
            State::Over => return Err(Refused::Ended),
            State::Waiting if now >= self.since + self.rules.unpublished => return Err(Refused::Unknown),
            State::Interrupted if now >= self.since + self.rules.grace => return Err(Refused::Ended),
            _ => {}
        }
        if self.publisher.is_some_and(|publisher| now < publisher.alive + self.rules.idle) {
            return Err(Refused::Busy);
        }
        self.publishers += 1;
        self.publisher = Some(Publisher { number: self.publishers, alive: now });
        Ok(self.publishers)
    }

    /// A picture that can be shown came from publisher `number`.
    pub(crate) fn picture(&mut self, number: u64, now: Instant) -> Option<Change> {
        let publisher = self.publisher.as_mut().filter(|publisher| publisher.number == number)?;
        publisher.alive = now;
        let change = match self.state {
            State::Waiting => {
                self.began = Some(now);
                Some(Change::Up)
            }
            State::Interrupted => Some(Change::Back),
            State::OnAir => None,
            State::Over => return None,
        };
        (self.state, self.since) = (State::OnAir, now);
        change
    }

    /// Publisher `number` is gone; `deliberate` if it said that it was done.
    pub(crate) fn leave(&mut self, number: u64, deliberate: bool, now: Instant) -> Option<Change> {
        self.publisher.take_if(|publisher| publisher.number == number)?;
        if self.state == State::Waiting {
            self.since = now;
        }
        if deliberate && self.began.is_some() { self.over(now).change } else { None }
    }

    /// Ends it, at once and for good.
    pub(crate) fn stop(&mut self, reason: Closed, now: Instant) -> Step {
        Step { close: Some(reason), ..self.over(now) }
    }

    /// What has come about by the mere passing of time.
    pub(crate) fn tick(&mut self, now: Instant) -> Step {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Step::default();
        }
        if self.began.is_some_and(|began| now >= began + self.rules.longest) {
            return self.stop(Closed::TooLong, now);
        }
        match self.state {
            State::OnAir => {
                (self.state, self.since) = (State::Interrupted, now);
                Step { change: Some(Change::Interrupted), close: None }
            }
            State::Interrupted => self.stop(Closed::Stopped, now),
            State::Waiting if self.publisher.take().is_some() => {
                self.since = now;
                Step { change: None, close: Some(Closed::NoVideo) }
            }
            State::Waiting | State::Over => self.over(now),
        }
    }

    /// When [`Session::tick`] has something to do next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let longest = self.began.map(|began| began + self.rules.longest);
        let next = match (self.state, self.publisher) {
            (State::Over, _) => return None,
            (State::Waiting, Some(publisher)) => publisher.alive + self.rules.first_picture,
            (State::Waiting, None) => self.since + self.rules.unpublished,
            (State::OnAir, _) => self.since + self.rules.idle,
            (State::Interrupted, _) => self.since + self.rules.grace,
        };
        Some(longest.map_or(next, |longest| longest.min(next)))
    }

    fn over(&mut self, now: Instant) -> Step {
        let was_on_air = matches!(self.state, State::OnAir | State::Interrupted);
        if self.state != State::Over {
            (self.state, self.since) = (State::Over, now);
        }
        self.publisher = None;
        Step { change: was_on_air.then_some(Change::Down), close: None }
    }
}

#[cfg(test)]
mod tests;

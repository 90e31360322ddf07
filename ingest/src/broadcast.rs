//! One broadcast under way: its publisher's samples become segments, and what happens to it is told.
//!
//! A task of its own from the first publisher to the end; whatever may take long is its scribe's. The states themselves
//! are [`Session`]'s, under a lock that nobody holds while waiting, since those who let publishers in ask it too.

use crate::{
    meter::Meter,
    publication::{Closed, Intake, QUEUE_UNITS, Waiting},
    sample::{TICKS_PER_SECOND, Track, Unit},
    scribe::{Desk, Note},
    segmenter::{Segment, Segmenter},
    session::{Change, Session, State, Step},
    settings::Settings,
    studio::Parts,
    window::Window,
};
use entity::StreamId;
use live::LiveEventKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// What a broadcast is told from outside.
pub(crate) enum Order {
    /// A publisher was let in, as number so and so.
    Publish(u64, Intake),
    /// It is to end, at once, and to say when its recording is complete.
    Stop(Closed, oneshot::Sender<()>),
}

/// What a broadcast shares with those who let publishers and viewers in.
#[derive(Debug)]
pub(crate) struct Shared {
    session: Mutex<Session>,
    pub(crate) window: Window,
}

impl Shared {
    /// A broadcast that may begin.
    pub(crate) fn new(settings: &Settings, now: Instant) -> Self {
        Self { session: Mutex::new(Session::new(settings, now)), window: Window::new(settings, now) }
    }

    /// The states.
    pub(crate) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A broadcast under way.
pub(crate) struct Broadcast {
    stream: StreamId,
    parts: Arc<Parts>,
    shared: Arc<Shared>,
    segmenter: Segmenter,
    desk: Desk,
    publisher: Option<Publisher>,
    count_at: Instant,
    /// Who waits for its end.
    waiting: Vec<oneshot::Sender<()>>,
}

struct Publisher {
    number: u64,
    intake: Intake,
    meter: Meter,
}

/// What wakes a broadcast.
enum Wake {
    Order(Option<Order>),
    Unit(Option<Unit>),
    Time,
    Unrecordable,
}

/// Runs a broadcast to its end, and its recording's.
pub(crate) async fn run(
    stream: StreamId,
    channel_arn: String,
    parts: Arc<Parts>,
    shared: Arc<Shared>,
    orders: mpsc::UnboundedReceiver<Order>,
    cancel: CancellationToken,
) {
    let (broadcast, scribe) = Broadcast::new(stream, channel_arn, parts, Arc::clone(&shared));
    let farewell = broadcast.parts.settings.farewell;
    let ((waiting, ended), ()) = tokio::join!(broadcast.run(orders), scribe);
    for waiting in waiting {
        // Whoever waited may have given up.
        let _ = waiting.send(());
    }
    cancel.run_until_cancelled(sleep_until(ended + farewell)).await;
    shared.window.forget();
}

impl Broadcast {
    /// A broadcast nobody has published on yet, and its scribe's work.
    fn new(
        stream: StreamId,
        channel_arn: String,
        parts: Arc<Parts>,
        shared: Arc<Shared>,
    ) -> (Self, impl Future<Output = ()>) {
        let (desk, scribe) = Desk::new(stream, channel_arn, Arc::clone(&parts));
        let broadcast = Self {
            stream,
            shared,
            segmenter: Segmenter::new(&parts.settings),
            desk,
            publisher: None,
            count_at: Instant::now() + Settings::VIEWER_WINDOW,
            waiting: Vec::new(),
            parts,
        };
        (broadcast, scribe)
    }

    /// Returns who waits for the end, and when it was.
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> (Vec<oneshot::Sender<()>>, Instant) {
        while self.shared.session().state() != State::Over {
            let deadline = self.deadline();
            let wake = tokio::select! {
                biased;
                order = orders.recv() => Wake::Order(order),
                () = self.desk.failed() => Wake::Unrecordable,
                () = sleep_until(deadline) => Wake::Time,
                unit = next(&mut self.publisher) => Wake::Unit(unit),
            };
            self.wake(wake);
        }
        self.dismiss(Closed::Stopped);
        orders.close();
        while let Ok(order) = orders.try_recv() {
            match order {
                Order::Publish(_, intake) => intake.close(Closed::Stopped),
                Order::Stop(_, waiting) => self.waiting.push(waiting),
            }
        }
        (self.waiting, Instant::now())
    }

    fn deadline(&self) -> Instant {
        let session = self.shared.session();
        session.deadline().map_or(self.count_at, |deadline| deadline.min(self.count_at))
    }

    fn wake(&mut self, wake: Wake) {
        let now = Instant::now();
        match wake {
            Wake::Order(Some(Order::Publish(number, intake))) => self.publish(number, intake, now),
            Wake::Order(Some(Order::Stop(reason, waiting))) => {
                self.waiting.push(waiting);
                self.stop(reason, now);
            }
            Wake::Order(None) => self.stop(Closed::ShuttingDown, now),
            Wake::Unrecordable => self.stop(Closed::Unrecordable, now),
            Wake::Unit(Some(unit)) => self.unit(unit, now),
            Wake::Unit(None) => self.leave(now),
            Wake::Time => self.tick(now),
        }
    }

    fn publish(&mut self, number: u64, intake: Intake, now: Instant) {
        self.dismiss(Closed::Replaced);
        let bits_per_second = self.parts.settings.bits_per_second;
        intake.allow(Meter::new(bits_per_second, now));
        let meter = Meter::new(bits_per_second, now);
        self.publisher = Some(Publisher { number, intake, meter });
        tracing::info!(stream.id = %self.stream, publisher = number, "a publisher is connected");
    }

    fn stop(&mut self, reason: Closed, now: Instant) {
        let step = self.shared.session().stop(reason, now);
        self.step(step);
    }

    /// Judges by the time, once all that came before it is judged: this task may have been late to look, and then what
    /// lies in its queue is no silence.
    fn tick(&mut self, now: Instant) {
        for _ in 0..QUEUE_UNITS {
            match self.publisher.as_mut().map(|publisher| publisher.intake.waiting()) {
                Some(Waiting::Unit(unit)) => self.unit(unit, now),
                Some(Waiting::Gone) => self.leave(now),
                Some(Waiting::Nothing) | None => break,
            }
        }
        // Before the end, which says that nobody watches.
        let (count_at, count) = self.shared.window.count(now);
        self.count_at = count_at;
        if let Some(count) = count {
            self.hand(Note::Viewers(count));
        }
        let step = self.shared.session().tick(now);
        self.step(step);
    }

    fn step(&mut self, step: Step) {
        if let Some(reason) = step.close {
            self.dismiss(reason);
        }
        if let Some(change) = step.change {
            self.change(change);
        }
    }

    /// The publisher has gone by itself.
    fn leave(&mut self, now: Instant) {
        let Some(publisher) = self.publisher.take() else { return };
        let deliberate = publisher.intake.is_deliberate();
        tracing::info!(stream.id = %self.stream, publisher = publisher.number, deliberate, "a publisher has gone");
        self.interrupt();
        let change = self.shared.session().leave(publisher.number, deliberate, now);
        self.step(Step { change, close: None });
    }

    /// Sends the publisher away, if there is one, and keeps what came of it.
    fn dismiss(&mut self, reason: Closed) {
        let Some(publisher) = self.publisher.take() else { return };
        tracing::info!(stream.id = %self.stream, publisher = publisher.number, %reason, "a publisher was sent away");
        publisher.intake.close(reason);
        self.interrupt();
        // It may come back, unless the broadcast itself is over.
        self.shared.session().leave(publisher.number, false, Instant::now());
    }

    fn unit(&mut self, unit: Unit, now: Instant) {
        let Some(publisher) = &mut self.publisher else { return };
        let number = publisher.number;
        if !publisher.meter.pour(unit.weight(), now) {
            return self.dismiss(Closed::TooFast);
        }
        let is_picture = matches!(&unit, Unit::Sample(sample) if sample.track == Track::Video);
        match self.segmenter.push(unit, self.parts.clock.now()) {
            Ok(segment) => segment.into_iter().for_each(|segment| self.show(segment)),
            Err(reason) => return self.dismiss(reason),
        }
        if is_picture && self.segmenter.is_running() {
            let change = self.shared.session().picture(number, now);
            self.step(Step { change, close: None });
        }
    }

    /// What comes next has nothing to do with what has come.
    fn interrupt(&mut self) {
        match self.segmenter.interrupt() {
            Ok(segment) => segment.into_iter().for_each(|segment| self.show(segment)),
            Err(reason) => tracing::warn!(stream.id = %self.stream, %reason, "the end of what came is lost"),
        }
    }

    fn show(&mut self, segment: Segment) {
        let millis = segment.duration / (TICKS_PER_SECOND / 1_000);
        metrics::counter!("ingest_segments_total").increment(1);
        tracing::debug!(stream.id = %self.stream, duration_ms = millis, bytes = segment.bytes.len(), "segment");
        self.shared.window.show(&segment);
        self.hand(Note::Segment(segment));
    }

    fn change(&mut self, change: Change) {
        let kind = match change {
            Change::Up => {
                self.shared.window.open();
                LiveEventKind::StreamUp
            }
            Change::Interrupted => LiveEventKind::StreamInterrupted,
            Change::Back => LiveEventKind::StreamBack,
            Change::Down => {
                self.shared.window.close();
                self.hand(Note::Viewers(0));
                LiveEventKind::StreamDown
            }
        };
        tracing::info!(stream.id = %self.stream, ?change, "the broadcast has changed");
        self.hand(Note::Event(kind, self.parts.clock.now()));
    }

    fn hand(&mut self, note: Note) {
        if !self.desk.hand(note) && self.shared.session().state() != State::Over {
            self.stop(Closed::Unrecordable, Instant::now());
        }
    }
}

/// The publisher's next unit; never, if there is no publisher.
async fn next(publisher: &mut Option<Publisher>) -> Option<Unit> {
    match publisher {
        Some(publisher) => publisher.intake.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

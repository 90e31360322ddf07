//! What a front holds while a publisher is connected: the way in for its media, and the word that it must go.
//!
//! A queue bounded in units and in bytes lies between the front and the broadcast, so that neither a publisher that
//! sends too fast nor a store that is slow can fill the memory.

use crate::{meter::Meter, sample::Unit};
use entity::StreamId;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::Instant,
};

/// Units that may wait between a front and its broadcast.
pub(crate) const QUEUE_UNITS: usize = 2_048;
/// Bytes that may wait there.
pub(crate) const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No stream has this id or key, or its time to begin has run out.
    #[error("there is no such stream, or it has waited for too long")]
    Unknown,
    /// The token is not this stream's.
    #[error("the publish token is not this stream's")]
    WrongToken,
    /// Somebody publishes on it already.
    #[error("somebody is publishing on this stream already")]
    Busy,
    /// The broadcast is over.
    #[error("the broadcast is over")]
    Ended,
    /// This process has as many publishers as it may have.
    #[error("the server has as many publishers as it can take; try again later")]
    Full,
}

/// Why a publisher must go. The text is for the publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The broadcast was stopped.
    #[error("the broadcast was stopped")]
    Stopped,
    /// Nothing came from it, and the same broadcaster came back on another connection.
    #[error("the broadcaster came back on another connection")]
    Replaced,
    /// The broadcast has lasted as long as one may.
    #[error("the broadcast has lasted as long as one may")]
    TooLong,
    /// More bits in a second than a broadcast may have.
    #[error("the bit rate is too high")]
    TooFast,
    /// A picture larger than a broadcast may have.
    #[error("the picture is too large")]
    TooLarge,
    /// No picture came.
    #[error("no H.264 picture came in time")]
    NoVideo,
    /// Keyframes are too far apart.
    #[error("keyframes are too far apart: set the keyframe interval to 2 seconds")]
    NoKeyframe,
    /// What came cannot be read.
    #[error("the media cannot be read")]
    Unreadable,
    /// The server does not keep up: units were lost.
    #[error("the server does not keep up")]
    Overrun,
    /// The recording cannot be written.
    #[error("the recording cannot be written")]
    Unrecordable,
    /// The server ends.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// A connected publisher's way in. One at a time per stream. Dropping it says that the connection was lost: the
/// publisher may come back within the grace window and the broadcast goes on.
#[derive(Debug)]
pub struct Publication {
    stream: StreamId,
    units: mpsc::Sender<(Unit, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    closed: watch::Receiver<Option<Closed>>,
    deliberate: Arc<AtomicBool>,
    /// Of the connection; `None` until the broadcast has taken the publisher.
    meter: Arc<Mutex<Option<Meter>>>,
}

/// The broadcast's side of a publication.
#[derive(Debug)]
pub(crate) struct Intake {
    units: mpsc::Receiver<(Unit, OwnedSemaphorePermit)>,
    close: watch::Sender<Option<Closed>>,
    deliberate: Arc<AtomicBool>,
    meter: Arc<Mutex<Option<Meter>>>,
}

/// What lies in a queue now.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A unit.
    Unit(Unit),
    /// Nothing yet.
    Nothing,
    /// Nothing, for good.
    Gone,
}

impl Publication {
    /// Both sides.
    pub(crate) fn new(stream: StreamId) -> (Self, Intake) {
        let (units, waiting) = mpsc::channel(QUEUE_UNITS);
        let (close, closed) = watch::channel(None);
        let deliberate = Arc::new(AtomicBool::new(false));
        let room = Arc::new(Semaphore::new(QUEUE_BYTES));
        let meter = Arc::new(Mutex::new(None));
        let intake = Intake { units: waiting, close, deliberate: Arc::clone(&deliberate), meter: Arc::clone(&meter) };
        (Self { stream, units, room, closed, deliberate, meter }, intake)
    }

    /// What is published on.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Counts bytes that came, media or not, for connections over which anything else can come beside units.
    ///
    /// # Errors
    /// [`Closed::TooFast`]: the publisher must go.
    pub fn received(&self, bytes: usize) -> Result<(), Closed> {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = meter.as_mut().is_none_or(|meter| meter.pour(bytes, Instant::now()));
        if holds { Ok(()) } else { Err(Closed::TooFast) }
    }

    /// Hands a unit over; waits for room, so that a publisher on a connection that can wait is slowed down.
    ///
    /// # Errors
    /// Why the publisher must go; nothing will be taken any more.
    pub async fn send(&self, unit: impl Into<Unit>) -> Result<(), Closed> {
        let unit = unit.into();
        let sent = async {
            let room = Arc::clone(&self.room).acquire_many_owned(permits(&unit)?).await.map_err(|_| Closed::Stopped)?;
            self.units.send((unit, room)).await.map_err(|_| self.reason())
        };
        tokio::select! {
            biased;
            reason = self.closed() => Err(reason),
            sent = sent => sent,
        }
    }

    /// Hands a unit over if there is room: for connections that cannot be slowed down.
    ///
    /// # Errors
    /// Why the publisher must go. [`Closed::Overrun`]: there was no room, and the unit is lost.
    pub fn try_send(&self, unit: impl Into<Unit>) -> Result<(), Closed> {
        if let Some(reason) = *self.closed.borrow() {
            return Err(reason);
        }
        let unit = unit.into();
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits(&unit)?).map_err(|_| Closed::Overrun)?;
        self.units.try_send((unit, room)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Closed::Overrun,
            mpsc::error::TrySendError::Closed(_) => self.reason(),
        })
    }

    /// Waits until the publisher must go, and says why. Can be awaited again and again, and dropped at any time.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(Closed::Stopped),
            // The broadcast is gone without a word: it ended.
            Err(_) => Closed::Stopped,
        }
    }

    /// The publisher said that it is done (WHIP's DELETE, RTMP's deleteStream): the broadcast is over, for good.
    pub fn end(self) {
        self.deliberate.store(true, Ordering::Release);
    }

    fn reason(&self) -> Closed {
        self.closed.borrow().unwrap_or(Closed::Stopped)
    }
}

/// A unit that could never have room is no picture.
fn permits(unit: &Unit) -> Result<u32, Closed> {
    u32::try_from(unit.weight()).ok().filter(|weight| *weight as usize <= QUEUE_BYTES).ok_or(Closed::TooLarge)
}

impl Intake {
    /// From now on what comes on the publisher's connection is measured.
    pub(crate) fn allow(&self, meter: Meter) {
        *self.meter.lock().unwrap_or_else(PoisonError::into_inner) = Some(meter);
    }

    /// The next unit; `None` once the publisher is gone. Can be dropped without losing a unit.
    pub(crate) async fn next(&mut self) -> Option<Unit> {
        self.units.recv().await.map(|(unit, _room)| unit)
    }

    /// The next unit if one waits, or [`Waiting::Gone`] once the publisher is.
    pub(crate) fn waiting(&mut self) -> Waiting {
        match self.units.try_recv() {
            Ok((unit, _room)) => Waiting::Unit(unit),
            Err(mpsc::error::TryRecvError::Empty) => Waiting::Nothing,
            Err(mpsc::error::TryRecvError::Disconnected) => Waiting::Gone,
        }
    }

    /// Tells the publisher to go.
    pub(crate) fn close(&self, reason: Closed) {
        self.close.send_if_modified(|told| {
            told.is_none() && {
                *told = Some(reason);
                true
            }
        });
    }

    /// Whether a publisher that is gone said so itself.
    pub(crate) fn is_deliberate(&self) -> bool {
        self.deliberate.load(Ordering::Acquire)
    }
}

//! The board of subscribers: who waits for what, and the number of the last event given to all of them.
//!
//! Registering and delivering take the same lock, so a new subscriber knows exactly which event is its first. Nothing
//! waits under the lock: a subscriber whose queue is full is struck off.

use super::{Ended, Interest, grid::Grid};
use entity::{ItemId, event};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::sync::mpsc;

/// All subscribers of the process.
pub(super) struct Board {
    state: Mutex<State>,
    queue: usize,
}

#[derive(Default)]
struct State {
    last: i64,
    closed: bool,
    next_id: u64,
    grid: Grid,
    boxes: HashMap<u64, (Interest, Mailbox)>,
    items: HashMap<ItemId, HashMap<u64, Mailbox>>,
}

/// The hub's end of a subscriber's queue.
struct Mailbox {
    queue: mpsc::Sender<Arc<event::Model>>,
    /// Set, before the queue is closed, to the number of the last event that got into it or did not concern it.
    lagged_after: Arc<OnceLock<i64>>,
}

/// A subscriber's end of its queue; dropped, the subscriber is struck off.
pub(super) struct Subscriber {
    board: Arc<Board>,
    id: u64,
    item: Option<ItemId>,
    queue: mpsc::Receiver<Arc<event::Model>>,
    lagged_after: Arc<OnceLock<i64>>,
}

impl Board {
    pub(super) fn new(queue: usize) -> Self {
        Self { state: Mutex::default(), queue: queue.max(1) }
    }

    /// The number of the last event delivered.
    pub(super) fn last(&self) -> i64 {
        self.lock().last
    }

    /// Sets where the reader begins.
    pub(super) fn begin_after(&self, last: i64) {
        self.lock().last = last;
    }

    /// Registers for a box. Returns the number of the last event that the subscriber will not get.
    pub(super) fn register_box(self: &Arc<Self>, interest: Interest) -> (Subscriber, i64) {
        let (mailbox, subscriber, mut state) = self.open(None);
        let last = state.last;
        if !state.closed {
            state.grid.insert(subscriber.id, &interest.bbox);
            state.boxes.insert(subscriber.id, (interest, mailbox));
        }
        (subscriber, last)
    }

    /// Registers for one item.
    pub(super) fn register_item(self: &Arc<Self>, item: ItemId) -> Subscriber {
        let (mailbox, subscriber, mut state) = self.open(Some(item));
        if !state.closed {
            state.items.entry(item).or_default().insert(subscriber.id, mailbox);
        }
        subscriber
    }

    fn open(self: &Arc<Self>, item: Option<ItemId>) -> (Mailbox, Subscriber, MutexGuard<'_, State>) {
        let (sender, queue) = mpsc::channel(self.queue);
        let lagged_after = Arc::default();
        let mailbox = Mailbox { queue: sender, lagged_after: Arc::clone(&lagged_after) };
        let mut state = self.lock();
        state.next_id += 1;
        metrics::gauge!("hub_subscribers").increment(1.0);
        (mailbox, Subscriber { board: Arc::clone(self), id: state.next_id, item, queue, lagged_after }, state)
    }

    /// Gives an event, the next in the order of the log, to everybody it concerns.
    pub(super) fn deliver(&self, event: &Arc<event::Model>) {
        let mut state = self.lock();
        let state = &mut *state;
        state.last = event.seq;
        let mut found = Vec::new();
        for position in event.positions() {
            state.grid.candidates(position, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        for id in found {
            let Some((interest, mailbox)) = state.boxes.get(&id) else { continue };
            if interest.concerns(event) && !mailbox.offer(event) {
                state.strike_box(id);
            }
        }
        if let Some(watchers) = state.items.get_mut(&event.item()) {
            watchers.retain(|_, mailbox| mailbox.offer(event));
        }
    }

    /// Ends every subscriber, now and later, once it has read what is in its queue.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.grid = Grid::default();
        state.boxes.clear();
        state.items.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock leaves the state whole, so a panic elsewhere in its holder does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn strike_box(&mut self, id: u64) {
        if let Some((interest, _)) = self.boxes.remove(&id) {
            self.grid.remove(id, &interest.bbox);
        }
    }

    fn strike_item(&mut self, id: u64, item: ItemId) {
        if let Some(watchers) = self.items.get_mut(&item) {
            watchers.remove(&id);
            if watchers.is_empty() {
                self.items.remove(&item);
            }
        }
    }
}

impl Mailbox {
    /// Whether the subscriber took it; if not, it is to be struck off.
    fn offer(&self, event: &Arc<event::Model>) -> bool {
        match self.queue.try_send(Arc::clone(event)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(event)) => {
                // Set only once: a subscriber is struck off right after.
                let _ = self.lagged_after.set(event.seq - 1);
                metrics::counter!("hub_subscribers_lagged_total").increment(1);
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

impl Subscriber {
    /// The next event, in order.
    pub(super) async fn next(&mut self) -> Result<Arc<event::Model>, Ended> {
        match self.queue.recv().await {
            Some(event) => Ok(event),
            None => Err(self.lagged_after.get().map_or(Ended::Closed, |&resume_after| Ended::Lagged { resume_after })),
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        metrics::gauge!("hub_subscribers").decrement(1.0);
        let mut state = self.board.lock();
        match self.item {
            None => state.strike_box(self.id),
            Some(item) => state.strike_item(self.id, item),
        }
    }
}

//! Who is told that a broadcast has a new picture. Nothing waits and nothing piles up: whoever was busy is told once, and
//! reads the newest.
//!
//! Pictures are in no log, so a notice that is lost costs one of them, and the next one comes in seconds.

use entity::StreamId;
use futures_util::{Stream, stream};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The followers of every broadcast that has any.
#[derive(Default)]
pub(super) struct Pictures {
    followed: Mutex<HashMap<StreamId, watch::Sender<()>>>,
}

/// One follower; dropped, it is forgotten, and so is its broadcast if it was the last.
struct Follower {
    pictures: Arc<Pictures>,
    stream: StreamId,
    news: watch::Receiver<()>,
}

impl Pictures {
    /// An item for every new picture from this call on, or for several at once. Never ends by itself.
    pub(super) fn follow(self: &Arc<Self>, stream: StreamId) -> impl Stream<Item = ()> + Send + use<> + 'static {
        let news = self.lock().entry(stream).or_insert_with(|| watch::Sender::new(())).subscribe();
        let follower = Follower { pictures: Arc::clone(self), stream, news };
        stream::unfold(follower, |mut follower| async {
            // The sender is kept as long as there are followers.
            follower.news.changed().await.ok()?;
            Some(((), follower))
        })
    }

    /// Tells everybody who follows the broadcast.
    pub(super) fn tell(&self, stream: StreamId) {
        if let Some(followers) = self.lock().get(&stream) {
            followers.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, watch::Sender<()>>> {
        // Every change under the lock is one step, so a panic elsewhere in its holder does no harm.
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followed = self.pictures.lock();
        // This one is still counted.
        if followed.get(&self.stream).is_some_and(|followers| followers.receiver_count() <= 1) {
            followed.remove(&self.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, StreamExt as _};

    #[tokio::test]
    async fn a_follower_hears_of_its_own_broadcast_and_of_many_pictures_once() {
        let pictures = Arc::new(Pictures::default());
        let (mine, other) = (StreamId::generate(), StreamId::generate());
        let mut follower = Box::pin(pictures.follow(mine));
        pictures.tell(other);
        assert!(follower.next().now_or_never().is_none(), "another broadcast's");
        pictures.tell(mine);
        pictures.tell(mine);
        assert_eq!(follower.next().now_or_never(), Some(Some(())));
        assert!(follower.next().now_or_never().is_none(), "once for both");
    }

    #[tokio::test]
    async fn nothing_is_kept_of_those_who_left() {
        let pictures = Arc::new(Pictures::default());
        let stream = StreamId::generate();
        let (one, two) = (pictures.follow(stream), Box::pin(pictures.follow(stream)));
        drop(one);
        pictures.tell(stream);
        let mut two = two;
        assert_eq!(two.next().now_or_never(), Some(Some(())), "the other one stays");
        drop(two);
        assert!(pictures.lock().is_empty());
    }
}

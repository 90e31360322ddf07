//! What can be watched of a broadcast now: its last segments, in memory, and the playlist that names them (RFC 8216).
//! A player may ask for the playlist that names a segment to come, and is answered when it does
//! (`_HLS_msn`, draft-pantos-hls-rfc8216bis, 6.2.5.2): else it would learn of it up to half a segment later.
//!
//! It shows bare faces, so it dies with the broadcast: once it is over every segment is forgotten at once, and only the
//! playlist's last word, that nothing follows, stays a moment, so that players stop asking.

use crate::{sample::TICKS_PER_SECOND, segmenter::Segment, viewers::Viewers};
use bytes::Bytes;
use chrono::SecondsFormat;
use entity::time::Timestamp;
use live::{NotLive, Viewer};
use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// Segments kept after they have left the playlist, for players that have read it a moment ago.
const KEPT: usize = 2;
/// How long a request for the playlist waits for a broadcast's first segment.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how many of the longest segments' length a request waits for the segment it names.
const PATIENCE_SEGMENTS: u64 = 3;
/// How far ahead of the newest segment the one may be that a request waits for.
const AHEAD: u64 = 2;

/// The window of one broadcast.
#[derive(Debug)]
pub(crate) struct Window {
    listed: usize,
    inner: Mutex<Inner>,
    grown: watch::Sender<()>,
}

#[derive(Debug)]
struct Inner {
    stage: Stage,
    /// The newest last; the first few may have left the playlist.
    entries: VecDeque<Entry>,
    /// Number of the first entry.
    first: u64,
    /// Discontinuities of entries that are gone.
    breaks_gone: u64,
    /// The longest segment's length, in whole seconds.
    target_s: i64,
    viewers: Viewers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Live,
    Over,
    Gone,
}

#[derive(Debug)]
struct Entry {
    bytes: Bytes,
    duration: i64,
    discontinuity: bool,
    at: Timestamp,
}

impl Window {
    /// An empty window onto a broadcast, whose playlist names so many segments.
    pub(crate) fn new(listed: usize, now: Instant) -> Self {
        let inner = Inner {
            stage: Stage::Before,
            entries: VecDeque::new(),
            first: 0,
            breaks_gone: 0,
            target_s: 1,
            viewers: Viewers::new(now),
        };
        Self { listed: listed.max(1), inner: Mutex::new(inner), grown: watch::Sender::new(()) }
    }

    /// The broadcast is on air.
    pub(crate) fn open(&self) {
        self.inner().stage = Stage::Live;
    }

    /// Shows a segment.
    pub(crate) fn show(&self, segment: &Segment) {
        let mut inner = self.inner();
        inner.target_s = inner.target_s.max((segment.duration + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND);
        let Segment { bytes, duration, discontinuity, at, .. } = segment.clone();
        inner.entries.push_back(Entry { bytes, duration, discontinuity, at });
        while inner.entries.len() > self.listed + KEPT {
            let gone = inner.entries.pop_front().is_some_and(|entry| entry.discontinuity);
            inner.breaks_gone += u64::from(gone);
            inner.first += 1;
        }
        drop(inner);
        self.grown.send_replace(());
    }

    /// The broadcast is over: nothing of it is shown any more.
    pub(crate) fn close(&self) {
        let mut inner = self.inner();
        inner.stage = Stage::Over;
        for entry in &mut inner.entries {
            entry.bytes = Bytes::new();
        }
        drop(inner);
        self.grown.send_replace(());
    }

    /// Not even the playlist is left.
    pub(crate) fn forget(&self) {
        let mut inner = self.inner();
        inner.stage = Stage::Gone;
        inner.entries.clear();
    }

    /// The playlist; waits a moment for the first segment, or the segment of the number `until`. Where that does not
    /// come (the picture is interrupted), the playlist is answered as it is, so that players ask on.
    pub(crate) async fn playlist(&self, until: Option<u64>, viewer: Viewer<'_>) -> Result<String, NotLive> {
        if let Some(until) = until {
            self.reach(until).await?;
        }
        self.playlist_or_first(viewer).await
    }

    /// Waits for a segment.
    async fn reach(&self, number: u64) -> Result<(), NotLive> {
        let mut grown = self.grown.subscribe();
        let patience = {
            let inner = self.inner();
            if number >= inner.next() + AHEAD {
                return Err(NotLive::FarAhead);
            }
            Duration::from_secs(PATIENCE_SEGMENTS * inner.target_s.unsigned_abs())
        };
        let come = async {
            while self.inner().awaits(number) {
                if grown.changed().await.is_err() {
                    return;
                }
            }
        };
        // What came of it, the playlist itself says.
        let _ = timeout(patience, come).await;
        Ok(())
    }

    async fn playlist_or_first(&self, viewer: Viewer<'_>) -> Result<String, NotLive> {
        let mut grown = self.grown.subscribe();
        let first = async {
            loop {
                match self.playlist_now(viewer) {
                    Err(NotLive::Starting) => {}
                    told => return told,
                }
                if grown.changed().await.is_err() {
                    return Err(NotLive::OffAir);
                }
            }
        };
        timeout(PATIENCE, first).await.unwrap_or(Err(NotLive::Starting))
    }

    fn playlist_now(&self, viewer: Viewer<'_>) -> Result<String, NotLive> {
        let mut inner = self.inner();
        match inner.stage {
            Stage::Before | Stage::Gone => return Err(NotLive::OffAir),
            Stage::Live => inner.viewers.saw(viewer),
            Stage::Over => {}
        }
        match (inner.entries.is_empty(), inner.stage) {
            (true, Stage::Live) => Err(NotLive::Starting),
            (true, _) => Err(NotLive::OffAir),
            (false, _) => Ok(inner.text(self.listed)),
        }
    }

    /// The segment of this name.
    pub(crate) fn segment(&self, name: &str) -> Result<Bytes, NotLive> {
        let inner = self.inner();
        if inner.stage != Stage::Live {
            return Err(NotLive::OffAir);
        }
        let number: Option<u64> = name.strip_suffix(".ts").and_then(|number| number.parse().ok());
        let at = number.and_then(|number| usize::try_from(number.checked_sub(inner.first)?).ok());
        at.and_then(|at| inner.entries.get(at)).map(|entry| entry.bytes.clone()).ok_or(NotLive::NoSegment)
    }

    /// When the viewers are counted next, and how many there are if that has changed.
    pub(crate) fn count(&self, now: Instant) -> (Instant, Option<u32>) {
        let mut inner = self.inner();
        let count = inner.viewers.tick(now);
        (inner.viewers.until(), count)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The number of the segment that comes next.
    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Whether a segment is still to come.
    fn awaits(&self, number: u64) -> bool {
        self.stage == Stage::Live && number >= self.next()
    }

    fn text(&self, listed: usize) -> String {
        let skipped = self.entries.len().saturating_sub(listed);
        let first = self.first + skipped as u64;
        let breaks = self.entries.iter().take(skipped).filter(|entry| entry.discontinuity).count() as u64;
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
             #EXT-X-DISCONTINUITY-SEQUENCE:{}\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n",
            self.target_s,
            self.breaks_gone + breaks,
        );
        for (number, entry) in (first..).zip(self.entries.iter().skip(skipped)) {
            if entry.discontinuity {
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            let at = entry.at.to_rfc3339_opts(SecondsFormat::Millis, true);
            let millis = entry.duration / (TICKS_PER_SECOND / 1_000);
            let (seconds, millis) = (millis / 1_000, millis % 1_000);
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{at}\n#EXTINF:{seconds}.{millis:03},\n{number}.ts");
        }
        if self.stage == Stage::Over {
            text.push_str("#EXT-X-ENDLIST\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWER: Viewer<'static> = Viewer { address: None, agent: "test" };

    fn segment(discontinuity: bool) -> Segment {
        let bytes = Bytes::from_static(b"segment");
        Segment {
            bytes,
            duration: 2 * TICKS_PER_SECOND,
            discontinuity,
            size: (1, 1),
            pictures: 60,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn shown(breaks: &[bool]) -> Window {
        let window = Window::new(2, Instant::now());
        window.open();
        for breaks in breaks {
            window.show(&segment(*breaks));
        }
        window
    }

    #[tokio::test]
    async fn the_window_slides_and_counts_what_has_left_it() {
        let text = shown(&[false, false, true, false, true, false]).playlist(None, VIEWER).await.unwrap();
        let head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:4\n\
                    #EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-INDEPENDENT-SEGMENTS\n\
                    #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n";
        let at = "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.000Z\n#EXTINF:2.000,\n";
        assert_eq!(text, format!("{head}#EXT-X-DISCONTINUITY\n{at}4.ts\n{at}5.ts\n"));
    }

    #[tokio::test]
    async fn a_segment_that_has_just_left_the_playlist_is_still_there_and_older_ones_are_not() {
        let window = shown(&[false; 6]);
        assert_eq!(window.segment("2.ts").as_deref(), Ok(&b"segment"[..]));
        for name in ["1.ts", "6.ts", "x.ts", "../2.ts", "2", ""] {
            assert_eq!(window.segment(name), Err(NotLive::NoSegment), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_player_that_comes_too_early_waits_for_the_first_segment() {
        let window = Window::new(5, Instant::now());
        assert_eq!(window.playlist(None, VIEWER).await, Err(NotLive::OffAir));
        window.open();
        assert_eq!(window.playlist(None, VIEWER).await, Err(NotLive::Starting));
        let later = async {
            tokio::time::sleep(PATIENCE / 2).await;
            window.show(&segment(false));
        };
        let (playlist, ()) = tokio::join!(window.playlist(None, VIEWER), later);
        assert!(playlist.unwrap().ends_with("0.ts\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_player_that_names_a_segment_is_answered_when_it_comes() {
        let window = shown(&[false, false]);
        let later = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            window.show(&segment(false));
        };
        let begun = Instant::now();
        let (playlist, ()) = tokio::join!(window.playlist(Some(2), VIEWER), later);
        assert!(playlist.unwrap().ends_with("2.ts\n"));
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        assert!(window.playlist(Some(0), VIEWER).await.unwrap().ends_with("2.ts\n"));
        assert_eq!(begun.elapsed(), Duration::from_secs(2), "what is there is not waited for");
        assert_eq!(window.playlist(Some(5), VIEWER).await, Err(NotLive::FarAhead));
        assert_eq!(window.playlist(Some(u64::MAX), VIEWER).await, Err(NotLive::FarAhead));
    }

    #[tokio::test(start_paused = true)]
    async fn a_segment_that_does_not_come_is_not_waited_for_for_ever_nor_beyond_the_end() {
        let window = shown(&[false, false]);
        let begun = Instant::now();
        assert!(window.playlist(Some(3), VIEWER).await.unwrap().ends_with("1.ts\n"));
        assert_eq!(begun.elapsed(), Duration::from_secs(2 * PATIENCE_SEGMENTS));
        let later = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            window.close();
        };
        let begun = Instant::now();
        let (playlist, ()) = tokio::join!(window.playlist(Some(2), VIEWER), later);
        assert!(playlist.unwrap().ends_with("1.ts\n#EXT-X-ENDLIST\n"));
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn an_end_is_told_and_every_picture_is_gone_at_once() {
        let window = shown(&[false, false]);
        window.close();
        assert_eq!(window.segment("1.ts"), Err(NotLive::OffAir));
        assert!(window.playlist(None, VIEWER).await.unwrap().ends_with("1.ts\n#EXT-X-ENDLIST\n"));
        window.forget();
        assert_eq!(window.playlist(None, VIEWER).await, Err(NotLive::OffAir));
    }
}

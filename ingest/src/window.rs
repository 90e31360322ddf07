//! What can be watched of a broadcast now: its last segments, in memory, and the playlist that names them (RFC 8216).
//! A player may ask for the playlist that names a segment to come, and is answered when it does
//! (`_HLS_msn`, draft-pantos-hls-rfc8216bis, 6.2.5.2): else it would learn of it up to half a segment later.
//!
//! What leaves the playlist, and how long it can be asked for after that, is as RFC 8216 has it (6.2.2). One thing is
//! not: the target duration should never change, and ours grows with a segment that is longer, since nobody knows how
//! far apart a publisher's keyframes will be. With those that are asked for, two seconds, it stays as it began.
//!
//! It shows bare faces, so it dies with the broadcast: once it is over every segment is forgotten at once, and only the
//! playlist's last word, that nothing follows, stays a moment, so that players stop asking.

use crate::{sample::TICKS_PER_SECOND, segmenter::Segment, settings::Settings, viewers::Viewers};
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

/// For how many target durations what stays in the playlist must last when a segment leaves it (RFC 8216, 6.2.2).
const LEAST_TARGETS: i64 = 3;
/// Most segments that the playlist names, however short: more than the segmenter lets come in so many targets.
const MOST_LISTED: usize = 64;
/// Most segments kept, those that have left the playlist included.
const MOST_KEPT: usize = 2 * MOST_LISTED;
/// Most bytes kept, unless the fewest segments of a playlist are more: two minutes at the highest rate, which is a
/// playlist of the longest segments and what has left it.
const MOST_BYTES: usize = 192 * 1024 * 1024;
/// How long a request for the playlist waits for a broadcast's first segment.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how many of the longest segments' length a request waits for the segment it names.
const PATIENCE_SEGMENTS: u64 = 3;
/// How far ahead of the newest segment the one may be that a request waits for.
const AHEAD: u64 = 2;

/// The window of one broadcast.
#[derive(Debug)]
pub(crate) struct Window {
    inner: Mutex<Inner>,
    grown: watch::Sender<()>,
}

#[derive(Debug)]
struct Inner {
    stage: Stage,
    /// Segments that the playlist names at least, once there are so many.
    least: usize,
    /// The newest last.
    entries: VecDeque<Entry>,
    /// Number of the first entry.
    first: u64,
    /// How many of the first entries have left the playlist.
    left: usize,
    /// Discontinuities of entries that are gone.
    breaks_gone: u64,
    /// In whole seconds: no segment is longer.
    target_s: i64,
    /// How long the longest playlist was, in ticks of 90 kHz.
    longest: i64,
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
    /// Until when it can be asked for; `None` while the playlist names it.
    until: Option<Instant>,
}

impl Window {
    /// An empty window onto a broadcast.
    pub(crate) fn new(settings: &Settings, now: Instant) -> Self {
        let inner = Inner {
            stage: Stage::Before,
            least: settings.window.clamp(1, MOST_LISTED),
            entries: VecDeque::new(),
            first: 0,
            left: 0,
            breaks_gone: 0,
            target_s: whole_seconds(settings.segment_min).max(1),
            longest: 0,
            viewers: Viewers::new(now),
        };
        Self { inner: Mutex::new(inner), grown: watch::Sender::new(()) }
    }

    /// The broadcast is on air.
    pub(crate) fn open(&self) {
        self.inner().stage = Stage::Live;
    }

    /// Shows a segment.
    pub(crate) fn show(&self, segment: &Segment) {
        let mut inner = self.inner();
        let Segment { bytes, duration, discontinuity, at, .. } = segment.clone();
        inner.entries.push_back(Entry { bytes, duration, discontinuity, at, until: None });
        inner.target_s = inner.target_s.max(whole_seconds(duration));
        inner.slide(Instant::now());
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
        self.inner().saw(viewer);
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
            inner.patience()
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
        if matches!(inner.stage, Stage::Before | Stage::Gone) {
            return Err(NotLive::OffAir);
        }
        inner.saw(viewer);
        match (inner.entries.is_empty(), inner.stage) {
            (true, Stage::Live) => Err(NotLive::Starting),
            (true, _) => Err(NotLive::OffAir),
            (false, _) => Ok(inner.text()),
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
        let span = inner.patience().max(Settings::VIEWER_WINDOW);
        let count = inner.viewers.tick(now, span);
        (inner.viewers.until(span), count)
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

    /// How long a request waits for a segment.
    fn patience(&self) -> Duration {
        Duration::from_secs(PATIENCE_SEGMENTS * self.target_s.unsigned_abs())
    }

    /// Somebody asks for the playlist, or is answered.
    fn saw(&mut self, viewer: Viewer<'_>) {
        if self.stage == Stage::Live {
            self.viewers.saw(viewer);
        }
    }

    /// A segment has come: others leave the playlist, and what left it long ago is forgotten.
    fn slide(&mut self, now: Instant) {
        while self.may_leave() {
            let longest = self.longest;
            let Some(entry) = self.entries.get_mut(self.left) else { break };
            entry.until = Some(now + real_time(entry.duration + longest));
            self.left += 1;
        }
        self.longest = self.longest.max(self.listed().map(|entry| entry.duration).sum());
        while self.may_be_forgotten(now) {
            let gone = self.entries.pop_front().is_some_and(|entry| entry.discontinuity);
            self.breaks_gone += u64::from(gone);
            self.first += 1;
            self.left -= 1;
        }
    }

    /// What the playlist names.
    fn listed(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.range(self.left..)
    }

    /// Whether the first segment that the playlist names may leave it.
    fn may_leave(&self) -> bool {
        let count = self.listed().len();
        let rest: i64 = self.listed().skip(1).map(|entry| entry.duration).sum();
        let bytes: usize = self.listed().map(|entry| entry.bytes.len()).sum();
        let rest_is_enough = rest >= LEAST_TARGETS * self.target_s * TICKS_PER_SECOND;
        count > self.least && (rest_is_enough || count > MOST_LISTED || bytes > MOST_BYTES)
    }

    /// Whether the first segment has left the playlist, and long enough ago, or there is no room for it.
    fn may_be_forgotten(&self, now: Instant) -> bool {
        let bytes: usize = self.entries.iter().map(|entry| entry.bytes.len()).sum();
        let is_due = self.entries.front().and_then(|entry| entry.until).is_some_and(|until| until <= now);
        self.left > 0 && (is_due || bytes > MOST_BYTES || self.entries.len() > MOST_KEPT)
    }

    fn text(&self) -> String {
        let first = self.first + self.left as u64;
        let breaks = self.entries.iter().take(self.left).filter(|entry| entry.discontinuity).count() as u64;
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
             #EXT-X-DISCONTINUITY-SEQUENCE:{}\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n",
            self.target_s,
            self.breaks_gone + breaks,
        );
        for (number, entry) in (first..).zip(self.entries.iter().skip(self.left)) {
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

/// Ticks, rounded as the lengths in a playlist are (RFC 8216, 4.3.3.1).
fn whole_seconds(ticks: i64) -> i64 {
    (ticks + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND
}

fn real_time(ticks: i64) -> Duration {
    Duration::from_millis(ticks.unsigned_abs().div_ceil(TICKS_PER_SECOND.unsigned_abs() / 1_000))
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

    fn lasting(seconds: i64) -> Segment {
        Segment { duration: seconds * TICKS_PER_SECOND, ..segment(false) }
    }

    fn window(least: usize) -> Window {
        let window = Window::new(&Settings { window: least, ..Settings::default() }, Instant::now());
        window.open();
        window
    }

    fn shown(breaks: &[bool]) -> Window {
        let window = window(3);
        for breaks in breaks {
            window.show(&segment(*breaks));
        }
        window
    }

    #[tokio::test]
    async fn the_window_slides_and_counts_what_has_left_it() {
        let text = shown(&[false, false, true, false, true, false]).playlist(None, VIEWER).await.unwrap();
        let head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:3\n\
                    #EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-INDEPENDENT-SEGMENTS\n\
                    #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n";
        let at = "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.000Z\n#EXTINF:2.000,\n";
        assert_eq!(text, format!("{head}{at}3.ts\n#EXT-X-DISCONTINUITY\n{at}4.ts\n{at}5.ts\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_segment_that_has_left_the_playlist_stays_for_its_own_length_and_the_longest_playlists() {
        let window = shown(&[false; 4]);
        for pause in [6, 1] {
            tokio::time::advance(Duration::from_secs(pause)).await;
            window.show(&segment(false));
            assert_eq!(window.segment("0.ts").as_deref(), Ok(&b"segment"[..]));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        window.show(&segment(false));
        assert_eq!(window.segment("1.ts").as_deref(), Ok(&b"segment"[..]));
        for name in ["0.ts", "7.ts", "x.ts", "../2.ts", "2", ""] {
            assert_eq!(window.segment(name), Err(NotLive::NoSegment), "{name}");
        }
    }

    /// Its target duration, the number of its first segment, and how long it lasts, in whole seconds.
    async fn read(window: &Window) -> (i64, u64, i64) {
        let text = window.playlist(None, VIEWER).await.unwrap();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let lengths = text.lines().filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(".000,"));
        let lasts = lengths.map(|length| length.parse::<i64>().unwrap()).sum();
        let (target, first) = (field("#EXT-X-TARGETDURATION:"), field("#EXT-X-MEDIA-SEQUENCE:"));
        (target.parse().unwrap(), first.parse().unwrap(), lasts)
    }

    #[tokio::test]
    async fn a_segment_leaves_the_playlist_only_if_three_targets_stay_however_long_the_others_are() {
        let window = window(5);
        let lengths = [1, 2, 1, 2, 2, 2, 2, 12, 2, 2].into_iter().chain(std::iter::repeat_n(2, 30));
        let mut before = (2, 0, 0);
        for length in lengths {
            window.show(&lasting(length));
            let now = read(&window).await;
            assert_eq!(now.0, before.0.max(length), "the target is the longest segment's, and two seconds at first");
            assert!(now.1 == before.1 || now.2 >= 3 * now.0, "{before:?}, then {now:?}");
            before = now;
        }
        assert!(before.1 > 10 && before.2 < 3 * 12 + 2, "the window slides on: {before:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded_in_bytes_and_in_number_whatever_a_publisher_sends() {
        let largest = Bytes::from(vec![0; Settings::default().segment_bytes]);
        for (bytes, duration) in [(largest, TICKS_PER_SECOND), (Bytes::from_static(b"small"), 1)] {
            let window = window(5);
            window.show(&lasting(12));
            for _ in 0..1_000 {
                window.show(&Segment { bytes: bytes.clone(), duration, ..segment(false) });
                let inner = window.inner();
                assert!(inner.entries.iter().map(|entry| entry.bytes.len()).sum::<usize>() <= MOST_BYTES);
                assert!(inner.entries.len() <= MOST_KEPT && inner.listed().len() <= MOST_LISTED);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_segment_counts_before_it_comes_and_a_window_lasts_as_long_as_one_may_wait() {
        let window = shown(&[false, false]);
        let (at, none) = window.count(Instant::now());
        assert_eq!((at - Instant::now(), none), (Settings::VIEWER_WINDOW, None));
        assert!(timeout(Duration::from_secs(1), window.playlist(Some(2), VIEWER)).await.is_err(), "it waits");
        let (later, count) = window.count(at);
        assert_eq!((later - at, count), (Settings::VIEWER_WINDOW, Some(1)));
        window.show(&lasting(12));
        let (latest, count) = window.count(later);
        assert_eq!((latest - at, count), (Duration::from_secs(3 * 12), None), "the window lasts on");
        assert_eq!(window.count(latest).1, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_player_that_comes_too_early_waits_for_the_first_segment() {
        let window = Window::new(&Settings::default(), Instant::now());
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

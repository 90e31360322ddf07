//! Reads a recording's folder, growing or complete. Every path comes from the recording's own files and is refused if
//! it leads out of the recording's folder; a segment is told only once it is in the store.

use super::{
    description::Description,
    layout::Layout,
    parse::{self, ListedSegment, MediaPlaylist, ParseError},
    snapshot::Snapshot,
};
use crate::event::RecordedSegment;
use futures_util::{FutureExt as _, StreamExt as _, future::try_join3, stream};
use storage::{Key, KeyError, Recordings};

/// Segments asked for at once.
const HEADS_AT_ONCE: usize = 16;
/// New segments that one reading tells; the next one goes on from there.
const MAX_NEW_SEGMENTS: usize = 1_000;
/// A description or playlist larger than this is not read, in bytes: the most segments, with long names and dates.
const MAX_TEXT_BYTES: usize = 48 * 1024 * 1024;

/// Why a recording could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Its folder is no key.
    #[error("the recording's folder cannot be used: {0}")]
    Prefix(#[from] KeyError),
    /// The store did not answer, or refused.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// A file of it makes no sense; it may be half-written.
    #[error("{key}: {what}")]
    Malformed {
        /// The file.
        key: Key,
        /// Where and what.
        what: String,
    },
    /// A file of it names a path out of the folder it must be in.
    #[error("{key}: {at} leads out of the recording's folder")]
    Outside {
        /// The file.
        key: Key,
        /// Where in it. Not the path itself: an address may hold a signature.
        at: String,
    },
    /// It is recorded in a way that cannot be redacted segment by segment.
    #[error("{key}: {what} are not supported")]
    Unsupported {
        /// The file.
        key: Key,
        /// What it has.
        what: &'static str,
    },
    /// It has ended, and a file that it names is not there (yet).
    #[error("{0} is not there")]
    Missing(Key),
}

/// Reads the recording in the folder `prefix`. The first `known` segments are taken as being in the store; those after
/// them are asked for.
pub async fn scan(recordings: &Recordings, prefix: &str, known: u32) -> Result<Snapshot, ScanError> {
    let layout = Layout::at(Key::parse(prefix)?);
    let folder = Folder { recordings, prefix: layout.prefix() };
    let (started, ended, failed) = (layout.started()?, layout.ended()?, layout.failed()?);
    // The end is looked for before the playlist is read: a playlist read after the end was written is the last one.
    let (started, ended, failed) =
        try_join3(folder.description(&started), folder.description(&ended), folder.description(&failed)).await?;
    let over = ended.is_some() || failed.is_some();
    // A recording without media that failed, or that says that it is empty, never gets a playlist.
    let may_be_empty = failed.is_some() || ended.as_ref().is_some_and(|ended| ended.1.media.hls.duration_ms == Some(0));
    // The first description decides the rendition, so that it stays the same while the recording grows.
    let Some((key, description)) = started.or(ended).or(failed) else { return Ok(Snapshot::default()) };
    let found = match folder.renditions(&key, &description, over).await? {
        Renditions::Known(playlists) => folder.best_playlist(playlists, over, known).await?,
        Renditions::NotYet(master) => Err(master),
    };
    match found {
        Ok((key, playlist)) => folder.snapshot(&key, playlist, over, known).await,
        Err(_) if !over || (may_be_empty && known == 0) => Ok(Snapshot { ended: over, ..Snapshot::default() }),
        Err(missing) => Err(ScanError::Missing(missing)),
    }
}

/// A recording's folder.
struct Folder<'a> {
    recordings: &'a Recordings,
    prefix: &'a Key,
}

/// The media playlists of a recording, the best rendition first, or the master playlist that would tell them.
enum Renditions {
    Known(Vec<Key>),
    NotYet(Key),
}

impl Folder<'_> {
    async fn description(&self, key: &Key) -> Result<Option<(Key, Description)>, ScanError> {
        let Some(text) = self.text(key).await? else { return Ok(None) };
        let description = serde_json::from_str(&text)
            .map_err(|e| malformed(key, format!("line {}, column {}: not as documented", e.line(), e.column())))?;
        Ok(Some((key.clone(), description)))
    }

    async fn renditions(&self, key: &Key, description: &Description, over: bool) -> Result<Renditions, ScanError> {
        let hls = &description.media.hls;
        let outside = |at: &str| ScanError::Outside { key: key.clone(), at: at.to_owned() };
        let media = self.prefix.join(&hls.path).map_err(|_| outside("media.hls.path"))?;
        if hls.renditions.is_empty() {
            let master = media.join(&hls.playlist).map_err(|_| outside("media.hls.playlist"))?;
            return self.renditions_of(master, over).await;
        }
        let mut renditions: Vec<_> = hls.renditions.iter().collect();
        renditions.sort_by_key(|rendition| std::cmp::Reverse(rendition.pixels()));
        let playlists: Result<Vec<Key>, KeyError> = renditions
            .into_iter()
            .map(|rendition| media.join(&rendition.path).and_then(|folder| folder.join(&rendition.playlist)))
            .collect();
        Ok(Renditions::Known(playlists.map_err(|_| outside("media.hls.renditions"))?))
    }

    async fn renditions_of(&self, master: Key, over: bool) -> Result<Renditions, ScanError> {
        let Some(text) = self.text(&master).await? else { return Ok(Renditions::NotYet(master)) };
        let variants = parse::master(&text, over).map_err(|e| unusable(&master, e))?;
        if variants.is_empty() {
            return if over {
                Err(malformed(&master, "it names no rendition".into()))
            } else {
                Ok(Renditions::NotYet(master))
            };
        }
        let playlists: Result<Vec<Key>, ScanError> =
            variants.into_iter().map(|variant| beside(&master, &variant.uri, variant.line)).collect();
        Ok(Renditions::Known(playlists?))
    }

    /// The best rendition's playlist. Only a recording that is over, and of which nothing is known, falls back to a
    /// lesser rendition: a playlist that is late must not change which segments the numbers mean.
    async fn best_playlist(
        &self,
        playlists: Vec<Key>,
        over: bool,
        known: u32,
    ) -> Result<Result<(Key, MediaPlaylist), Key>, ScanError> {
        let candidates = if over && known == 0 { playlists.len() } else { 1 };
        let mut missing = self.prefix.clone();
        for (nth, key) in playlists.into_iter().take(candidates).enumerate() {
            if let Some(text) = self.text(&key).await? {
                let playlist = parse::media(&text, over).map_err(|e| unusable(&key, e))?;
                return Ok(Ok((key, playlist)));
            }
            if nth == 0 {
                missing = key;
            }
        }
        Ok(Err(missing))
    }

    async fn snapshot(
        &self,
        playlist_key: &Key,
        playlist: MediaPlaylist,
        over: bool,
        known: u32,
    ) -> Result<Snapshot, ScanError> {
        let listed = u32::try_from(playlist.segments.len()).unwrap_or(u32::MAX);
        if listed < known {
            return Err(malformed(playlist_key, format!("it lists {listed} segments, {known} are known")));
        }
        let segments: Result<Vec<_>, ScanError> = (0..listed)
            .zip(playlist.segments)
            .map(|(number, segment)| recorded(playlist_key, number, &segment))
            .collect();
        let mut segments = segments?;
        let there = self.there(&segments, known as usize).await?;
        segments.truncate(there);
        let segments = segments.into_iter().map(|(_, segment)| segment).collect();
        Ok(Snapshot { segments, listed, ended: over, has_endlist: playlist.has_endlist })
    }

    /// How many segments are in the store before the first one that is not.
    async fn there(&self, segments: &[(Key, RecordedSegment)], known: usize) -> Result<usize, ScanError> {
        let new = segments.iter().skip(known).take(MAX_NEW_SEGMENTS);
        // Boxed, since the compiler cannot see that a borrowing future made in a closure may go to another thread.
        let heads: Vec<_> = new.map(|(key, _)| self.exists(key).boxed()).collect();
        let mut heads = stream::iter(heads).buffered(HEADS_AT_ONCE);
        let mut there = known;
        while let Some(exists) = heads.next().await {
            if !exists? {
                break;
            }
            there += 1;
        }
        Ok(there)
    }

    async fn exists(&self, key: &Key) -> Result<bool, ScanError> {
        match self.recordings.head(key).await {
            Ok(_) => Ok(true),
            Err(storage::Error::NotFound(_)) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    async fn text(&self, key: &Key) -> Result<Option<String>, ScanError> {
        let bytes = match self.recordings.get(key).await {
            Ok(bytes) if bytes.len() > MAX_TEXT_BYTES => return Err(malformed(key, "it is too large".into())),
            Ok(bytes) => bytes,
            Err(storage::Error::NotFound(_)) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        String::from_utf8(bytes.into()).map(Some).map_err(|_| malformed(key, "it is not UTF-8".into()))
    }
}

fn recorded(playlist: &Key, number: u32, listed: &ListedSegment) -> Result<(Key, RecordedSegment), ScanError> {
    let key = beside(playlist, &listed.uri, listed.line)?;
    let segment = RecordedSegment {
        number,
        key: key.to_string(),
        duration_ms: listed.duration_ms,
        discontinuity: listed.discontinuity,
    };
    Ok((key, segment))
}

/// What a playlist names: something in its own folder or a folder in that.
fn beside(playlist: &Key, uri: &str, line: usize) -> Result<Key, ScanError> {
    let outside = || ScanError::Outside { key: playlist.clone(), at: format!("line {line}") };
    let (folder, _) = playlist.as_str().rsplit_once('/').ok_or_else(outside)?;
    // `https://host/x` would be refused for its empty part; `data:x` has none.
    if uri.contains(':') {
        return Err(outside());
    }
    Key::parse(folder).and_then(|folder| folder.join(uri)).map_err(|_| outside())
}

fn unusable(key: &Key, error: ParseError) -> ScanError {
    match error {
        ParseError::Unsupported(what) => ScanError::Unsupported { key: key.clone(), what },
        malformed @ ParseError::Malformed { .. } => self::malformed(key, malformed.to_string()),
    }
}

fn malformed(key: &Key, what: String) -> ScanError {
    ScanError::Malformed { key: key.clone(), what }
}

//! What passes before the examiner: every frame of the target, and around it the frames that are context, each with
//! its reduced picture. Decoding and reducing happen here, so that they can run beside the looking.

use crate::{
    Error, Options,
    analysis::{Shrinker, Small},
    deadline::Deadline,
    memo,
    read::{Event, Reader, last_pts},
};
use media::{Orientation, Picture, Source, Track};
use std::sync::Arc;

/// Milliseconds in a second.
const MS: f64 = 1_000.0;

/// What to examine: a target, and around it what is only looked at.
pub(crate) struct Footage<'a> {
    /// How errors call the target.
    pub what: &'a str,
    /// What comes before the target.
    pub before: Option<Source<'a>>,
    /// What is to be redacted.
    pub target: Source<'a>,
    /// What comes after the target.
    pub after: Option<Source<'a>>,
    /// Whether the target's decoder needs what comes before.
    pub warm: bool,
}

impl<'a> Footage<'a> {
    /// What the target's decoder is filled with.
    pub fn warm(&self) -> impl Iterator<Item = &Source<'a>> {
        self.before.iter().filter(|_| self.warm)
    }
}

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    Target,
    After,
}

/// A frame.
pub(crate) struct Sight {
    /// Where it lies.
    pub side: Side,
    /// Its number within its source.
    pub index: u64,
    /// By what it is remembered; files are read once and have no key.
    pub key: Option<memo::Key>,
    /// The frame as decoded.
    pub picture: Picture,
    /// What brings it upright.
    pub orientation: Orientation,
    /// The frame reduced.
    pub small: Arc<Small>,
}

impl Sight {
    /// Whether what was seen on `other` can be followed to this frame: both are reduced to one size and lie alike.
    pub fn continues(&self, other: &Self) -> bool {
        let size = |sight: &Self| (sight.small.width(), sight.small.height());
        size(self) == size(other) && self.orientation == other.orientation
    }
}

/// What to do with a frame; an error ends the showing.
pub(crate) type Show<'a> = dyn FnMut(Sight) -> Result<(), Error> + 'a;

/// Shows every frame of `footage`, whose target is `track`, in order. Neighbours that cannot be decoded are left out with a warning in the log:
/// they are context only.
///
/// # Errors
/// [`Error::Unreadable`] when any frame of the target cannot be decoded in full, and what `show` says.
pub(crate) fn watch(
    footage: &Footage<'_>,
    options: &Options,
    track: &Track,
    deadline: Deadline<'_>,
    show: &mut Show<'_>,
) -> Result<(), Error> {
    let shrinker = Shrinker::new(options.looking.analysis_side, track.orientation.size(track.size));
    let mut watch = Watch { options, shrinker, deadline, show };
    if let Some(before) = &footage.before {
        watch.neighbour(before, &[], Side::Before)?;
    }
    watch.target(footage)?;
    let mut warm: Vec<_> = footage.warm().collect();
    // The successor of a segment that needs the one before it is cut in the same way.
    warm.extend(footage.warm.then_some(&footage.target));
    footage.after.as_ref().map_or(Ok(()), |after| watch.neighbour(after, &warm, Side::After))
}

struct Watch<'a, 'b> {
    options: &'a Options,
    shrinker: Shrinker,
    deadline: Deadline<'a>,
    show: &'a mut Show<'b>,
}

/// Where a frame lies, and in which segment.
#[derive(Clone, Copy)]
struct Place {
    side: Side,
    index: u64,
    key: Option<memo::Segment>,
}

/// Why a neighbour was not shown: because it is broken, which is its own affair, or because showing ended.
enum Fault {
    Video(media::Error),
    Shown(Error),
}

impl From<media::Error> for Fault {
    fn from(error: media::Error) -> Self {
        Self::Video(error)
    }
}

impl Watch<'_, '_> {
    fn target(&mut self, footage: &Footage<'_>) -> Result<(), Error> {
        let fail = |error| Error::media(footage.what, error);
        let warm: Vec<_> = footage.warm().collect();
        let mut reader = Reader::open(&footage.target, &warm, self.options.threads).map_err(fail)?;
        let (key, mut index) = (key(&footage.target), 0);
        while let Some(event) = reader.next().map_err(fail)? {
            let Event::Picture(picture) = event else { continue };
            if key.is_some() && index == self.options.segment_frames {
                let reason = format!("more than {} frames in one segment", self.options.segment_frames);
                return Err(Error::Unsupported { what: footage.what.to_owned(), reason });
            }
            let place = Place { side: Side::Target, index, key };
            let sight = self.sight(picture, &reader.track(), place).map_err(fail)?;
            (self.show)(sight)?;
            index += 1;
        }
        if index == 0 {
            return Err(Error::Unreadable { what: footage.what.to_owned(), reason: "it holds no picture".to_owned() });
        }
        Ok(())
    }

    fn sight(&mut self, picture: Picture, track: &Track, place: Place) -> Result<Sight, media::Error> {
        let Place { side, index, key } = place;
        let orientation = track.orientation_of(&picture);
        let small = Arc::new(self.shrinker.shrink(&picture, orientation, side == Side::Target)?);
        let key = key.map(|segment| memo::Key { segment, size: (small.width(), small.height()) });
        Ok(Sight { side, index, key, picture, orientation, small })
    }

    fn neighbour(&mut self, source: &Source<'_>, warm: &[&Source<'_>], side: Side) -> Result<(), Error> {
        match self.context(source, warm, side) {
            Ok(()) => Ok(()),
            Err(Fault::Video(error)) => {
                tracing::warn!(%error, side = ?side, "neighbouring segment cannot be examined");
                Ok(())
            }
            Err(Fault::Shown(error)) => Err(error),
        }
    }

    fn context(&mut self, source: &Source<'_>, warm: &[&Source<'_>], side: Side) -> Result<(), Fault> {
        let last = if side == Side::Before { Some(last_pts(source)?) } else { None };
        let mut reader = Reader::open(source, warm, self.options.threads)?;
        let span = (f64::from(self.options.looking.context_ms) / MS / f64::from(reader.track().time_base)) as i64;
        let (key, mut index, mut first) = (key(source), 0, None);
        while let Some(event) = reader.next()? {
            let Event::Picture(picture) = event else { continue };
            // Most of them are decoded without being shown to anybody who would look at the time.
            self.deadline.check().map_err(Fault::Shown)?;
            let first = *first.get_or_insert(picture.pts());
            if side == Side::After && picture.pts() - first >= span {
                break;
            }
            if last.is_none_or(|last| last - picture.pts() < span) {
                let sight = self.sight(picture, &reader.track(), Place { side, index, key })?;
                (self.show)(sight).map_err(Fault::Shown)?;
            }
            index += 1;
        }
        Ok(())
    }
}

/// What tells a segment from others; files are read once.
fn key(source: &Source<'_>) -> Option<memo::Segment> {
    match source {
        Source::Segment(bytes) => Some(memo::segment(bytes)),
        Source::File(_) => None,
    }
}

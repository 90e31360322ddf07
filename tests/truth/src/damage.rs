//! Segments to be damaged: whatever is done to their bytes and whatever is then published, the faces that are known to
//! have been in them must not be known again.

use crate::{
    clip::Clip,
    face::Face,
    judge::bare_faces,
    video::{Frame, Video},
};

/// Frames in a group of pictures of [`Subject::coming`].
const GROUP: usize = 25;

/// A segment, and what is to be seen in it.
pub struct Subject {
    pub clip: Clip,
    pub segment: Vec<u8>,
    original: Vec<Frame>,
}

impl Subject {
    fn new(clip: Clip, segment: Vec<u8>) -> Self {
        Self { original: Video::of_segment(&segment).frames, clip, segment }
    }

    /// A face on every frame of one group.
    pub fn full() -> Self {
        let clip = Clip::panning(320, 192, 15);
        let segment = clip.segment(0.0);
        Self::new(clip, segment)
    }

    /// A face that comes with the second group of two, of which the first may be taken over as it is.
    pub fn coming() -> Self {
        let clip = Clip::new(320, 192, 2 * GROUP, |at| {
            let steps = at - GROUP as f32;
            if steps < 0.0 { Vec::new() } else { vec![Face::at(steps.mul_add(2.0, 120.0), 96.0, 40.0)] }
        });
        let segment = clip.in_groups(GROUP, "bframes=2", "ts").bytes();
        Self::new(clip, segment)
    }

    /// The faces that can be known again in a segment that came of this one, each by its frame among those compared and
    /// its place in the truth of that frame. A frame is compared with the one of the original that has its time.
    pub fn bare(&self, published: &[u8]) -> Vec<(usize, usize)> {
        let source_of = |frame: &Frame| self.original.iter().position(|source| source.pts == frame.pts);
        let frames = Video::of_segment(published).frames.into_iter();
        let (sources, published): (Vec<usize>, Vec<Frame>) =
            frames.filter_map(|frame| Some((source_of(&frame)?, frame))).unzip();
        let shots = sources.iter().map(|source| self.clip.shots[*source].clone()).collect();
        let original: Vec<Frame> = sources.iter().map(|source| self.original[*source].clone()).collect();
        bare_faces(&Clip { shots, ..self.clip.clone() }, &original, &published)
    }
}

//! Links detections into tracks, forwards and backwards in time.
//!
//! A strong detection starts a track, a weak one may continue it; in between the face is followed by its picture. A
//! track that turns out to be a face is followed back to before its first detection on the frames still remembered, so
//! that it is covered while it was too small, turned away or cut by the edge.

use crate::{
    Options,
    analysis::Small,
    detector::Detection,
    follow::follow,
    geometry::Region,
    look::{Asked, Look},
    motion::Motion,
    options::Linking,
    sheet::{Area, View},
    track::{How, InSight, Sample, Track},
};
use media::Rotation;
use std::{collections::VecDeque, sync::Arc};

/// Milliseconds in a second.
const MS: f64 = 1_000.0;
/// Most frames remembered, whatever the rate.
const MAX_REMEMBERED: usize = 90;
/// Most tracks followed at a time; the detector gives no more faces than this.
const MAX_OPEN: usize = 600;
/// Farthest a detection may be from where its track is expected, in faces, and how much farther for every frame since
/// the face was lost.
const GATE: f32 = 0.6;
const GATE_GROWTH: f32 = 0.04;
const GATE_MAX: f32 = 1.3;
/// Largest ratio of sizes of the same face.
const SIZE_RATIO: f32 = 1.9;
/// Share of a newly seen own movement that is believed.
const VELOCITY_GAIN: f32 = 0.5;
/// What is left of a face's own movement with every frame on which it is only assumed.
const VELOCITY_DECAY: f32 = 0.8;
/// Likeness below which a face was not lost while it turned or was smeared, but is not there any more.
const GONE: f32 = 0.4;
/// Overlap from which two tracks are the same face.
const SAME_FACE: f32 = 0.5;
/// What is looked at around a face that is in doubt, and around one that only has to be seen again, in faces.
const DOUBT_MARGIN: f32 = 1.5;
const AGAIN_MARGIN: f32 = 1.0;
/// Score below which a face may be half hidden, so that its box is smaller than it is.
const WHOLE_SCORE: f32 = 0.6;
/// Likeness from which a face goes on over a cut: what looks like one was none.
const SAME_SCENE: f32 = 0.85;
/// Likeness from one frame to the next that a face in sight has, and the one below which something else may have taken its
/// place.
const ALIKE: f32 = 0.85;
const SUSPECT: f32 = 0.75;
/// Shift of the whole frame, in pixels of the reduced one, from which the camera moves, and for how many frames it is
/// remembered.
const MOVING: f32 = 3.0;
const MOVED: usize = 8;
/// A face lies near the edge when its box, times this, reaches over it.
const NEAR_EDGE: f32 = 1.6;
/// Detections that a turned face needs, and the score of the best, before the picture is looked at in its turn.
const TURN_HITS: u32 = 3;
const TURN_SCORE: f32 = 0.6;
/// Looks at a face that was found once and not surely.
const DOUBTFUL_LOOKS: u32 = 3;

/// A remembered frame.
struct Seen {
    small: Arc<Small>,
    motion: Motion,
}

/// Lengths of time in frames.
struct Spans {
    bridge: u64,
    before: usize,
    dim: usize,
    after: usize,
    hold: usize,
    hold_edge: usize,
    doubt: u64,
    again: u64,
    horizon: u64,
}

/// Follows all faces.
pub(crate) struct Tracker {
    linking: Linking,
    start_score: f32,
    spans: Spans,
    /// The frames up to the newest.
    remembered: VecDeque<Seen>,
    newest: u64,
    open: Vec<Track>,
    closed: Vec<Track>,
    /// The newest frame that the detector ran on.
    looked: u64,
}

impl Tracker {
    /// A tracker for video of `rate` frames per second.
    pub fn new(options: &Options, rate: f64) -> Self {
        let linking = options.linking.clone();
        let frames = |ms: u32| (f64::from(ms) * rate / MS).ceil() as u64;
        let again = frames(options.looking.wide_ms).max(1);
        let bridge = frames(linking.bridge_ms).max(2 * again);
        let before = frames(linking.before_ms);
        let doubt = (frames(linking.bridge_ms) / 2).max(again + 1);
        let spans = Spans {
            bridge,
            before: before as usize,
            dim: again as usize,
            after: frames(linking.after_ms) as usize,
            hold: frames(linking.hold_ms) as usize,
            hold_edge: frames(linking.hold_edge_ms) as usize,
            doubt,
            again,
            // Bending a track reaches back to the detection before, confirming it to before its first one.
            horizon: frames(linking.horizon_ms).max(bridge + again).max(doubt + before + again),
        };
        Self {
            start_score: options.looking.start_score,
            linking,
            spans,
            remembered: VecDeque::new(),
            newest: 0,
            open: Vec::new(),
            closed: Vec::new(),
            looked: 0,
        }
    }

    /// Takes frame `frame`, which moved as a whole by `motion` since the one before, and follows every face to it.
    pub fn advance(&mut self, frame: u64, small: &Arc<Small>, motion: Motion) {
        if let Some(before) = self.remembered.back() {
            for track in &mut self.open {
                step(track, frame, (&before.small, small), motion, self.linking.likeness);
            }
        }
        if motion.is_cut {
            self.part(frame);
        }
        self.remembered.push_back(Seen { small: Arc::clone(small), motion });
        let keep = (self.spans.before + 1).clamp(2, MAX_REMEMBERED);
        while self.remembered.len() > keep {
            self.remembered.pop_front();
        }
        self.newest = frame;
    }

    /// Another scene has begun on `frame`: a face whose picture is not there any more is not hidden, but gone, and nothing
    /// of it is left on that frame.
    fn part(&mut self, frame: u64) {
        self.confirm_late();
        let goes_on = |track: &Track| track.sight == InSight::Yes && track.likeness >= SAME_SCENE;
        let (open, gone) = std::mem::take(&mut self.open).into_iter().partition(goes_on);
        self.open = open;
        for mut track in gone {
            if track.confirmed {
                let hold = self.hold(&track);
                track.samples.truncate(usize::try_from(frame.saturating_sub(track.first)).unwrap_or(usize::MAX));
                track.trim(self.spans.after, hold);
                self.closed.push(track);
            }
        }
    }

    /// Confirms faces that came up so late that they could not be seen twice.
    fn confirm_late(&mut self) {
        let since = self.looked.saturating_sub(self.spans.again);
        for track in &mut self.open {
            if !track.confirmed && track.starts > 0 && track.begun >= since {
                track.confirmed = true;
                extend_back(track, &self.remembered, self.newest, &self.spans, self.linking.likeness);
            }
        }
    }

    /// Takes what was `found` by `look` on the newest frame.
    pub fn link(&mut self, frame: u64, found: &[Detection], look: &Look) {
        self.looked = frame;
        let size = self.remembered.back().map(|seen| (seen.small.width() as f32, seen.small.height() as f32));
        let height = self.remembered.back().map_or(0, |seen| seen.small.height());
        let (mut pairs, mut shown) = (Vec::new(), Vec::new());
        for (index, track) in self.open.iter_mut().enumerate() {
            let region = track.region();
            shown.push(look.shows(region, track.turn, height));
            if shown.last() == Some(&true) {
                track.looked = frame;
                track.looks += 1;
            }
            let near = found.iter().enumerate().filter_map(|(which, detection)| {
                let distance = distance(track, frame, detection)?;
                Some((distance, index, which))
            });
            pairs.extend(near);
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut taken, mut met) = (vec![false; found.len()], vec![false; self.open.len()]);
        for (_, index, which) in pairs {
            if !taken[which] && !met[index] {
                (taken[which], met[index]) = (true, true);
                let Detection { region, score, turn, .. } = found[which];
                let track = &mut self.open[index];
                let known = track.region();
                let mut whole = size.map_or(region, |(width, height)| region.beyond_edge(known, width, height));
                if score < WHOLE_SCORE {
                    (whole.w, whole.h) = (whole.w.max(known.w), whole.h.max(known.h));
                }
                let is_cut = size.is_some_and(|(width, height)| track.found().is_at_edge(width, height));
                let was_partial = is_cut || (track.best < self.linking.sure_score && score >= self.linking.sure_score);
                let whole = Detection { region: whole, score, is_cut: false, turn };
                track.meet(frame, &whole, (score >= self.start_score, was_partial));
            }
        }
        for ((track, met), shown) in self.open.iter_mut().zip(met).zip(shown) {
            if shown && !met && track.detected < frame {
                track.miss(frame);
            }
        }
        for (detection, _) in found.iter().zip(taken).filter(|(_, taken)| !taken) {
            if self.open.len() < MAX_OPEN {
                let starts = detection.score >= self.start_score;
                self.open.push(Track::begin(frame, detection, starts));
            }
        }
        self.confirm();
        self.close(frame);
    }

    /// Whether `detection` on the newest frame is a face that is being followed.
    pub fn follows(&self, frame: u64, detection: &Detection) -> bool {
        self.followed(frame, detection).next().is_some()
    }

    /// Whether `detection` is a part of such a face of which `look` showed no more: it says less of where the face is than
    /// following does.
    pub fn is_part(&self, frame: u64, detection: &Detection, look: &Look) -> bool {
        let height = self.remembered.back().map_or(0, |seen| seen.small.height());
        let mut followed = self.followed(frame, detection);
        followed.any(|track| detection.is_cut || !look.shows(track.region(), detection.turn, height))
    }

    fn followed(&self, frame: u64, detection: &Detection) -> impl Iterator<Item = &Track> {
        let in_sight = self.open.iter().filter(|track| track.confirmed && track.sight == InSight::Yes);
        in_sight.filter(move |track| distance(track, frame, detection).is_some())
    }

    /// What following asks to be looked at on `frame` of a picture of `size`: faces that were lost on it, at once; faces
    /// that were found once and not surely, that were lost before, or that were not looked at for long.
    pub fn asks(&self, frame: u64, size: (f32, f32)) -> Asked {
        let (mut urgent, mut wanted, mut guesses) = (Vec::new(), Vec::new(), Vec::new());
        for track in &self.open {
            let around = |margin: f32| Area::around(track.region(), margin, size);
            let is_doubtful = [track.lost, track.suspect].contains(&Some(frame));
            if track.confirmed && is_doubtful && track.looked < frame {
                urgent.push(View { area: around(DOUBT_MARGIN), turn: track.turn });
            } else if let Some(margin) = self.wants(track, frame) {
                wanted.push(View { area: around(margin), turn: track.turn });
            }
            // A head that rolls is lost upright and found on its side.
            if track.confirmed && track.sight != InSight::Yes {
                let beside = [Rotation::Quarter, Rotation::ThreeQuarters].map(|turn| track.turn.then(turn));
                guesses.extend(beside.map(|turn| View { area: around(AGAIN_MARGIN), turn }));
            }
        }
        for views in [&mut urgent, &mut wanted, &mut guesses] {
            views.retain(|view| view.area.w > 0.0 && view.area.h > 0.0);
        }
        let in_sight = self.open.iter().filter(|track| track.confirmed && track.sight == InSight::Yes);
        let faces = in_sight.map(Track::region).collect();
        Asked { urgent, wanted, guesses, faces, turn: self.most_turned() }
    }

    /// How much of what surrounds `track` is to be looked at, in faces, if it is.
    fn wants(&self, track: &Track, frame: u64) -> Option<f32> {
        let doubtful = !track.confirmed && track.looks < DOUBTFUL_LOOKS;
        let is_lost = track.sight != InSight::Yes;
        let again = track.confirmed && (is_lost || frame - track.looked >= self.spans.again);
        (doubtful || again).then_some(if doubtful { DOUBT_MARGIN } else { AGAIN_MARGIN })
    }

    /// The turn that most faces are in, if the detector was sure of them there.
    fn most_turned(&self) -> Rotation {
        let is_sure = |track: &&Track| track.confirmed && track.hits >= TURN_HITS && track.best >= TURN_SCORE;
        let mut counts = [0_usize; 4];
        self.open.iter().filter(is_sure).for_each(|track| counts[track.turn as usize] += 1);
        let sum: usize = counts.iter().sum();
        Rotation::ALL.into_iter().find(|turn| 2 * counts[*turn as usize] > sum).unwrap_or_default()
    }

    /// The faces known so far, and the frame before which no later detection changes them. What is before `kept` is
    /// forgotten.
    pub fn settled(&mut self, kept: u64) -> (Vec<&mut Track>, u64) {
        self.closed.retain(|track| track.end() > kept);
        let settled = (self.newest + 1).saturating_sub(self.spans.horizon);
        self.open.iter_mut().for_each(|track| track.forget(settled.min(kept)));
        let confirmed = self.open.iter_mut().filter(|track| track.confirmed);
        (self.closed.iter_mut().chain(confirmed).collect(), settled)
    }

    /// A track is a face when the detector was sure once or fairly sure twice. It then gets its past.
    fn confirm(&mut self) {
        for track in &mut self.open {
            if !track.confirmed && (track.best >= self.linking.sure_score || track.starts >= 2) {
                track.confirmed = true;
                extend_back(track, &self.remembered, self.newest, &self.spans, self.linking.likeness);
            }
        }
    }

    /// Ends the tracks that have gone undetected for too long, and those that another one covers.
    fn close(&mut self, frame: u64) {
        let spans = &self.spans;
        let patience = |track: &Track| match (track.confirmed, track.sight == InSight::Gone) {
            (true, false) => spans.bridge,
            // What is gone may have been smeared for a moment; behind something it needs no blur.
            (true, true) => spans.again,
            (false, _) => spans.doubt,
        };
        let since = |track: &Track| match track.sight {
            // As long as nobody looked, it is no word against a face in sight that it was not detected.
            InSight::Yes => track.missed.unwrap_or(frame),
            InSight::Lost | InSight::Gone => track.detected,
        };
        let stays = |track: &Track| frame.saturating_sub(since(track)) <= patience(track);
        let (mut open, ended): (Vec<Track>, Vec<Track>) = std::mem::take(&mut self.open).into_iter().partition(stays);
        open.sort_by(|a, b| b.detected.cmp(&a.detected).then(b.hits.cmp(&a.hits)));
        for track in open {
            let covered = track.detected < frame
                && self.open.iter().any(|other| other.region().overlap(track.region()) > SAME_FACE);
            if covered { self.end(track) } else { self.open.push(track) }
        }
        for track in ended {
            self.end(track);
        }
    }

    fn end(&mut self, mut track: Track) {
        if track.confirmed {
            track.trim(self.spans.after, self.hold(&track));
            self.closed.push(track);
        }
    }

    /// For how many frames a face that was lost stays covered: longer near the edge while the camera moves, since it may be
    /// leaving; not at all where nothing like it is left amid the picture.
    fn hold(&self, track: &Track) -> usize {
        let size = self.remembered.back().map(|seen| (seen.small.width() as f32, seen.small.height() as f32));
        let last_seen = track.samples.iter().rev().find(|sample| sample.how != How::Held);
        let reach = |region: Region| Region { w: region.w * NEAR_EDGE, h: region.h * NEAR_EDGE, ..region };
        let reach = last_seen.map(|sample| reach(sample.region));
        let at_edge = reach.zip(size).is_some_and(|(reach, (width, height))| !reach.is_inside(width, height));
        let recent = self.remembered.iter().rev().take(MOVED);
        let moves = recent.map(|seen| seen.motion.shift.0.hypot(seen.motion.shift.1)).any(|shift| shift > MOVING);
        match track.sight {
            _ if at_edge && moves => self.spans.hold_edge,
            InSight::Gone => 0,
            InSight::Yes | InSight::Lost => self.spans.hold,
        }
    }

    /// Ends all tracks: nothing follows. Gives every face that was not forgotten.
    pub fn finish(&mut self) -> Vec<&mut Track> {
        self.confirm_late();
        for track in std::mem::take(&mut self.open) {
            self.end(track);
        }
        self.closed.iter_mut().collect()
    }
}

/// How far `detection` is from where `track` is expected; `None` when it cannot be the same face.
fn distance(track: &Track, frame: u64, detection: &Detection) -> Option<f32> {
    let expected = track.region();
    let ratio = expected.size() / detection.region.size().max(f32::EPSILON);
    let lost = if track.sight == InSight::Yes { 0.0 } else { (frame - track.detected) as f32 };
    let gate = (GATE + GATE_GROWTH * lost).min(GATE_MAX);
    let distance = expected.distance(detection.region);
    (distance < gate && ratio < SIZE_RATIO && ratio > SIZE_RATIO.recip()).then_some(distance)
}

/// What is believed of a face's own movement when `seen` is what it did last: all of it at first.
fn believed(velocity: Option<(f32, f32)>, seen: (f32, f32)) -> (f32, f32) {
    let old = velocity.unwrap_or(seen);
    (old.0 + (seen.0 - old.0) * VELOCITY_GAIN, old.1 + (seen.1 - old.1) * VELOCITY_GAIN)
}

/// Follows `track` from the frame before to the next one, number `frame`.
fn step(track: &mut Track, frame: u64, (before, after): (&Small, &Small), motion: Motion, likeness: f32) {
    let region = track.region();
    let carried = region.shifted(motion.shift);
    let expected = carried.shifted(track.velocity.unwrap_or_default());
    if track.sight == InSight::Yes {
        let followed = follow(before, after, region, expected);
        if followed.likeness < SUSPECT && track.likeness >= ALIKE {
            track.suspect = Some(frame);
        }
        track.likeness = followed.likeness;
        if followed.likeness >= likeness {
            // Beyond the edge there is nothing to find a face by: there it moves on as it did.
            let is_cut = !expected.is_inside(after.width() as f32, after.height() as f32);
            let place = if is_cut { expected } else { followed.region };
            if !is_cut {
                track.velocity = Some(believed(track.velocity, (place.x - carried.x, place.y - carried.y)));
            }
            track.samples.push_back(Sample { region: place, how: How::Followed });
            return;
        }
        track.sight = if followed.likeness < GONE { InSight::Gone } else { InSight::Lost };
        track.lost = Some(frame);
    }
    track.velocity = track.velocity.map(|(x, y)| (x * VELOCITY_DECAY, y * VELOCITY_DECAY));
    track.samples.push_back(Sample { region: expected, how: How::Held });
}

/// Follows `track` from its first sample back over the remembered frames, the newest of which is `newest`.
fn extend_back(track: &mut Track, remembered: &VecDeque<Seen>, newest: u64, spans: &Spans, likeness: f32) {
    let Some(first) = track.samples.front().map(|sample| sample.region) else { return };
    let age = usize::try_from(newest - track.first).unwrap_or(usize::MAX);
    let Some(mut at) = remembered.len().checked_sub(1).and_then(|last| last.checked_sub(age)) else { return };
    let (mut region, mut velocity, mut held, mut most_held) = (first, None, 0, spans.hold);
    // Where it was seen only dimly at first, what is followed back may be an edge of what hid it.
    let most = if track.begun_well { spans.before } else { spans.before.min(spans.dim) };
    for _ in 0..most {
        let Some(earlier) = at.checked_sub(1) else { break };
        let shift = remembered[at].motion.shift;
        let carried = region.shifted((-shift.0, -shift.1));
        let expected = carried.shifted(velocity.unwrap_or_default());
        let mut how = How::Held;
        let mut place = expected;
        if held == 0 {
            let followed = follow(&remembered[at].small, &remembered[earlier].small, region, expected);
            let least = if remembered[at].motion.is_cut { SAME_SCENE } else { likeness };
            if followed.likeness >= least {
                (place, how) = (followed.region, How::Followed);
                velocity = Some(believed(velocity, (place.x - carried.x, place.y - carried.y)));
            } else if followed.likeness < GONE {
                most_held = 0;
            }
        }
        if how == How::Held {
            held += 1;
            if held > most_held || remembered[at].motion.is_cut {
                break;
            }
        }
        region = place;
        track.samples.push_front(Sample { region, how });
        track.first -= 1;
        at = earlier;
    }
}

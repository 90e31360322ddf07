//! When to look, and at what. Looking is the expensive part of the first pass, so the detector sees the whole frame only
//! as often as it must; but nothing may be shown for long that it had no chance to find.
//!
//! Three needs add up. What is new ([`Unseen`]) is looked at on that frame or the next. What is known but moves is looked
//! at again in time, since a detector finds on one frame what it missed on another; where faces are at one height, its
//! rows are looked at more often than the rest. And since the detector finds upright faces only, the frame is also looked
//! at turned, more rarely: people lie on the ground, and phones are held sideways.

use crate::{
    analysis::Small,
    geometry::Region,
    look::{Asked, Look},
    motion::Motion,
    options::Looking,
    sheet::{FULL, Sheet, View, join},
    unseen::Unseen,
    watch::Watch,
};
use media::Rotation;

/// Milliseconds in a second.
const MS: f64 = 1_000.0;

/// Lengths of time in frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Between looks at the whole while much changes and the rows with faces are looked at by themselves.
    pub wide: u64,
    /// The same while faces are everywhere.
    pub look: u64,
    /// The same while there are none.
    pub calm: u64,
    /// The same while all that changes can be looked at by itself.
    pub rest: u64,
    /// Between looks at rows.
    pub rows: u64,
    /// Between looks at parts.
    pub glance: u64,
    /// Between looks at the picture turned by a quarter, either way, and by half.
    turned: u64,
    upside_down: u64,
}

/// `views`, those that meet made one.
fn joined<'a>(views: impl IntoIterator<Item = &'a View>) -> Vec<View> {
    let mut joined = Vec::new();
    for view in views {
        join(&mut joined, *view);
    }
    joined
}

/// Decides on looks.
pub(crate) struct Attention {
    times: Times,
    upright: Watch,
    /// Where most faces stand otherwise: the same for their turn.
    sideways: Option<Watch>,
    turned: [Turned; 3],
    /// Last look at parts that only following asked for.
    asked: Option<u64>,
}

impl Attention {
    /// For video of `rate` frames per second.
    pub fn new(looking: &Looking, rate: f64) -> Self {
        let frames = |ms: u32| ((f64::from(ms) * rate / MS).round() as u64).max(1);
        let times = Times {
            wide: frames(looking.wide_ms),
            look: frames(looking.look_ms),
            calm: frames(looking.calm_ms),
            rest: frames(looking.rest_ms),
            rows: frames(looking.rows_ms),
            glance: frames(looking.glance_ms),
            turned: frames(looking.turned_ms),
            upside_down: frames(looking.upside_down_ms),
        };
        Self {
            times,
            upright: Watch::new(Rotation::None, times.glance),
            sideways: None,
            turned: [Rotation::Quarter, Rotation::ThreeQuarters, Rotation::Half].map(Turned::new),
            asked: None,
        }
    }

    /// Takes the next frame, which moved as a whole by `motion`.
    pub fn advance(&mut self, small: &Small, motion: Motion) {
        self.watches().for_each(|watch| watch.advance(small, motion));
        if motion.is_cut {
            self.turned.iter_mut().for_each(Turned::begin);
        }
    }

    /// Follows most faces into their turn: from now on the whole is looked at that way as well.
    pub fn turn_to(&mut self, turn: Rotation, small: &Small) {
        if turn == Rotation::None || self.sideways.as_ref().is_some_and(|watch| watch.turn == turn) {
            return;
        }
        let mut watch = Watch::new(turn, self.times.glance);
        watch.advance(small, Motion::default());
        self.sideways = Some(watch);
    }

    /// What to look at next on frame `frame`; `None` when no more is needed on it. `most` is how far the picture's detail
    /// goes beyond the reduced one.
    pub fn choose(&self, frame: u64, small: &Small, asked: &Asked, most: f32) -> Option<Look> {
        let watches = [Some(&self.upright), self.sideways.as_ref()];
        let mut due = watches.into_iter().flatten().filter(|watch| watch.last != Some(frame));
        due.find_map(|watch| watch.choose(frame, small, asked, (most, &self.times)))
            .or_else(|| self.asked_for(frame, small, asked, most))
            .or_else(|| self.turned(frame, small, asked, most))
    }

    /// Parts that following asks for in turns that are not watched; guesses among them as far as there is room.
    fn asked_for(&self, frame: u64, small: &Small, asked: &Asked, most: f32) -> Option<Look> {
        let others = |views: &[View]| views.iter().filter(|view| !self.is_watched(view.turn)).copied().collect();
        let (urgent, wanted, mut guesses): (Vec<View>, Vec<View>, Vec<View>) =
            (others(&asked.urgent), others(&asked.wanted), others(&asked.guesses));
        let since = self.asked.map_or(u64::MAX, |last| frame - last);
        if since == 0 || (urgent.is_empty() && since < self.times.glance) {
            return None;
        }
        let views = [urgent, wanted].concat();
        let size = (small.width() as f32, small.height() as f32);
        while !(views.is_empty() && guesses.is_empty()) {
            if let Some(sheet) = Sheet::enlarge(&joined(views.iter().chain(&guesses)), size, FULL..=most.max(FULL)) {
                return Some(Look::Parts(sheet));
            }
            if guesses.pop().is_none() {
                break;
            }
        }
        let first = views.first()?;
        Some(Sheet::shrink(&joined(&views), size, most).map_or(Look::Whole(first.turn), Look::Parts))
    }

    fn is_watched(&self, turn: Rotation) -> bool {
        turn == Rotation::None || self.sideways.as_ref().is_some_and(|watch| watch.turn == turn)
    }

    /// The picture turned: all of it at first and now and then, in between what is new since it was looked at so.
    fn turned(&self, frame: u64, small: &Small, asked: &Asked, most: f32) -> Option<Look> {
        let size = (small.width() as f32, small.height() as f32);
        let mut others = self.turned.iter().filter(|turned| !self.is_watched(turned.turn));
        others.find_map(|turned| {
            let whole = Look::Whole(turned.turn);
            let every = if turned.turn == Rotation::Half { self.times.upside_down } else { self.times.turned };
            match (turned.last, turned.whole) {
                (Some(last), _) if frame - last < every => None,
                (Some(_), Some(at)) if frame - at < self.times.rest => {
                    let views = self.upright.unseen.unturned(turned.turn, &asked.faces);
                    let sheet = || Sheet::shrink(&views, size, most).map_or(whole, Look::Parts);
                    (!views.is_empty()).then(sheet)
                }
                _ => Some(whole),
            }
        })
    }

    /// Frame `frame` was looked at, and whether something there might be a face.
    pub fn looked(&mut self, frame: u64, small: &Small, look: &Look, lively: bool) {
        self.watches().for_each(|watch| watch.looked(frame, small, (look, lively)));
        let unseen = &mut self.upright.unseen;
        match look {
            Look::Whole(turn) => unseen.saw_turned(*turn, None),
            Look::Rows(_) => {}
            Look::Parts(sheet) => sheet.views().for_each(|view| unseen.saw_turned(view.turn, Some(&[view.area]))),
        }
        for turned in &mut self.turned {
            turned.looked(frame, look, unseen);
        }
        if look.turns().any(|turn| !self.is_watched(turn)) {
            self.asked = Some(frame);
        }
    }

    /// Counts the newest frame, on which nothing more will be looked at.
    pub fn count(&mut self, faces: &[Region]) {
        self.upright.unseen.count(faces);
    }

    /// The most consecutive frames on which something new was to be seen before it was looked at.
    pub fn longest_unseen(&self) -> u32 {
        self.upright.unseen.longest()
    }

    fn watches(&mut self) -> impl Iterator<Item = &mut Watch> {
        std::iter::once(&mut self.upright).chain(self.sideways.as_mut())
    }
}

/// When the picture was looked at in a turn that few faces stand in.
struct Turned {
    turn: Rotation,
    whole: Option<u64>,
    last: Option<u64>,
}

impl Turned {
    fn new(turn: Rotation) -> Self {
        Self { turn, whole: None, last: None }
    }

    /// Another scene has begun.
    fn begin(&mut self) {
        *self = Self::new(self.turn);
    }

    /// Frame `frame` was looked at; `unseen` says what is left.
    fn looked(&mut self, frame: u64, look: &Look, unseen: &Unseen) {
        let holds = |sheet: &Sheet| sheet.views().any(|view| view.turn == self.turn);
        match look {
            Look::Whole(turn) if *turn == self.turn => (self.whole, self.last) = (Some(frame), Some(frame)),
            Look::Parts(sheet) if holds(sheet) && unseen.unturned(self.turn, &[]).is_empty() => self.last = Some(frame),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Shrinker;
    use media::{Layout, Orientation, Picture};

    /// A picture like no other of another `seed`, wherever one looks.
    fn noise(seed: usize) -> Small {
        picture(|x, y| ((x / 16 * 73 + y / 16 * 151 + seed * 97) % 256) as u8)
    }

    /// A street at rest, with a square of 40 pixels at the place, if there is one.
    fn street(square: Option<(usize, usize)>) -> Small {
        picture(|x, y| match square {
            Some((left, top)) if (left..left + 40).contains(&x) && (top..top + 40).contains(&y) => {
                60 + (x * 7 + y * 13) as u8 % 120
            }
            _ => 100 + ((x / 40 + y / 40) % 2 * 20) as u8,
        })
    }

    fn picture(luma: impl Fn(usize, usize) -> u8) -> Small {
        let mut picture = Picture::blank(Layout::Yuv420, true, 640, 352).expect("a picture");
        let [samples, blue, red] = picture.planes_mut().expect("planes");
        for (at, sample) in samples.data.iter_mut().enumerate() {
            *sample = luma(at % samples.stride, at / samples.stride);
        }
        blue.data.fill(128);
        red.data.fill(128);
        Shrinker::new(640, (640, 352)).shrink(&picture, Orientation::UPRIGHT, true).expect("a reduced picture")
    }

    fn face(y: f32) -> Region {
        Region { x: 300.0, y, w: 16.0, h: 20.0 }
    }

    /// Every look at so many frames, while `faces` are followed; and the most frames for which something new had none.
    fn looks(frames: u64, frame: impl Fn(u64) -> Small, faces: &[Region]) -> (Vec<(u64, Look)>, u32) {
        let mut attention = Attention::new(&Looking::default(), 25.0);
        let mut looks = Vec::new();
        for at in 0..frames {
            let small = frame(at);
            attention.advance(&small, Motion::default());
            let asked = Asked { faces: faces.to_vec(), ..Asked::default() };
            while let Some(look) = attention.choose(at, &small, &asked, 2.0) {
                attention.looked(at, &small, &look, !faces.is_empty());
                looks.push((at, look));
                assert!(looks.len() < 1_000, "frame {at} is looked at again and again");
            }
            attention.count(faces);
        }
        (looks, attention.longest_unseen())
    }

    fn turned(looks: &[(u64, Look)], turn: Rotation) -> Vec<u64> {
        looks.iter().filter(|(_, look)| *look == Look::Whole(turn)).map(|(at, _)| *at).collect()
    }

    fn steps(frames: &[u64]) -> Vec<u64> {
        frames.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn where_every_frame_is_new_every_second_one_is_looked_at() {
        for faces in [&[][..], &[face(30.0), face(180.0)]] {
            let (looks, longest) = looks(30, |at| noise(at as usize), faces);
            let upright = turned(&looks, Rotation::None);
            assert!(upright.first() == Some(&0) && steps(&upright).iter().all(|step| *step <= 2), "{upright:?}");
            assert_eq!(longest, 1);
        }
    }

    #[test]
    fn the_turned_picture_is_looked_at_at_once_and_then_twice_a_second_upside_down_once() {
        let (looks, _) = looks(60, |at| noise(at as usize), &[]);
        for (turn, step) in [(Rotation::Quarter, 13), (Rotation::ThreeQuarters, 13), (Rotation::Half, 25)] {
            let frames = turned(&looks, turn);
            assert!(frames.first() == Some(&0) && steps(&frames).iter().all(|found| *found == step), "{frames:?}");
        }
    }

    #[test]
    fn a_street_at_rest_is_looked_at_once_and_what_comes_up_there_on_that_very_frame() {
        let come = |at: u64| street((17..19).contains(&at).then_some((200, 120)));
        let (looks, longest) = looks(24, come, &[]);
        let face = Region { x: 220.0, y: 140.0, w: 38.0, h: 38.0 };
        let looked_at =
            |at: u64| looks.iter().filter(move |(frame, look)| *frame == at && look.shows(face, Rotation::None, 352));
        assert_eq!(looked_at(17).count(), 1, "{looks:?}");
        assert!(matches!(looked_at(17).next(), Some((_, Look::Parts(_)))));
        assert!(looks.iter().all(|(at, _)| *at == 0 || *at >= 17), "{looks:?}");
        assert_eq!(longest, 0);
    }

    #[test]
    fn what_the_camera_pans_over_is_known_and_what_comes_in_at_the_edge_is_not() {
        let pan = |at: u64| picture(move |x, y| ((x + 8 * at as usize) / 12 * 53 % 100 + y / 12 * 31 % 100 + 20) as u8);
        let mut unseen = Unseen::default();
        for at in 0..6 {
            unseen.advance(&pan(at), Motion { shift: (-8.0, 0.0), is_cut: false });
            if at == 0 {
                unseen.saw(None);
            }
        }
        let (views, oldest) = unseen.news(&[]);
        assert!(views.iter().all(|view| view.area.x > 640.0 - 48.0 - 40.0), "{views:?}");
        assert!(!views.is_empty() && oldest > 0);
    }

    #[test]
    fn what_is_new_beneath_a_blurred_face_needs_no_look() {
        let mut unseen = Unseen::default();
        unseen.advance(&street(None), Motion::default());
        unseen.saw(None);
        unseen.advance(&street(Some((200, 120))), Motion::default());
        assert!(!unseen.news(&[]).0.is_empty());
        let face = Region { x: 220.0, y: 140.0, w: 70.0, h: 70.0 };
        assert!(unseen.news(&[face]).0.is_empty());
    }
}

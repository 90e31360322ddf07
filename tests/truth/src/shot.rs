//! What one frame shows, from back to front: a street, things that drive, people, a pillar; and what of it is true.

use crate::face::{Bounds, Face, Pasted};
use serde::Serialize;

/// Something without a face that moves: a bus, a sign on a cart.
#[derive(Clone, Copy, Debug)]
pub struct Thing {
    /// Its left upper corner and its size, in pixels of the frame.
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    /// How it is painted.
    pub paint: u32,
}

/// What a frame shows and how the camera sees it.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Which street.
    pub scene: u32,
    /// Whether a carpet of strong patterns is there in place of the street.
    pub carpet: bool,
    /// How far the street is shifted to the right and down, in pixels.
    pub shift: (f32, f32),
    /// How much the street is enlarged.
    pub zoom: f32,
    /// How far the street is turned clockwise about the middle of the frame, in radians.
    pub spin: f32,
    /// Behind everybody.
    pub things: Vec<Thing>,
    /// People, those in front last.
    pub faces: Vec<Face>,
    /// Columns from and to which pillars hide everything.
    pub pillars: Vec<(f32, f32)>,
    /// Brightness over that of daylight.
    pub gain: f32,
    /// Standard deviation of the sensor's noise, in levels of brightness.
    pub noise: f32,
}

impl Default for Shot {
    fn default() -> Self {
        let (things, faces, pillars) = (Vec::new(), Vec::new(), Vec::new());
        let (shift, zoom, spin) = ((0.0, 0.0), 1.0, 0.0);
        Self { scene: 0, carpet: false, shift, zoom, spin, things, faces, pillars, gain: 1.0, noise: 2.0 }
    }
}

/// Where a face is on a frame, and how much of it can be seen.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrueFace {
    /// Its box, which may reach beyond the frame.
    pub bounds: Bounds,
    /// Share of the face that is in the frame and that nothing hides.
    pub visible: f32,
}

/// What stands between a face and the camera.
pub struct Screen {
    pillars: Vec<(f32, f32)>,
    people: Vec<Pasted>,
}

impl Screen {
    /// Whether something of it is at the point.
    pub fn hides(&self, x: f32, y: f32) -> bool {
        let by_pillar = self.pillars.iter().any(|(left, right)| (*left..*right).contains(&x));
        by_pillar || self.people.iter().any(|person| person.covers(x, y))
    }
}

/// Points across a face at which it is asked whether it can be seen.
const GRID: usize = 24;

impl Shot {
    /// The same for a camera that is turned, so that street and people appear turned clockwise by `angle` about the
    /// middle of a frame of this size. There must be nothing in it that only stands upright.
    #[must_use]
    pub fn rolled(mut self, angle: f32, (width, height): (usize, usize)) -> Self {
        assert!(self.things.is_empty() && self.pillars.is_empty(), "only streets and people can be turned");
        let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
        let (sin, cos) = angle.sin_cos();
        for face in &mut self.faces {
            let (x, y) = (face.x - middle_x, face.y - middle_y);
            (face.x, face.y) = (middle_x + cos * x - sin * y, middle_y + sin * x + cos * y);
            face.tilt += angle;
        }
        Self { spin: self.spin + angle, ..self }
    }

    /// Every face, in a frame of this size.
    pub fn truth(&self, width: usize, height: usize) -> Vec<TrueFace> {
        let frame = Bounds { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 };
        let face = |(index, face): (usize, &Face)| {
            let bounds = face.bounds();
            TrueFace { bounds, visible: self.visible(index, bounds, frame) }
        };
        self.faces.iter().enumerate().map(face).collect()
    }

    /// What is nearer than face `index`.
    pub fn before(&self, index: usize) -> Screen {
        Screen {
            pillars: self.pillars.clone(),
            people: self.faces[index + 1..].iter().map(|face| face.pasted()).collect(),
        }
    }

    fn visible(&self, index: usize, bounds: Bounds, frame: Bounds) -> f32 {
        let at = |step: usize| (step as f32 + 0.5) / GRID as f32;
        let points = (0..GRID * GRID).map(|point| (at(point % GRID), at(point / GRID)));
        // Corners of the box are hair and street.
        let inside = points.filter(|(across, down)| (across - 0.5).hypot(down - 0.5) < 0.5);
        let screen = self.before(index);
        let (mut seen, mut all) = (0, 0);
        for (across, down) in inside {
            let x = bounds.left + across * (bounds.right - bounds.left);
            let y = bounds.top + down * (bounds.bottom - bounds.top);
            all += 1;
            seen += usize::from(frame.holds(x, y) && !screen.hides(x, y));
        }
        seen as f32 / all as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(faces: &[Face], pillar: Option<(f32, f32)>) -> f32 {
        let pillars = pillar.into_iter().collect();
        Shot { faces: faces.to_vec(), pillars, ..Shot::default() }.truth(640, 360)[0].visible
    }

    #[test]
    fn a_face_is_seen_as_far_as_it_is_in_the_frame_and_nothing_is_before_it() {
        let face = Face::at(300.0, 180.0, 60.0);
        let near = |a: f32, b: f32| assert!((a - b).abs() < 0.05, "{a}, not {b}");
        near(visible(&[face], None), 1.0);
        near(visible(&[Face::at(0.0, 180.0, 60.0)], None), 0.5);
        near(visible(&[Face::at(320.0, 420.0, 60.0)], None), 0.0);
        near(visible(&[face], Some((300.0, 340.0))), 0.5);
        near(visible(&[face, Face::at(300.0, 150.0, 70.0)], None), 0.0);
        near(visible(&[face, Face::at(500.0, 150.0, 70.0)], None), 1.0);
    }
}

//! A face on a frame: where it is, how it is turned, and what of the picture belongs to its person.

use crate::portrait::{self, CANVAS, Cutout, FACE, Texel};
use serde::Serialize;

/// A rectangle of a frame, in its pixels; it may reach beyond the frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Bounds {
    /// The same with width and height times `factor`, about its middle.
    #[must_use]
    pub fn grown(self, factor: f32) -> Self {
        let (x, y) = ((self.right - self.left) * (factor - 1.0) / 2.0, (self.bottom - self.top) * (factor - 1.0) / 2.0);
        Self { left: self.left - x, top: self.top - y, right: self.right + x, bottom: self.bottom + y }
    }

    /// Its shorter side: the size by which a face counts as small.
    pub fn side(self) -> f32 {
        (self.right - self.left).min(self.bottom - self.top)
    }

    /// Whether the point is in it.
    pub fn holds(self, x: f32, y: f32) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}

/// A face and the person it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// Middle of the face, in pixels of the frame.
    pub x: f32,
    pub y: f32,
    /// Its width when it is seen from the front, in pixels of the frame.
    pub width: f32,
    /// How far the person leans clockwise, in radians.
    pub tilt: f32,
    /// Share of the width that is left when the head is turned away.
    pub turn: f32,
    /// How far the top is pushed to the left, as a share of the height: with `turn`, a head seen at an angle.
    pub shear: f32,
    /// How far it moves while the shutter is open, in pixels.
    pub smear: (f32, f32),
    /// Whether the head is shown without its body.
    pub bare: bool,
}

/// Pictures that make up a smear.
const EXPOSURES: usize = 9;

impl Face {
    /// An upright face seen from the front, of a person at rest.
    pub const fn at(x: f32, y: f32, width: f32) -> Self {
        Self { x, y, width, tilt: 0.0, turn: 1.0, shear: 0.0, smear: (0.0, 0.0), bare: false }
    }

    /// Box of the face: brow to chin, ear to ear.
    pub fn bounds(self) -> Bounds {
        // A face is an ellipse in its box; this is the box of what that ellipse has become.
        let (a, b) = (self.width / 2.0, self.width * FACE.3 / FACE.2 / 2.0);
        let [[xx, xy], [yx, yy]] = self.matrix();
        let (across, down) = ((xx * a).hypot(xy * b), (yx * a).hypot(yy * b));
        Bounds { left: self.x - across, top: self.y - down, right: self.x + across, bottom: self.y + down }
    }

    /// A rectangle with everything of the person in it.
    fn reach(self) -> Bounds {
        let (left, top, right, bottom) = (0.0, 0.0, CANVAS.0 as f32, CANVAS.1 as f32);
        let scale = self.width / FACE.2;
        let [[xx, xy], [yx, yy]] = self.matrix();
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(u, v)| {
            let (u, v) = ((u - FACE.0) * scale, (v - FACE.1) * scale);
            (self.x + xx * u + xy * v, self.y + yx * u + yy * v)
        });
        let least = |values: [f32; 4]| values.into_iter().fold(f32::INFINITY, f32::min);
        let most = |values: [f32; 4]| values.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let (x, y) = (corners.map(|corner| corner.0), corners.map(|corner| corner.1));
        let (far_x, far_y) = (self.smear.0.abs() / 2.0, self.smear.1.abs() / 2.0);
        Bounds { left: least(x) - far_x, top: least(y) - far_y, right: most(x) + far_x, bottom: most(y) + far_y }
    }

    /// The person, ready to be drawn.
    pub fn pasted(self) -> Pasted {
        let [[xx, xy], [yx, yy]] = self.matrix();
        let determinant = xx * yy - xy * yx;
        let scale = FACE.2 / self.width;
        let per = scale / determinant;
        Pasted {
            face: self,
            reach: self.reach(),
            inverse: [[yy * per, -xy * per], [-yx * per, xx * per]],
            scale: scale / determinant.abs().sqrt(),
            cutout: if self.bare { portrait::head() } else { portrait::person() },
        }
    }

    /// How the portrait, once it has the right size, is turned.
    fn matrix(self) -> [[f32; 2]; 2] {
        let (sin, cos) = self.tilt.sin_cos();
        let across = (self.turn * cos, self.turn * sin);
        let down = (self.shear * cos - sin, self.shear * sin + cos);
        [[across.0, down.0], [across.1, down.1]]
    }
}

/// A person on the way into a frame: what every one of its pixels would compute again is computed once.
pub struct Pasted {
    face: Face,
    /// A rectangle with everything of the person in it.
    pub reach: Bounds,
    /// From pixels of the frame to those of the portrait.
    inverse: [[f32; 2]; 2],
    /// Pixels of the portrait that are one of the frame.
    scale: f32,
    cutout: &'static Cutout,
}

impl Pasted {
    /// What of the point belongs to the person, the shutter being open.
    pub fn sample(&self, x: f32, y: f32) -> Texel {
        let smear = self.face.smear;
        if smear == (0.0, 0.0) {
            return self.still(x, y);
        }
        let mut sum = [0.0; 4];
        for exposure in 0..EXPOSURES {
            let part = exposure as f32 / (EXPOSURES - 1) as f32 - 0.5;
            let texel = self.still(x - smear.0 * part, y - smear.1 * part);
            sum.iter_mut().zip(texel).for_each(|(sum, value)| *sum += value / EXPOSURES as f32);
        }
        sum
    }

    /// Whether the person covers the point.
    pub fn covers(&self, x: f32, y: f32) -> bool {
        self.reach.holds(x, y) && self.sample(x, y)[3] >= 0.5
    }

    fn still(&self, x: f32, y: f32) -> Texel {
        let (dx, dy) = (x - self.face.x, y - self.face.y);
        let [[ux, uy], [vx, vy]] = self.inverse;
        self.cutout.at(ux * dx + uy * dy + FACE.0, vx * dx + vy * dy + FACE.1, self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::FRAC_PI_2;

    #[test]
    fn the_box_follows_the_head() {
        let size = |face: Face| {
            let bounds = face.bounds();
            ((bounds.right - bounds.left).round(), (bounds.bottom - bounds.top).round())
        };
        let front = Face::at(100.0, 100.0, 88.0);
        assert_eq!(size(front), (88.0, 120.0));
        assert_eq!(size(Face { turn: 0.5, ..front }), (44.0, 120.0));
        assert_eq!(size(Face { tilt: FRAC_PI_2, ..front }), (120.0, 88.0));
        assert!(size(Face { tilt: 0.5, ..front }).0 > 88.0);
        assert!(size(Face { shear: 0.3, ..front }).0 > 88.0);
    }

    #[test]
    fn a_person_covers_face_and_body_and_nothing_beside() {
        let face = Face::at(200.0, 150.0, 40.0);
        let covers = |face: Face, x: f32, y: f32| face.pasted().covers(x, y);
        assert!(covers(face, 200.0, 150.0), "the face");
        assert!(covers(face, 190.0, 260.0), "the body");
        assert!(!covers(face, 150.0, 150.0), "beside the head");
        assert!(!covers(Face { bare: true, ..face }, 190.0, 260.0), "a bare head has no body");
        let leaning = Face { tilt: FRAC_PI_2, ..face };
        assert!(covers(leaning, 90.0, 140.0) && !covers(leaning, 190.0, 260.0), "the body leans with the head");
    }

    #[test]
    fn a_smeared_person_is_spread_along_the_way() {
        let face = Face { smear: (30.0, 0.0), ..Face::at(200.0, 150.0, 40.0) };
        let share = |x: f32| face.pasted().sample(x, 150.0)[3];
        assert!(share(200.0) > 0.99 && share(240.0) > 0.05 && share(240.0) < 0.6, "{} {}", share(200.0), share(240.0));
    }
}

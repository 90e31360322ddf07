//! Boxes around faces, in pixels of the reduced picture, and ellipses to blur, in shares of the whole picture.
//!
//! Two kinds on purpose: what is followed lives in reduced pixels, what is blurred must fit a picture of any size.

use media::{Orientation, Rotation};

/// How near to the picture's edge a box lies at it, in pixels.
const AT_EDGE: f32 = 3.0;

/// A box around a face, in pixels of the reduced, upright picture; it may reach over the edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    /// Middle, from the left.
    pub x: f32,
    /// Middle, from the top.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Region {
    /// Moved by `shift`.
    pub fn shifted(self, shift: (f32, f32)) -> Self {
        Self { x: self.x + shift.0, y: self.y + shift.1, ..self }
    }

    /// Its mean side.
    pub fn size(self) -> f32 {
        (self.w * self.h).max(0.0).sqrt()
    }

    /// Shared area over joint area, 0 to 1.
    pub fn overlap(self, other: Self) -> f32 {
        let across = |a: f32, aw: f32, b: f32, bw: f32| {
            ((a + aw / 2.0).min(b + bw / 2.0) - (a - aw / 2.0).max(b - bw / 2.0)).max(0.0)
        };
        let shared = across(self.x, self.w, other.x, other.w) * across(self.y, self.h, other.y, other.h);
        shared / (self.w * self.h + other.w * other.h - shared).max(f32::EPSILON)
    }

    /// Distance of the middles over the mean size of both.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y) / (0.5 * (self.size() + other.size())).max(f32::EPSILON)
    }

    /// The smallest box that holds both.
    pub fn with(self, other: Self) -> Self {
        let along = |a: f32, aw: f32, b: f32, bw: f32| {
            let (first, last) = ((a - aw / 2.0).min(b - bw / 2.0), (a + aw / 2.0).max(b + bw / 2.0));
            (f32::midpoint(first, last), last - first)
        };
        let ((x, w), (y, h)) = (along(self.x, self.w, other.x, other.w), along(self.y, self.h, other.y, other.h));
        Self { x, y, w, h }
    }

    /// The way from `self` to `other`, by `share` of it; a share of 1 is `other`.
    pub fn towards(self, other: Self, share: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * share;
        Self { x: mix(self.x, other.x), y: mix(self.y, other.y), w: mix(self.w, other.w), h: mix(self.h, other.h) }
    }

    /// This box of a face as found on a picture of `width` by `height`, made as large as `known` beyond the edges that
    /// it lies at: of a face that the edge cuts only the part within is found.
    pub fn beyond_edge(self, known: Self, width: f32, height: f32) -> Self {
        let along = |middle: f32, found: f32, known: f32, end: f32| {
            let (first, last) = (middle - found / 2.0, middle + found / 2.0);
            match (first <= AT_EDGE, last >= end - AT_EDGE) {
                (true, false) if known > found => (last - known / 2.0, known),
                (false, true) if known > found => (first + known / 2.0, known),
                _ => (middle, found),
            }
        };
        let ((x, w), (y, h)) = (along(self.x, self.w, known.w, width), along(self.y, self.h, known.h, height));
        Self { x, y, w, h }
    }

    /// This box, found on a picture that was turned by `turn`, on the picture of `size` as it was before.
    pub fn before_turn(self, turn: Rotation, size: (f32, f32)) -> Self {
        let turned = if turn.swaps_sides() { (size.1, size.0) } else { size };
        let (x, y) = turn.inverse().apply((self.x / turned.0, self.y / turned.1));
        let (w, h) = if turn.swaps_sides() { (self.h, self.w) } else { (self.w, self.h) };
        Self { x: x * size.0, y: y * size.1, w, h }
    }

    /// Whether it lies at an edge of a picture of `width` by `height`, which may cut the face.
    pub fn is_at_edge(self, width: f32, height: f32) -> bool {
        let inner = Self { w: self.w + 2.0 * AT_EDGE, h: self.h + 2.0 * AT_EDGE, ..self };
        !inner.is_inside(width, height)
    }

    /// Whether all of it lies within a picture of `width` by `height`.
    pub fn is_inside(self, width: f32, height: f32) -> bool {
        self.x - self.w / 2.0 >= 0.0
            && self.y - self.h / 2.0 >= 0.0
            && self.x + self.w / 2.0 <= width
            && self.y + self.h / 2.0 <= height
    }

    /// Whether any of it lies within a picture of `width` by `height`.
    pub fn is_within(self, width: f32, height: f32) -> bool {
        self.x + self.w / 2.0 > 0.0
            && self.y + self.h / 2.0 > 0.0
            && self.x - self.w / 2.0 < width
            && self.y - self.h / 2.0 < height
    }
}

/// What to blur: an ellipse in shares of the picture's width and height, as the picture is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ellipse {
    /// Middle, from the left.
    pub x: f32,
    /// Middle, from the top.
    pub y: f32,
    /// Half of its width.
    pub rx: f32,
    /// Half of its height.
    pub ry: f32,
}

impl Ellipse {
    /// The same ellipse in the frame as it is stored, which `orientation` brings upright.
    pub fn as_stored(self, orientation: Orientation) -> Self {
        let (x, y) = orientation.stored((self.x, self.y));
        let (rx, ry) = orientation.size((self.rx, self.ry));
        Self { x, y, rx, ry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipse_on_top_of_an_upright_picture_lies_at_the_side_of_the_stored_one() {
        let top = Ellipse { x: 0.25, y: 0.1, rx: 0.2, ry: 0.05 };
        let stored = |rotation, mirrored| top.as_stored(Orientation { rotation, mirrored });
        // Turning clockwise by a quarter brings the stored left side to the top.
        assert_eq!(stored(Rotation::Quarter, false), Ellipse { x: 0.1, y: 0.75, rx: 0.05, ry: 0.2 });
        assert_eq!(stored(Rotation::ThreeQuarters, false), Ellipse { x: 0.9, y: 0.25, rx: 0.05, ry: 0.2 });
        assert_eq!(stored(Rotation::None, true), Ellipse { x: 0.75, ..top });
        assert_eq!(stored(Rotation::Quarter, true), Ellipse { x: 0.9, y: 0.75, rx: 0.05, ry: 0.2 });
    }

    #[test]
    fn a_face_that_the_edge_cuts_keeps_its_size_beyond_it() {
        let known = Region { x: 600.0, y: 100.0, w: 40.0, h: 50.0 };
        let cut = Region { x: 628.0, y: 100.0, w: 22.0, h: 48.0 };
        assert_eq!(cut.beyond_edge(known, 640.0, 352.0), Region { x: 637.0, y: 100.0, w: 40.0, h: 48.0 });
        let inside = Region { x: 500.0, y: 100.0, w: 22.0, h: 48.0 };
        assert_eq!(inside.beyond_edge(known, 640.0, 352.0), inside);
    }

    #[test]
    fn boxes_side_by_side_share_nothing() {
        let left = Region { x: 10.0, y: 10.0, w: 10.0, h: 10.0 };
        assert!(left.overlap(left.shifted((10.0, 0.0))) < f32::EPSILON);
        assert!((left.overlap(left.shifted((5.0, 0.0))) - 1.0 / 3.0).abs() < 1e-5);
    }
}

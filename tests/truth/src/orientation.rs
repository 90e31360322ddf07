//! The eight ways a frame can lie: turned by quarters, mirrored or not.

use crate::face::Bounds;

/// A frame is mirrored left to right first, if at all, and then turned clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    pub mirrored: bool,
    /// How many quarters of a circle it is turned clockwise, from 0 to 3.
    pub quarters: u8,
}

impl Orientation {
    pub const UPRIGHT: Self = Self::turned(0);

    /// Turned clockwise by so many quarters.
    pub const fn turned(quarters: u8) -> Self {
        Self { mirrored: false, quarters }
    }

    /// All eight.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..4).flat_map(|quarters| [false, true].map(|mirrored| Self { mirrored, quarters }))
    }

    /// What undoes it.
    #[must_use]
    pub const fn inverse(self) -> Self {
        // Whatever mirrors undoes itself, however it turns.
        if self.mirrored { self } else { Self::turned((4 - self.quarters) % 4) }
    }

    /// What becomes of width and height.
    pub const fn size(self, (width, height): (usize, usize)) -> (usize, usize) {
        if self.quarters.is_multiple_of(2) { (width, height) } else { (height, width) }
    }

    /// What becomes of a plane of samples.
    pub fn plane<T: Copy>(self, samples: &[T], size: (usize, usize)) -> Vec<T> {
        if self == Self::UPRIGHT {
            return samples.to_vec();
        }
        let (width, height) = self.size(size);
        let from = |at: usize| {
            let (x, y) = self.source(at % width, at / width, size);
            samples[y * size.0 + x]
        };
        (0..width * height).map(from).collect()
    }

    /// What becomes of a rectangle in a frame of this size.
    pub fn bounds(self, bounds: Bounds, size: (usize, usize)) -> Bounds {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let mut turned = bounds;
        if self.mirrored {
            turned = Bounds { left: width - bounds.right, right: width - bounds.left, ..bounds };
        }
        let Bounds { left, top, right, bottom } = turned;
        match self.quarters {
            0 => turned,
            1 => Bounds { left: height - bottom, top: left, right: height - top, bottom: right },
            2 => Bounds { left: width - right, top: height - bottom, right: width - left, bottom: height - top },
            _ => Bounds { left: top, top: width - right, right: bottom, bottom: width - left },
        }
    }

    /// Where in a frame of this `size` the sample comes from that is at `x` and `y` afterwards.
    fn source(self, x: usize, y: usize, (width, height): (usize, usize)) -> (usize, usize) {
        let (x, y) = match self.quarters {
            0 => (x, y),
            1 => (y, height - 1 - x),
            2 => (width - 1 - x, height - 1 - y),
            _ => (width - 1 - y, x),
        };
        (if self.mirrored { width - 1 - x } else { x }, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three wide, two high.
    const SAMPLES: [u8; 6] = [1, 2, 3, 4, 5, 6];
    const SIZE: (usize, usize) = (3, 2);

    #[test]
    fn a_frame_is_mirrored_first_and_turned_clockwise_then() {
        let of = |mirrored: bool, quarters: u8| Orientation { mirrored, quarters }.plane(&SAMPLES, SIZE);
        assert_eq!(of(false, 1), [4, 1, 5, 2, 6, 3]);
        assert_eq!(of(false, 2), [6, 5, 4, 3, 2, 1]);
        assert_eq!(of(false, 3), [3, 6, 2, 5, 1, 4]);
        assert_eq!(of(true, 0), [3, 2, 1, 6, 5, 4]);
        assert_eq!(of(true, 1), [6, 3, 5, 2, 4, 1]);
    }

    #[test]
    fn each_of_the_eight_is_undone_by_its_inverse() {
        for orientation in Orientation::all() {
            let turned = orientation.plane(&SAMPLES, SIZE);
            assert_eq!(orientation.inverse().plane(&turned, orientation.size(SIZE)), SAMPLES, "{orientation:?}");
        }
    }

    #[test]
    fn a_rectangle_goes_where_its_samples_go() {
        let bounds = Bounds { left: 2.0, top: 0.0, right: 3.0, bottom: 1.0 };
        for orientation in Orientation::all() {
            let (width, _) = orientation.size(SIZE);
            let at = orientation.plane(&SAMPLES, SIZE).iter().position(|sample| *sample == 3).unwrap();
            let (left, top) = ((at % width) as f32, (at / width) as f32);
            let expected = Bounds { left, top, right: left + 1.0, bottom: top + 1.0 };
            assert_eq!(orientation.bounds(bounds, SIZE), expected, "{orientation:?}");
        }
    }
}

//! Brings a frame upright sample by sample, for containers that cannot say how it lies and for looking at it.

use crate::{Error, Orientation, Picture, Plane, PlaneMut, Rotation};

impl Picture {
    /// This frame, upright: mirrored and turned as `orientation` says. Times and colour description are kept.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when its layout is [`crate::Layout::Other`].
    pub fn upright(&self, orientation: Orientation) -> Result<Self, Error> {
        let (width, height) = orientation.size((self.width(), self.height()));
        let mut upright = Self::blank(self.layout(), self.is_full_range(), width, height)?;
        for (index, mut target) in upright.planes_mut()?.into_iter().enumerate() {
            let source =
                self.plane(index).ok_or_else(|| Error::Unsupported("planes of an unknown layout".to_owned()))?;
            turn(source, &mut target, orientation);
        }
        upright.describe_like(self);
        upright.forget_orientation();
        if orientation.rotation.swaps_sides() {
            upright.swap_aspect();
        }
        Ok(upright)
    }
}

fn turn(source: Plane<'_>, target: &mut PlaneMut<'_>, orientation: Orientation) {
    let (right, bottom) = (source.width - 1, source.height - 1);
    for (y, row) in target.data.chunks_mut(target.stride).enumerate() {
        for (x, sample) in row[..target.width].iter_mut().enumerate() {
            let (turned_x, from_y) = match orientation.rotation {
                Rotation::None => (x, y),
                Rotation::Quarter => (y, bottom - x),
                Rotation::Half => (right - x, bottom - y),
                Rotation::ThreeQuarters => (right - y, x),
            };
            let from_x = if orientation.mirrored { right - turned_x } else { turned_x };
            *sample = source.data[from_y * source.stride + from_x];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;

    /// 4 by 2, each sample its own number.
    fn numbered() -> Picture {
        let mut picture = Picture::blank(Layout::Yuv444, false, 4, 2).expect("a small picture");
        for plane in picture.planes_mut().expect("planes") {
            for y in 0..2 {
                for x in 0..4 {
                    plane.data[y * plane.stride + x] = u8::try_from(10 * y + x).expect("small");
                }
            }
        }
        picture
    }

    fn upright(rotation: Rotation, mirrored: bool) -> Vec<Vec<u8>> {
        let picture = numbered().upright(Orientation { rotation, mirrored }).expect("turned");
        let plane = picture.plane(0).expect("a plane");
        plane.data.chunks(plane.stride).map(|row| row[..plane.width].to_vec()).collect()
    }

    #[test]
    fn a_quarter_turn_puts_the_left_column_on_top() {
        assert_eq!(upright(Rotation::Quarter, false), [[10, 0], [11, 1], [12, 2], [13, 3]]);
    }

    #[test]
    fn half_a_turn_reverses_everything() {
        assert_eq!(upright(Rotation::Half, false), [[13, 12, 11, 10], [3, 2, 1, 0]]);
    }

    #[test]
    fn three_quarters_put_the_right_column_on_top() {
        assert_eq!(upright(Rotation::ThreeQuarters, false), [[3, 13], [2, 12], [1, 11], [0, 10]]);
    }

    #[test]
    fn a_mirror_comes_before_the_turn() {
        assert_eq!(upright(Rotation::None, true), [[3, 2, 1, 0], [13, 12, 11, 10]]);
        assert_eq!(upright(Rotation::Quarter, true), [[13, 3], [12, 2], [11, 1], [10, 0]]);
    }
}

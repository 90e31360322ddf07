//! Turns a picture upright sample by sample, for containers that cannot say how it lies and for looking at it.

use crate::{Error, Picture, Plane, PlaneMut, Rotation};

impl Picture {
    /// This picture turned clockwise by `rotation`; times and colour description are kept.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when its layout is [`crate::Layout::Other`].
    pub fn turned(&self, rotation: Rotation) -> Result<Self, Error> {
        let quarter = matches!(rotation, Rotation::Quarter | Rotation::ThreeQuarters);
        let (width, height) = if quarter { (self.height(), self.width()) } else { (self.width(), self.height()) };
        let mut turned = Self::blank(self.layout(), self.is_full_range(), width, height)?;
        for (index, mut target) in turned.planes_mut()?.into_iter().enumerate() {
            let source =
                self.plane(index).ok_or_else(|| Error::Unsupported("planes of an unknown layout".to_owned()))?;
            turn(source, &mut target, rotation);
        }
        turned.describe_like(self);
        if quarter {
            turned.swap_aspect();
        }
        Ok(turned)
    }
}

fn turn(source: Plane<'_>, target: &mut PlaneMut<'_>, rotation: Rotation) {
    let (right, bottom) = (source.width - 1, source.height - 1);
    for (y, row) in target.data.chunks_mut(target.stride).enumerate() {
        for (x, sample) in row[..target.width].iter_mut().enumerate() {
            let (from_x, from_y) = match rotation {
                Rotation::None => (x, y),
                Rotation::Quarter => (y, bottom - x),
                Rotation::Half => (right - x, bottom - y),
                Rotation::ThreeQuarters => (right - y, x),
            };
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

    fn rows(picture: &Picture) -> Vec<Vec<u8>> {
        let plane = picture.plane(0).expect("a plane");
        plane.data.chunks(plane.stride).map(|row| row[..plane.width].to_vec()).collect()
    }

    #[test]
    fn a_quarter_turn_puts_the_left_column_on_top() {
        let turned = numbered().turned(Rotation::Quarter).expect("turned");
        assert_eq!(rows(&turned), [[10, 0], [11, 1], [12, 2], [13, 3]]);
    }

    #[test]
    fn half_a_turn_reverses_everything() {
        let turned = numbered().turned(Rotation::Half).expect("turned");
        assert_eq!(rows(&turned), [[13, 12, 11, 10], [3, 2, 1, 0]]);
    }

    #[test]
    fn three_quarters_put_the_right_column_on_top() {
        let turned = numbered().turned(Rotation::ThreeQuarters).expect("turned");
        assert_eq!(rows(&turned), [[3, 13], [2, 12], [1, 11], [0, 10]]);
    }
}

//! How a stored frame is brought upright. A display matrix can turn and mirror; every pair of the two is one of the
//! eight symmetries of a rectangle, and all eight occur: front cameras mirror, phones turn.

/// A turn, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// Not at all.
    #[default]
    None,
    /// By a quarter turn.
    Quarter,
    /// By half a turn.
    Half,
    /// By three quarters of a turn.
    ThreeQuarters,
}

impl Rotation {
    /// Every turn.
    pub const ALL: [Self; 4] = [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters];

    /// The turn by so many quarters.
    pub fn quarters(count: usize) -> Self {
        Self::ALL[count % 4]
    }

    /// This turn, and then `next`.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self::quarters(self as usize + next as usize)
    }

    /// The turn that undoes this one.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self::quarters(4 - self as usize)
    }

    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }

    /// Where a point of a frame lies once the frame is turned; positions are shares of the width and of the height.
    pub fn apply(self, (x, y): (f32, f32)) -> (f32, f32) {
        match self {
            Self::None => (x, y),
            Self::Quarter => (1.0 - y, x),
            Self::Half => (1.0 - x, 1.0 - y),
            Self::ThreeQuarters => (y, 1.0 - x),
        }
    }
}

/// What brings a stored frame upright: it is mirrored left to right if `mirrored`, then turned by `rotation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Orientation {
    /// The turn, after the mirror.
    pub rotation: Rotation,
    /// Whether left and right change places first.
    pub mirrored: bool,
}

/// The number 1 in the first six cells of a display matrix, a fixed-point number of 16 bits, and in the last, of 30.
const ONE: i32 = 1 << 16;
const LAST_ONE: i32 = 1 << 30;

impl Orientation {
    /// A frame that is stored upright.
    pub const UPRIGHT: Self = Self { rotation: Rotation::None, mirrored: false };

    /// Whether there is nothing to do.
    pub fn is_upright(self) -> bool {
        self == Self::UPRIGHT
    }

    /// The size that a frame of this size has once it is upright.
    pub fn size<T>(self, (width, height): (T, T)) -> (T, T) {
        if self.rotation.swaps_sides() { (height, width) } else { (width, height) }
    }

    /// Where a point of the upright frame lies in the stored one; positions are shares of the width and of the height.
    pub fn stored(self, upright: (f32, f32)) -> (f32, f32) {
        let (x, y) = self.rotation.inverse().apply(upright);
        if self.mirrored { (1.0 - x, y) } else { (x, y) }
    }

    /// What `matrix` says, to the nearest quarter turn; `None` when it says nothing (it maps everything to a line).
    ///
    /// The cells `a b u c d v x y w` map a stored point to `(a x + c y, b x + d y)` (ISO/IEC 14496-12, 6.2.2). With a
    /// negative determinant the frame is mirrored; what is left without the mirror is a turn.
    pub fn of_matrix(matrix: [i32; 9]) -> Option<Self> {
        let [a, b, _, c, d, ..] = matrix.map(f64::from);
        let determinant = a * d - b * c;
        if determinant == 0.0 {
            return None;
        }
        let mirrored = determinant < 0.0;
        let (a, b) = if mirrored { (-a, -b) } else { (a, b) };
        // Both columns of a turn's matrix say its angle.
        let quarters = (b - c).atan2(a + d) / std::f64::consts::FRAC_PI_2;
        let rotation = match quarters.round().rem_euclid(4.0) {
            turns if turns < 0.5 => Rotation::None,
            turns if turns < 1.5 => Rotation::Quarter,
            turns if turns < 2.5 => Rotation::Half,
            _ => Rotation::ThreeQuarters,
        };
        Some(Self { rotation, mirrored })
    }

    /// The display matrix that says it.
    pub fn matrix(self) -> [i32; 9] {
        let (cos, sin) = match self.rotation {
            Rotation::None => (ONE, 0),
            Rotation::Quarter => (0, ONE),
            Rotation::Half => (-ONE, 0),
            Rotation::ThreeQuarters => (0, -ONE),
        };
        let side = if self.mirrored { -1 } else { 1 };
        [side * cos, side * sin, 0, -sin, cos, 0, 0, 0, LAST_ONE]
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::many_single_char_names,
    reason = "the cells of a matrix are small, and called a to d"
)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Orientation> {
        let turned = |rotation| [false, true].map(|mirrored| Orientation { rotation, mirrored });
        Rotation::ALL.into_iter().flat_map(turned)
    }

    #[test]
    fn all_eight_orientations_are_read_from_their_matrices() {
        for orientation in all() {
            assert_eq!(Orientation::of_matrix(orientation.matrix()), Some(orientation));
        }
    }

    #[test]
    fn a_matrix_that_is_slightly_off_scaled_or_shifted_is_read_to_the_nearest_quarter() {
        let turned = |degrees: f64, scale: f64| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let cell = |value: f64| (value * scale * f64::from(ONE)) as i32;
            [cell(cos), cell(sin), 0, cell(-sin), cell(cos), 0, 640 * ONE, 7, LAST_ONE]
        };
        for (degrees, rotation) in [
            (0.0, Rotation::None),
            (44.0, Rotation::None),
            (91.0, Rotation::Quarter),
            (181.0, Rotation::Half),
            (-89.0, Rotation::ThreeQuarters),
        ] {
            let expected = Some(Orientation { rotation, mirrored: false });
            assert_eq!(Orientation::of_matrix(turned(degrees, 1.0)), expected, "{degrees}");
            assert_eq!(Orientation::of_matrix(turned(degrees, 0.3)), expected, "{degrees}, reduced");
        }
        assert_eq!(Orientation::of_matrix([0; 9]), None);
    }

    #[test]
    fn a_point_goes_to_where_the_matrix_says() {
        for orientation in all() {
            let [a, b, _, c, d, ..] = orientation.matrix().map(|cell| (cell / ONE) as f32);
            // About the middle, where no shift is needed.
            let (x, y) = (0.2_f32, -0.4_f32);
            let upright = (a * x + c * y + 0.5, b * x + d * y + 0.5);
            let stored = orientation.stored(upright);
            assert!((stored.0 - 0.5 - x).abs() < 1e-6 && (stored.1 - 0.5 - y).abs() < 1e-6, "{orientation:?}");
        }
    }

    #[test]
    fn turns_add_up() {
        assert_eq!(Rotation::Quarter.then(Rotation::ThreeQuarters), Rotation::None);
        assert_eq!(Rotation::Half.then(Rotation::Quarter), Rotation::ThreeQuarters);
        assert!(Rotation::ALL.iter().all(|turn| turn.then(turn.inverse()) == Rotation::None));
    }
}

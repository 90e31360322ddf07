//! One plane of numbers and its local means, in time that does not depend on how wide they reach: the judges look at
//! every pixel of every frame.

/// Rows of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Plane {
    /// A plane of what `value` says of each column and row.
    pub fn new(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let values = (0..width * height).map(|at| value(at % width, at / width)).collect();
        Self { width, height, values }
    }

    /// The mean of the values up to `radius` columns and rows away; at the edges, of those there are.
    pub fn mean(&self, radius: usize) -> Self {
        self.mean_along_rows(radius).mean_along_columns(radius)
    }

    /// What a Gaussian of `sigma` makes of it, nearly: three means have its variance and its shape.
    pub fn smooth(&self, sigma: f32) -> Self {
        let variance = |radius: usize| (radius * (radius + 1)) as f32 / 3.0;
        // Three of one radius would be too coarse a choice for small faces.
        let least = ((sigma * sigma + 0.25).sqrt() - 0.5) as usize;
        let wider = (sigma * sigma - 3.0 * variance(least)) / (variance(least + 1) - variance(least));
        let radius = |pass: usize| if pass < wider.round() as usize { least + 1 } else { least };
        (0..3).fold(self.clone(), |plane, pass| plane.mean(radius(pass)))
    }

    fn mean_along_rows(&self, radius: usize) -> Self {
        let mut values = Vec::with_capacity(self.values.len());
        for row in self.values.chunks_exact(self.width.max(1)) {
            // In double precision, since what is added is taken away again.
            let mut sum: f64 = row.iter().take(radius).map(|value| f64::from(*value)).sum();
            for column in 0..self.width {
                if let Some(value) = row.get(column + radius) {
                    sum += f64::from(*value);
                }
                if column > radius {
                    sum -= f64::from(row[column - radius - 1]);
                }
                values.push((sum / self.reach(column, radius, self.width)) as f32);
            }
        }
        Self { values, ..*self }
    }

    fn mean_along_columns(&self, radius: usize) -> Self {
        let row = |index: usize| &self.values[index * self.width..(index + 1) * self.width];
        let mut sums = vec![0.0_f64; self.width];
        let add = |sums: &mut Vec<f64>, index: usize, sign: f64| {
            sums.iter_mut().zip(row(index)).for_each(|(sum, value)| *sum += sign * f64::from(*value));
        };
        (0..radius.min(self.height)).for_each(|index| add(&mut sums, index, 1.0));
        let mut values = Vec::with_capacity(self.values.len());
        for index in 0..self.height {
            if index + radius < self.height {
                add(&mut sums, index + radius, 1.0);
            }
            if index > radius {
                add(&mut sums, index - radius - 1, -1.0);
            }
            let count = self.reach(index, radius, self.height);
            values.extend(sums.iter().map(|sum| (sum / count) as f32));
        }
        Self { values, ..*self }
    }

    /// How many of the places up to `radius` from `at` lie within `length`.
    #[expect(clippy::unused_self, reason = "it belongs to the means and to nothing else")]
    fn reach(&self, at: usize, radius: usize, length: usize) -> f64 {
        ((at + radius).min(length - 1) - at.saturating_sub(radius) + 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_that_of_the_values_there_are() {
        let plane = Plane::new(5, 4, |x, y| (x * x + 3 * y) as f32);
        for radius in [1, 2, 7] {
            let mean = plane.mean(radius);
            for (x, y) in [(0, 0), (4, 3), (2, 1), (1, 3)] {
                let near = |a: usize, b: usize| a.abs_diff(b) <= radius;
                let values: Vec<f32> =
                    (0..20_usize).filter(|at| near(at % 5, x) && near(at / 5, y)).map(|at| plane.values[at]).collect();
                let expected = values.iter().sum::<f32>() / values.len() as f32;
                assert!((mean.values[y * 5 + x] - expected).abs() < 1e-4, "radius {radius} at {x}, {y}");
            }
        }
    }

    #[test]
    fn smoothing_spreads_a_point_as_far_as_a_gaussian_does() {
        let side = 121_usize;
        let point = Plane::new(side, side, |x, y| if (x, y) == (60, 60) { 1.0 } else { 0.0 });
        for sigma in [2.0_f32, 5.0, 9.0] {
            let spread = point.smooth(sigma);
            let variance: f32 =
                (0..side * side).map(|at| spread.values[at] * ((at % side) as f32 - 60.0).powi(2)).sum();
            assert!((variance.sqrt() / sigma - 1.0).abs() < 0.15, "sigma {sigma}: {}", variance.sqrt());
        }
    }
}

//! Finds a face of one frame again in a neighbouring frame by its picture, without the detector.
//!
//! The face is sampled on a fixed grid, whatever its size, so that following costs the same for a small and a large
//! face; likeness is the normalised correlation, which a change of light does not touch.

use crate::{
    analysis::{LEVELS, Level, Small},
    geometry::Region,
};

/// Samples across a face.
const SIDE: usize = 16;
/// Farthest that is searched, in samples.
const MAX_REACH: usize = 24;
/// Farthest that is searched beyond the expected place, in faces and at least in pixels.
const REACH: (f32, f32) = (0.5, 8.0);
/// Change of size tried from one frame to the next.
const SCALES: [f32; 2] = [0.95, 1.0 / 0.95];
/// How much more alike a changed size must look.
const SCALE_GAIN: f32 = 0.01;
/// Least variance of brightness that can be recognised; below, the picture is flat.
const FLAT: f32 = 4.0;

/// Where a face went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    /// Its box.
    pub region: Region,
    /// How alike both pictures are, -1 to 1.
    pub likeness: f32,
}

/// The face in `region` of `from`, found again in `to` near `expected`.
pub(crate) fn follow(from: &Small, to: &Small, region: Region, expected: Region) -> Followed {
    let Some(template) = Template::of(from, region) else {
        return Followed { region: expected, likeness: -1.0 };
    };
    let found = template.search(to, expected);
    let mut best = found;
    for scale in SCALES {
        let resized = Region { w: found.region.w * scale, h: found.region.h * scale, ..found.region };
        let likeness = template.likeness(to, resized);
        if likeness > best.likeness.max(found.likeness + SCALE_GAIN) {
            best = Followed { region: resized, likeness };
        }
    }
    best
}

/// A face's picture, its mean taken away and its length made 1.
struct Template([[f32; SIDE]; SIDE]);

impl Template {
    fn of(small: &Small, region: Region) -> Option<Self> {
        let mut rows = [[0.0; SIDE]; SIDE];
        let samples = sample(small, region, SIDE, SIDE, 0.0, 0.0);
        for (row, source) in rows.iter_mut().zip(samples.chunks_exact(SIDE)) {
            row.copy_from_slice(source);
        }
        let count = (SIDE * SIDE) as f32;
        let mean = rows.iter().flatten().sum::<f32>() / count;
        rows.iter_mut().flatten().for_each(|value| *value -= mean);
        let power = rows.iter().flatten().map(|value| value * value).sum::<f32>();
        if power < FLAT * count {
            return None;
        }
        let length = power.sqrt();
        rows.iter_mut().flatten().for_each(|value| *value /= length);
        Some(Self(rows))
    }

    /// Likeness at exactly `region`.
    fn likeness(&self, small: &Small, region: Region) -> f32 {
        let samples = sample(small, region, SIDE, SIDE, 0.0, 0.0);
        self.correlate(&samples, &Sums::of(&samples, SIDE), SIDE, (0, 0))
    }

    /// The likeliest place around `expected`.
    fn search(&self, small: &Small, expected: Region) -> Followed {
        let (step_x, step_y) = (expected.w / SIDE as f32, expected.h / SIDE as f32);
        let reach = |step: f32| {
            let pixels = (REACH.0 * expected.size()).max(REACH.1);
            ((pixels / step.max(0.05)).ceil() as usize).clamp(1, MAX_REACH)
        };
        let (across, down) = (reach(step_x), reach(step_y));
        let (columns, rows) = (SIDE + 2 * across, SIDE + 2 * down);
        let samples = sample(small, expected, columns, rows, across as f32, down as f32);
        let (wide, high) = (2 * across + 1, 2 * down + 1);
        let sums = Sums::of(&samples, columns);
        let mut scores = Vec::with_capacity(wide * high);
        for y in 0..high {
            scores.extend((0..wide).map(|x| self.correlate(&samples, &sums, columns, (x, y))));
        }
        let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at);
        let (x, y, likeness) = (best % wide, best / wide, scores[best]);
        let at = |x: usize, y: usize| scores[y * wide + x];
        let fine = |less: Option<f32>, more: Option<f32>| {
            let (Some(less), Some(more)) = (less, more) else { return 0.0 };
            let bend = 2.0 * likeness - less - more;
            if bend > f32::EPSILON { (0.5 * (more - less) / bend).clamp(-0.5, 0.5) } else { 0.0 }
        };
        let fine_x = fine(x.checked_sub(1).map(|x| at(x, y)), (x + 1 < wide).then(|| at(x + 1, y)));
        let fine_y = fine(y.checked_sub(1).map(|y| at(x, y)), (y + 1 < high).then(|| at(x, y + 1)));
        let shift_x = (x as f32 - across as f32 + fine_x) * step_x;
        let shift_y = (y as f32 - down as f32 + fine_y) * step_y;
        Followed { region: expected.shifted((shift_x, shift_y)), likeness }
    }

    /// Normalised correlation with the samples from column `x` and row `y` on.
    fn correlate(&self, samples: &[f32], sums: &Sums, columns: usize, (x, y): (usize, usize)) -> f32 {
        let mut product = [0.0_f32; SIDE];
        for (row, template) in self.0.iter().enumerate() {
            let from = (y + row) * columns + x;
            let Some(values) = samples.get(from..from + SIDE) else { return -1.0 };
            for column in 0..SIDE {
                product[column] += values[column] * template[column];
            }
        }
        let power = sums.power(x, y);
        if power < FLAT * (SIDE * SIDE) as f32 { -1.0 } else { product.iter().sum::<f32>() / power.sqrt() }
    }
}

/// Sums of samples and of their squares over everything above and to the left, from which those over any square follow
/// at once (a summed-area table; Crow, "Summed-area tables for texture mapping", 1984).
struct Sums {
    columns: usize,
    table: Vec<(f64, f64)>,
}

impl Sums {
    fn of(samples: &[f32], columns: usize) -> Self {
        let mut table = vec![(0.0, 0.0); (columns + 1) * (samples.len() / columns + 1)];
        for (row, values) in samples.chunks_exact(columns).enumerate() {
            let (above, below) = table[row * (columns + 1)..(row + 2) * (columns + 1)].split_at_mut(columns + 1);
            let (mut sum, mut square) = (0.0, 0.0);
            for (column, value) in values.iter().enumerate() {
                let value = f64::from(*value);
                (sum, square) = (sum + value, square + value * value);
                below[column + 1] = (above[column + 1].0 + sum, above[column + 1].1 + square);
            }
        }
        Self { columns: columns + 1, table }
    }

    /// How much the samples of the square from column `x` and row `y` on vary: the sum of the squares of what they are
    /// away from their mean.
    fn power(&self, x: usize, y: usize) -> f32 {
        let at = |x: usize, y: usize| self.table[y * self.columns + x];
        let over = |part: fn((f64, f64)) -> f64| {
            let (above, below) =
                (part(at(x + SIDE, y)) - part(at(x, y)), part(at(x + SIDE, y + SIDE)) - part(at(x, y + SIDE)));
            below - above
        };
        let (sum, square) = (over(|sums| sums.0), over(|sums| sums.1));
        (square - sum * sum / (SIDE * SIDE) as f64) as f32
    }
}

/// Samples of `small` on a grid that has `SIDE` columns and rows within `region` and begins `before_x` columns and
/// `before_y` rows before it, between pixels as needed and from the level whose pixels are about as far apart.
fn sample(small: &Small, region: Region, columns: usize, rows: usize, before_x: f32, before_y: f32) -> Vec<f32> {
    let (step_x, step_y) = (region.w / SIDE as f32, region.h / SIDE as f32);
    let spacing = step_x.min(step_y);
    let level = (0..LEVELS - 1).find(|level| spacing < (2 << level) as f32).unwrap_or(LEVELS - 1);
    let scale = 1.0 / (1 << level) as f32;
    let first =
        |middle: f32, size: f32, before: f32, step: f32| (middle - size / 2.0 + (0.5 - before) * step) * scale - 0.5;
    let left = first(region.x, region.w, before_x, step_x);
    let top = first(region.y, region.h, before_y, step_y);
    let picture = &small.levels[level];
    let across = places(left, step_x * scale, columns, picture.width);
    let down = places(top, step_y * scale, rows, picture.height);
    interpolated(picture, &across, &down)
}

/// For every sample the two pixels it lies between and its share of the second; outside, the edge goes on.
fn places(first: f32, step: f32, count: usize, length: usize) -> Vec<(usize, usize, f32)> {
    let last = length - 1;
    let place = |index: usize| {
        let at = (first + step * index as f32).clamp(0.0, last as f32);
        let low = at as usize;
        (low, (low + 1).min(last), at - low as f32)
    };
    (0..count).map(place).collect()
}

fn interpolated(picture: &Level, across: &[(usize, usize, f32)], down: &[(usize, usize, f32)]) -> Vec<f32> {
    let mut samples = Vec::with_capacity(across.len() * down.len());
    for (above, below, share) in down {
        let above = &picture.data[above * picture.width..][..picture.width];
        let below = &picture.data[below * picture.width..][..picture.width];
        samples.extend(across.iter().map(|(left, right, part)| {
            let mix = |row: &[u8]| f32::from(row[*left]) * (1.0 - part) + f32::from(row[*right]) * part;
            mix(above) * (1.0 - share) + mix(below) * share
        }));
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_much_a_square_varies_is_told_by_the_sums() {
        let columns = 40;
        let samples: Vec<f32> = (0..columns * 30).map(|at| ((at * 7_919 + at / 11 * 31) % 251) as f32).collect();
        let sums = Sums::of(&samples, columns);
        for (x, y) in [(0, 0), (24, 14), (3, 9)] {
            let square: Vec<f32> =
                (0..SIDE * SIDE).map(|at| samples[(y + at / SIDE) * columns + x + at % SIDE]).collect();
            let mean = square.iter().sum::<f32>() / square.len() as f32;
            let power: f32 = square.iter().map(|value| (value - mean).powi(2)).sum();
            assert!((sums.power(x, y) / power - 1.0).abs() < 1e-4, "{} at {x}, {y}, not {power}", sums.power(x, y));
        }
        assert!(Sums::of(&[200.0; SIDE * SIDE], SIDE).power(0, 0).abs() < 1e-3, "what is flat does not vary");
    }
}

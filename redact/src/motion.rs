//! How the whole picture moved from one frame to the next, and whether it is another scene.
//!
//! A shaken camera moves small faces by more than their size within a frame; knowing the shake keeps the search small.

use crate::analysis::{LEVELS, Level, Small};

/// Farthest shift looked for, in samples of the smallest level.
const REACH: i32 = 5;
/// Mean difference of brightness per sample, after the best shift, from which it is another scene: a camera in a hand
/// stays below 11, a cut from one street to another like it comes to 18. In the dark all differences are small, so it is
/// also enough that they are this share of how far brightness is spread, unless they are as small as noise.
const CUT: f32 = 16.0;
const CUT_SHARE: f32 = 0.5;
const CUT_LEAST: f32 = 4.0;
/// Reduction of the smallest level.
const SCALE: f32 = (1 << (LEVELS - 1)) as f32;

/// What happened between two frames.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Motion {
    /// Shift in pixels of the reduced picture.
    pub shift: (f32, f32),
    /// Whether the second frame shows another scene.
    pub is_cut: bool,
}

/// How the picture moved from `before` to `after`.
pub(crate) fn between(before: &Small, after: &Small) -> Motion {
    let (a, b) = (&before.levels[LEVELS - 1], &after.levels[LEVELS - 1]);
    if (a.width, a.height) != (b.width, b.height) {
        return Motion { shift: (0.0, 0.0), is_cut: true };
    }
    let mut best = (difference(a, b, 0, 0), 0, 0);
    // A still picture must not drift: another shift has to be clearly better.
    let still = best.0 * 0.9;
    for dy in -REACH..=REACH {
        for dx in -REACH..=REACH {
            let found = difference(a, b, dx, dy);
            if found < best.0.min(still) {
                best = (found, dx, dy);
            }
        }
    }
    let (cost, dx, dy) = best;
    let fine = |less: f32, more: f32| {
        let bend = less - 2.0 * cost + more;
        if bend > f32::EPSILON { (0.5 * (less - more) / bend).clamp(-0.5, 0.5) } else { 0.0 }
    };
    let x = dx as f32 + fine(difference(a, b, dx - 1, dy), difference(a, b, dx + 1, dy));
    let y = dy as f32 + fine(difference(a, b, dx, dy - 1), difference(a, b, dx, dy + 1));
    Motion { shift: (x * SCALE, y * SCALE), is_cut: cost > (CUT_SHARE * spread(b)).clamp(CUT_LEAST, CUT) }
}

/// How far the samples of a level are from their mean, on average.
fn spread(level: &Level) -> f32 {
    let count = level.data.len().max(1) as f32;
    let mean = level.data.iter().map(|sample| u32::from(*sample)).sum::<u32>() as f32 / count;
    level.data.iter().map(|sample| (f32::from(*sample) - mean).abs()).sum::<f32>() / count
}

/// Mean difference of `a` and `b`, shifted by `dx` and `dy`, where both have samples.
fn difference(a: &Level, b: &Level, dx: i32, dy: i32) -> f32 {
    let (width, height) = (a.width as i32, a.height as i32);
    let (x0, x1) = (0.max(-dx), width.min(width - dx));
    let (y0, y1) = (0.max(-dy), height.min(height - dy));
    if x0 >= x1 || y0 >= y1 {
        return f32::MAX;
    }
    let mut sum = 0_u32;
    for y in y0..y1 {
        let from = (y * width + x0) as usize;
        let to = ((y + dy) * width + x0 + dx) as usize;
        let length = (x1 - x0) as usize;
        let pairs = a.data[from..from + length].iter().zip(&b.data[to..to + length]);
        sum += pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    }
    sum as f32 / ((x1 - x0) * (y1 - y0)) as f32
}

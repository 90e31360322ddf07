//! A clock that machines can read, drawn into a camera's picture: the picture's number as black and white squares.
//!
//! Sixteen squares across the top eighth: white, black, ten bits of the number, four to check them by, so that a
//! picture that was read wrongly is no reading (`clock.js`).

use std::io::{self, Write};

/// Reads the clock of a `<video>`: `readClock(element)` is a picture's number, or null.
pub const CLOCK_SCRIPT: &str = include_str!("clock.js");
/// Pictures after which the numbers begin again, as the film before the camera does.
pub const LAPS_AFTER: u16 = 600;
/// Squares of the clock.
pub(crate) const SQUARES: usize = 16;

/// The squares of picture `number`, a byte each.
fn squares(number: u16) -> [u8; SQUARES] {
    let check = (u32::from(number) * 7 + 5) % 13;
    let bits = 0b10 << 14 | u32::from(number) << 4 | check;
    std::array::from_fn(|square| if bits >> (SQUARES - 1 - square) & 1 == 1 { u8::MAX } else { 0 })
}

/// Writes the whole lap as raw grey pictures of one row of squares.
pub(crate) fn draw(out: &mut impl Write) -> io::Result<()> {
    (0..LAPS_AFTER).try_for_each(|number| out.write_all(&squares(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pictures_differ_in_two_squares_at_least() {
        let all: Vec<_> = (0..LAPS_AFTER).map(squares).collect();
        for (number, one) in all.iter().enumerate() {
            assert_eq!(one[..2], [u8::MAX, 0]);
            for other in &all[number + 1..] {
                assert!(one.iter().zip(other).filter(|(a, b)| a != b).count() >= 2, "{one:?} {other:?}");
            }
        }
    }
}

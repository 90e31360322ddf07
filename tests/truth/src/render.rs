//! Draws frames: street, things, people, pillar, then what the sensor makes of it. The same shot always gives the same
//! picture, so that two runs can be compared.

use crate::{
    backdrop::{Backdrop, Colour, scrambled},
    clip::Clip,
    face::{Bounds, Face},
    shot::{Shot, Thing},
};
use std::collections::HashMap;

const PILLAR: Colour = [72.0, 126.0, 131.0];
/// Darkest brightness of video.
const BLACK: f32 = 16.0;
/// Entries of the table of noise; a power of two.
const NOISE: usize = 1 << 16;
/// Streets that are remembered: a clip may have a new one on every frame.
const STREETS: usize = 4;

/// Draws the frames of one clip.
pub struct Renderer {
    width: usize,
    height: usize,
    backdrops: HashMap<(u32, bool), Backdrop>,
    noise: Vec<f32>,
}

impl Renderer {
    pub fn new(clip: &Clip) -> Self {
        Self { width: clip.width, height: clip.height, backdrops: HashMap::new(), noise: noise() }
    }

    /// Frame `number`, which shows `shot`, in three planes of full size.
    pub fn render(&mut self, shot: &Shot, number: usize) -> Vec<u8> {
        let mut canvas = self.street(shot);
        shot.things.iter().for_each(|thing| canvas.drive(*thing));
        shot.faces.iter().for_each(|face| canvas.set(*face));
        for (left, right) in shot.pillars.iter().copied() {
            let pillar = Bounds { left, right, top: 0.0, bottom: self.height as f32 };
            canvas.paint(pillar, |x, _| [PILLAR[0] + 8.0 * ((x - left) * 0.9).sin(), PILLAR[1], PILLAR[2]]);
        }
        self.expose(&canvas, shot, number)
    }

    fn street(&mut self, shot: &Shot) -> Canvas {
        let (width, height) = (self.width, self.height);
        let wanted = (shot.scene, shot.carpet);
        if self.backdrops.len() >= STREETS && !self.backdrops.contains_key(&wanted) {
            self.backdrops.clear();
        }
        let backdrop = self.backdrops.entry(wanted).or_insert_with(|| Backdrop::new(wanted, width, height));
        let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
        let mut colours = Vec::with_capacity(width * height);
        let (sin, cos) = shot.spin.sin_cos();
        for row in 0..height {
            let y = (row as f32 + 0.5 - middle_y) / shot.zoom;
            for column in 0..width {
                let x = (column as f32 + 0.5 - middle_x) / shot.zoom;
                let (x, y) = (cos * x + sin * y, cos * y - sin * x);
                colours.push(backdrop.at(x + middle_x - shot.shift.0, y + middle_y - shot.shift.1));
            }
        }
        Canvas { width, height, colours }
    }

    /// What the sensor says: darker by the gain, and with noise.
    fn expose(&self, canvas: &Canvas, shot: &Shot, number: usize) -> Vec<u8> {
        let size = self.width * self.height;
        let mut frame = vec![0_u8; 3 * size];
        for row in 0..self.height {
            let from = scrambled((number * self.height + row) as u32) as usize;
            for column in 0..self.width {
                let at = row * self.width + column;
                let [luma, blue, red] = canvas.colours[at];
                let noise = self.noise[(from + column) % NOISE] * shot.noise;
                frame[at] = ((luma - BLACK) * shot.gain + BLACK + noise + 0.5).clamp(0.0, 255.0) as u8;
                frame[size + at] = ((blue - 128.0) * shot.gain + 128.5).clamp(0.0, 255.0) as u8;
                frame[2 * size + at] = ((red - 128.0) * shot.gain + 128.5).clamp(0.0, 255.0) as u8;
            }
        }
        frame
    }
}

struct Canvas {
    width: usize,
    height: usize,
    colours: Vec<Colour>,
}

impl Canvas {
    /// Calls `change` with every pixel in `bounds` and its middle.
    fn within(&mut self, bounds: Bounds, mut change: impl FnMut(&mut Colour, f32, f32)) {
        let clip = |at: f32, length: usize| (at.max(0.0) as usize).min(length);
        let columns = clip(bounds.left.floor(), self.width)..clip(bounds.right.ceil(), self.width);
        for row in clip(bounds.top.floor(), self.height)..clip(bounds.bottom.ceil(), self.height) {
            for column in columns.clone() {
                let colour = &mut self.colours[row * self.width + column];
                change(colour, column as f32 + 0.5, row as f32 + 0.5);
            }
        }
    }

    fn paint(&mut self, bounds: Bounds, colour: impl Fn(f32, f32) -> Colour) {
        self.within(bounds, |pixel, x, y| {
            if bounds.holds(x, y) {
                *pixel = colour(x, y);
            }
        });
    }

    /// A bus: windows above, stripes below, its paint from its number.
    fn drive(&mut self, thing: Thing) {
        let chance = |what: u32| (scrambled(thing.paint * 31 + what) % 1_000) as f32 / 1_000.0;
        let (tone, blue, red) = (70.0 + 110.0 * chance(0), 100.0 + 56.0 * chance(1), 100.0 + 56.0 * chance(2));
        let (right, bottom) = (thing.x + thing.width, thing.y + thing.height);
        self.paint(Bounds { left: thing.x, top: thing.y, right, bottom }, |x, y| {
            let (across, down) = ((x - thing.x) / thing.width, (y - thing.y) / thing.height);
            let glass = (0.12..0.45).contains(&down) && (0.08..0.92).contains(&(across * 5.0).fract());
            let stripe = (0.55..0.62).contains(&down) || (0.7..0.72).contains(&down);
            let shade = 10.0 * (across * 23.0).sin() + 8.0 * (down * 31.0).sin();
            match (glass, stripe) {
                (true, _) => [48.0 + shade, 132.0, 124.0],
                (_, true) => [205.0 + shade, 128.0, 128.0],
                _ => [tone + shade, blue, red],
            }
        });
    }

    fn set(&mut self, face: Face) {
        let pasted = face.pasted();
        self.within(pasted.reach, |pixel, x, y| {
            let [luma, blue, red, share] = pasted.sample(x, y);
            if share > 0.0 {
                let under = 1.0 - share;
                *pixel = [pixel[0] * under + luma, pixel[1] * under + blue, pixel[2] * under + red];
            }
        });
    }
}

/// Numbers with mean 0 and standard deviation 1, near a normal distribution.
fn noise() -> Vec<f32> {
    let uniform = |seed: u32| scrambled(seed) as f32 / u32::MAX as f32 - 0.5;
    // The sum of three uniform numbers has a variance of a quarter.
    (0..NOISE as u32).map(|at| 2.0 * (0..3).map(|part| uniform(at * 3 + part + 1)).sum::<f32>()).collect()
}

//! A street that nobody ever saw: sky, houses, shops and pavement, computed from a number, with structure everywhere,
//! so that an encoder has work to do and a blur in the wrong place is seen.

/// Brightness and two colours.
pub type Colour = [f32; 3];

/// A street that repeats itself across and ends with sky above and pavement below, or a carpet.
pub struct Backdrop {
    width: usize,
    height: usize,
    colours: Vec<Colour>,
}

/// Width of a street over that of the frame.
const PERIOD: f32 = 1.5;
/// What is there above and below the frame, as shares of its height.
const ABOVE: f32 = 0.25;
const BELOW: f32 = 0.25;

/// Where, in heights of the frame, houses end, shops begin and pavement begins.
const ROOFS: f32 = 0.12;
const SHOPS: f32 = 0.5;
const PAVEMENT: f32 = 0.64;

impl Backdrop {
    /// Street number `scene`, or carpet of that number, for frames of this size.
    pub fn new((scene, carpet): (u32, bool), frame_width: usize, frame_height: usize) -> Self {
        let width = (frame_width as f32 * PERIOD) as usize;
        let height = (frame_height as f32 * (1.0 + ABOVE + BELOW)) as usize;
        let street = Street { scene, unit: frame_height as f32, period: width as f32 };
        let colours = (0..width * height)
            .map(|at| ((at % width) as f32, (at / width) as f32 - ABOVE * frame_height as f32))
            .map(|(x, y)| if carpet { street.carpet(x, y) } else { street.colour(x, y) })
            .collect();
        Self { width, height, colours }
    }

    /// What lies beyond the first and the last row is mirrored.
    fn mirrored(&self, y: f32) -> f32 {
        let last = (self.height - 1) as f32;
        let y = y.abs();
        if y > last { (2.0 * last - y).max(0.0) } else { y }
    }

    /// The colour at a point of a frame that shows the street unshifted.
    pub fn at(&self, x: f32, y: f32) -> Colour {
        let unit = self.height as f32 / (1.0 + ABOVE + BELOW);
        let x = (x - 0.5).rem_euclid(self.width as f32);
        let y = self.mirrored(y - 0.5 + ABOVE * unit);
        let (left, top) = ((x as usize).min(self.width - 1), y as usize);
        let (part_x, part_y) = (x - left as f32, y - top as f32);
        let (right, bottom) = (if left + 1 == self.width { 0 } else { left + 1 }, (top + 1).min(self.height - 1));
        let get = |column: usize, row: usize| &self.colours[row * self.width + column];
        let (a, b, c, d) = (get(left, top), get(right, top), get(left, bottom), get(right, bottom));
        std::array::from_fn(|index| {
            let above = a[index] + (b[index] - a[index]) * part_x;
            let below = c[index] + (d[index] - c[index]) * part_x;
            above + (below - above) * part_y
        })
    }
}

/// The street's plan. Lengths in it are shares of `unit`, the height of a frame.
struct Street {
    scene: u32,
    unit: f32,
    /// Pixels after which it repeats itself.
    period: f32,
}

impl Street {
    fn colour(&self, x: f32, y: f32) -> Colour {
        let down = y / self.unit;
        let house = self.house(x);
        let colour = if down >= PAVEMENT {
            self.pavement(x, y)
        } else if down >= SHOPS {
            self.shop(&house, y)
        } else if down >= house.roof {
            self.wall(&house, y)
        } else {
            let cloud = 26.0 * (self.grain(x, y, 0.12, 1) - 0.5) + 12.0 * (self.grain(x, y, 0.03, 2) - 0.5);
            [self.daylight(150.0, 55.0) - 70.0 * down.max(0.0) + cloud, 138.0, 118.0]
        };
        let texture = 14.0 * (self.grain(x, y, 0.006, 3) - 0.5) + 16.0 * (self.grain(x, y, 0.025, 4) - 0.5);
        [colour[0] + texture, colour[1], colour[2]]
    }

    /// Squares of many colours, each with a figure in it: nothing of it resembles what is beside it.
    fn carpet(&self, x: f32, y: f32) -> Colour {
        let side = self.period / (self.period / (0.11 * self.unit)).round();
        let (column, row) = (x / side, y / side + 64.0);
        let (across, down) = (column.fract(), row.fract());
        let chance = |what: u32| self.chance(column as u32, row as u32, what);
        let figure = match (4.0 * chance(30)) as u32 {
            0 => ((across + down) * 2.0).fract() < 0.5,
            1 => (across - 0.5).hypot(down - 0.5) < 0.33,
            2 => ((across * 2.0) as u32 + (down * 2.0) as u32).is_multiple_of(2),
            _ => (across * 2.0).fract() < 0.4,
        };
        let paint = if figure { 31 } else { 34 };
        [75.0 + 100.0 * chance(paint), 84.0 + 88.0 * chance(paint + 1), 84.0 + 88.0 * chance(paint + 2)]
    }

    /// The house at a column.
    fn house(&self, x: f32) -> House {
        let count = (self.period / (0.3 * self.unit)).round();
        let along = x / self.period * count;
        let index = along as u32;
        let roof = ROOFS + 0.22 * self.chance(index, 0, 10);
        House { index, roof, x: along.fract() * self.period / count, width: self.period / count }
    }

    fn wall(&self, house: &House, y: f32) -> Colour {
        let chance = |what: u32| self.chance(house.index, 0, what);
        let tone = 70.0 + 80.0 * chance(11);
        let colours = (118.0 + 16.0 * chance(12), 124.0 + 18.0 * chance(13));
        let (pitch_x, pitch_y) = (house.width / (3.0 + (3.0 * chance(14)).floor()), self.unit * 0.075);
        let (column, row) = (house.x / pitch_x, (y / self.unit - house.roof) * self.unit / pitch_y);
        let (across, down) = (column.fract(), row.fract());
        let glass = (0.22..0.78).contains(&across) && (0.25..0.85).contains(&down) && row >= 0.5;
        if !glass {
            let course = if (y / (self.unit * 0.0125)).fract() < 0.2 { -9.0 } else { 0.0 };
            return [tone + course, colours.0, colours.1];
        }
        let bar = (0.47..0.53).contains(&across) || (0.5..0.56).contains(&down);
        let light = self.chance(column as u32 + 40 * house.index, row as u32, 15);
        if bar { [tone + 50.0, 128.0, 128.0] } else { [35.0 + 90.0 * light * light, 134.0, 122.0] }
    }

    fn shop(&self, house: &House, y: f32) -> Colour {
        let chance = |what: u32| self.chance(house.index, 1, what);
        let across = house.x / house.width;
        let down = (y / self.unit - SHOPS) / (PAVEMENT - SHOPS);
        if down < 0.28 {
            // A sign, with strokes of uneven width for letters.
            let stroke = self.chance((across * 44.0) as u32 + 50 * house.index, (down * 9.0) as u32 % 2, 16);
            let letters = (0.12..0.88).contains(&across) && (0.06..0.22).contains(&down) && stroke > 0.5;
            let tone = if letters { 215.0 } else { 60.0 + 50.0 * chance(17) };
            return [tone, 96.0 + 64.0 * chance(18), 96.0 + 64.0 * chance(19)];
        }
        let frame = (across * 3.0).fract() < 0.06 || down > 0.94;
        let goods = self.chance((across * 17.0) as u32 + 60 * house.index, (down * 7.0) as u32, 20);
        if frame { [45.0, 128.0, 128.0] } else { [60.0 + 95.0 * goods, 120.0 + 16.0 * goods, 128.0] }
    }

    fn pavement(&self, x: f32, y: f32) -> Colour {
        let depth = (y / self.unit - PAVEMENT) / (1.0 + BELOW - PAVEMENT);
        // Slabs grow towards the camera.
        let row = depth.max(0.0).sqrt() * 9.0;
        let slabs = (self.period / (0.16 * self.unit)).round();
        let column = x / self.period * slabs + 0.5 * (row as u32 % 2) as f32;
        let joint = row.fract() < 0.07 || column.fract() < 0.04;
        let tone = self.daylight(85.0, 45.0)
            + 24.0 * depth
            + 22.0 * (self.chance(column as u32 % slabs as u32, row as u32, 21) - 0.5);
        [if joint { tone - 30.0 } else { tone }, 127.0, 130.0]
    }

    /// A brightness of this street's own.
    fn daylight(&self, least: f32, spread: f32) -> f32 {
        least + spread * self.chance(0, 0, 22)
    }

    /// Smooth noise from 0 to 1, whose waves are as long as `length` says.
    fn grain(&self, x: f32, y: f32, length: f32, what: u32) -> f32 {
        let count = (self.period / (length * self.unit)).round().max(1.0);
        let (column, row) = (x / self.period * count, y / (length * self.unit) + 64.0);
        let (part_x, part_y) = (ease(column.fract()), ease(row.fract()));
        let (left, top) = (column as u32, row as u32);
        let right = (left + 1) % count as u32;
        let mix = |a: f32, b: f32, part: f32| a + (b - a) * part;
        let above = mix(self.chance(left, top, what), self.chance(right, top, what), part_x);
        let below = mix(self.chance(left, top + 1, what), self.chance(right, top + 1, what), part_x);
        mix(above, below, part_y)
    }

    /// A number from 0 to 1 that belongs to a place and a question.
    fn chance(&self, column: u32, row: u32, what: u32) -> f32 {
        let seed = column.wrapping_mul(0x9E37_79B1)
            ^ row.wrapping_mul(0x85EB_CA77)
            ^ what.wrapping_mul(0xC2B2_AE3D)
            ^ self.scene.wrapping_mul(0x27D4_EB2F);
        scrambled(seed) as f32 / u32::MAX as f32
    }
}

struct House {
    index: u32,
    /// Where it ends above, in heights of the frame.
    roof: f32,
    /// Pixels from its left edge, and its width.
    x: f32,
    width: f32,
}

fn ease(part: f32) -> f32 {
    part * part * (3.0 - 2.0 * part)
}

/// Every bit of the outcome hangs on every bit of `value`.
pub(crate) fn scrambled(value: u32) -> u32 {
    let value = (value ^ (value >> 16)).wrapping_mul(0x7FEB_352D);
    let value = (value ^ (value >> 15)).wrapping_mul(0x846C_A68B);
    value ^ (value >> 16)
}

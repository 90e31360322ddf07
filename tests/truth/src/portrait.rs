//! The one portrait, cut out along its outline: a person, or the head alone. Every texel carries how much of it belongs
//! to the person, so that no rectangle of studio wall comes along, which no camera takes and no detector was made for.

use std::{path::Path, process::Command, sync::OnceLock};

/// Side of the portrait, in pixels.
const SIDE: usize = 512;
/// The face in the portrait, as a detector frames it: middle, width and height, in pixels.
pub const FACE: (f32, f32, f32, f32) = (225.0, 118.0, 88.0, 120.0);
/// Size of a cut-out: the portrait's left part, its lowest rows drawn out downwards, so that nobody floats. (Mirrored
/// they would look like a face of their own.)
pub const CANVAS: (usize, usize) = (432, 680);
/// The row from which rows are drawn out.
const WAIST: usize = 425;
/// How soft the outline is, in pixels of the portrait.
const SOFTNESS: usize = 2;

/// Hair, ears and jaw, from the top clockwise down to the right jaw and up again from the left one.
const RIGHT_OF_HEAD: &[(f32, f32)] = &[
    (244.0, 16.0),
    (259.0, 20.0),
    (276.0, 32.0),
    (289.0, 47.0),
    (300.0, 64.0),
    (302.0, 81.0),
    (300.0, 100.0),
    (293.0, 117.0),
    (283.0, 126.0),
    (272.0, 135.0),
    (268.0, 149.0),
    (257.0, 172.0),
];
const LEFT_OF_HEAD: &[(f32, f32)] = &[
    (186.0, 149.0),
    (182.0, 133.0),
    (174.0, 125.0),
    (168.0, 115.0),
    (158.0, 100.0),
    (153.0, 79.0),
    (156.0, 64.0),
    (168.0, 47.0),
    (189.0, 36.0),
    (208.0, 23.0),
    (227.0, 16.0),
];
/// What lies between the jaws: a neck, or a collar, shoulders and a body.
const NECK: &[(f32, f32)] = &[(255.0, 205.0), (190.0, 205.0), (186.0, 172.0)];
const BODY: &[(f32, f32)] = &[
    (289.0, 206.0),
    (305.0, 232.0),
    (325.0, 249.0),
    (342.0, 270.0),
    (353.0, 298.0),
    (361.0, 340.0),
    (366.0, 420.0),
    (368.0, 560.0),
    (340.0, 680.0),
    (52.0, 680.0),
    (22.0, 560.0),
    (25.0, 459.0),
    (19.0, 400.0),
    (28.0, 332.0),
    (40.0, 298.0),
    (60.0, 251.0),
    (87.0, 230.0),
    (114.0, 204.0),
    (123.0, 179.0),
    (140.0, 157.0),
    (166.0, 149.0),
];

/// Brightness, two colours and share of the person; the first three multiplied by the last.
pub type Texel = [f32; 4];

/// A cut-out in full size and in halves of it, so that small people do not flicker.
pub struct Cutout {
    levels: Vec<Level>,
}

struct Level {
    width: usize,
    height: usize,
    texels: Vec<Texel>,
}

/// The person, from head to knees.
pub fn person() -> &'static Cutout {
    static PERSON: OnceLock<Cutout> = OnceLock::new();
    PERSON.get_or_init(|| Cutout::new(&[RIGHT_OF_HEAD, BODY, LEFT_OF_HEAD].concat()))
}

/// The head and a bit of neck.
pub fn head() -> &'static Cutout {
    static HEAD: OnceLock<Cutout> = OnceLock::new();
    HEAD.get_or_init(|| Cutout::new(&[RIGHT_OF_HEAD, NECK, LEFT_OF_HEAD].concat()))
}

impl Cutout {
    fn new(outline: &[(f32, f32)]) -> Self {
        let (width, height) = CANVAS;
        let picture = picture();
        let share = softened(&inside(outline));
        let texel = |at: usize| {
            let (x, y) = (at % width, at / width);
            let row = if y < WAIST { y } else { WAIST + (y - WAIST) * (SIDE - 1 - WAIST) / (CANVAS.1 - WAIST) };
            let value = |plane: usize| f32::from(picture[plane * SIDE * SIDE + row * SIDE + x]) * share[at];
            [value(0), value(1), value(2), share[at]]
        };
        let mut levels = vec![Level { width, height, texels: (0..width * height).map(texel).collect() }];
        while let Some(last) = levels.last()
            && last.width > 8
        {
            let half = last.halved();
            levels.push(half);
        }
        Self { levels }
    }

    /// The mean around a point of the portrait, of which `scale` pixels are one of the picture.
    pub fn at(&self, u: f32, v: f32, scale: f32) -> Texel {
        let wanted = scale.max(1.0).log2().min((self.levels.len() - 1) as f32);
        let (fine, part) = (wanted as usize, wanted.fract());
        let coarse = (fine + 1).min(self.levels.len() - 1);
        let (a, b) = (self.levels[fine].at(u, v, fine), self.levels[coarse].at(u, v, coarse));
        std::array::from_fn(|index| a[index] * (1.0 - part) + b[index] * part)
    }
}

impl Level {
    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let texel = |at: usize| {
            let from = (at / width) * 2 * self.width + (at % width) * 2;
            let four = [from, from + 1, from + self.width, from + self.width + 1];
            std::array::from_fn(|index| four.iter().map(|from| self.texels[*from][index]).sum::<f32>() / 4.0)
        };
        Self { width, height, texels: (0..width * height).map(texel).collect() }
    }

    fn at(&self, u: f32, v: f32, level: usize) -> Texel {
        let side = (1_usize << level) as f32;
        let (x, y) = (u / side - 0.5, v / side - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (part_x, part_y) = (x - left, y - top);
        let get = |column: f32, row: f32| {
            let inside = column >= 0.0 && row >= 0.0 && column < self.width as f32 && row < self.height as f32;
            if inside { self.texels[row as usize * self.width + column as usize] } else { [0.0; 4] }
        };
        let (a, b) = (get(left, top), get(left + 1.0, top));
        let (c, d) = (get(left, top + 1.0), get(left + 1.0, top + 1.0));
        std::array::from_fn(|index| {
            let above = a[index] * (1.0 - part_x) + b[index] * part_x;
            let below = c[index] * (1.0 - part_x) + d[index] * part_x;
            above * (1.0 - part_y) + below * part_y
        })
    }
}

/// 1 within the outline and 0 outside, over the canvas.
fn inside(outline: &[(f32, f32)]) -> Vec<f32> {
    let (width, height) = CANVAS;
    let crossed = |x: f32, y: f32| {
        let edges = outline.iter().zip(outline.iter().cycle().skip(1));
        edges.filter(|((ax, ay), (bx, by))| (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax).count()
    };
    let points = (0..width * height).map(|at| ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5));
    points.map(|(x, y)| if crossed(x, y) % 2 == 1 { 1.0 } else { 0.0 }).collect()
}

fn softened(share: &[f32]) -> Vec<f32> {
    let mut plane = crate::plane::Plane { width: CANVAS.0, height: CANVAS.1, values: share.to_vec() };
    for _ in 0..2 {
        plane = plane.mean(SOFTNESS);
    }
    plane.values
}

/// The portrait in three planes of full size.
fn picture() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/astronaut.png");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "rawvideo", "-pix_fmt", "yuv444p", "pipe:1"])
        .output()
        .expect("the ffmpeg command is installed");
    assert_eq!(output.stdout.len(), 3 * SIDE * SIDE, "the portrait is {SIDE} pixels wide and high");
    output.stdout
}

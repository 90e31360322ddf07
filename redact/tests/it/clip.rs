//! Renders clips in which every face's box is known, and has the ffmpeg command encode them in any way.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
};
use tempfile::TempDir;

/// Side of the portrait.
const SIDE: usize = 512;
/// The face in the portrait: middle, width and height.
const FACE: (f32, f32, f32, f32) = (225.0, 118.0, 88.0, 120.0);
/// The part of the portrait that is pasted: left, top, right, bottom. A small head without a body is a picture that no
/// camera takes and that the detector was not made for.
const HEAD: (f32, f32, f32, f32) = (140.0, 5.0, 312.0, 215.0);
const PERSON: (f32, f32, f32, f32) = (20.0, 5.0, 400.0, 512.0);
/// Width of a face from which the head is pasted alone.
const HEAD_ALONE: f32 = 44.0;

/// A face on a frame: the middle of its box and its width, in pixels of the frame.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    pub x: f32,
    pub y: f32,
    pub width: f32,
}

impl Face {
    /// Left, top, right and bottom of its box.
    pub fn bounds(self) -> (f32, f32, f32, f32) {
        let height = self.width * FACE.3 / FACE.2;
        (self.x - self.width / 2.0, self.y - height / 2.0, self.x + self.width / 2.0, self.y + height / 2.0)
    }

    /// The part of the portrait that is pasted for it.
    fn part(self) -> (f32, f32, f32, f32) {
        if self.width < HEAD_ALONE { PERSON } else { HEAD }
    }

    /// Whether what is pasted for `self` reaches into the face of `other`.
    pub fn hides(self, other: Self) -> bool {
        let (scale, part) = (self.width / FACE.2, self.part());
        let (left, right) = (self.x + (part.0 - FACE.0) * scale, self.x + (part.2 - FACE.0) * scale);
        let (top, bottom) = (self.y + (part.1 - FACE.1) * scale, self.y + (part.3 - FACE.1) * scale);
        let bounds = other.bounds();
        left < bounds.2 && right > bounds.0 && top < bounds.3 && bottom > bounds.1
    }
}

/// What a frame shows.
#[derive(Clone, Debug, Default)]
pub struct Shot {
    pub faces: Vec<Face>,
    /// Columns from and to which a pillar hides everything.
    pub pillar: Option<(f32, f32)>,
    /// Which background.
    pub scene: u32,
    /// How far the background is shifted.
    pub shift: (f32, f32),
}

/// A clip to render.
#[derive(Clone, Debug)]
pub struct Clip {
    pub width: usize,
    pub height: usize,
    pub rate: u32,
    pub shots: Vec<Shot>,
}

impl Clip {
    /// A clip of `frames` frames at 25 per second with the faces that `faces` says.
    pub fn new(width: usize, height: usize, frames: usize, faces: impl Fn(f32) -> Vec<Face>) -> Self {
        let shot = |index: usize| Shot { faces: faces(index as f32), ..Shot::default() };
        Self { width, height, rate: 25, shots: (0..frames).map(shot).collect() }
    }

    /// A face that walks from left to right.
    pub fn panning(width: usize, height: usize, frames: usize) -> Self {
        let (across, down) = (width as f32, height as f32);
        Self::new(width, height, frames, |at| {
            vec![Face { x: across * 0.3 + at * across * 0.006, y: down * 0.5, width: down * 0.16 }]
        })
    }

    /// The same clip, some of its frames only.
    pub fn part(&self, frames: std::ops::Range<usize>) -> Self {
        Self { shots: self.shots[frames].to_vec(), ..self.clone() }
    }

    /// Encodes the clip with the ffmpeg command: `inputs` are more inputs, `outputs` the options of the output, whose
    /// name ends in `extension`.
    pub fn encode(&self, extension: &str, inputs: &[&str], outputs: &[&str]) -> Encoded {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(format!("clip.{extension}"));
        let size = format!("{}x{}", self.width, self.height);
        let mut command = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", &size])
            .args(["-r", &self.rate.to_string(), "-i", "pipe:0"])
            .args(inputs)
            .args(outputs)
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the ffmpeg command is installed");
        let mut input = command.stdin.take().expect("its input");
        thread::scope(|scope| {
            // A muxer that has all it needs may close the pipe early; what it wrote is judged below.
            scope.spawn(move || self.shots.iter().try_for_each(|shot| input.write_all(&self.render(shot))));
            assert!(command.wait().expect("ffmpeg ends").success(), "ffmpeg encodes the clip");
        });
        Encoded { path, _directory: directory }
    }

    /// An MPEG-TS segment with B-frames and sound, whose times begin at `start` seconds.
    pub fn segment(&self, start: f64) -> Vec<u8> {
        let length = format!("{:.3}", self.shots.len() as f64 / f64::from(self.rate));
        let sound = format!("sine=frequency=440:duration={length}");
        let inputs = ["-f", "lavfi", "-i", sound.as_str()];
        let start = start.to_string();
        let outputs = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "250"];
        let rest = ["-c:a", "aac", "-output_ts_offset", &start, "-muxdelay", "0", "-shortest"];
        self.encode("ts", &inputs, &[&outputs[..], &rest].concat()).bytes()
    }

    /// One frame in three planes of full size.
    fn render(&self, shot: &Shot) -> Vec<u8> {
        let size = self.width * self.height;
        let mut frame = vec![0_u8; 3 * size];
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y * self.width + x;
                let sample = sample(shot, x as f32 + 0.5, y as f32 + 0.5);
                (frame[at], frame[size + at], frame[2 * size + at]) = sample;
            }
        }
        frame
    }
}

/// Brightness and colour at a point of a frame.
fn sample(shot: &Shot, x: f32, y: f32) -> (u8, u8, u8) {
    if shot.pillar.is_some_and(|(left, right)| (left..right).contains(&x)) {
        return (70, 128, 128);
    }
    shot.faces.iter().rev().find_map(|face| on_person(*face, x, y)).unwrap_or_else(|| {
        // Far from 0, so that no shift makes a coordinate negative.
        background(shot.scene, x + 1_000.0 - shot.shift.0, y + 1_000.0 - shot.shift.1)
    })
}

/// Brightness and colour of the portrait, pasted as `face` says.
fn on_person(face: Face, x: f32, y: f32) -> Option<(u8, u8, u8)> {
    let scale = FACE.2 / face.width;
    let (u, v) = (FACE.0 + (x - face.x) * scale, FACE.1 + (y - face.y) * scale);
    let part = face.part();
    if u < part.0 || v < part.1 || u >= part.2 || v >= part.3 {
        return None;
    }
    let portrait = portrait();
    // Each sample is the mean of the portrait's under it, so that small heads do not flicker.
    let reach = (scale / 2.0).max(0.5);
    let span = |middle: f32| {
        let first = (middle - reach).max(0.0) as usize;
        first..((middle + reach).ceil() as usize).clamp(first + 1, SIDE)
    };
    let (columns, rows) = (span(u), span(v));
    let count = (columns.len() * rows.len()) as u32;
    let mean = |plane: usize| {
        let cells = rows.clone().flat_map(|row| columns.clone().map(move |column| row * SIDE + column));
        (cells.map(|at| u32::from(portrait[plane * SIDE * SIDE + at])).sum::<u32>() / count) as u8
    };
    Some((mean(0), mean(1), mean(2)))
}

/// Something with edges and structure that looks like no face.
fn background(scene: u32, x: f32, y: f32) -> (u8, u8, u8) {
    let (cell_x, cell_y) = ((x / 37.0) as u32, (y / 23.0) as u32);
    let hash = (cell_x * 73 + cell_y * 151 + scene * 977).wrapping_mul(2_654_435_761) >> 24;
    let ripple = 12.0 * (x * 0.11 + scene as f32).sin() * (y * 0.07).cos();
    let base = 60.0 + hash as f32 * 0.45 + 60.0 * (scene % 2) as f32;
    ((base + ripple).clamp(16.0, 235.0) as u8, (110 + hash / 12) as u8, (140 - hash / 10) as u8)
}

/// The portrait in three planes of full size.
fn portrait() -> &'static [u8] {
    static PORTRAIT: OnceLock<Vec<u8>> = OnceLock::new();
    PORTRAIT.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/astronaut.png");
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(path)
            .args(["-f", "rawvideo", "-pix_fmt", "yuv444p", "pipe:1"])
            .output()
            .expect("the ffmpeg command is installed");
        assert_eq!(output.stdout.len(), 3 * SIDE * SIDE, "the portrait is {SIDE} pixels wide and high");
        output.stdout
    })
}

/// An encoded clip, gone when it is dropped.
pub struct Encoded {
    pub path: PathBuf,
    _directory: TempDir,
}

impl Encoded {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).expect("the clip was written")
    }

    /// A path beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

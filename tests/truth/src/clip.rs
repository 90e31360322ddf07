//! Clips: shots in a row, and how the ffmpeg command encodes them in any way.

use crate::{
    face::Face,
    orientation::Orientation,
    render::Renderer,
    shot::{Shot, TrueFace},
};
use std::{
    f32::consts::{FRAC_PI_2, FRAC_PI_4},
    io::Write,
    ops::Range,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};
use tempfile::TempDir;

/// Frames on either side of a cut that show the same street.
const SCENE: usize = 3;

/// A clip to render.
#[derive(Clone, Debug)]
pub struct Clip {
    pub width: usize,
    pub height: usize,
    pub rate: u32,
    pub shots: Vec<Shot>,
    /// How a frame is turned once it is drawn: its size and its shots are those of before.
    pub turned: Orientation,
}

impl Clip {
    /// A clip of `frames` frames at 25 per second with the faces that `faces` says.
    pub fn new(width: usize, height: usize, frames: usize, faces: impl Fn(f32) -> Vec<Face>) -> Self {
        Self::of(width, height, frames, |at| Shot { faces: faces(at), ..Shot::default() })
    }

    /// A clip of `frames` frames at 25 per second.
    pub fn of(width: usize, height: usize, frames: usize, shot: impl Fn(f32) -> Shot) -> Self {
        let shots = (0..frames).map(|index| shot(index as f32)).collect();
        Self { width, height, rate: 25, shots, turned: Orientation::UPRIGHT }
    }

    /// A face that walks from left to right.
    pub fn panning(width: usize, height: usize, frames: usize) -> Self {
        let (across, down) = (width as f32, height as f32);
        Self::new(width, height, frames, |at| {
            vec![Face::at(across * 0.3 + at * across * 0.006, down * 0.5, down * 0.16)]
        })
    }

    /// The same clip, some of its frames only.
    #[must_use]
    pub fn part(&self, frames: Range<usize>) -> Self {
        Self { shots: self.shots[frames].to_vec(), ..self.clone() }
    }

    /// The same clip, each frame turned once it is drawn.
    #[must_use]
    pub fn turned(self, turned: Orientation) -> Self {
        Self { turned, ..self }
    }

    /// Width and height of its frames.
    pub fn size(&self) -> (usize, usize) {
        self.turned.size((self.width, self.height))
    }

    /// Every face of every frame.
    pub fn truth(&self) -> Vec<Vec<TrueFace>> {
        let turned = |face: TrueFace| {
            let bounds = self.turned.bounds(face.bounds, (self.width, self.height));
            TrueFace { bounds, ..face }
        };
        let truth = |shot: &Shot| shot.truth(self.width, self.height).into_iter().map(turned).collect();
        self.shots.iter().map(truth).collect()
    }

    /// Whether this frame is one of the first three after a cut and shows nobody: what the scene before is blurred by must
    /// not be there any more. A street that lasts for less is no scene.
    pub fn is_emptied_by_a_cut(&self, frame: usize) -> bool {
        let alike = |frames: Range<usize>| {
            self.shots.get(frames).is_some_and(|shots| shots.windows(2).all(|pair| pair[0].scene == pair[1].scene))
        };
        let is_cut = |at: usize| {
            at >= SCENE
                && at < self.shots.len()
                && self.shots[at].scene != self.shots[at - 1].scene
                && alike(at - SCENE..at)
                && alike(at..at + SCENE)
        };
        self.shots[frame].faces.is_empty() && (0..SCENE).any(|since| frame.checked_sub(since).is_some_and(is_cut))
    }

    /// Whether the person of `face` stands at an angle to the frame of more than half a right one.
    pub fn is_turned(&self, face: Face) -> bool {
        let angle = face.tilt + f32::from(self.turned.quarters) * FRAC_PI_2;
        angle.cos() < FRAC_PI_4.cos()
    }

    /// Encodes the clip with the ffmpeg command: `inputs` are more inputs, `outputs` the options of the output, whose
    /// name ends in `extension`.
    pub fn encode(&self, extension: &str, inputs: &[&str], outputs: &[&str]) -> Encoded {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(format!("clip.{extension}"));
        let (width, height) = self.size();
        let size = format!("{width}x{height}");
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
            scope.spawn(move || {
                let mut renderer = Renderer::new(self);
                let mut shots = self.shots.iter().enumerate();
                // A muxer that has all it needs may close the pipe early; what it wrote is judged below.
                shots.try_for_each(|(number, shot)| input.write_all(&self.drawn(&mut renderer, shot, number)))
            });
            assert!(command.wait().expect("ffmpeg ends").success(), "ffmpeg encodes the clip");
        });
        Encoded { path, _directory: directory }
    }

    /// A frame in three planes of full size, turned.
    fn drawn(&self, renderer: &mut Renderer, shot: &Shot, number: usize) -> Vec<u8> {
        let size = (self.width, self.height);
        let planes = renderer.render(shot, number);
        planes.chunks_exact(size.0 * size.1).flat_map(|plane| self.turned.plane(plane, size)).collect()
    }

    /// The clip with sound in groups of `group` frames, which `parameters` says more about to x264.
    pub fn in_groups(&self, group: usize, parameters: &str, extension: &str) -> Encoded {
        let parameters = format!("keyint={group}:min-keyint={group}:scenecut=0:{parameters}");
        let picture = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-x264-params", &parameters];
        let sound = ["-c:a", "aac", "-shortest", "-muxdelay", "0"];
        let tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=8"];
        self.encode(extension, &tone, &[&picture[..], &sound].concat())
    }

    /// An MPEG-TS segment with B-frames and sound, whose times begin at `start` seconds.
    pub fn segment(&self, start: f64) -> Vec<u8> {
        let length = format!("{:.3}", self.shots.len() as f64 / f64::from(self.rate));
        let sound = format!("sine=frequency=440:duration={length}");
        self.segment_with(start, &["-f", "lavfi", "-i", &sound], &["-c:a", "aac", "-shortest"])
    }

    /// The same without sound.
    fn silent_segment(&self, start: f64) -> Vec<u8> {
        self.segment_with(start, &[], &[])
    }

    fn segment_with(&self, start: f64, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
        let start = start.to_string();
        let picture = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "250"];
        let times = ["-output_ts_offset", &start, "-muxdelay", "0"];
        self.encode("ts", inputs, &[&picture[..], &times, outputs].concat()).bytes()
    }
}

/// Clips one after another in the one track of an MPEG-TS file, whatever their sizes: as a browser sends them whose
/// picture changes its size on the way.
pub fn joined(clips: &[Clip]) -> Encoded {
    let directory = tempfile::tempdir().expect("a directory");
    // From zero on, the first of two B-frames would have to be decoded before there is time.
    let mut start = 10.0;
    let mut parts = Vec::new();
    for (index, clip) in clips.iter().enumerate() {
        let part = directory.path().join(format!("part{index}.ts"));
        std::fs::write(&part, clip.silent_segment(start)).expect("a part is written");
        parts.push(part.to_string_lossy().into_owned());
        start += clip.shots.len() as f64 / f64::from(clip.rate);
    }
    let path = directory.path().join("clip.ts");
    // Joined byte by byte, and the counters of the packets made to run on.
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-i", &format!("concat:{}", parts.join("|"))])
        .args(["-c", "copy", "-copyts", "-muxdelay", "0"])
        .arg(&path)
        .status();
    assert!(status.expect("the ffmpeg command is installed").success(), "ffmpeg joins the clips");
    Encoded { path, _directory: directory }
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

//! Decodes what came out and judges it by its pixels.

use crate::clip::Clip;
use bytes::Bytes;
use media::{Care, Decoder, Demuxer, Layout, Picture, Rotation, Scaler, Source};
use std::path::Path;

/// Correlation of the fine structure from which a face is known again, and how strong that structure must be.
const KNOWN_AGAIN: (f32, f32) = (0.5, 0.3);
/// Least likeness outside faces, in decibels.
const OUTSIDE_DB: f64 = 36.0;

/// A decoded frame, upright.
pub struct Frame {
    pub pts: i64,
    pub width: usize,
    pub height: usize,
    pub luma: Vec<u8>,
}

/// Packets of sound: time in the track's time base, bytes.
pub type Sound = Vec<(Option<i64>, Vec<u8>)>;

/// What is in a video.
pub struct Video {
    pub frames: Vec<Frame>,
    pub sound: Sound,
    /// Decoding times of the picture's packets.
    pub dts: Vec<i64>,
    pub codec: &'static str,
    pub rotation: Rotation,
    pub tracks: usize,
    /// Size as stored.
    pub size: (u32, u32),
}

/// Decodes a segment in full.
pub fn segment(bytes: &[u8]) -> Video {
    video(&Source::Segment(Bytes::copy_from_slice(bytes)))
}

/// Decodes a file in full.
pub fn file(path: &Path) -> Video {
    video(&Source::File(path))
}

fn video(source: &Source<'_>) -> Video {
    let mut demuxer = Demuxer::open(source).expect("it opens");
    let track = demuxer.video().expect("it has video");
    let mut decoder = Decoder::open(&demuxer, 1, Care::Copying).expect("it can be decoded");
    let mut video = Video {
        frames: Vec::new(),
        sound: Vec::new(),
        dts: Vec::new(),
        codec: demuxer.codec(track.index),
        rotation: track.rotation,
        tracks: 1 + demuxer.audio().len(),
        size: (0, 0),
    };
    let mut ended = false;
    while !ended {
        while let Some(picture) = decoder.receive().expect("every picture is sound") {
            video.size = (picture.width(), picture.height());
            video.frames.push(frame(&picture, track.rotation));
        }
        match demuxer.next().expect("every packet is sound") {
            None => {
                decoder.finish().expect("the last picture is sound");
                ended = true;
            }
            Some(packet) if packet.track() == track.index => {
                video.dts.extend(packet.dts());
                decoder.send(&packet).expect("every packet can be decoded");
            }
            Some(packet) => video.sound.push((packet.pts(), packet.data().to_vec())),
        }
    }
    while let Some(picture) = decoder.receive().expect("every picture is sound") {
        video.size = (picture.width(), picture.height());
        video.frames.push(frame(&picture, track.rotation));
    }
    video
}

fn frame(picture: &Picture, rotation: Rotation) -> Frame {
    let mut scaler = Scaler::new(Layout::Yuv444, picture.width(), picture.height());
    let picture = scaler.convert(picture).expect("its pixels can be read");
    let picture = picture.turned(rotation).expect("it can be turned");
    let plane = picture.plane(0).expect("a plane");
    let luma = plane.data.chunks(plane.stride).flat_map(|row| &row[..plane.width]).copied().collect();
    Frame { pts: picture.pts(), width: plane.width, height: plane.height, luma }
}

/// Asserts that no face of `clip` can be known again in `redacted` and that the rest of it is as in `original`.
pub fn assert_redacted(clip: &Clip, original: &[Frame], redacted: &[Frame]) {
    assert_eq!(original.len(), clip.shots.len(), "the source has every frame");
    assert_eq!(redacted.len(), clip.shots.len(), "the output has every frame");
    let bare = bare_faces(clip, original, redacted);
    assert!(bare.is_empty(), "faces known again: {bare:?}");
    let likeness = likeness_outside(clip, original, redacted);
    assert!(likeness >= OUTSIDE_DB, "{likeness:.1} dB outside faces");
}

/// Frame and index of every face that can be known again; one of which a quarter or less is in the picture cannot.
pub fn bare_faces(clip: &Clip, original: &[Frame], redacted: &[Frame]) -> Vec<(usize, usize)> {
    let mut bare = Vec::new();
    for (number, ((shot, original), redacted)) in clip.shots.iter().zip(original).zip(redacted).enumerate() {
        for (index, face) in shot.faces.iter().enumerate() {
            let (left, top, right, bottom) = face.bounds();
            let (trim_x, trim_y) = ((right - left) * 0.1, (bottom - top) * 0.1);
            let hidden = shot.pillar.is_some_and(|(from, to)| from < right && to > left)
                || shot.faces[index + 1..].iter().any(|nearer| nearer.hides(*face));
            let area = Area::new(original, left + trim_x, top + trim_y, right - trim_x, bottom - trim_y);
            let whole = 0.64 * (right - left) * (bottom - top);
            if hidden || (area.count() as f32) < 0.25 * whole {
                continue;
            }
            let radius = ((right - left) / 8.0).max(1.0) as usize;
            let (a, b) = (fine(original, &area, radius), fine(redacted, &area, radius));
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let (power_a, power_b) = (dot(&a, &a).sqrt(), dot(&b, &b).sqrt());
            let correlation = dot(&a, &b) / (power_a * power_b).max(f32::EPSILON);
            if correlation > KNOWN_AGAIN.0 && power_b > KNOWN_AGAIN.1 * power_a {
                bare.push((number, index));
            }
        }
    }
    bare
}

/// Peak signal to noise ratio outside all faces, grown to twice their size.
fn likeness_outside(clip: &Clip, original: &[Frame], redacted: &[Frame]) -> f64 {
    let (mut sum, mut count) = (0.0_f64, 0_u64);
    for ((shot, original), redacted) in clip.shots.iter().zip(original).zip(redacted) {
        let faces: Vec<_> = shot.faces.iter().map(|face| face.bounds()).collect();
        for (at, (a, b)) in original.luma.iter().zip(&redacted.luma).enumerate() {
            let (x, y) = ((at % original.width) as f32, (at / original.width) as f32);
            let near = faces.iter().any(|(left, top, right, bottom)| {
                let (grow_x, grow_y) = ((right - left) / 2.0, (bottom - top) / 2.0);
                x > left - grow_x && x < right + grow_x && y > top - grow_y && y < bottom + grow_y
            });
            if !near {
                sum += f64::from(a.abs_diff(*b)).powi(2);
                count += 1;
            }
        }
    }
    10.0 * (255.0 * 255.0 / (sum / count.max(1) as f64).max(1e-9)).log10()
}

/// A rectangle within a frame.
struct Area {
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
}

impl Area {
    fn new(frame: &Frame, left: f32, top: f32, right: f32, bottom: f32) -> Self {
        let clip = |at: f32, length: usize| (at.max(0.0) as usize).min(length);
        let columns = clip(left, frame.width)..clip(right, frame.width);
        Self { columns, rows: clip(top, frame.height)..clip(bottom, frame.height) }
    }

    fn count(&self) -> usize {
        self.columns.len() * self.rows.len()
    }
}

/// What is finer than `radius` in `area`, its mean taken away.
fn fine(frame: &Frame, area: &Area, radius: usize) -> Vec<f32> {
    let at = |x: usize, y: usize| f32::from(frame.luma[y * frame.width + x]);
    let mut values = Vec::with_capacity(area.count());
    for y in area.rows.clone() {
        for x in area.columns.clone() {
            let (left, right) = (x.saturating_sub(radius), (x + radius).min(frame.width - 1));
            let (top, bottom) = (y.saturating_sub(radius), (y + radius).min(frame.height - 1));
            let sum: f32 =
                (top..=bottom).flat_map(|y| (left..=right).map(move |x| (x, y))).map(|(x, y)| at(x, y)).sum();
            values.push(at(x, y) - sum / ((right - left + 1) * (bottom - top + 1)) as f32);
        }
    }
    let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
    values.into_iter().map(|value| value - mean).collect()
}

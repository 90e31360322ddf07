//! The display matrix of an MP4 or QuickTime file: how the stored frames have to be turned to be shown. It is read and
//! written here byte by byte, so that no library's idea of it decides what the judge sees.

use crate::orientation::Orientation;
use std::{ops::Range, path::Path};

/// The unit of the matrix's numbers, which have 16 binary places.
const ONE: i32 = 1 << 16;
/// The last number, which has 30.
const ONE_OF_THE_LAST: i32 = 1 << 30;

/// How the frames of the video in the file at `path` have to be turned; those of another container, not at all.
pub fn orientation(path: &Path) -> Orientation {
    if !has_matrix(path) {
        return Orientation::UPRIGHT;
    }
    let file = std::fs::read(path).expect("the file can be read");
    let (matrix, _) = places(&file);
    let number = |index: usize| i32::from_be_bytes(file[matrix.start + 4 * index..][..4].try_into().expect("4 bytes"));
    let (across, down) = ((number(0), number(1)), (number(3), number(4)));
    let mirrored = i64::from(across.0) * i64::from(down.1) < i64::from(across.1) * i64::from(down.0);
    let (x, y) = if mirrored { (-across.0, -across.1) } else { across };
    let quarters = match (x.signum(), y.signum()) {
        (0, 1) => 1,
        (-1, 0) => 2,
        (0, -1) => 3,
        _ => 0,
    };
    Orientation { mirrored, quarters }
}

/// Has the video in the file at `path` shown turned so.
pub fn set_orientation(path: &Path, orientation: Orientation) {
    let mut file = std::fs::read(path).expect("the file can be read");
    let (matrix, size) = places(&file);
    let length = |index: usize| i32::from_be_bytes(file[size.start + 4 * index..][..4].try_into().expect("4 bytes"));
    let numbers = numbers(orientation, (length(0), length(1)));
    for (bytes, number) in file[matrix].chunks_exact_mut(4).zip(numbers) {
        bytes.copy_from_slice(&number.to_be_bytes());
    }
    std::fs::write(path, file).expect("the file can be written");
}

/// The nine numbers that turn a frame of this size and put its left upper corner where it was.
fn numbers(orientation: Orientation, (width, height): (i32, i32)) -> [i32; 9] {
    let (mut across, down, mut corner) = match orientation.quarters {
        0 => ((ONE, 0), (0, ONE), (0, 0)),
        1 => ((0, ONE), (-ONE, 0), (height, 0)),
        2 => ((-ONE, 0), (0, -ONE), (width, height)),
        _ => ((0, -ONE), (ONE, 0), (0, width)),
    };
    if orientation.mirrored {
        corner = (corner.0 + across.0 / ONE * width, corner.1 + across.1 / ONE * width);
        across = (-across.0, -across.1);
    }
    [across.0, across.1, 0, down.0, down.1, 0, corner.0, corner.1, ONE_OF_THE_LAST]
}

fn has_matrix(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    matches!(extension.as_str(), "mp4" | "m4v" | "mov")
}

/// Where the matrix of the first video track is, and where its width and height are.
fn places(file: &[u8]) -> (Range<usize>, Range<usize>) {
    let movie = boxes(file, 0..file.len()).find(|(kind, _)| kind == b"moov").expect("a movie").1;
    let tracks = boxes(file, movie).filter(|(kind, _)| kind == b"trak");
    let is_video = |track: &Range<usize>| {
        let media = boxes(file, track.clone()).filter(|(kind, _)| kind == b"mdia");
        let mut handlers = media.flat_map(|(_, media)| boxes(file, media)).filter(|(kind, _)| kind == b"hdlr");
        handlers.any(|(_, handler)| &file[handler][8..12] == b"vide")
    };
    let track = tracks.map(|(_, track)| track).find(is_video).expect("a video track");
    let header = boxes(file, track).find(|(kind, _)| kind == b"tkhd").expect("its header").1;
    // Version 1 has three times of 8 bytes where version 0 has three of 4.
    let start = header.start + if file[header.start] == 0 { 40 } else { 52 };
    (start..start + 36, start + 36..start + 44)
}

/// The boxes in a part of a file: the kind of each, and where its content is.
fn boxes(file: &[u8], within: Range<usize>) -> impl Iterator<Item = ([u8; 4], Range<usize>)> {
    let mut at = within.start;
    std::iter::from_fn(move || {
        let head = file.get(at..at + 8).filter(|_| at + 8 <= within.end)?;
        let kind: [u8; 4] = head[4..].try_into().expect("4 bytes");
        let short = u32::from_be_bytes(head[..4].try_into().expect("4 bytes")) as usize;
        let (header, length) = match short {
            0 => (8, within.end - at),
            1 => (16, u64::from_be_bytes(file.get(at + 8..at + 16)?.try_into().expect("8 bytes")) as usize),
            _ => (8, short),
        };
        let content = at + header..(at + length).min(within.end);
        at += length.max(header);
        Some((kind, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clip::Clip, video::Video};
    use std::process::Command;

    #[test]
    fn what_is_written_is_read_and_ffmpeg_shows_the_same() {
        let clip = Clip::panning(160, 96, 2);
        let encode = |clip: &Clip| clip.encode("mp4", &[], &["-pix_fmt", "yuv444p", "-c:v", "libx264", "-crf", "10"]);
        let upright = Video::of_file(&encode(&clip).path).frames;
        for orientation in Orientation::all() {
            let lying = encode(&clip.clone().turned(orientation.inverse()));
            set_orientation(&lying.path, orientation);
            let video = Video::of_file(&lying.path);
            assert_eq!(video.orientation, orientation);
            let shown = Command::new("ffmpeg")
                .args(["-v", "error", "-i"])
                .arg(&lying.path)
                .args(["-f", "rawvideo", "-pix_fmt", "yuv444p", "pipe:1"])
                .output()
                .expect("the ffmpeg command is installed")
                .stdout;
            assert_eq!(shown.len(), 2 * 3 * 160 * 96, "{orientation:?}");
            for (frame, (planes, expected)) in video.frames.iter().zip(shown.chunks(3 * 160 * 96).zip(&upright)) {
                assert_eq!((frame.width, frame.height), (160, 96), "{orientation:?}");
                assert_eq!(frame.luma, planes[..160 * 96], "{orientation:?}");
                let pairs = frame.luma.iter().zip(&expected.luma);
                let off: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
                assert!(off < 2 * 160 * 96, "{orientation:?} is the clip");
            }
        }
    }
}

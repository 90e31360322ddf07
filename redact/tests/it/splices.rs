//! Groups of pictures on which there is nothing to blur are copied, and play on in those encoded anew.

use crate::engine;
use bytes::Bytes;
use ground_truth::{
    Clip, Face, Video,
    judge::{assert_redacted, bare_faces},
};
use media::{Demuxer, Source};
use redact::{Redacted, SegmentInput};

/// Frames in a group.
const GROUP: usize = 25;
const GROUPS: usize = 8;

/// A street through which somebody walks during the fourth group.
pub fn passing() -> Clip {
    Clip::new(640, 360, GROUP * GROUPS, |at| {
        let steps = at - (3 * GROUP) as f32;
        let walks = (0.0..GROUP as f32).contains(&steps);
        if walks { vec![Face::at(steps.mul_add(6.0, 240.0), 180.0, 56.0)] } else { Vec::new() }
    })
}

/// Times and bytes of the packets of the picture, stripped as everything is that is published.
pub fn packets(source: &Source<'_>) -> Vec<(Option<i64>, Option<i64>, Vec<u8>)> {
    let mut demuxer = Demuxer::open(source).expect("it opens");
    let video = demuxer.video().expect("it has a picture").index;
    let strip = demuxer.strip(video).expect("it can be copied");
    let mut packets = Vec::new();
    while let Some(packet) = demuxer.next().expect("it is whole") {
        if packet.track() == video {
            let data = strip.unit(packet.data()).expect("it is framed well").into_owned();
            packets.push((packet.pts(), packet.dts(), data));
        }
    }
    packets
}

/// Asserts that every frame of the segment `source` was copied to `output`, with its times, and the audio, too.
pub fn assert_copied(source: &[u8], output: &[u8]) {
    let [before, after] = [source, output].map(|bytes| packets(&Source::Segment(Bytes::copy_from_slice(bytes))));
    assert_eq!(before.len(), after.len());
    assert!(before == after, "packets differ");
    let [before, after] = [source, output].map(Video::of_segment);
    assert!(before.sound == after.sound, "audio differs");
    let shown =
        |video: &Video| -> Vec<_> { video.frames.iter().map(|frame| (frame.pts, frame.luma.clone())).collect() };
    assert!(shown(&before) == shown(&after), "frames differ");
}

fn redact(source: &[u8]) -> (Redacted, Vec<u8>) {
    let input = SegmentInput { name: "passing", before: None, target: source, after: None };
    let redacted = engine().segment(input).expect("the segment is redacted");
    assert!(redacted.receipt.faces_blurred > 0, "no face was found");
    let bytes = redacted.bytes.clone();
    (redacted, bytes)
}

#[test]
fn groups_without_faces_are_copied_and_the_others_fit_between_them() {
    let clip = passing();
    for groups in ["bframes=0", "bframes=3:b-adapt=0:open-gop=0"] {
        let source = clip.in_groups(GROUP, groups, "ts").bytes();
        let (redacted, output) = redact(&source);
        let [before, after] = [&source, &output].map(|bytes| packets(&Source::Segment(Bytes::copy_from_slice(bytes))));
        assert_eq!(before.len(), after.len(), "{groups}");
        let same = |group: usize| before[group * GROUP..][..GROUP] == after[group * GROUP..][..GROUP];
        let taken: Vec<usize> = (0..GROUPS).filter(|group| same(*group)).collect();
        // A second on either side may be covered too, as far as the picture resembles a face there.
        assert!([0, 1, 5, 6, 7].iter().all(|group| taken.contains(group)), "{groups}: taken over are {taken:?}");
        assert!(!taken.contains(&3), "{groups}: the group with the face is encoded anew");
        assert_eq!(redacted.receipt.frames_copied, (taken.len() * GROUP) as u64, "{groups}");
        assert!(after.is_sorted_by(|a, b| a.1 < b.1), "{groups}: decoding times grow");
        let [original, blurred] = [&source, &output].map(|bytes| Video::of_segment(bytes));
        assert_redacted(&clip, &original.frames, &blurred.frames);
        assert_eq!(original.sound, blurred.sound, "{groups}");
    }
}

#[test]
fn an_open_group_is_not_taken_over_since_it_refers_to_the_one_before() {
    let clip = passing();
    let source = clip.in_groups(GROUP, "bframes=3:b-adapt=0:open-gop=1", "ts").bytes();
    let (redacted, output) = redact(&source);
    assert_eq!(redacted.receipt.frames_copied, 0);
    assert_redacted(&clip, &Video::of_segment(&source).frames, &Video::of_segment(&output).frames);
}

#[test]
fn a_file_keeps_its_groups_where_its_container_can_change_the_coding_between_them() {
    let clip = passing();
    let source = clip.in_groups(GROUP, "bframes=2", "ts");
    for (name, copies) in [("out.ts", true), ("out.mp4", false)] {
        let output = source.beside(name);
        let receipt = engine().blur_file(&source.path, &output, &mut |_| {}).expect("it is blurred");
        assert_eq!(receipt.frames_copied > 0, copies, "{name}");
        let bare = bare_faces(&clip, &Video::of_file(&source.path).frames, &Video::of_file(&output).frames);
        assert!(bare.is_empty(), "{name}: bare on {bare:?}");
    }
}

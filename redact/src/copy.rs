//! Copies the packets of an input in which there is nothing to blur: its video track and its audio tracks, with their
//! times, into a container of our own.
//!
//! Nothing is published as the file it came in, since nobody knows what else is in that: further tracks, titles,
//! positions, data beside the frames.

use crate::{
    Error, Options,
    pass::{Output, Pass},
};
use media::{Container, Demuxer, Muxer, Packet};

/// The audio tracks to keep.
pub(crate) fn audio(demuxer: &Demuxer, options: &Options) -> Vec<usize> {
    if options.mute { Vec::new() } else { demuxer.audio() }
}

/// Copies the examined track and the audio; `None` when the frames have to be encoded after all, since the container
/// does not take their codec, their rotation or their times, since metadata may be anywhere in packets of that codec, or
/// since there is more in the packets than the `frames` that were shown and examined.
pub(crate) fn copy(pass: &Pass<'_>, options: &Options, frames: u64) -> Result<Option<Output>, Error> {
    let muxer = (pass.muxer)()?;
    match copy_packets(pass, options, muxer, frames) {
        Err(media::Error::Mux(reason)) => {
            tracing::info!(reason, "the frames are encoded anew, since their packets cannot be copied");
            Ok(None)
        }
        copied => copied.map_err(|error| Error::media(pass.footage.what, error)),
    }
}

fn copy_packets(
    pass: &Pass<'_>,
    options: &Options,
    mut muxer: Muxer,
    frames: u64,
) -> Result<Option<Output>, media::Error> {
    let mut demuxer = Demuxer::open(&pass.footage.target)?;
    let video = demuxer.video()?;
    let turned = !video.orientation.is_upright() && !pass.container.holds_rotation();
    if turned || !demuxer.fits(video.index, pass.container) || !demuxer.is_copyable(video.index) {
        return Ok(None);
    }
    let mut tracks = vec![(video.index, muxer.add_copy(&demuxer, video.index)?)];
    for index in audio(&demuxer, options) {
        tracks.push((index, muxer.add_copy(&demuxer, index)?));
    }
    muxer.begin()?;
    let mut copied = 0;
    while let Some(packet) = demuxer.next()? {
        let Some((source, target)) = tracks.iter().find(|(source, _)| *source == packet.track()) else { continue };
        if *source == video.index {
            copied += 1;
            if demuxer.changes_coding(&packet) || !can_be_copied(&packet, pass.container) {
                return Ok(None);
            }
        }
        muxer.write(*target, packet)?;
    }
    let bytes = muxer.finish()?;
    Ok((copied == frames).then_some(Output { bytes, copied }))
}

/// Whether a packet of the video track is shown and, in MPEG-TS, has the times that it must keep.
fn can_be_copied(packet: &Packet, container: Container) -> bool {
    let is_timed = packet.pts().is_some() && packet.dts().is_some();
    !packet.is_discarded() && (is_timed || container != Container::MpegTs)
}

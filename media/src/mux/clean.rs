//! The one place that everything published goes through: what a muxer writes of a packet and of a track's header.
//!
//! Side data is dropped as well, since muxers write some of it: alpha frames that nobody has examined, text, the time of
//! day. Only how many samples of audio are to be skipped is needed for playing.
#![expect(unsafe_code, reason = "side data and extradata of libav's structures that the wrapper does not give")]

use crate::{
    Error, Packet,
    strip::{self, Strip},
};
use ff::{
    ffi,
    packet::{Mut as _, side_data::Type},
};
use ffmpeg_next as ff;
use std::borrow::Cow;

/// A track being written.
pub(super) struct Track {
    /// The unit of the times its packets come with.
    pub time_base: ff::Rational,
    /// What is stripped of its packets; `None` for audio.
    pub strip: Option<Strip>,
}

impl Track {
    /// The track whose parameters are these, from which it also takes what is not to be written.
    pub fn of(time_base: ff::Rational, stream: &mut ff::StreamMut<'_>, captions: bool) -> Result<Self, Error> {
        let (codec, medium) = (stream.parameters().id(), stream.parameters().medium());
        let before = extradata(stream).to_vec();
        let is_video = medium == ff::media::Type::Video;
        let strip = is_video.then(|| Strip::of(codec, &before, captions)).transpose()?;
        let after = if is_video { strip::parameter_sets(codec, &before)? } else { strip::comments(codec, &before)? };
        if after != before {
            set_extradata(stream, &after)?;
        }
        Ok(Self { time_base, strip })
    }

    /// What of `packet` is written; `None` when nothing is left.
    pub fn clean(&self, mut packet: Packet) -> Result<Option<Packet>, Error> {
        let Some(strip) = &self.strip else {
            keep_skipped_samples(&mut packet.0)?;
            return Ok(Some(packet));
        };
        if let Cow::Owned(bytes) = strip.unit(packet.data())? {
            if bytes.is_empty() {
                return Ok(None);
            }
            let mut shorter = ff::Packet::copy(&bytes);
            shorter.set_pts(packet.0.pts());
            shorter.set_dts(packet.0.dts());
            shorter.set_duration(packet.0.duration());
            shorter.set_flags(packet.0.flags());
            packet.0 = shorter;
        }
        drop_side_data(&mut packet.0);
        Ok(Some(packet))
    }
}

fn drop_side_data(packet: &mut ff::Packet) {
    // SAFETY: the packet is valid and its side data its own.
    unsafe { ffi::av_packet_free_side_data(packet.as_mut_ptr()) };
}

fn keep_skipped_samples(packet: &mut ff::Packet) -> Result<(), Error> {
    let skipped = packet.side_data().find(|data| data.kind() == Type::SkipSamples).map(|data| data.data().to_vec());
    drop_side_data(packet);
    let Some(skipped) = skipped else { return Ok(()) };
    // SAFETY: libav gives room for as many bytes as are copied, or null.
    unsafe {
        let room = ffi::av_packet_new_side_data(packet.as_mut_ptr(), Type::SkipSamples.into(), skipped.len());
        if room.is_null() {
            return Err(Error::Mux("no memory for side data".to_owned()));
        }
        std::ptr::copy_nonoverlapping(skipped.as_ptr(), room, skipped.len());
    }
    Ok(())
}

/// The extradata of `stream`.
pub(crate) fn extradata<'a>(stream: &'a ff::Stream<'_>) -> &'a [u8] {
    // SAFETY: the parameters live as long as the stream, which is borrowed; the size is that of the buffer.
    unsafe {
        let parameters = (*stream.as_ptr()).codecpar;
        let length = usize::try_from((*parameters).extradata_size).unwrap_or(0);
        if (*parameters).extradata.is_null() {
            &[]
        } else {
            std::slice::from_raw_parts((*parameters).extradata, length)
        }
    }
}

/// Gives `stream` a copy of `bytes` as its extradata.
pub(super) fn set_extradata(stream: &mut ff::StreamMut<'_>, bytes: &[u8]) -> Result<(), Error> {
    let size = i32::try_from(bytes.len()).map_err(|_| Error::Mux("extradata is too long".to_owned()))?;
    // SAFETY: the stream has parameters of its own, which libav frees together with the buffer given to them; that is
    // zeroed, longer than the copy by the padding that readers may look at, and not null when it is written.
    unsafe {
        let parameters = (*stream.as_mut_ptr()).codecpar;
        ffi::av_freep((&raw mut (*parameters).extradata).cast());
        (*parameters).extradata_size = 0;
        if bytes.is_empty() {
            return Ok(());
        }
        let room = ffi::av_mallocz(bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
        if room.is_null() {
            return Err(Error::Mux("no memory for extradata".to_owned()));
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
        (*parameters).extradata = room;
        (*parameters).extradata_size = size;
    }
    Ok(())
}

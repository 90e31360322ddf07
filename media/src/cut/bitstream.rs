//! H.264 as MPEG-TS wants it: start codes instead of lengths, parameter sets before every keyframe.
//!
//! libav's `h264_mp4toannexb` filter does it, whatever the container; packets that are so already pass unchanged.

#![expect(unsafe_code, reason = "ffmpeg-next has no wrapper for bitstream filters")]

use super::{During as _, Fault, is_again};
use ff::{ffi, packet::Mut as _};
use ffmpeg_next as ff;
use std::ptr::NonNull;

const STEP: &str = "rewriting H.264";

/// The filter, ready for packets of one stream.
pub(super) struct AnnexB(NonNull<ffi::AVBSFContext>);

// SAFETY: the context is owned by this value alone and libav ties it to no thread.
unsafe impl Send for AnnexB {}

fn check(code: i32) -> Result<(), Fault> {
    if code < 0 { Err(ff::Error::from(code)).during(STEP) } else { Ok(()) }
}

impl AnnexB {
    /// A filter for packets of `stream`.
    pub(super) fn new(stream: &ff::Stream<'_>) -> Result<Self, Fault> {
        let parameters = stream.parameters();
        // SAFETY: the name is a C string; `context` is set by av_bsf_alloc before it is used and freed in `drop`;
        // `parameters` lives through the copy.
        unsafe {
            let filter = ffi::av_bsf_get_by_name(c"h264_mp4toannexb".as_ptr());
            if filter.is_null() {
                return Err(ff::Error::BsfNotFound).during(STEP);
            }
            let mut context = std::ptr::null_mut();
            check(ffi::av_bsf_alloc(filter, &raw mut context))?;
            let owned = NonNull::new(context).map(Self).ok_or(ff::Error::Unknown).during(STEP)?;
            let context = owned.0.as_ptr();
            check(ffi::avcodec_parameters_copy((*context).par_in, parameters.as_ptr()))?;
            (*context).time_base_in = stream.time_base().into();
            check(ffi::av_bsf_init(context))?;
            Ok(owned)
        }
    }

    /// How the rewritten packets are coded.
    pub(super) fn parameters(&self) -> Result<ff::codec::Parameters, Fault> {
        let mut parameters = ff::codec::Parameters::new();
        // SAFETY: both sides are allocated and initialised; the copy is deep.
        check(unsafe { ffi::avcodec_parameters_copy(parameters.as_mut_ptr(), (*self.0.as_ptr()).par_out) })?;
        Ok(parameters)
    }

    /// Rewrites a packet and hands on what comes out.
    pub(super) fn pass(&mut self, mut packet: ff::Packet, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        // SAFETY: the filter takes the packet's reference over and leaves it empty.
        check(unsafe { ffi::av_bsf_send_packet(self.0.as_ptr(), packet.as_mut_ptr()) })?;
        self.receive(out)
    }

    /// Hands on what the filter still holds.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        // SAFETY: a null packet says that nothing follows.
        check(unsafe { ffi::av_bsf_send_packet(self.0.as_ptr(), std::ptr::null_mut()) })?;
        self.receive(out)
    }

    fn receive(&mut self, out: &mut dyn FnMut(ff::Packet)) -> Result<(), Fault> {
        loop {
            let mut packet = ff::Packet::empty();
            // SAFETY: `packet` is empty and takes over the reference that comes out.
            match unsafe { ffi::av_bsf_receive_packet(self.0.as_ptr(), packet.as_mut_ptr()) } {
                code if code >= 0 => out(packet),
                code => match ff::Error::from(code) {
                    ff::Error::Eof => return Ok(()),
                    again if is_again(again) => return Ok(()),
                    error => return Err(error).during(STEP),
                },
            }
        }
    }
}

impl Drop for AnnexB {
    fn drop(&mut self) {
        let mut context = self.0.as_ptr();
        // SAFETY: allocated by av_bsf_alloc, freed once.
        unsafe { ffi::av_bsf_free(&raw mut context) };
    }
}

/// Whether an Annex B access unit holds an IDR picture (NAL unit type 5, ITU-T H.264 table 7-1): decoding may begin
/// there, and nothing after it looks back. libav also calls recovery points keyframes, which are less.
pub(super) fn is_idr(unit: &[u8]) -> bool {
    unit.windows(4).any(|bytes| matches!(bytes, [0, 0, 1, header] if header & 0x1f == 5))
}

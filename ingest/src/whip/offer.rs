//! Reads an offer and answers it: one H.264 picture, at most one Opus sound, one encoding of each, or a clear refusal.
//!
//! What is agreed on is narrower than what the WebRTC engine could do. Above all, video orientation is not agreed on,
//! so that phones turn the picture itself: H.264 in MPEG-TS has no place for an angle.

use super::{Config, socket::Socket};
use live::WhipError;
use std::{collections::HashSet, sync::Arc, time::Instant};
use str0m::{
    Candidate, IceCreds, Rtc,
    change::SdpOffer,
    config::{CryptoProvider, DtlsCert},
    crypto::from_feature_flags,
    media::Mid,
    rtp::Extension,
};

/// Frames held back while an earlier one is asked for again: two seconds.
const HELD_PICTURES: usize = 60;
/// The profiles taken: baseline, constrained baseline, main, high, constrained high; level 3.1, the offer's may differ.
const PROFILES: [u32; 5] = [0x42_001f, 0x42_e01f, 0x4d_001f, 0x64_001f, 0x64_0c1f];
/// What Chromium is asked to begin with, kilobits per second (its own parameter; others pass over it). Left alone it
/// begins with 300, and the first seconds of a broadcast are 320 pixels across.
const START_KBPS: u32 = 1_000;
/// Characters of the engine's words that a publisher is told.
const REASON: usize = 160;

/// What every session shows its peer: made once, because a key costs time.
pub(super) struct Identity {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
}

impl Identity {
    /// A new one; `None` when the cryptographic library gives none.
    pub(super) fn generate() -> Option<Self> {
        let crypto = Arc::new(from_feature_flags());
        let certificate = crypto.dtls_provider.generate_certificate()?;
        Some(Self { crypto, certificate })
    }
}

/// An offer that was accepted.
pub(super) struct Agreed {
    pub(super) rtc: Rtc,
    /// Our ICE username fragment, by which the peer's requests are told from others.
    pub(super) username: String,
    pub(super) answer: String,
    pub(super) video: Mid,
    pub(super) audio: Option<Mid>,
}

/// Answers an offer.
pub(super) fn agree(offer: &str, config: &Config, identity: &Identity, socket: &Socket) -> Result<Agreed, WhipError> {
    if offer.len() > config.max_offer_bytes {
        return Err(WhipError::BadOffer(format!("it is longer than {} bytes", config.max_offer_bytes)));
    }
    survey(offer)?;
    negotiate(offer, identity, socket)
}

/// Refuses what we do not take, by the lines of the offer alone, so that the reason is clear.
fn survey(offer: &str) -> Result<(), WhipError> {
    let count = |prefix: &str| offer.lines().filter(|line| line.starts_with(prefix)).count();
    let unacceptable = |reason: &str| Err(WhipError::Unacceptable(reason.to_owned()));
    if !offer.starts_with("v=0") {
        return Err(WhipError::BadOffer("it is no session description".to_owned()));
    }
    let (video, audio) = (count("m=video "), count("m=audio "));
    if video + audio != count("m=") {
        return unacceptable("only picture and sound are taken, no data channel");
    }
    if video == 0 {
        return unacceptable("the offer has no picture: a broadcast needs H.264 video");
    }
    if video > 1 || audio > 1 {
        return unacceptable("only one picture and one sound are taken");
    }
    if count("a=simulcast:") + count("a=rid:") + count("a=ssrc-group:SIM") > 0 {
        return unacceptable("simulcast is not taken: send one encoding");
    }
    if audio > 0 && count("a=group:BUNDLE ") == 0 {
        return unacceptable("picture and sound must be bundled (a=group:BUNDLE)");
    }
    // With picture and sound in one bundle, a number of two meanings says nothing (RFC 8843, 10.1.2).
    let mut payload_types = HashSet::new();
    let twice = offer
        .lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_whitespace().next())
        .any(|payload_type| !payload_types.insert(payload_type));
    if twice {
        return Err(WhipError::BadOffer("a payload type is given twice".to_owned()));
    }
    Ok(())
}

fn negotiate(offer: &str, identity: &Identity, socket: &Socket) -> Result<Agreed, WhipError> {
    let offer = SdpOffer::from_sdp_string(offer).map_err(|error| bad(&error))?;
    let credentials = IceCreds::new();
    let username = credentials.ufrag.clone();
    let mut rtc = engine(identity, credentials);
    for address in socket.advertised() {
        match Candidate::host(*address, "udp") {
            Ok(candidate) => _ = rtc.add_local_candidate(candidate),
            Err(error) => tracing::debug!(%address, %error, "an address cannot be offered"),
        }
    }
    let answer = rtc.sdp_api().accept_offer(offer).map_err(|error| bad(&error))?.to_sdp_string();
    let video = agreed(&answer, "video", "H264/90000").ok_or_else(|| {
        WhipError::Unacceptable("the offer has no picture to send in H.264 with packetization-mode=1".to_owned())
    })?;
    let audio = agreed(&answer, "audio", "opus/48000/2");
    if audio.is_none() && answer.contains("m=audio ") {
        return Err(WhipError::Unacceptable("the offer has sound, but none to send in Opus".to_owned()));
    }
    Ok(Agreed { rtc, username, answer: with_start(&answer), video, audio })
}

/// The answer, with the bit rate that the picture is to begin with.
fn with_start(answer: &str) -> String {
    let lines = answer.split_inclusive("\r\n").map(|line| match line.strip_suffix("\r\n") {
        Some(line) if line.starts_with("a=fmtp:") && line.contains("profile-level-id=") => {
            format!("{line};x-google-start-bitrate={START_KBPS}\r\n")
        }
        _ => line.to_owned(),
    });
    lines.collect()
}

/// The medium of a kind that our answer agrees to receive in a codec. The engine itself tells only once connected.
fn agreed(answer: &str, kind: &str, codec: &str) -> Option<Mid> {
    let section = answer.split("m=").find_map(|section| section.strip_prefix(kind))?;
    let receives = section.contains("a=recvonly") || section.contains("a=sendrecv");
    let is_codec = section.lines().any(|line| line.starts_with("a=rtpmap:") && line.ends_with(codec));
    let mid = section.lines().find_map(|line| line.strip_prefix("a=mid:"))?;
    (receives && is_codec).then(|| Mid::from(mid))
}

fn engine(identity: &Identity, credentials: IceCreds) -> Rtc {
    let mut config = Rtc::builder()
        .set_crypto_provider(identity.crypto.clone())
        .set_dtls_cert(identity.certificate.clone())
        .set_local_ice_credentials(credentials)
        .set_ice_lite(true)
        .set_reordering_size_video(HELD_PICTURES)
        .clear_codecs()
        .enable_opus(true, false)
        .clear_extension_map()
        .set_extension(1, Extension::RtpMid)
        .set_extension(2, Extension::TransportSequenceNumber)
        .set_extension(3, Extension::AbsoluteSendTime);
    for (number, profile) in (0_u8..).zip(PROFILES) {
        // The numbers are placeholders: the offer's are taken over.
        config.codec_config().add_h264((96 + 2 * number).into(), Some((97 + 2 * number).into()), true, profile);
    }
    config.build(Instant::now())
}

fn bad(error: &dyn std::fmt::Display) -> WhipError {
    WhipError::BadOffer(error.to_string().chars().take(REASON).collect())
}

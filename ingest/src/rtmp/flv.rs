//! The bodies of RTMP's picture and sound messages: FLV tags (Adobe FLV 10.1, annex E) and those of Enhanced RTMP.
//!
//! H.264 and AAC are taken, whichever of the two says it; anything else is refused by its name.

use crate::{
    h264::Configuration,
    sample::{AacConfig, Sample, Track, Unit},
};
use bytes::{Buf as _, Bytes};

/// Ticks of 90 kHz in a millisecond.
const TICKS_PER_MILLI: i64 = 90;
/// Samples per second by their index in an AudioSpecificConfig (ISO/IEC 14496-3, table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// AAC-LC, and the two that extend it (ISO/IEC 14496-3, table 1.17).
const AAC_LC: u8 = 2;
const SBR: u8 = 5;
const PS: u8 = 29;

/// Why a publisher's media are not taken. The text is for the publisher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MediaError {
    #[error("{0} pictures are not taken: set the encoder to H.264")]
    Picture(String),
    #[error("{0} sound is not taken: set the encoder to AAC-LC")]
    Sound(String),
    #[error("the media cannot be read")]
    Malformed,
}

/// What has been said of a publisher's media so far.
#[derive(Debug, Default)]
pub(super) struct Media {
    picture: Option<Configuration>,
    has_sound: bool,
    /// The last timestamp as sent, and as it is without running over.
    clock: Option<(u32, i64)>,
}

impl Media {
    /// A picture message; `None` if it holds no picture.
    pub(super) fn picture(&mut self, timestamp: u32, data: Bytes) -> Result<Option<Unit>, MediaError> {
        let first = *data.first().ok_or(MediaError::Malformed)?;
        let (kind, composition, rest) = if first & 0x80 == 0 { legacy_picture(data)? } else { enhanced_picture(data)? };
        match kind {
            Kind::Head => {
                let configuration = Configuration::parse(&rest).map_err(|_| MediaError::Malformed)?;
                self.picture = Some(configuration);
                Ok(None)
            }
            Kind::Body => {
                let dts = self.ticks(timestamp);
                let Some(configuration) = &self.picture else { return Ok(None) };
                let (data, key) = configuration.access_unit(&rest).map_err(|_| MediaError::Malformed)?;
                let pts = dts + composition * TICKS_PER_MILLI;
                Ok(Some(Sample { track: Track::Video, dts, pts, key, data }.into()))
            }
            Kind::Nothing => Ok(None),
        }
    }

    /// A sound message; `None` if it holds no sound.
    pub(super) fn sound(&mut self, timestamp: u32, data: Bytes) -> Result<Option<Unit>, MediaError> {
        // Some encoders send empty messages while they are silent.
        let Some(first) = data.first() else { return Ok(None) };
        let (kind, rest) = if first >> 4 == 9 { enhanced_sound(data)? } else { legacy_sound(data)? };
        match kind {
            Kind::Head => {
                let config = aac(&rest)?;
                self.has_sound = true;
                Ok(Some(config.into()))
            }
            Kind::Body if self.has_sound && !rest.is_empty() => {
                let pts = self.ticks(timestamp);
                Ok(Some(Sample { track: Track::Audio, dts: pts, pts, key: true, data: rest }.into()))
            }
            Kind::Body | Kind::Nothing => Ok(None),
        }
    }

    /// A timestamp in ticks, as if it never ran over.
    fn ticks(&mut self, timestamp: u32) -> i64 {
        let millis = self.clock.map_or(i64::from(timestamp), |(last, millis)| {
            millis + i64::from(timestamp.wrapping_sub(last).cast_signed())
        });
        self.clock = Some((timestamp, millis));
        millis * TICKS_PER_MILLI
    }
}

/// What a tag holds.
enum Kind {
    /// How what follows is coded.
    Head,
    /// A picture or a piece of sound.
    Body,
    Nothing,
}

fn legacy_picture(mut data: Bytes) -> Result<(Kind, i64, Bytes), MediaError> {
    let first = data.get_u8();
    // A command for the player, not a picture.
    if first >> 4 == 5 {
        return Ok((Kind::Nothing, 0, data));
    }
    match first & 0x0f {
        7 if data.len() >= 4 => {}
        7 => return Err(MediaError::Malformed),
        12 => return Err(MediaError::Picture("H.265".into())),
        codec => return Err(MediaError::Picture(format!("FLV codec {codec}"))),
    }
    let kind = data.get_u8();
    let composition = signed_24(&mut data);
    Ok((picture_kind(kind), composition, data))
}

/// Enhanced RTMP, "Enhanced Video".
fn enhanced_picture(mut data: Bytes) -> Result<(Kind, i64, Bytes), MediaError> {
    let first = data.get_u8();
    if (first >> 4) & 7 == 5 || data.len() < 4 {
        return Ok((Kind::Nothing, 0, data));
    }
    let codec = data.split_to(4);
    if &codec[..] != b"avc1" {
        return Err(MediaError::Picture(codec_name(&codec)));
    }
    match first & 0x0f {
        0 => Ok((Kind::Head, 0, data)),
        1 if data.len() >= 3 => {
            let composition = signed_24(&mut data);
            Ok((Kind::Body, composition, data))
        }
        3 => Ok((Kind::Body, 0, data)),
        1 | 6 => Err(MediaError::Malformed),
        _ => Ok((Kind::Nothing, 0, data)),
    }
}

fn picture_kind(kind: u8) -> Kind {
    match kind {
        0 => Kind::Head,
        1 => Kind::Body,
        _ => Kind::Nothing,
    }
}

/// Pictures may be shown before others that are decoded earlier only in broken streams, but the field says it so.
fn signed_24(data: &mut Bytes) -> i64 {
    data.get_int(3)
}

fn legacy_sound(mut data: Bytes) -> Result<(Kind, Bytes), MediaError> {
    let first = data.get_u8();
    match first >> 4 {
        10 if data.is_empty() => Err(MediaError::Malformed),
        10 => Ok((picture_kind(data.get_u8()), data)),
        2 | 14 => Err(MediaError::Sound("MP3".into())),
        codec => Err(MediaError::Sound(format!("FLV codec {codec}"))),
    }
}

/// Enhanced RTMP, "Enhanced Audio".
fn enhanced_sound(mut data: Bytes) -> Result<(Kind, Bytes), MediaError> {
    let first = data.get_u8();
    if data.len() < 4 {
        return Err(MediaError::Malformed);
    }
    let codec = data.split_to(4);
    if &codec[..] != b"mp4a" {
        return Err(MediaError::Sound(codec_name(&codec)));
    }
    Ok((picture_kind(first & 0x0f), data))
}

fn codec_name(code: &[u8]) -> String {
    match code {
        b"hvc1" => "H.265".into(),
        b"av01" => "AV1".into(),
        b"vp09" => "VP9".into(),
        b"Opus" => "Opus".into(),
        code => code.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(*byte)).collect(),
    }
}

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). MPEG-TS can say AAC-LC only; its extensions are told by the
/// sound itself, so they are left out.
fn aac(description: &[u8]) -> Result<AacConfig, MediaError> {
    let [first, second, ..] = *description else { return Err(MediaError::Malformed) };
    let (object, rate, channels) = (first >> 3, (first & 7) << 1 | second >> 7, second >> 3 & 0x0f);
    if !matches!(object, AAC_LC | SBR | PS) {
        return Err(MediaError::Sound(format!("AAC of type {object}")));
    }
    let sample_rate = *RATES.get(usize::from(rate)).ok_or_else(|| MediaError::Sound("AAC of an odd rate".into()))?;
    let count = match channels {
        1..=6 => u16::from(channels),
        7 => 8,
        _ => return Err(MediaError::Sound("AAC of an odd number of channels".into())),
    };
    let plain = [AAC_LC << 3 | rate >> 1, rate << 7 | channels << 3];
    let description = if object == AAC_LC { Bytes::copy_from_slice(&[first, second]) } else { plain.to_vec().into() };
    Ok(AacConfig { sample_rate, channels: count, description })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 1, 2, 1, 0, 2, 0x68, 3];
    const PICTURE: &[u8] = &[0, 0, 0, 2, 0x65, 7];

    fn tag(head: &[u8], body: &[u8]) -> Bytes {
        [head, body].concat().into()
    }

    fn sample(unit: Option<Unit>) -> Sample {
        let Some(Unit::Sample(sample)) = unit else { panic!("{unit:?}") };
        sample
    }

    #[test]
    fn a_picture_is_the_same_in_the_old_form_and_in_both_enhanced_ones() {
        let forms: [(&[u8], &[u8]); 3] =
            [(&[0x17, 0, 0, 0, 0], &[0x17, 1, 0, 0, 0]), (b"\x90avc1", b"\x91avc1\0\0\0"), (b"\x90avc1", b"\x93avc1")];
        for (head, body) in forms {
            let mut media = Media::default();
            assert_eq!(media.picture(0, tag(body, PICTURE)), Ok(None), "nothing is known of its coding");
            assert_eq!(media.picture(0, tag(head, RECORD)), Ok(None));
            let picture = sample(media.picture(40, tag(body, PICTURE)).unwrap());
            assert_eq!((picture.dts, picture.pts, picture.key, picture.data.len()), (3_600, 3_600, true, 19));
        }
    }

    #[test]
    fn a_composition_offset_has_a_sign() {
        let mut media = Media::default();
        media.picture(0, tag(&[0x17, 0, 0, 0, 0], RECORD)).unwrap();
        for (offset, ticks) in [([0, 0, 80], 7_200), ([0xff, 0xff, 0xd8], -3_600)] {
            let picture = media.picture(1_000, tag(&[&[0x27, 1], &offset[..]].concat(), PICTURE)).unwrap();
            assert_eq!(sample(picture).pts, 90_000 + ticks);
        }
    }

    #[test]
    fn times_run_on_over_the_end_of_the_field() {
        let mut media = Media::default();
        assert_eq!(media.ticks(u32::MAX), i64::from(u32::MAX) * 90);
        assert_eq!(media.ticks(9), (i64::from(u32::MAX) + 10) * 90);
        assert_eq!(media.ticks(u32::MAX), i64::from(u32::MAX) * 90, "and back");
    }

    #[test]
    fn other_codecs_are_refused_by_name() {
        let mut media = Media::default();
        let picture = |bytes: &'static [u8]| Media::default().picture(0, bytes.into()).unwrap_err().to_string();
        assert_eq!(picture(b"\x90hvc1...."), "H.265 pictures are not taken: set the encoder to H.264");
        assert_eq!(picture(b"\x1c\0\0\0\0"), "H.265 pictures are not taken: set the encoder to H.264");
        assert!(picture(b"\x90av01....").starts_with("AV1") && picture(b"\x12\0").starts_with("FLV codec 2"));
        let sound = media.sound(0, Bytes::from_static(b"\x90Opus....")).unwrap_err();
        assert_eq!(sound, MediaError::Sound("Opus".into()));
    }

    #[test]
    fn sound_is_described_as_plain_aac() {
        for (description, plain, rate, channels) in [
            (&[0x11, 0x90][..], [0x11, 0x90], 48_000, 2),
            (&[0x12, 0x08], [0x12, 0x08], 44_100, 1),
            // HE-AAC: 24 kHz that double to 48.
            (&[0x2b, 0x11, 0x88, 0x00], [0x13, 0x10], 24_000, 2),
        ] {
            let config = aac(description).unwrap();
            assert_eq!((&config.description[..], config.sample_rate, config.channels), (&plain[..], rate, channels));
        }
        assert!(aac(&[0x11]).is_err() && aac(&[0x0a, 0x10]).is_err() && aac(&[0x17, 0x90]).is_err());
    }

    #[test]
    fn whatever_bytes_come_are_refused_or_taken_and_nothing_worse() {
        let mut media = Media::default();
        media.picture(0, tag(&[0x17, 0, 0, 0, 0], RECORD)).unwrap();
        for first in 0..=255_u8 {
            for length in 0..8 {
                let bytes: Bytes = std::iter::once(first).chain(std::iter::repeat_n(first, length)).collect();
                let _ = (media.picture(0, bytes.clone()), media.sound(0, bytes));
            }
        }
        assert_eq!(media.picture(0, Bytes::new()), Err(MediaError::Malformed));
        assert_eq!(media.sound(0, Bytes::new()), Ok(None));
    }
}

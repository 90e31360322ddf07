//! Where IVS puts the files of a recording. For writers; readers know only the folder and `events/`.

use super::description::{Hls, Media, Rendition};
use chrono::{Datelike as _, Timelike as _};
use entity::time::Timestamp;
use storage::{Key, KeyError};

const HLS: &str = "media/hls";
const MASTER: &str = "master.m3u8";
const PLAYLIST: &str = "playlist.m3u8";

/// The files of one recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    prefix: Key,
}

/// Why there is no such layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Not `arn:<partition>:<service>:<region>:<account>:channel/<name>`.
    #[error("not the ARN of a channel")]
    Arn,
    /// A part of the ARN, or the recording's id, cannot be in a key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Layout {
    /// The layout of a new recording:
    /// `ivs/v1/<account>/<channel>/<year>/<month>/<day>/<hour>/<minute>/<id>`, UTC, without leading zeros.
    pub fn new(channel_arn: &str, began: Timestamp, id: &str) -> Result<Self, LayoutError> {
        let mut parts = channel_arn.splitn(6, ':').skip(4);
        let account = parts.next().filter(|account| !account.is_empty()).ok_or(LayoutError::Arn)?;
        let channel = parts.next().and_then(|resource| resource.strip_prefix("channel/")).ok_or(LayoutError::Arn)?;
        let (year, month, day) = (began.year(), began.month(), began.day());
        let (hour, minute) = (began.hour(), began.minute());
        let prefix = format!("ivs/v1/{account}/{channel}/{year}/{month}/{day}/{hour}/{minute}/{id}");
        Ok(Self { prefix: Key::parse(&prefix)? })
    }

    /// The layout of the recording in this folder.
    pub fn at(prefix: Key) -> Self {
        Self { prefix }
    }

    /// The recording's folder.
    pub fn prefix(&self) -> &Key {
        &self.prefix
    }

    /// There from the beginning.
    pub fn started(&self) -> Result<Key, KeyError> {
        self.prefix.join("events/recording-started.json")
    }

    /// There once it is complete.
    pub fn ended(&self) -> Result<Key, KeyError> {
        self.prefix.join("events/recording-ended.json")
    }

    /// There instead of [`Layout::ended`] if it could not be completed.
    pub fn failed(&self) -> Result<Key, KeyError> {
        self.prefix.join("events/recording-failed.json")
    }

    /// The master playlist.
    pub fn master(&self) -> Result<Key, KeyError> {
        self.prefix.join(&format!("{HLS}/{MASTER}"))
    }

    /// The media playlist of a rendition, such as `720p30`.
    pub fn playlist(&self, rendition: &str) -> Result<Key, KeyError> {
        self.prefix.join(&format!("{HLS}/{rendition}/{PLAYLIST}"))
    }

    /// A segment of a rendition.
    pub fn segment(&self, rendition: &str, number: u32) -> Result<Key, KeyError> {
        self.prefix.join(&format!("{HLS}/{rendition}/{}", Self::segment_uri(number)))
    }

    /// A segment as its media playlist names it.
    pub fn segment_uri(number: u32) -> String {
        format!("{number}.ts")
    }

    /// A media playlist as the master playlist names it.
    pub fn playlist_uri(rendition: &str) -> String {
        format!("{rendition}/{PLAYLIST}")
    }

    /// What [`super::Description::media`] says of a recording in this layout with one rendition and no pictures.
    /// `duration_ms` is known at its end.
    pub fn media(rendition: &str, width: u32, height: u32, duration_ms: Option<u64>) -> Media {
        let rendition = Rendition {
            path: rendition.to_owned(),
            playlist: PLAYLIST.to_owned(),
            byte_range_playlist: None,
            resolution_height: height,
            resolution_width: width,
        };
        let hls = Hls {
            duration_ms,
            path: HLS.to_owned(),
            playlist: MASTER.to_owned(),
            byte_range_playlist: None,
            renditions: vec![rendition],
        };
        Media { hls, thumbnails: None, latest_thumbnail: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_lies_where_ivs_puts_it() {
        let arn = "arn:aws:ivs:us-west-2:123456789012:channel/AbCdef1G2hij";
        let layout = Layout::new(arn, "2020-06-03T20:02:36Z".parse().unwrap(), "j8Z9O91ndcVs").unwrap();
        let prefix = "ivs/v1/123456789012/AbCdef1G2hij/2020/6/3/20/2/j8Z9O91ndcVs";
        assert_eq!(layout.prefix().as_str(), prefix);
        for (key, rest) in [
            (layout.started(), "events/recording-started.json"),
            (layout.ended(), "events/recording-ended.json"),
            (layout.failed(), "events/recording-failed.json"),
            (layout.master(), "media/hls/master.m3u8"),
            (layout.playlist("720p30"), "media/hls/720p30/playlist.m3u8"),
            (layout.segment("720p30", 12), "media/hls/720p30/12.ts"),
        ] {
            assert_eq!(key.unwrap().as_str(), format!("{prefix}/{rest}"));
        }
        assert_eq!(Layout::at(Key::parse(prefix).unwrap()), layout);
    }

    #[test]
    fn the_local_provider_s_channels_have_a_layout_too() {
        let arn = "arn:emergency-time:live:local:0:channel/0199e1a2";
        let layout = Layout::new(arn, "2026-12-31T23:59:59Z".parse().unwrap(), "rec").unwrap();
        assert_eq!(layout.prefix().as_str(), "ivs/v1/0/0199e1a2/2026/12/31/23/59/rec");
    }

    #[test]
    fn what_is_no_channel_or_no_key_has_no_layout() {
        let began: Timestamp = "2020-06-03T20:02:36Z".parse().unwrap();
        for arn in ["", "arn:aws:ivs:us-west-2:123456789012:stream-key/x", "arn:aws:ivs:us-west-2::channel/x", "a:b"] {
            assert_eq!(Layout::new(arn, began, "id"), Err(LayoutError::Arn), "{arn}");
        }
        let climbing = Layout::new("arn:aws:ivs:r:1:channel/../x", began, "id");
        assert_eq!(climbing, Err(LayoutError::Key(KeyError::LeadingDot)));
    }
}

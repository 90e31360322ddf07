//! The JSON files under `events/`: what a recording is, where its playlists are, whether it has ended.

use entity::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One of the files. What IVS leaves out in some of them is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// `v1`
    pub version: String,
    /// The channel recorded.
    pub channel_arn: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_ended_at: Option<Timestamp>,
    /// When it began.
    pub recording_started_at: Timestamp,
    /// Where it stands.
    pub recording_status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_status_message: Option<String>,
    /// Where its media are.
    pub media: Media,
}

/// Where a recording stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It has begun.
    #[serde(rename = "RECORDING_STARTED")]
    Started,
    /// It is complete.
    #[serde(rename = "RECORDING_ENDED")]
    Ended,
    /// It ended; something of it may be missing.
    #[serde(rename = "RECORDING_ENDED_WITH_FAILURE")]
    EndedWithFailure,
    /// Something newer than this code.
    #[serde(untagged)]
    Other(String),
}

/// The kinds of media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The video.
    pub hls: Hls,
    /// A picture now and then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnails: Option<Thumbnails>,
    /// The newest picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_thumbnail: Option<LatestThumbnail>,
}

/// The video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hls {
    /// Milliseconds, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Its folder, from the recording's.
    pub path: String,
    /// The master playlist in `path`.
    pub playlist: String,
    /// The same for players that fetch ranges of larger files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte_range_playlist: Option<String>,
    /// Its sizes.
    #[serde(default)]
    pub renditions: Vec<Rendition>,
}

/// One size of the video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Its folder, from [`Hls::path`].
    pub path: String,
    /// The media playlist in `path`.
    pub playlist: String,
    /// The same for players that fetch ranges of larger files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte_range_playlist: Option<String>,
    /// Pixels.
    #[serde(default)]
    pub resolution_height: u32,
    /// Pixels.
    #[serde(default)]
    pub resolution_width: u32,
}

impl Rendition {
    /// Pixels of a picture.
    pub fn pixels(&self) -> u64 {
        u64::from(self.resolution_height) * u64::from(self.resolution_width)
    }
}

/// A picture now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnails {
    /// Their folder, from the recording's.
    pub path: String,
    /// Pixels.
    pub resolution_height: u32,
    /// Pixels.
    pub resolution_width: u32,
}

/// The newest picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestThumbnail {
    /// The file, from the recording's folder.
    pub path: String,
    /// Pixels.
    pub resolution_height: u32,
    /// Pixels.
    pub resolution_width: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_files_are_read_and_written_without_loss() {
        for (text, status, renditions) in [
            (include_str!("../../tests/fixtures/ivs/s3_recording_started.json"), Status::Started, 4),
            (include_str!("../../tests/fixtures/ivs/s3_recording_ended.json"), Status::Ended, 4),
            (include_str!("../../tests/fixtures/ivs/s3_recording_failed.json"), Status::EndedWithFailure, 2),
        ] {
            let read: Description = serde_json::from_str(text).unwrap();
            assert_eq!((&read.recording_status, read.media.hls.renditions.len()), (&status, renditions));
            let raw: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), raw);
        }
    }

    #[test]
    fn a_status_of_tomorrow_is_kept() {
        let status: Status = serde_json::from_str("\"RECORDING_PAUSED\"").unwrap();
        assert_eq!(status, Status::Other("RECORDING_PAUSED".into()));
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"RECORDING_PAUSED\"");
    }
}

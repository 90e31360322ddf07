//! Writes playlists as IVS's recorder does (RFC 8216): a media playlist of type EVENT only ever grows at its end.

use chrono::SecondsFormat;
use entity::time::Timestamp;
use std::fmt::Write as _;

/// One segment in a media playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the playlist's folder.
    pub uri: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Whether timestamps or coding break between the segment before and this one.
    pub discontinuity: bool,
    /// When its first picture was taken.
    pub at: Option<Timestamp>,
}

/// One rendition in a master playlist.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// From the master playlist's folder.
    pub uri: String,
    /// The highest bit rate of a segment, in bits per second.
    pub bandwidth: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// As RFC 6381 names them.
    pub codecs: Option<String>,
}

/// A media playlist. `target_s` is the longest segment's length, rounded to whole seconds; it must stay the same while
/// the recording grows, so it is given before all segments are.
pub fn media_playlist(target_s: u64, entries: &[Entry], ended: bool) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{target_s}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
    );
    for entry in entries {
        if entry.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if let Some(at) = entry.at {
            let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{at}");
        }
        let (seconds, millis) = (entry.duration_ms / 1000, entry.duration_ms % 1000);
        let _ = writeln!(text, "#EXTINF:{seconds}.{millis:03},\n{}", entry.uri);
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

/// A master playlist.
pub fn master_playlist(variants: &[Variant]) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:3\n");
    for Variant { uri, bandwidth, width, height, frame_rate, codecs } in variants {
        let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={width}x{height}");
        if let Some(codecs) = codecs {
            let _ = write!(text, ",CODECS=\"{codecs}\"");
        }
        if let Some(frame_rate) = frame_rate {
            let _ = write!(text, ",FRAME-RATE={frame_rate:.3}");
        }
        let _ = writeln!(text, "\n{uri}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_playlist_says_when_how_long_and_where_it_breaks() {
        let at = "2026-01-02T03:04:05.600Z".parse().ok();
        let entries = [
            Entry { uri: "0.ts".into(), duration_ms: 2_002, discontinuity: false, at },
            Entry { uri: "1.ts".into(), duration_ms: 50, discontinuity: true, at: None },
        ];
        let head =
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n";
        let first = "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.600Z\n#EXTINF:2.002,\n0.ts\n";
        let second = "#EXT-X-DISCONTINUITY\n#EXTINF:0.050,\n1.ts\n";
        assert_eq!(media_playlist(2, &entries[..1], false), format!("{head}{first}"));
        assert_eq!(media_playlist(2, &entries, true), format!("{head}{first}{second}#EXT-X-ENDLIST\n"));
    }

    #[test]
    fn a_master_playlist_says_what_is_known_of_each_rendition() {
        let known = Variant {
            uri: "720p30/playlist.m3u8".into(),
            bandwidth: 2_500_000,
            width: 1280,
            height: 720,
            frame_rate: Some(29.97),
            codecs: Some("avc1.4D401F,mp4a.40.2".into()),
        };
        let bare = Variant { frame_rate: None, codecs: None, ..known.clone() };
        assert_eq!(
            master_playlist(&[known, bare]),
            "#EXTM3U\n#EXT-X-VERSION:3\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2500000,RESOLUTION=1280x720,CODECS=\"avc1.4D401F,mp4a.40.2\",FRAME-RATE=29.970\n\
             720p30/playlist.m3u8\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2500000,RESOLUTION=1280x720\n720p30/playlist.m3u8\n"
        );
    }
}

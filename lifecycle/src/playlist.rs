//! A replay's playlist (RFC 8216, and `EXT-X-GAP` of its second edition, draft-pantos-hls-rfc8216bis).

use entity::segment;
use std::fmt::Write as _;

/// `EXT-X-GAP` needs version 8.
const VERSION: u8 = 8;

/// The whole playlist. A gap is listed and marked, so that players skip it and the times after it stay true. A
/// discontinuity stands wherever the coding changes: in the recording, round a gap, and between a copied and a
/// re-encoded segment, whose parameter sets differ.
pub(crate) fn render(segments: &[segment::Model]) -> String {
    let longest_ms = segments.iter().map(|segment| segment.duration_ms).max().unwrap_or(0);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:{VERSION}\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n",
        (longest_ms + 999) / 1000
    );
    let mut before: Option<&segment::Model> = None;
    for segment in segments {
        let recoded = before.is_some_and(|before| (before.status, before.copied) != (segment.status, segment.copied));
        if before.is_some() && (segment.discontinuity || recoded) {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if segment.status == segment::Status::Gap {
            text.push_str("#EXT-X-GAP\n");
        }
        let (seconds, millis) = (segment.duration_ms / 1000, segment.duration_ms % 1000);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "#EXTINF:{seconds}.{millis:03},\n{:06}.ts", segment.number);
        before = Some(segment);
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::{SegmentId, VodId};

    fn segment(number: i32, status: segment::Status, copied: Option<bool>) -> segment::Model {
        segment::Model {
            id: SegmentId::generate(),
            vod_id: VodId::generate(),
            number,
            source_key: String::new(),
            duration_ms: 2_002,
            discontinuity: false,
            status,
            issued_at: None,
            attempts: 1,
            result_key: None,
            result_bytes: None,
            copied,
            receipt: None,
            thumbnail: None,
            gap_reason: None,
            failure: None,
            settled_at: None,
        }
    }

    #[test]
    fn a_gap_is_marked_and_every_change_of_coding_is_a_discontinuity() {
        use segment::Status::{Done, Gap};
        let segments = [
            segment(0, Done, Some(true)),
            segment(1, Done, Some(true)),
            segment(2, Done, Some(false)),
            segment(3, Gap, None),
            segment(4, Done, Some(false)),
        ];
        let text = render(&segments);
        assert!(text.starts_with("#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:3\n"));
        assert!(text.contains("000001.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2.002,\n000002.ts\n"));
        assert!(text.contains("#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:2.002,\n000003.ts\n#EXT-X-DISCONTINUITY\n"));
        assert_eq!(text.matches("DISCONTINUITY").count(), 3);
        assert!(text.ends_with("000004.ts\n#EXT-X-ENDLIST\n"));
    }
}

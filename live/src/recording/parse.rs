//! Reads playlists (RFC 8216) as far as a recording needs it. What is not understood is passed over, except where
//! passing over it would name bytes that are no segment by themselves: that is an error.
//!
//! Written here because a reader must know a half-written playlist from a whole one, and keep milliseconds.

/// The most segments of one recording: two days, IVS's limit, in segments of one second.
pub(super) const MAX_SEGMENTS: usize = 172_800;
/// No segment is longer, in seconds.
const MAX_SEGMENT_S: f64 = 3_600.0;

/// A media playlist.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MediaPlaylist {
    pub(super) segments: Vec<ListedSegment>,
    pub(super) has_endlist: bool,
}

/// A segment as it is listed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListedSegment {
    /// As written.
    pub(super) uri: String,
    /// Counted from 1: errors name it rather than the URI, which may hold a signature.
    pub(super) line: usize,
    pub(super) duration_ms: u64,
    pub(super) discontinuity: bool,
}

/// A rendition in a master playlist.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListedVariant {
    pub(super) uri: String,
    pub(super) line: usize,
    pub(super) pixels: u64,
    pub(super) bandwidth: u64,
}

/// Why a text is not a playlist that can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    #[error("line {line}: {what}")]
    Malformed { line: usize, what: &'static str },
    #[error("{0}")]
    Unsupported(&'static str),
}

/// Reads a media playlist. Unless it is `complete`, someone may be writing it: a last line without an end of line is
/// then not there yet.
pub(super) fn media(text: &str, complete: bool) -> Result<MediaPlaylist, ParseError> {
    let mut playlist = MediaPlaylist { segments: Vec::new(), has_endlist: false };
    let (mut duration, mut discontinuity, mut gap) = (None, false, false);
    let mut forgets = false;
    for (line, text) in lines(text, complete)? {
        let (tag, value) = text.split_once(':').unwrap_or((text, ""));
        match tag {
            "#EXTINF" if duration.is_some() => return Err(malformed(line, "two durations for one segment")),
            "#EXTINF" => duration = Some(duration_ms(value).ok_or(malformed(line, "this is no duration"))?),
            "#EXT-X-DISCONTINUITY" => discontinuity = true,
            "#EXT-X-GAP" => gap = true,
            "#EXT-X-ENDLIST" => playlist.has_endlist = true,
            "#EXT-X-MEDIA-SEQUENCE" => forgets |= value.trim() != "0",
            "#EXT-X-PLAYLIST-TYPE" => forgets = false,
            "#EXT-X-BYTERANGE" => return Err(ParseError::Unsupported("segments that are parts of a larger file")),
            "#EXT-X-MAP" => return Err(ParseError::Unsupported("segments that are not files by themselves")),
            "#EXT-X-KEY" if value.trim() != "METHOD=NONE" => {
                return Err(ParseError::Unsupported("encrypted segments"));
            }
            "#EXT-X-STREAM-INF" => return Err(malformed(line, "this is a master playlist")),
            _ if text.starts_with('#') => {}
            _ => {
                let duration_ms = duration.take().ok_or(malformed(line, "a segment without a duration"))?;
                // What was never recorded is no segment; the one after it follows on nothing.
                if std::mem::take(&mut gap) {
                    discontinuity = true;
                    continue;
                }
                if playlist.segments.len() == MAX_SEGMENTS {
                    return Err(malformed(line, "too many segments"));
                }
                let discontinuity = std::mem::take(&mut discontinuity);
                playlist.segments.push(ListedSegment { uri: text.to_owned(), line, duration_ms, discontinuity });
            }
        }
    }
    // Numbers are places in the playlist; they would shift.
    if forgets { Err(ParseError::Unsupported("a playlist that forgets its beginning")) } else { Ok(playlist) }
}

/// Reads the renditions of a master playlist, the best one first.
pub(super) fn master(text: &str, complete: bool) -> Result<Vec<ListedVariant>, ParseError> {
    let mut variants = Vec::new();
    let mut info = None;
    for (line, text) in lines(text, complete)? {
        match text.split_once(':') {
            Some(("#EXT-X-STREAM-INF", attributes)) => info = Some(quality(attributes)),
            Some(("#EXTINF", _)) => return Err(malformed(line, "this is a media playlist")),
            _ if text.starts_with('#') => {}
            _ => {
                let (pixels, bandwidth) = info.take().ok_or(malformed(line, "a rendition without a description"))?;
                variants.push(ListedVariant { uri: text.to_owned(), line, pixels, bandwidth });
            }
        }
    }
    variants.sort_by_key(|variant| std::cmp::Reverse((variant.pixels, variant.bandwidth)));
    Ok(variants)
}

/// The lines that are there, without empty ones, each with its number from 1.
fn lines(text: &str, complete: bool) -> Result<impl Iterator<Item = (usize, &str)>, ParseError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let written = match text.rsplit_once('\n') {
        _ if complete || text.ends_with("\n#EXT-X-ENDLIST") => text,
        Some((written, _)) => written,
        None => "",
    };
    let mut lines = written.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end()));
    match lines.next() {
        Some((_, "#EXTM3U")) => Ok(lines.filter(|(_, line)| !line.is_empty())),
        _ => Err(malformed(1, "this does not begin as a playlist")),
    }
}

/// `9.6,a title`, in milliseconds.
fn duration_ms(value: &str) -> Option<u64> {
    let seconds: f64 = value.split(',').next()?.trim().parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (0.0..=MAX_SEGMENT_S).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

/// Pixels and bits per second out of `BANDWIDTH=1,CODECS="a,b",RESOLUTION=1280x720`; 0 for what is not said.
fn quality(attributes: &str) -> (u64, u64) {
    let (mut pixels, mut bandwidth) = (0, 0);
    let mut quoted = false;
    for attribute in attributes.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    }) {
        match attribute.trim().split_once('=') {
            Some(("BANDWIDTH", value)) => bandwidth = value.parse().unwrap_or(0),
            Some(("RESOLUTION", value)) => {
                let sides =
                    value.split_once('x').and_then(|(w, h)| Some((w.parse::<u32>().ok()?, h.parse::<u32>().ok()?)));
                pixels = sides.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
            }
            _ => {}
        }
    }
    (pixels, bandwidth)
}

fn malformed(line: usize, what: &'static str) -> ParseError {
    ParseError::Malformed { line, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Entry, Variant, master_playlist, media_playlist};

    fn uris(playlist: &MediaPlaylist) -> Vec<(&str, u64, bool)> {
        playlist.segments.iter().map(|s| (s.uri.as_str(), s.duration_ms, s.discontinuity)).collect()
    }

    #[test]
    fn what_we_write_is_read_back() {
        let entries: Vec<Entry> = (0..5_u64)
            .map(|n| Entry { uri: format!("{n}.ts"), duration_ms: 1_999 + n, discontinuity: n == 3, at: None })
            .collect();
        for ended in [false, true] {
            let read = media(&media_playlist(2, &entries, ended), false).unwrap();
            assert_eq!(read.has_endlist, ended);
            let expected: Vec<_> = entries.iter().map(|e| (e.uri.as_str(), e.duration_ms, e.discontinuity)).collect();
            assert_eq!(uris(&read), expected);
        }
        let variant = |uri: &str, width, height, bandwidth| Variant {
            uri: uri.into(),
            bandwidth,
            width,
            height,
            frame_rate: Some(30.0),
            codecs: Some("avc1.4D401F,mp4a.40.2".into()),
        };
        let text = master_playlist(&[
            variant("low", 640, 360, 9),
            variant("best", 1280, 720, 7),
            variant("good", 1280, 720, 6),
        ]);
        let order: Vec<_> = master(&text, true).unwrap().into_iter().map(|v| (v.uri, v.pixels)).collect();
        assert_eq!(order, [("best".into(), 921_600), ("good".into(), 921_600), ("low".into(), 230_400)]);
    }

    #[test]
    fn the_lines_seen_in_ivs_playlists_are_passed_over() {
        let text = "#EXTM3U\r\n#EXT-X-VERSION:4\r\n#EXT-X-PLAYLIST-TYPE:EVENT\r\n#EXT-X-TARGETDURATION:12\r\n\
            #ID3-EQUIV-TDTG:2020-06-12T12:53:26\r\n#EXT-X-TWITCH-ELAPSED-SECS:0.000\r\n#EXT-X-TWITCH-TOTAL-SECS:22.5\r\n\
            #EXT-X-PROGRAM-DATE-TIME:2020-06-12T12:53:26.1Z\r\n#EXTINF:12.500,\r\n0.ts\r\n\r\n#EXTINF:10.0004,title, more\r\n1.ts\r\n";
        let read = media(text, false).unwrap();
        assert_eq!(uris(&read), [("0.ts", 12_500, false), ("1.ts", 10_000, false)]);
    }

    #[test]
    fn a_half_written_playlist_ends_before_its_cut_line() {
        let whole = "#EXTM3U\n#EXTINF:2.000,\n10.ts\n#EXTINF:2.000,\n11.ts\n";
        let listed: Vec<usize> =
            (7..=whole.len()).filter_map(|cut| media(&whole[..cut], false).ok()).map(|p| p.segments.len()).collect();
        assert!(listed.is_sorted() && listed.contains(&0) && listed.contains(&1) && listed.contains(&2));
        for cut in 0..whole.len() {
            match media(&whole[..cut], false) {
                Ok(read) => {
                    assert!(read.segments.iter().all(|s| ["10.ts", "11.ts"].contains(&s.uri.as_str())), "{cut}");
                }
                Err(error) => assert_eq!(error, malformed(1, "this does not begin as a playlist"), "{cut}"),
            }
        }
        assert!(media("#EXTM3U\n#EXT-X-ENDLIST", false).unwrap().has_endlist);
        let unterminated = "#EXTM3U\n#EXTINF:2,\n10.ts";
        assert_eq!(media(unterminated, false).unwrap().segments.len(), 0);
        assert_eq!(media(unterminated, true).unwrap().segments.len(), 1);
    }

    #[test]
    fn what_would_name_bytes_that_are_no_segment_is_an_error() {
        for (tag, what) in [
            ("#EXT-X-BYTERANGE:100@0", "segments that are parts of a larger file"),
            ("#EXT-X-MAP:URI=\"init.mp4\"", "segments that are not files by themselves"),
            ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"", "encrypted segments"),
            ("#EXT-X-MEDIA-SEQUENCE:7", "a playlist that forgets its beginning"),
        ] {
            let text = format!("#EXTM3U\n{tag}\n#EXTINF:2,\n0.ts\n");
            assert_eq!(media(&text, true), Err(ParseError::Unsupported(what)), "{tag}");
        }
        let fine =
            "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:2,\n0.ts\n";
        assert_eq!(media(fine, true).unwrap().segments.len(), 1);
    }

    #[test]
    fn what_is_no_playlist_is_an_error_with_its_line() {
        for (text, line, what) in [
            ("", 1, "this does not begin as a playlist"),
            ("<html>\n", 1, "this does not begin as a playlist"),
            ("#EXTM3U8\n", 1, "this does not begin as a playlist"),
            ("#EXTM3U\n0.ts\n", 2, "a segment without a duration"),
            ("#EXTM3U\n#EXTINF:x,\n0.ts\n", 2, "this is no duration"),
            ("#EXTM3U\n#EXTINF:-1,\n0.ts\n", 2, "this is no duration"),
            ("#EXTM3U\n#EXTINF:NaN,\n0.ts\n", 2, "this is no duration"),
            ("#EXTM3U\n#EXTINF:1e9,\n0.ts\n", 2, "this is no duration"),
            ("#EXTM3U\n#EXTINF:2,\n#EXTINF:2,\n0.ts\n", 3, "two durations for one segment"),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx\n", 2, "this is a master playlist"),
        ] {
            assert_eq!(media(text, true), Err(malformed(line, what)), "{text:?}");
        }
        assert_eq!(master("#EXTM3U\n#EXTINF:2,\n0.ts\n", true), Err(malformed(2, "this is a media playlist")));
        assert_eq!(master("#EXTM3U\nx\n", true), Err(malformed(2, "a rendition without a description")));
    }

    #[test]
    fn a_gap_is_no_segment_and_breaks_the_next() {
        let text = "#EXTM3U\n#EXTINF:2,\n0.ts\n#EXT-X-GAP\n#EXTINF:2,\n1.ts\n#EXTINF:2,\n2.ts\n";
        assert_eq!(uris(&media(text, true).unwrap()), [("0.ts", 2_000, false), ("2.ts", 2_000, true)]);
    }
}

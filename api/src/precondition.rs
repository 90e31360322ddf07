//! What a client has already and what part it wants: `If-None-Match`, `If-Range`, `Range`.
//! Source: RFC 9110, 13 and 14.

use std::ops::Range;

/// What part of an object is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it; also when the range is not one we serve (several ranges, another unit, nonsense).
    Whole,
    /// These bytes.
    Range(Range<u64>),
    /// Bytes that it does not have.
    Nowhere,
}

/// Whether the client has this very object already (weak comparison).
pub(crate) fn is_known(if_none_match: Option<&str>, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    if_none_match.is_some_and(|tags| tags.trim() == "*" || tags.split(',').any(|tag| strong(tag) == strong(etag)))
}

/// Whether the part that the client has is of this very object (strong comparison), so that a range may go on after
/// it. A date is not trusted for that: two versions may share a second.
pub(crate) fn is_current(if_range: Option<&str>, etag: &str) -> bool {
    if_range.is_none_or(|tag| tag.trim() == etag && !etag.starts_with("W/"))
}

/// The part that a `Range` header asks for of an object of `size` bytes.
pub(crate) fn part(range: Option<&str>, size: u64) -> Part {
    let Some((first, last)) = range.and_then(parse) else { return Part::Whole };
    let wanted = match (first, last) {
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) => first..size,
        // The last so many bytes.
        (None, Some(count)) => size.saturating_sub(count)..size,
        (None, None) => return Part::Whole,
    };
    if wanted.is_empty() { Part::Nowhere } else { Part::Range(wanted) }
}

/// First and last byte of a single range. `None` if there is no such thing in the header.
fn parse(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| -> Option<Option<u64>> {
        if text.is_empty() {
            return Some(None);
        }
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten().map(Some)
    };
    let (first, last) = (number(first)?, number(last)?);
    let backwards = first.zip(last).is_some_and(|(first, last)| last < first);
    (unit.trim().eq_ignore_ascii_case("bytes") && !backwards).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_range_is_cut_to_the_object() {
        assert_eq!(part(Some("bytes=0-0"), 10), Part::Range(0..1));
        assert_eq!(part(Some("bytes=2-5"), 10), Part::Range(2..6));
        assert_eq!(part(Some("bytes=2-"), 10), Part::Range(2..10));
        assert_eq!(part(Some("bytes=-3"), 10), Part::Range(7..10));
        assert_eq!(part(Some("bytes=-30"), 10), Part::Range(0..10));
        assert_eq!(part(Some("bytes=5-99999999999999999"), 10), Part::Range(5..10));
        assert_eq!(part(Some(&format!("bytes=0-{}", u64::MAX)), 10), Part::Range(0..10));
    }

    #[test]
    fn a_range_outside_the_object_is_nowhere() {
        for range in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(part(Some(range), 10), Part::Nowhere, "{range}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Nowhere);
    }

    #[test]
    fn what_is_no_single_range_of_bytes_gives_the_whole() {
        let others = ["bytes=0-1,3-4", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "", "bytes=+1-2"];
        for range in others {
            assert_eq!(part(Some(range), 10), Part::Whole, "{range}");
        }
        assert_eq!(part(None, 10), Part::Whole);
    }

    #[test]
    fn a_tag_is_known_by_any_of_its_spellings_but_current_by_one() {
        let etag = "\"abc\"";
        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(is_known(Some(known), etag), "{known}");
        }
        assert!(!is_known(Some("\"abcd\""), etag) && !is_known(None, etag));
        assert!(is_current(None, etag) && is_current(Some(etag), etag));
        assert!(!is_current(Some("W/\"abc\""), etag) && !is_current(Some("Sat, 01 Jan 2028 00:00:00 GMT"), etag));
    }
}

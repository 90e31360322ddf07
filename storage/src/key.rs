//! Names of objects. A [`Key`] cannot climb out of its store: no part of it is empty, hidden or a step up, and no
//! character in it means something else to a file system, a URL or an S3 server.

use std::fmt;

/// The longest key, in bytes (S3's limit).
const MAX_BYTES: usize = 1024;
/// The longest part of a key, in bytes (the limit of common file systems).
const MAX_PART_BYTES: usize = 255;

/// A checked object name, such as `vod/7/000001.ts`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// Why a text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing at all, or nothing between two slashes, before the first or after the last.
    #[error("a key has an empty part")]
    EmptyPart,
    /// `.`, `..` or a hidden name: the store keeps unfinished files under hidden names.
    #[error("a part of a key begins with a dot")]
    LeadingDot,
    /// A control character, `\`, or one of `% ? #`, which some layer would decode into another key.
    #[error("a key holds the character {0:?}")]
    Character(char),
    /// Too long, as a whole or in one part.
    #[error("a key is longer than {MAX_BYTES} bytes or a part of it than {MAX_PART_BYTES}")]
    TooLong,
}

impl Key {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_BYTES {
            return Err(KeyError::TooLong);
        }
        for part in text.split('/') {
            check_part(part)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of something within this one's folder; `rest` may have several parts.
    pub fn join(&self, rest: &str) -> Result<Self, KeyError> {
        Self::parse(&format!("{}/{rest}", self.0))
    }

    /// Whether this key lies in the folder `prefix`.
    pub fn is_within(&self, prefix: &Self) -> bool {
        self.0.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The text after the last slash.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }
}

fn check_part(part: &str) -> Result<(), KeyError> {
    if part.is_empty() {
        return Err(KeyError::EmptyPart);
    }
    if part.starts_with('.') {
        return Err(KeyError::LeadingDot);
    }
    if part.len() > MAX_PART_BYTES {
        return Err(KeyError::TooLong);
    }
    match part.chars().find(|c| c.is_control() || matches!(c, '\\' | '%' | '?' | '#')) {
        Some(c) => Err(KeyError::Character(c)),
        None => Ok(()),
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_recordings_and_replays_are_keys() {
        for text in ["a", "vod/7/000001.ts", "ivs/v1/123456789012/AbCdef1G2hij/2020/6/23/20/12/j8Z9O91ndcVs", "b/..c/d"]
        {
            let key = Key::parse(text);
            assert_eq!(key.is_ok(), !text.contains(".."), "{text}");
        }
        let key = Key::parse("vod/7").unwrap().join("hls/1.ts").unwrap();
        assert_eq!((key.as_str(), key.name()), ("vod/7/hls/1.ts", "1.ts"));
    }

    #[test]
    fn every_way_out_of_the_root_is_refused() {
        let tricks = [
            ("", KeyError::EmptyPart),
            ("/", KeyError::EmptyPart),
            ("/etc/passwd", KeyError::EmptyPart),
            ("a//b", KeyError::EmptyPart),
            ("a/", KeyError::EmptyPart),
            ("..", KeyError::LeadingDot),
            ("a/../b", KeyError::LeadingDot),
            ("./a", KeyError::LeadingDot),
            (".unfinished/1", KeyError::LeadingDot),
            ("%2e%2e/a", KeyError::Character('%')),
            ("a/%2E%2E/b", KeyError::Character('%')),
            ("..\\a", KeyError::LeadingDot),
            ("a\\..\\b", KeyError::Character('\\')),
            ("a\0b", KeyError::Character('\0')),
            ("a\nb", KeyError::Character('\n')),
            ("a?b", KeyError::Character('?')),
            ("a#1", KeyError::Character('#')),
        ];
        for (text, why) in tricks {
            assert_eq!(Key::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(Key::parse(&"a".repeat(256)), Err(KeyError::TooLong));
        assert_eq!(Key::parse(&"a/".repeat(600)), Err(KeyError::TooLong));
    }

    #[test]
    fn joining_cannot_climb_and_a_folder_is_not_a_name_prefix() {
        let folder = Key::parse("a/b").unwrap();
        for rest in ["", "..", "../c", "/c", "c/../../d"] {
            assert!(folder.join(rest).is_err(), "{rest:?}");
        }
        assert!(folder.join("c").unwrap().is_within(&folder));
        assert!(!Key::parse("a/bc").unwrap().is_within(&folder));
        assert!(!folder.is_within(&folder));
    }
}

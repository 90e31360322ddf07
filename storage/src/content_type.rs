//! Content types by file name: a folder keeps none, so what a file store says about an object follows from its key.

use crate::key::Key;

/// What a key without a known ending is.
const UNKNOWN: &str = "application/octet-stream";

impl Key {
    /// The content type that goes with the key's ending; `application/octet-stream` when it has no known one.
    pub fn content_type(&self) -> &'static str {
        let Some((_, ending)) = self.name().rsplit_once('.') else { return UNKNOWN };
        match ending.to_ascii_lowercase().as_str() {
            "ts" => "video/mp2t",
            "m3u8" => "application/vnd.apple.mpegurl",
            "mp4" | "m4s" => "video/mp4",
            "jpg" | "jpeg" => "image/jpeg",
            "png" => "image/png",
            "webp" => "image/webp",
            "json" => "application/json",
            _ => UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_whatever_its_case() {
        for (key, content_type) in [
            ("vod/1/index.m3u8", "application/vnd.apple.mpegurl"),
            ("vod/1/000001.TS", "video/mp2t"),
            ("m3u8", UNKNOWN),
            ("a.ts/b", UNKNOWN),
        ] {
            assert_eq!(Key::parse(key).unwrap().content_type(), content_type, "{key}");
        }
    }
}

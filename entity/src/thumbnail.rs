//! The name of a replay's picture: which segment it was made of, and what kind of image it is.
//!
//! Each picture has a name of its own and never changes under it, so that workers that finish in another order than
//! they began cannot put one picture in another's place, and caches cannot show an old one.

use sea_orm::sea_query::ValueTypeErr;
use std::{fmt, str::FromStr};

/// A picture in its replay's folder: `thumbnail-000012.webp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sea_orm::DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct Thumbnail {
    /// The number of the segment that it was made of.
    pub segment: i32,
    /// What kind of image it is.
    pub format: Format,
}

/// What kind of image a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// WebP.
    WebP,
    /// JPEG.
    Jpeg,
}

impl Format {
    /// Its media type (RFC 9649 and RFC 2046).
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::WebP => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::WebP => "webp",
            Self::Jpeg => "jpg",
        }
    }
}

impl fmt::Display for Thumbnail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thumbnail-{:06}.{}", self.segment, self.format.ending())
    }
}

impl FromStr for Thumbnail {
    type Err = ValueTypeErr;

    /// Takes the one spelling of a name and no other.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let (number, ending) =
            name.strip_prefix("thumbnail-").and_then(|rest| rest.split_once('.')).ok_or(ValueTypeErr)?;
        let format = [Format::WebP, Format::Jpeg].into_iter().find(|format| format.ending() == ending);
        let segment = number.parse().map_err(|_| ValueTypeErr)?;
        let parsed = Self { segment, format: format.ok_or(ValueTypeErr)? };
        if segment >= 0 && parsed.to_string() == name { Ok(parsed) } else { Err(ValueTypeErr) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_itself_and_has_one_spelling() {
        for (segment, format, name) in
            [(12, Format::WebP, "thumbnail-000012.webp"), (1_234_567, Format::Jpeg, "thumbnail-1234567.jpg")]
        {
            let thumbnail = Thumbnail { segment, format };
            assert_eq!((thumbnail.to_string().as_str(), name.parse().ok()), (name, Some(thumbnail)));
        }
        let wrong = [
            "",
            "thumbnail.webp",
            "thumbnail-12.webp",
            "thumbnail-0000012.webp",
            "thumbnail-+00012.webp",
            "thumbnail--00012.webp",
            "thumbnail-000012.png",
            "thumbnail-000012.webp.ts",
            "thumbnail-000012",
            "thumbnail-99999999999.webp",
        ];
        for name in wrong {
            assert!(name.parse::<Thumbnail>().is_err(), "{name}");
        }
    }
}

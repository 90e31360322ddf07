//! Identifiers: a type each, a prefix each, so that a stream's id can never be taken for a replay's.
//!
//! Outside the process an id is `<prefix>_<32 hex digits>`; clients must treat it as opaque. UUID v7, so that
//! rows made together lie together.

use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A text that is not an identifier of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id")]
pub struct ParseIdError {
    /// The kind that was expected: `stream`, `vod`, `cctv`, `segment` or `node`.
    pub kind: &'static str,
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sea_orm::DeriveValueType)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub Uuid);

        impl $name {
            /// What every id of this kind starts with, before the underscore.
            pub const PREFIX: &str = $prefix;

            /// A new id, later in order than every id made before it (to the millisecond).
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl sea_orm::TryFromU64 for $name {
            /// Never: no database counts these up.
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(concat!($prefix, " id")))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32 && !hex.bytes().any(|byte| byte.is_ascii_uppercase()))
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or(ParseIdError { kind: $prefix })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}

id!(
    /// One broadcast at a place.
    StreamId,
    "stream"
);
id!(
    /// The redacted recording of a stream.
    VodId,
    "vod"
);
id!(
    /// A public camera.
    CctvId,
    "cctv"
);
id!(
    /// One piece of a recording.
    SegmentId,
    "segment"
);

/// The id of anything that stands on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemId {
    /// A live broadcast.
    Stream(StreamId),
    /// A replay.
    Vod(VodId),
    /// A public camera.
    Cctv(CctvId),
}

impl ItemId {
    /// The bare UUID, unique over all kinds.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Stream(StreamId(uuid)) | Self::Vod(VodId(uuid)) | Self::Cctv(CctvId(uuid)) => uuid,
        }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(id) => id.fmt(f),
            Self::Vod(id) => id.fmt(f),
            Self::Cctv(id) => id.fmt(f),
        }
    }
}

impl FromStr for ItemId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('_').map(|(prefix, _)| prefix) {
            Some(StreamId::PREFIX) => text.parse().map(Self::Stream),
            Some(VodId::PREFIX) => text.parse().map(Self::Vod),
            Some(CctvId::PREFIX) => text.parse().map(Self::Cctv),
            _ => Err(ParseIdError { kind: "node" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_itself_and_as_no_other_kind() {
        let id = StreamId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().parse(), Ok(ItemId::Stream(id)));
        assert!(id.to_string().parse::<VodId>().is_err());
    }

    #[test]
    fn only_the_one_spelling_of_an_id_is_taken() {
        let id = VodId::generate().to_string();
        for wrong in [id.to_uppercase(), id.replace('_', "-"), format!("{id}0"), String::new(), "vod_".into()] {
            assert!(wrong.parse::<VodId>().is_err(), "{wrong}");
        }
    }
}

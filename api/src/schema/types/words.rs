//! The domain's enums in the schema: the same words, with their meaning for clients.

use async_graphql::Enum;

/// The hazard a broadcast shows.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::Category")]
pub enum Category {
    /// Fire in a building, a vehicle or the open.
    Fire,
    /// Flood, tsunami, burst dam or main.
    Flood,
    /// Earthquake and its damage.
    Earthquake,
    /// Storm, typhoon, tornado, heavy snow.
    Storm,
    /// Landslide, rockfall, sinkhole, avalanche.
    Landslide,
    /// Explosion or gas leak.
    Explosion,
    /// A building or structure that fell or is about to.
    Collapse,
    /// Road, rail, air or ship accident.
    Traffic,
    /// A crowd in danger.
    Crowd,
    /// Violence or attack.
    Violence,
    /// People hurt or missing, where no other word fits.
    Rescue,
    /// Anything else.
    Other,
}

/// Where a broadcast stands: `PREPARING → LIVE ⇄ INTERRUPTED → ENDED`, or `FAILED`, `REMOVED`.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::stream::Status")]
pub enum StreamStatus {
    /// Started by its broadcaster, no picture yet.
    Preparing,
    /// On air.
    Live,
    /// On air, but no picture is coming in.
    Interrupted,
    /// Over. Its replay takes its place.
    Ended,
    /// Never got on air.
    Failed,
    /// Taken down. Such a broadcast is answered as null and is in no list.
    Removed,
}

/// Where a replay stands: `PROCESSING → READY`, or `WITHHELD`, `REMOVED`.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::vod::Status")]
pub enum VodStatus {
    /// Its faces are being blurred.
    Processing,
    /// The faces that were found are blurred; it can be played.
    Ready,
    /// Could not be blurred safely; it will not be shown.
    Withheld,
    /// Taken down. Such a replay is answered as null and is in no list.
    Removed,
}

/// How alive a camera is, judged by the age of its picture.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::cctv::Status")]
pub enum CctvStatus {
    /// Its picture is fresh.
    Live,
    /// Its picture is old.
    Stale,
    /// It has shown nothing for long.
    Dead,
    /// Its picture has not been judged.
    Unknown,
}

/// What a camera gives.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::cctv::Kind")]
pub enum CctvKind {
    /// A live playlist.
    Hls,
    /// A short clip, renewed from time to time.
    #[graphql(name = "MP4")]
    Mp4,
    /// A still picture, renewed from time to time.
    Image,
}

/// What kind of thing stands on the map.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::event::ItemKind")]
pub enum MapItemKind {
    /// A broadcast.
    Stream,
    /// A replay.
    Vod,
    /// A public camera.
    Cctv,
}

/// Words of the schema as those of the domain.
pub(crate) fn domain<W, D: From<W>>(words: Option<Vec<W>>) -> Option<Vec<D>> {
    words.map(|words| words.into_iter().map(D::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{Value, resolver_utils::enum_value};

    /// What a value is called in the schema, and in the domain.
    macro_rules! spellings {
        ($($word:ident of $domain:ty),+) => {
            [$(<$domain>::ALL.iter().map(|value| (enum_value($word::from(*value)), value.as_str())).collect()),+]
        };
    }

    #[test]
    fn the_schema_spells_every_word_as_the_domain_does() {
        let all: [Vec<(Value, &str)>; 6] = spellings!(
            Category of entity::Category,
            StreamStatus of entity::stream::Status,
            VodStatus of entity::vod::Status,
            CctvStatus of entity::cctv::Status,
            CctvKind of entity::cctv::Kind,
            MapItemKind of entity::event::ItemKind
        );
        for (shown, meant) in all.into_iter().flatten() {
            assert_eq!(shown.to_string(), meant);
        }
    }
}

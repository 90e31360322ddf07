//! What stands on the map, and the words it is told in. Each type wraps a row and shows only what the public may see.

pub(crate) mod cctv;
pub(crate) mod input;
pub(crate) mod item;
pub(crate) mod map;
pub(crate) mod place;
pub(crate) mod stream;
pub(crate) mod vod;
pub(crate) mod words;

pub(crate) use cctv::Cctv;
pub(crate) use item::{MapItem, Node};
pub(crate) use stream::Stream;
pub(crate) use vod::Vod;

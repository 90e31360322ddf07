//! The domain's types and its database rows; depends on nothing else of ours.
//!
//! What a value of one of these types holds is true once it is built: a `Longitude` is in range, a
//! `PublishToken` is 32 random bytes. Parsing happens here, so that nothing further in checks again.

pub mod category;
pub mod cctv;
pub mod event;
pub mod geo;
pub mod id;
pub mod inbox;
pub mod job;
pub mod outbox;
pub mod segment;
pub mod stream;
mod text_enum;
pub mod thumbnail;
pub mod time;
pub mod token;
pub mod vod;

pub use category::Category;
pub use geo::{BoundingBox, Latitude, Longitude, Position};
pub use id::{CctvId, ItemId, SegmentId, StreamId, VodId};
pub use thumbnail::Thumbnail;
pub use token::PublishToken;

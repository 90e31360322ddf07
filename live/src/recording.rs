//! What Amazon IVS's "Auto-Record to Amazon S3" leaves in the recordings store: its layout, to read and to write.
//!
//! Readers take every path from the recording's own files, and follow none out of its folder. Writers, who play IVS or
//! record an ingest of our own, put things where IVS puts them, so that readers need not know who wrote.
//! Source: "Auto-Record to Amazon S3", Amazon IVS Low-Latency Streaming User Guide.

mod description;
mod layout;
mod parse;
mod playlist;
mod recorder;
mod scan;
mod snapshot;

pub use description::{Description, Hls, LatestThumbnail, Media, Rendition, Status, Thumbnails};
pub use layout::{Layout, LayoutError};
pub use playlist::{Entry, Variant, master_playlist, media_playlist};
pub use recorder::{RecordError, Recorder, Subject, end_abandoned};
pub use scan::{ScanError, scan};
pub use snapshot::Snapshot;

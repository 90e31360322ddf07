//! The one way to objects, whatever keeps them. A put is whole or did not happen, and stays once it returned.

use crate::{
    file::Folder,
    key::Key,
    location::{Location, Settings},
    s3::Bucket,
};
use bytes::Bytes;
use entity::time::Timestamp;
use std::{
    ops::{Deref, Range},
    sync::Arc,
};

/// What is known of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Bytes.
    pub size: u64,
    /// Changes whenever the object does; with its quotes, as HTTP's `ETag` wants it. Compare only tags that `head` told.
    pub etag: String,
    /// When it was last written.
    pub modified: Timestamp,
    /// What it is: as it was put (S3), or by its key's ending (files). Listings of S3 do not say.
    pub content_type: Option<String>,
}

/// Why a store did not do what was asked. Prints no credentials and no addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such object.
    #[error("there is no object {0}")]
    NotFound(Key),
    /// Asking again will not help: a symbolic link out of the root, a range outside the object, an object too large.
    #[error("refused: {0}")]
    Refused(String),
    /// Asking again may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// A store of objects. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    max_object_bytes: u64,
}

#[derive(Clone)]
enum Backend {
    Files(Arc<Folder>),
    S3(Arc<Bucket>),
}

impl Store {
    /// Opens a store. A folder is made if it is missing; a bucket is not asked for until [`Store::check`].
    pub fn open(location: &Location, settings: &Settings) -> Result<Self, Error> {
        let backend = match location {
            Location::Files(root) => Backend::Files(Arc::new(Folder::open(root, settings)?)),
            Location::S3 { bucket, prefix } => Backend::S3(Arc::new(Bucket::open(bucket, prefix.clone(), settings)?)),
        };
        Ok(Self { backend, max_object_bytes: settings.max_object_bytes })
    }

    /// The whole object.
    pub async fn get(&self, key: &Key) -> Result<Bytes, Error> {
        match &self.backend {
            Backend::Files(folder) => folder.get(key, None).await,
            Backend::S3(bucket) => bucket.get(key, None).await,
        }
    }

    /// The bytes `range.start..range.end` of the object. An end past the object's is cut; an empty range, or one that
    /// starts at or past the object's end, is [`Error::Refused`].
    pub async fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes, Error> {
        if range.is_empty() {
            return Err(Error::Refused("the range is empty".into()));
        }
        match &self.backend {
            Backend::Files(folder) => folder.get(key, Some(range)).await,
            Backend::S3(bucket) => bucket.get(key, Some(range)).await,
        }
    }

    /// What is known of the object.
    pub async fn head(&self, key: &Key) -> Result<Meta, Error> {
        match &self.backend {
            Backend::Files(folder) => folder.head(key).await,
            Backend::S3(bucket) => bucket.head(key).await,
        }
    }

    /// Writes an object, in place of one that may be there. Readers see the old one or the new one, whole; once this
    /// returns, the new one survives a loss of power.
    pub async fn put(&self, key: &Key, bytes: Bytes, content_type: &str) -> Result<(), Error> {
        if bytes.len() as u64 > self.max_object_bytes {
            return Err(too_large(bytes.len() as u64, self.max_object_bytes));
        }
        match &self.backend {
            Backend::Files(folder) => folder.put(key, bytes).await,
            Backend::S3(bucket) => bucket.put(key, bytes, content_type).await,
        }
    }

    /// Removes an object; that there is none is fine.
    pub async fn delete(&self, key: &Key) -> Result<(), Error> {
        match &self.backend {
            Backend::Files(folder) => folder.delete(key).await,
            Backend::S3(bucket) => bucket.delete(key).await,
        }
    }

    /// Every object in the folder `prefix` and the folders in it, by key. Not `prefix` itself; empty if there is none.
    pub async fn list(&self, prefix: &Key) -> Result<Vec<(Key, Meta)>, Error> {
        let mut found = match &self.backend {
            Backend::Files(folder) => folder.list(prefix).await,
            Backend::S3(bucket) => bucket.list(prefix).await,
        }?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// Whether the store can be used now: a folder takes a file, a bucket answers to our credentials.
    pub async fn check(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Files(folder) => folder.check().await,
            Backend::S3(bucket) => bucket.check().await,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.backend {
            Backend::Files(_) => "Store(files)",
            Backend::S3(_) => "Store(s3)",
        })
    }
}

pub(crate) fn too_large(bytes: u64, most: u64) -> Error {
    Error::Refused(format!("the object has {bytes} bytes, more than {most}"))
}

pub(crate) fn too_many(most: usize) -> Error {
    Error::Refused(format!("there are more than {most} objects to list"))
}

/// Where the provider's recordings are. Private: nothing in here is ever served.
#[derive(Clone, Debug)]
pub struct Recordings(Store);

/// Where redacted replays are. Public.
#[derive(Clone, Debug)]
pub struct Replays(Store);

impl Recordings {
    /// As [`Store::open`].
    pub fn open(location: &Location, settings: &Settings) -> Result<Self, Error> {
        Store::open(location, settings).map(Self)
    }
}

impl Replays {
    /// As [`Store::open`].
    pub fn open(location: &Location, settings: &Settings) -> Result<Self, Error> {
        Store::open(location, settings).map(Self)
    }
}

impl Deref for Recordings {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
    }
}

impl Deref for Replays {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
    }
}

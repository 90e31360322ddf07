//! Objects in S3, or in a server that speaks it. Every request is bounded in time and in tries, and what went wrong
//! is told without the request's address, its headers or the server's answer: they hold names and signatures.

use crate::{
    key::Key,
    location::Settings,
    store::{Error, Meta, too_large, too_many},
};
use bytes::Bytes;
use entity::time::to_millis;
use futures_util::StreamExt as _;
use object_store::{
    Attribute, Attributes, ClientConfigKey, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    PutOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
    client::{HttpError, HttpErrorKind},
    path::Path,
};
use std::{error::Error as _, ops::Range, time::Duration};

/// HTTP's "range not satisfiable".
const RANGE_NOT_SATISFIABLE: u16 = 416;
/// A folder that holds nothing: listing it costs one small request. A key cannot begin with a dot.
const CHECKED_FOLDER: &str = ".check";

/// A part of a bucket.
pub(crate) struct Bucket {
    store: AmazonS3,
    prefix: Option<Key>,
    max_object_bytes: u64,
    max_listed: usize,
}

impl Bucket {
    pub(crate) fn open(bucket: &str, prefix: Option<Key>, settings: &Settings) -> Result<Self, Error> {
        let store = builder(bucket, settings).build().map_err(|_| {
            // The cause may quote what it could not read, credentials with it.
            Error::Refused("the S3 settings or AWS_* variables cannot be used".into())
        })?;
        let (max_object_bytes, max_listed) = (settings.max_object_bytes, settings.max_listed);
        Ok(Self { store, prefix, max_object_bytes, max_listed })
    }

    pub(crate) async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&self.path(key)?, options).await.map_err(|e| explain(&e, key))?;
        let bytes = found.range.end - found.range.start;
        if bytes > self.max_object_bytes {
            return Err(too_large(bytes, self.max_object_bytes));
        }
        found.bytes().await.map_err(|e| explain(&e, key))
    }

    pub(crate) async fn head(&self, key: &Key) -> Result<Meta, Error> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = self.store.get_opts(&self.path(key)?, options).await.map_err(|e| explain(&e, key))?;
        let content_type = found.attributes.get(&Attribute::ContentType).map(|value| value.as_ref().to_owned());
        Ok(Meta { content_type, ..meta(&found.meta) })
    }

    pub(crate) async fn put(&self, key: &Key, bytes: Bytes, content_type: &str) -> Result<(), Error> {
        let attributes = Attributes::from_iter([(Attribute::ContentType, content_type.to_owned())]);
        let options = PutOptions { attributes, ..PutOptions::default() };
        self.store.put_opts(&self.path(key)?, bytes.into(), options).await.map_err(|e| explain(&e, key))?;
        Ok(())
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Error> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(explain(&e, key)),
        }
    }

    pub(crate) async fn list(&self, prefix: &Key) -> Result<Vec<(Key, Meta)>, Error> {
        let path = self.path(prefix)?;
        let mut pages = self.store.list(Some(&path));
        let mut found = Vec::new();
        while let Some(object) = pages.next().await {
            let object = object.map_err(|e| Error::Unavailable(reason(&e)))?;
            // An object that others have put there under a name that is no key is none of ours.
            let Some(key) = self.key(&object.location) else { continue };
            if found.len() == self.max_listed {
                return Err(too_many(self.max_listed));
            }
            found.push((key, meta(&object)));
        }
        Ok(found)
    }

    pub(crate) async fn check(&self) -> Result<(), Error> {
        let path = match &self.prefix {
            Some(prefix) => format!("{prefix}/{CHECKED_FOLDER}"),
            None => CHECKED_FOLDER.to_owned(),
        };
        let path = Path::parse(path).map_err(|e| Error::Refused(e.to_string()))?;
        match self.store.list(Some(&path)).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(e)) => Err(Error::Unavailable(reason(&e))),
        }
    }

    fn path(&self, key: &Key) -> Result<Path, Error> {
        let full = match &self.prefix {
            Some(prefix) => format!("{prefix}/{key}"),
            None => key.to_string(),
        };
        Path::parse(full).map_err(|_| Error::Refused("the key is no S3 path".into()))
    }

    fn key(&self, path: &Path) -> Option<Key> {
        let full = path.as_ref();
        let rest = match &self.prefix {
            Some(prefix) => full.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => full,
        };
        Key::parse(rest).ok()
    }
}

fn builder(bucket: &str, settings: &Settings) -> AmazonS3Builder {
    let retry =
        RetryConfig { max_retries: settings.retries, retry_timeout: settings.retry_timeout, ..RetryConfig::default() };
    let timeout = |key, value: Duration| (AmazonS3ConfigKey::Client(key), format!("{}ms", value.as_millis()));
    let (connect, connect_ms) = timeout(ClientConfigKey::ConnectTimeout, settings.connect_timeout);
    let (request, request_ms) = timeout(ClientConfigKey::Timeout, settings.request_timeout);
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry)
        // One object at a time is deleted, and not every server knows the bulk request.
        .with_disable_bulk_delete(true)
        .with_config(connect, connect_ms)
        .with_config(request, request_ms);
    if let Some(endpoint) = &settings.endpoint {
        builder =
            builder.with_endpoint(endpoint.as_str().trim_end_matches('/')).with_virtual_hosted_style_request(false);
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    if let (Some(id), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
    }
    if let Some(token) = &settings.session_token {
        builder = builder.with_token(token);
    }
    if settings.allow_http {
        builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    builder
}

fn meta(object: &ObjectMeta) -> Meta {
    let etag = match &object.e_tag {
        Some(etag) if etag.starts_with('"') || etag.starts_with("W/") => etag.clone(),
        Some(etag) => format!("\"{etag}\""),
        None => format!("\"{:x}-{:x}\"", object.size, object.last_modified.timestamp_millis()),
    };
    Meta { size: object.size, etag, modified: to_millis(object.last_modified), content_type: None }
}

fn explain(error: &object_store::Error, key: &Key) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::NotFound(key.clone()),
        e if status(e) == Some(RANGE_NOT_SATISFIABLE) => Error::Refused("the range is outside the object".into()),
        e => Error::Unavailable(reason(e)),
    }
}

/// What went wrong, in words of ours. That an object is missing is told before; what is missing here is the bucket.
fn reason(error: &object_store::Error) -> String {
    match (status(error), transport(error)) {
        (Some(401), _) => "S3 does not accept the credentials".to_owned(),
        (Some(403), _) => "S3 denies permission".to_owned(),
        (Some(404), _) => "there is no such bucket".to_owned(),
        (Some(status), _) => format!("S3 answered with status {status}"),
        (None, Some(HttpErrorKind::Connect)) => "S3 cannot be reached".to_owned(),
        (None, Some(HttpErrorKind::Timeout)) => "S3 took too long".to_owned(),
        (None, Some(kind)) => format!("the exchange with S3 failed ({kind:?})"),
        (None, None) => "the request to S3 failed".to_owned(),
    }
}

fn causes(error: &object_store::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn transport(error: &object_store::Error) -> Option<HttpErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<HttpError>()).map(HttpError::kind)
}

/// The status of the answer. object_store keeps its type private, so the number is read from its words.
fn status(error: &object_store::Error) -> Option<u16> {
    causes(error).find_map(|cause| {
        let words = cause.to_string();
        let (_, rest) = words.split_once("status code: ")?;
        rest.get(..3)?.parse().ok()
    })
}

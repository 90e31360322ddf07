//! Where a store lies and how to reach it. A [`Location`] holds no secret and may be logged; [`Settings`] hold
//! credentials, and print none of them.

use crate::key::{Key, KeyError};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};
use url::Url;

/// The root of a store: `file:///dir` or `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine, by its absolute path.
    Files(PathBuf),
    /// A part of an S3 bucket.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The folder within it; `None` is the whole bucket.
        prefix: Option<Key>,
    },
}

/// Why a text is not a location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Not a URL.
    #[error("not a URL of the form file:///folder or s3://bucket/prefix")]
    NotUrl,
    /// Another scheme.
    #[error("the scheme is {0}, not file or s3")]
    Scheme(String),
    /// Credentials, a port, a query or a fragment: they belong into settings, or nowhere.
    #[error("a storage URL has only a scheme, a host and a path")]
    Superfluous,
    /// `file://host/dir`, or a path that is not absolute.
    #[error("a file URL has no host and an absolute path: file:///folder")]
    NotLocal,
    /// `s3:///prefix`.
    #[error("no bucket: s3://bucket/prefix")]
    NoBucket,
    /// The prefix, or the part to be joined, is not a key.
    #[error("the path cannot be used: {0}")]
    Path(#[from] KeyError),
}

impl Location {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, LocationError> {
        let url = Url::parse(url).map_err(|_| LocationError::NotUrl)?;
        let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        if !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(LocationError::Superfluous);
        }
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Files).map_err(|()| LocationError::NotLocal),
            "s3" => {
                let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or(LocationError::NoBucket)?.to_owned();
                let path = url.path().trim_matches('/');
                let prefix = if path.is_empty() { None } else { Some(Key::parse(path)?) };
                Ok(Self::S3 { bucket, prefix })
            }
            other => Err(LocationError::Scheme(other.to_owned())),
        }
    }

    /// A folder of this machine; a relative path is taken from the working directory.
    pub fn folder(path: &Path) -> Result<Self, LocationError> {
        std::path::absolute(path).map(Self::Files).map_err(|_| LocationError::NotLocal)
    }

    /// A folder within this location; `part` may have several parts.
    pub fn join(&self, part: &str) -> Result<Self, LocationError> {
        let part = Key::parse(part)?;
        Ok(match self {
            Self::Files(root) => Self::Files(root.join(part.as_str())),
            Self::S3 { bucket, prefix } => {
                let prefix = prefix.as_ref().map_or(Ok(part.clone()), |prefix| prefix.join(part.as_str()))?;
                Self::S3 { bucket: bucket.clone(), prefix: Some(prefix) }
            }
        })
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(url: &str) -> Result<Self, LocationError> {
        Self::parse(url)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(root) => match Url::from_directory_path(root) {
                Ok(url) => f.write_str(url.as_str().trim_end_matches('/')),
                Err(()) => f.write_str("file://?"),
            },
            Self::S3 { bucket, prefix: None } => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix: Some(prefix) } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// How to reach a store. What is `None` is taken from the environment's `AWS_*` variables, and the credentials, when
/// those have none either, from the machine's or container's role.
#[derive(Clone)]
pub struct Settings {
    /// An S3 server other than Amazon's. Requests name the bucket in the path.
    pub endpoint: Option<Url>,
    /// The bucket's region; without any, `us-east-1`.
    pub region: Option<String>,
    /// Who we are.
    pub access_key_id: Option<String>,
    /// Secret.
    pub secret_access_key: Option<String>,
    /// Goes with temporary credentials. Secret.
    pub session_token: Option<String>,
    /// Whether `endpoint` may be `http:`.
    pub allow_http: bool,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one request may take, its body with it.
    pub request_timeout: Duration,
    /// How often a request is tried again after a fault of the network or the server.
    pub retries: usize,
    /// After this long, no request is tried again.
    pub retry_timeout: Duration,
    /// The largest object that is read or written, in bytes: objects are held in memory whole.
    pub max_object_bytes: u64,
    /// The most objects that one listing may return.
    pub max_listed: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            allow_http: false,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            retries: 3,
            retry_timeout: Duration::from_mins(1),
            max_object_bytes: 512 * 1024 * 1024,
            max_listed: 1_000_000,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("allow_http", &self.allow_http)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_reads_and_prints_as_the_same_url() {
        for url in ["file:///var/lib/et", "file:///with%20space", "s3://bucket", "s3://bucket/some/prefix"] {
            assert_eq!(Location::parse(url).unwrap().to_string(), url);
        }
        assert_eq!(Location::parse("s3://bucket/a/").unwrap(), Location::parse("s3://bucket/a").unwrap());
    }

    #[test]
    fn a_part_joins_under_files_bucket_and_prefix() {
        for (url, joined) in [
            ("file:///data", "file:///data/recordings"),
            ("s3://bucket", "s3://bucket/recordings"),
            ("s3://bucket/et", "s3://bucket/et/recordings"),
        ] {
            assert_eq!(Location::parse(url).unwrap().join("recordings").unwrap().to_string(), joined);
            assert!(Location::parse(url).unwrap().join("../recordings").is_err());
        }
    }

    #[test]
    fn a_wrong_location_says_what_is_wrong() {
        for (url, why) in [
            ("data", LocationError::NotUrl),
            ("https://bucket/a", LocationError::Scheme("https".into())),
            ("file://host/dir", LocationError::NotLocal),
            ("s3:///prefix", LocationError::NoBucket),
            ("s3://key:secret@bucket/a", LocationError::Superfluous),
            ("s3://bucket/a?region=x", LocationError::Superfluous),
            ("s3://bucket/a//b", LocationError::Path(KeyError::EmptyPart)),
            ("s3://bucket/%2e%2e/b%25", LocationError::Path(KeyError::Character('%'))),
        ] {
            assert_eq!(Location::parse(url), Err(why), "{url}");
        }
    }

    #[test]
    fn settings_print_no_secret() {
        let settings = Settings {
            access_key_id: Some("AKIA-visible".into()),
            secret_access_key: Some("very-secret".into()),
            session_token: Some("token-secret".into()),
            endpoint: Url::parse("http://user:endpoint-secret@host").ok(),
            ..Settings::default()
        };
        let printed = format!("{settings:?}");
        assert!(
            !printed.contains("secret\"") && !printed.contains("-secret") && !printed.contains("AKIA"),
            "{printed}"
        );
    }
}

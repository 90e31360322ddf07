//! Where recordings and replays lie: two roots that never lie in each other.
//!
//! Recordings show bare faces. A root of replays that held them, or lay in them, would put them one wrong path away
//! from the public; such a configuration is refused.

use super::{DataFlags, Faults, folder, given};
use storage::{Location, Settings};
use url::Url;

/// The stores' flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Recordings and replays")]
pub struct StorageFlags {
    /// file:///folder or s3://bucket/prefix; recordings lie in <URL>/recordings, replays in <URL>/replays. Absent:
    /// DATA_DIR.
    #[arg(long, env = "STORAGE_URL", value_name = "URL")]
    pub storage_url: Option<String>,
    /// Where recordings lie, set apart from STORAGE_URL. They are never served.
    #[arg(long, env = "RECORDINGS_URL", value_name = "URL")]
    pub recordings_url: Option<String>,
    /// Where replays lie, set apart from STORAGE_URL.
    #[arg(long, env = "REPLAYS_URL", value_name = "URL")]
    pub replays_url: Option<String>,
    /// An S3 server other than Amazon's.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub aws_endpoint_url: Option<String>,
    /// Whether AWS_ENDPOINT_URL may be http: true or false. [default: false]
    #[arg(long, env = "AWS_ALLOW_HTTP", value_name = "BOOL")]
    pub aws_allow_http: Option<String>,
    /// The buckets' region. [default: us-east-1]
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    pub aws_region: Option<String>,
    /// The region, where AWS_REGION is not set.
    #[arg(long, env = "AWS_DEFAULT_REGION", value_name = "REGION", hide = true)]
    pub aws_default_region: Option<String>,
    /// Who we are to S3. Absent, with the secret: the role of the machine or container.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "ID", hide_env_values = true)]
    pub aws_access_key_id: Option<String>,
    /// Goes with AWS_ACCESS_KEY_ID.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", value_name = "SECRET", hide_env_values = true)]
    pub aws_secret_access_key: Option<String>,
    /// Goes with temporary credentials.
    #[arg(long, env = "AWS_SESSION_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub aws_session_token: Option<String>,
}

/// The two roots and how to reach them.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Bare recordings.
    pub recordings: Location,
    /// Redacted replays.
    pub replays: Location,
    /// For both.
    pub settings: Settings,
}

impl StorageFlags {
    /// Checks them; folders are made and tried.
    pub fn check(&self, data: &DataFlags, faults: &mut Faults) -> Option<Storage> {
        let settings = self.settings(faults);
        let recordings = self.root("RECORDINGS_URL", self.recordings_url.as_ref(), "recordings", data, faults);
        let replays = self.root("REPLAYS_URL", self.replays_url.as_ref(), "replays", data, faults);
        let (recordings, replays) = (recordings?, replays?);
        if within(&recordings, &replays) || within(&replays, &recordings) {
            faults
                .add("RECORDINGS_URL, REPLAYS_URL", "one lies in the other; recordings must not be where replays are");
            return None;
        }
        Some(Storage { recordings, replays, settings: settings? })
    }

    fn root(
        &self,
        name: &str,
        apart: Option<&String>,
        part: &str,
        data: &DataFlags,
        faults: &mut Faults,
    ) -> Option<Location> {
        let location = match (given(apart), given(self.storage_url.as_ref())) {
            (Some(url), _) => faults.check(name, Location::parse(url)),
            (None, Some(url)) => faults.check("STORAGE_URL", Location::parse(url).and_then(|base| base.join(part))),
            (None, None) => {
                let folder = data.folder(faults)?.join(part);
                faults.check("DATA_DIR", Location::folder(&folder))
            }
        }?;
        if let Location::Files(folder) = &location {
            let proof = folder::prove(folder).map_err(|error| format!("{}: {error}", folder.display()));
            faults.check(name, proof)?;
        }
        Some(location)
    }

    fn settings(&self, faults: &mut Faults) -> Option<Settings> {
        let allow_http = match given(self.aws_allow_http.as_ref()) {
            None | Some("false" | "0") => Some(false),
            Some("true" | "1") => Some(true),
            Some(other) => {
                faults.add("AWS_ALLOW_HTTP", format_args!("{other:?} is neither true nor false"));
                None
            }
        };
        let endpoint = faults.optional("AWS_ENDPOINT_URL", self.aws_endpoint_url.as_ref(), Url::parse);
        let (allow_http, endpoint) = (allow_http?, endpoint.ok()?);
        if endpoint.as_ref().is_some_and(|url| url.scheme() == "http") && !allow_http {
            faults.add("AWS_ENDPOINT_URL", "is http; set AWS_ALLOW_HTTP=true if that is meant");
            return None;
        }
        if given(self.aws_access_key_id.as_ref()).is_some() != given(self.aws_secret_access_key.as_ref()).is_some() {
            faults.add("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY", "one is set without the other");
            return None;
        }
        let own = |value: Option<&String>| given(value).map(str::to_owned);
        Some(Settings {
            endpoint,
            allow_http,
            region: own(self.aws_region.as_ref()).or_else(|| own(self.aws_default_region.as_ref())),
            access_key_id: own(self.aws_access_key_id.as_ref()),
            secret_access_key: own(self.aws_secret_access_key.as_ref()),
            session_token: own(self.aws_session_token.as_ref()),
            ..Settings::default()
        })
    }
}

/// Whether one root is the other or lies in it.
fn within(inner: &Location, outer: &Location) -> bool {
    match (inner, outer) {
        (Location::Files(inner), Location::Files(outer)) => inner.starts_with(outer),
        (Location::S3 { bucket: inner, prefix: part }, Location::S3 { bucket: outer, prefix: whole }) => {
            inner == outer
                && whole.as_ref().is_none_or(|whole| {
                    part.as_ref().is_some_and(|part| {
                        let rest = part.as_str().strip_prefix(whole.as_str());
                        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                    })
                })
        }
        _ => false,
    }
}

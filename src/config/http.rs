//! What the process answers on, and the addresses it gives to others.

use super::{DataFlags, Faults, Secret, Storage, StorageFlags, given};
use api::pages::{BroadcastSdk, Settings, Source};
use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
};
use url::Url;

/// Where a server listens when nothing else is said.
const BIND: &str = "127.0.0.1:8080";

/// The server's flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpFlags {
    /// Where HTTP and WebSocket are answered.
    #[arg(long, env = "BIND", value_name = "HOST:PORT", default_value = BIND)]
    pub bind: String,
    /// How clients reach this server, for the addresses given to them. Absent: http:// and BIND.
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// How clients reach replays, if elsewhere: the address of a CDN in front of the replay store. Absent: PUBLIC_URL.
    #[arg(long, env = "REPLAYS_PUBLIC_URL", value_name = "URL")]
    pub replays_public_url: Option<String>,
    /// What senders of live provider messages prove themselves with. Absent: made once and kept in
    /// DATA_DIR/webhook-secret.
    #[arg(long, env = "WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// Other sites that the map's pages may load pictures, films, tiles and streams from, with commas between them:
    /// https://cameras.example,https://*.cdn.example. Absent: none.
    #[arg(long, env = "PAGE_SOURCES", value_name = "SOURCES")]
    pub page_sources: Option<String>,
    /// A MapLibre style to draw the map with. Absent: the map that needs no network.
    #[arg(long, env = "BASEMAP_STYLE_URL", value_name = "URL")]
    pub basemap_style_url: Option<String>,
    /// A PMTiles file of the region, in the schema of Protomaps, to draw the map with.
    #[arg(long, env = "BASEMAP_PMTILES", value_name = "FILE")]
    pub basemap_pmtiles: Option<String>,
    /// The script of Amazon's Web Broadcast SDK, for browsers to go live with over Amazon IVS. Absent: they are shown
    /// what a broadcast app needs.
    #[arg(long, env = "IVS_BROADCAST_SDK_URL", value_name = "URL")]
    pub ivs_broadcast_sdk_url: Option<String>,
}

/// What the server answers on.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where it listens.
    pub bind: SocketAddr,
    /// How clients reach it; `None`: by the address it listens on, known once it does (the port may be 0).
    pub public_url: Option<Url>,
    /// How clients reach replays; `None`: as the server itself.
    pub replays_public_url: Option<Url>,
    /// The webhook's secret.
    pub webhook_secret: Secret<String>,
    /// What the pages may load and what their map is drawn from.
    pub pages: Settings,
}

impl Http {
    /// The address clients are given for a server that listens on `bound`.
    pub fn public_url(&self, bound: SocketAddr) -> Result<Url, url::ParseError> {
        self.public_url.clone().map_or_else(|| reach(bound), Ok)
    }
}

/// The address under which a server that listens on `bound` is reached from its own machine.
fn reach(bound: SocketAddr) -> Result<Url, url::ParseError> {
    let ip = if bound.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { bound.ip() };
    Url::parse(&format!("http://{}", SocketAddr::new(ip, bound.port())))
}

impl HttpFlags {
    /// Checks them.
    pub fn check(&self, data: &DataFlags, faults: &mut Faults) -> Option<Http> {
        let bind = faults.check("BIND", address(if self.bind.trim().is_empty() { BIND } else { &self.bind }));
        let public_url = faults.optional("PUBLIC_URL", self.public_url.as_ref(), base);
        let replays_public_url = faults.optional("REPLAYS_PUBLIC_URL", self.replays_public_url.as_ref(), base);
        let webhook_secret = secret(self.webhook_secret.as_ref(), data, faults);
        let pages = self.pages(faults);
        Some(Http {
            bind: bind?,
            public_url: public_url.ok()?,
            replays_public_url: replays_public_url.ok()?,
            webhook_secret: webhook_secret?,
            pages: pages?,
        })
    }

    fn pages(&self, faults: &mut Faults) -> Option<Settings> {
        let sources = faults.optional("PAGE_SOURCES", self.page_sources.as_ref(), sources);
        let style = faults.optional("BASEMAP_STYLE_URL", self.basemap_style_url.as_ref(), style);
        let file = faults.optional("BASEMAP_PMTILES", self.basemap_pmtiles.as_ref(), readable);
        let sdk = faults.optional("IVS_BROADCAST_SDK_URL", self.ivs_broadcast_sdk_url.as_ref(), sdk);
        let (sources, basemap_style, basemap_file) = (sources.ok()?.unwrap_or_default(), style.ok()?, file.ok()?);
        if basemap_style.is_some() && basemap_file.is_some() {
            faults.add("BASEMAP_PMTILES", "is not used together with BASEMAP_STYLE_URL: give one of them");
        }
        Some(Settings { basemap_style, basemap_file, sources, broadcast_sdk: sdk.ok()? })
    }
}

/// A list of sites.
fn sources(text: &str) -> Result<Vec<Source>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|error| format!("{part:?} {error}"))).collect()
}

/// The address of a style, which may carry a key as its query.
fn style(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    matches!(url.scheme(), "http" | "https").then_some(url).ok_or_else(|| "is not an http or https address".into())
}

/// The address of a script.
fn sdk(text: &str) -> Result<BroadcastSdk, String> {
    text.parse().map_err(|error| format!("{text:?} {error}"))
}

/// A file that can be read now.
fn readable(text: &str) -> Result<PathBuf, String> {
    File::open(text).map(|_| text.into()).map_err(|error| format!("{text:?}: {error}"))
}

/// A host and a port. A name must be this machine's own and is looked up once.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let wrong = || format!("{text:?} is not host:port, as in {BIND}");
    text.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(wrong)
}

/// Reads an address that is given to clients, to which paths are added.
fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(url),
        "http" | "https" => Err("has a query or a fragment".into()),
        other => Err(format!("the scheme is {other:?}, not http or https")),
    }
}

fn secret(value: Option<&String>, data: &DataFlags, faults: &mut Faults) -> Option<Secret<String>> {
    match given(value) {
        Some(text) => Some(Secret::new(text.to_owned())),
        None => data.secret(faults),
    }
}

/// The flags of the simulator: the server's own, so that both find the same store and the same secret.
#[derive(Clone, Debug, clap::Args)]
pub struct SimulateFlags {
    /// The server to play against. Absent: PUBLIC_URL, and without it http:// and BIND.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    http: HttpFlags,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    storage: StorageFlags,
}

/// What the simulator plays against.
#[derive(Clone, Debug)]
pub struct Simulate {
    /// The server.
    pub server: Url,
    /// What proves it to be the live provider.
    pub webhook_secret: Secret<String>,
    /// Where it leaves the recording.
    pub storage: Storage,
}

impl SimulateFlags {
    /// Checks all of it.
    pub fn check(&self) -> Result<Simulate, Faults> {
        let mut faults = Faults::default();
        let server = faults.optional("--server", self.server.as_ref(), base);
        let http = self.http.check(&self.data, &mut faults);
        let storage = self.storage.check(&self.data, &mut faults);
        let whole = || {
            let (http, storage, server) = (http?, storage?, server.ok()?);
            let server = server.or_else(|| http.public_url(http.bind).ok())?;
            Some(Simulate { server, webhook_secret: http.webhook_secret, storage })
        };
        let whole = whole();
        faults.finish(whole)
    }
}

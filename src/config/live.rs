//! Where broadcasts come from, and where and within which bounds this process takes them itself.

use super::{Faults, Noted, http::address};
use std::{net::SocketAddr, time::Duration};
use url::Url;

const RTMP_BIND: &str = "0.0.0.0:1935";
const WHIP_UDP_BIND: &str = "0.0.0.0:8189";
/// The port that RTMP addresses leave out.
const RTMP_PORT: u16 = 1935;
/// What turns a front off.
const OFF: &str = "off";

/// The live provider.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Live video")]
pub struct LiveFlags {
    /// Where broadcasts come from: `local`. `serve` takes them itself, by RTMP and WHIP; other processes reserve
    /// channels by name, for whoever plays on them.
    #[arg(long, env = "LIVE_PROVIDER", value_name = "NAME", default_value = "local")]
    live_provider: String,
}

impl LiveFlags {
    /// Checks them.
    pub fn check(&self, faults: &mut Faults) -> Option<()> {
        match self.live_provider.trim() {
            "" | "local" => Some(()),
            other => {
                faults.add("LIVE_PROVIDER", format_args!("there is no provider {other:?}; there is: local"));
                None
            }
        }
    }
}

/// How `serve` takes broadcasts.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Taking broadcasts")]
pub struct IngestFlags {
    /// Where broadcast apps are listened to (RTMP, TCP), or `off`.
    #[arg(long, env = "RTMP_BIND", value_name = "HOST:PORT", default_value = RTMP_BIND)]
    rtmp_bind: String,
    /// What broadcast apps are told to send to. Absent: rtmp://, the host of PUBLIC_URL, the port of RTMP_BIND and
    /// /live.
    #[arg(long, env = "RTMP_PUBLIC_URL", value_name = "URL")]
    rtmp_public_url: Option<String>,
    /// Where pictures of browsers come in (WHIP's media, UDP), or `off`.
    #[arg(long, env = "WHIP_UDP_BIND", value_name = "HOST:PORT", default_value = WHIP_UDP_BIND)]
    whip_udp_bind: String,
    /// The addresses browsers are told to send to, with commas between; port 0 stands for that of WHIP_UDP_BIND.
    /// Absent: this machine's own.
    #[arg(long, env = "WHIP_ADVERTISE", value_name = "IP:PORT,…")]
    whip_advertise: Option<String>,
    /// How long an interrupted broadcast may be taken up again, in seconds.
    #[arg(long, env = "LIVE_GRACE_SECONDS", value_name = "N")]
    live_grace_seconds: Option<String>,
    /// Publishers at once.
    #[arg(long, env = "LIVE_PUBLISHERS", value_name = "N")]
    live_publishers: Option<String>,
    /// Kilobits per second that one publisher may send.
    #[arg(long, env = "LIVE_KBITS", value_name = "N")]
    live_kbits: Option<String>,
    /// Pixels that a picture may have; 1920×1088 by default.
    #[arg(long, env = "LIVE_PIXELS", value_name = "N")]
    live_pixels: Option<String>,
    /// Hours that a broadcast may last.
    #[arg(long, env = "LIVE_HOURS", value_name = "N")]
    live_hours: Option<String>,
}

/// How broadcasts are taken.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// Where RTMP is listened to; `None`: nowhere.
    pub rtmp_bind: Option<SocketAddr>,
    /// What broadcast apps are told; `None`: what follows from the addresses listened on.
    pub rtmp_public_url: Option<Url>,
    /// Where WHIP's media come in; `None`: WHIP is not offered.
    pub whip_bind: Option<SocketAddr>,
    /// What browsers are told; empty: this machine's addresses.
    pub whip_advertise: Vec<SocketAddr>,
    /// Bounds.
    pub settings: ingest::Settings,
}

impl Ingest {
    /// What broadcast apps are told to send to, for a listener on `bound` of a server that is reached at `public`.
    pub fn rtmp_url(&self, bound: SocketAddr, public: &Url) -> String {
        if let Some(url) = &self.rtmp_public_url {
            return url.as_str().trim_end_matches('/').to_owned();
        }
        let host = public.host_str().unwrap_or("localhost");
        let port = if bound.port() == RTMP_PORT { String::new() } else { format!(":{}", bound.port()) };
        format!("rtmp://{host}{port}/{}", ingest::APP)
    }
}

impl IngestFlags {
    /// Checks them.
    pub fn check(&self, faults: &mut Faults) -> Option<Ingest> {
        let rtmp_bind = bind(faults, "RTMP_BIND", &self.rtmp_bind, RTMP_BIND);
        let whip_bind = bind(faults, "WHIP_UDP_BIND", &self.whip_udp_bind, WHIP_UDP_BIND);
        let rtmp_public_url = faults.optional("RTMP_PUBLIC_URL", self.rtmp_public_url.as_ref(), rtmp_address);
        let whip_advertise = faults.optional("WHIP_ADVERTISE", self.whip_advertise.as_ref(), addresses);
        let settings = self.settings(faults);
        Some(Ingest {
            rtmp_bind: rtmp_bind.ok()?,
            rtmp_public_url: rtmp_public_url.ok()?,
            whip_bind: whip_bind.ok()?,
            whip_advertise: whip_advertise.ok()?.unwrap_or_default(),
            settings: settings.ok()?,
        })
    }

    fn settings(&self, faults: &mut Faults) -> Result<ingest::Settings, Noted> {
        let grace = faults.optional("LIVE_GRACE_SECONDS", self.live_grace_seconds.as_ref(), |text| number(text, 0));
        let publishers = faults.optional("LIVE_PUBLISHERS", self.live_publishers.as_ref(), |text| number(text, 1));
        let kbits = faults.optional("LIVE_KBITS", self.live_kbits.as_ref(), |text| number(text, 1));
        let pixels = faults.optional("LIVE_PIXELS", self.live_pixels.as_ref(), |text| number(text, 1));
        let hours = faults.optional("LIVE_HOURS", self.live_hours.as_ref(), |text| number(text, 1));
        let mut settings = ingest::Settings::default();
        if let Some(seconds) = grace? {
            settings.grace = Duration::from_secs(seconds.into());
        }
        if let Some(publishers) = publishers? {
            settings.publishers = publishers as usize;
        }
        if let Some(kbits) = kbits? {
            settings.bits_per_second = u64::from(kbits) * 1_000;
        }
        if let Some(pixels) = pixels? {
            settings.pixels = pixels.into();
        }
        if let Some(hours) = hours? {
            settings.longest = Duration::from_secs(u64::from(hours) * 3_600);
        }
        Ok(settings)
    }
}

fn bind(faults: &mut Faults, name: &str, text: &str, usual: &str) -> Result<Option<SocketAddr>, Noted> {
    let text = if text.trim().is_empty() { usual } else { text.trim() };
    if text == OFF {
        return Ok(None);
    }
    faults.check(name, address(text)).map(Some).ok_or(Noted)
}

fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let one = |part: &str| part.trim().parse().map_err(|_| format!("{part:?} is not IP:PORT"));
    text.split(',').map(one).collect()
}

fn rtmp_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "rtmp" | "rtmps" => Ok(url),
        other => Err(format!("the scheme is {other:?}, not rtmp or rtmps")),
    }
}

fn number(text: &str, least: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| format!("{text:?} is not a whole number from {least}"))
}

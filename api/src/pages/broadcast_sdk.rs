//! Amazon's Web Broadcast SDK: the one script of another site that a page may run, where an operator names it.
//!
//! Its licence does not let it be part of this program. A page loads it when somebody goes live over Amazon IVS, and
//! never in a frame of another site.

use std::str::FromStr;
use url::Url;

/// The address of the script. It stands in a policy, so it is one file and nothing that could change the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastSdk(Url);

/// A text that is no [`BroadcastSdk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the http or https address of one file, without a query and without , or ;")]
pub struct NotAScript;

impl FromStr for BroadcastSdk {
    type Err = NotAScript;

    fn from_str(text: &str) -> Result<Self, NotAScript> {
        let url = Url::parse(text).map_err(|_| NotAScript)?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        // A path that ends in / would stand for everything below it.
        let file = !url.path().ends_with('/') && url.query().is_none() && url.fragment().is_none();
        let plain = url.username().is_empty() && url.password().is_none() && !url.as_str().contains([',', ';', '\'']);
        (web && file && plain).then_some(Self(url)).ok_or(NotAScript)
    }
}

impl BroadcastSdk {
    /// Whom the SDK talks to: the WebRTC side of a channel's ingest endpoint, and Amazon's statistics. Read from version
    /// 1.41.0.
    pub(super) const SITES: [&str; 2] =
        ["https://*.webrtc.live-video.net:4443", "https://broadcast.stats.live-video.net"];

    /// Its address.
    pub(super) fn address(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_file_and_nothing_that_changes_a_policy() {
        let good = "https://web-broadcast.live-video.net/1.41.0/amazon-ivs-web-broadcast.js";
        assert_eq!(good.parse::<BroadcastSdk>().unwrap().address(), good);
        let wrong = [
            "",
            "sdk.js",
            "/sdk.js",
            "https://a.example",
            "https://a.example/",
            "https://a.example/folder/",
            "https://a.example/sdk.js?version=1",
            "https://a.example/sdk.js#x",
            "https://a.example/sdk.js;script-src *",
            "https://a.example/a.js,b.js",
            "https://a.example/'unsafe-inline'",
            "https://user:word@a.example/sdk.js",
            "data:text/javascript,1",
            "ftp://a.example/sdk.js",
        ];
        for text in wrong {
            assert_eq!(text.parse::<BroadcastSdk>(), Err(NotAScript), "{text}");
        }
        // What is no letter of an address is escaped, so that a blank ends nothing.
        assert_eq!("https://a.example/s d.js".parse::<BroadcastSdk>().unwrap().address(), "https://a.example/s%20d.js");
    }
}

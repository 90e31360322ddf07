//! The embedded live provider in a process: its fronts, and how what it says comes to the lifecycle.

use crate::config::Ingest;
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use entity::time::Clock;
use ingest::{Announce, Parts, Rtmp, RtmpLimits, Settings, Studio, Unheard, whip};
use lifecycle::{Lifecycle, Limits};
use live::{LiveEvent, LiveEventKind};
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
};
use storage::Recordings;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The provider and its fronts, which take nobody before [`Broadcasting::run`].
pub struct Broadcasting {
    pub studio: Studio,
    pub whip: Option<Arc<whip::Front>>,
    rtmp: Option<Rtmp>,
    herald: Arc<Herald>,
}

/// Carries what the provider says to the lifecycle, once there is one: each is made with the other.
#[derive(Default)]
struct Herald(OnceLock<Lifecycle>);

#[async_trait]
impl Announce for Herald {
    async fn announce(&self, event: &LiveEvent) -> Result<(), Unheard> {
        let lifecycle = self.0.get().ok_or_else(|| Unheard("nobody listens yet".into()))?;
        let heard = match event.kind {
            // It can be found again in the recording's folder, and is not worth a row of the inbox.
            LiveEventKind::SegmentsWritten { .. } => lifecycle.apply(event).await.map(drop),
            _ => lifecycle.receive(event).await,
        };
        heard.map_err(|fault| Unheard(fault.to_string()))
    }

    async fn viewers(&self, channel_arn: &str, count: u32) {
        let Some(lifecycle) = self.0.get() else { return };
        if let Err(error) = lifecycle.count_viewers(channel_arn, count).await {
            tracing::warn!(%error, "a number of viewers is lost");
        }
    }
}

impl Broadcasting {
    /// Makes the provider. `rtmp` is the listener, if RTMP is offered; `public` is how clients reach this server.
    pub async fn new(
        config: &Ingest,
        rtmp: Option<(TcpListener, SocketAddr)>,
        public: &Url,
        recordings: Recordings,
    ) -> Result<Self> {
        let herald = Arc::<Herald>::default();
        let settings = Settings {
            rtmp_url: rtmp.as_ref().map(|(_, bound)| config.rtmp_url(*bound, public)),
            offers_whip: config.whip_bind.is_some(),
            // One bound, kept by the lifecycle for the row and by the provider for the channel.
            unpublished: Limits::default().preparing,
            ..config.settings.clone()
        };
        let announce = Arc::clone(&herald) as Arc<dyn Announce>;
        let studio = Studio::new(Parts { recordings, announce, clock: Clock::System, settings });
        let rtmp = rtmp.map(|(listener, _)| Rtmp::new(listener, studio.clone(), RtmpLimits::default())).transpose();
        let whip = match config.whip_bind {
            Some(bind) => {
                let advertise = config.whip_advertise.clone();
                let config = whip::Config {
                    bind,
                    advertise,
                    max_sessions: config.settings.publishers,
                    ..whip::Config::default()
                };
                let front = whip::Front::start(studio.clone(), config).await;
                Some(Arc::new(front.with_context(|| format!("WHIP_UDP_BIND: no pictures can be taken on {bind}"))?))
            }
            None => None,
        };
        Ok(Self { studio, whip, rtmp: rtmp?, herald })
    }

    /// Takes broadcasts until cancelled, and tells the lifecycle of them.
    pub async fn run(self, lifecycle: Lifecycle, cancel: CancellationToken) -> Result<()> {
        let Self { studio, whip, rtmp, herald } = self;
        herald.0.set(lifecycle).ok().context("the provider has a listener already")?;
        let rtmp = async {
            if let Some(rtmp) = rtmp {
                rtmp.run(cancel.clone()).await;
            }
        };
        let whip = async {
            cancel.cancelled().await;
            if let Some(whip) = whip {
                whip.stop().await;
            }
        };
        tokio::join!(studio.run(cancel.clone()), rtmp, whip);
        Ok(())
    }
}

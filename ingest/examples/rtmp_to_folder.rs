//! The embedded provider by itself: takes broadcasts over RTMP into a folder, for trying it out and for measuring it.
//!
//! `rtmp_to_folder ADDRESS FOLDER CHANNELS` prints one address to publish to for each channel, then every message.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool at a developer's hand")]

use async_trait::async_trait;
use entity::{PublishToken, StreamId, time::Clock};
use ingest::{APP, Announce, Parts, Rtmp, RtmpLimits, Settings, Studio, Unheard};
use live::{LiveEvent, LiveProvider as _};
use std::{net::TcpListener, path::Path, sync::Arc};
use storage::{Location, Recordings};
use tokio_util::sync::CancellationToken;

struct Printed;

#[async_trait]
impl Announce for Printed {
    async fn announce(&self, event: &LiveEvent) -> Result<(), Unheard> {
        println!("{}", serde_json::to_string(event).map_err(|error| Unheard(error.to_string()))?);
        Ok(())
    }

    async fn viewers(&self, channel_arn: &str, count: u32) {
        println!("{channel_arn}: {count} viewers");
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name: &str| arguments.next().unwrap_or_else(|| usage(name));
    let (address, folder, channels) = (argument("ADDRESS"), argument("FOLDER"), argument("CHANNELS"));
    let location = Location::folder(Path::new(&folder)).expect("a folder");
    let recordings = Recordings::open(&location, &storage::Settings::default()).expect("a folder to write to");
    let listener = TcpListener::bind(&address).expect("a free address");
    let settings = Settings { rtmp_url: Some(format!("rtmp://{address}/{APP}")), ..Settings::default() };
    let studio = Studio::new(Parts { recordings, announce: Arc::new(Printed), clock: Clock::System, settings });
    for _ in 0..channels.parse().expect("a number of channels") {
        let lease = studio.lease(StreamId::generate(), &PublishToken::generate()).await.expect("a channel");
        println!("{}/{}", lease.ingest.rtmp_url.unwrap_or_default(), lease.ingest.stream_key.unwrap_or_default());
    }
    let cancel = CancellationToken::new();
    let rtmp = Rtmp::new(listener, studio.clone(), RtmpLimits::default()).expect("a listener");
    let interrupted = async {
        tokio::signal::ctrl_c().await.expect("signals");
        cancel.cancel();
    };
    tokio::join!(rtmp.run(cancel.clone()), studio.run(cancel.clone()), interrupted);
}

fn usage(missing: &str) -> ! {
    eprintln!("rtmp_to_folder ADDRESS FOLDER CHANNELS: {missing} is missing");
    std::process::exit(2)
}

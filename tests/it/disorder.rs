//! Messages of the live provider as they really come: lost, repeated, hours late, in any order. Whatever comes, the
//! end is the same, and what came late changes nothing that was right.

use crate::harness::{
    broadcast::Handmade,
    client::Client,
    clip::Clip,
    deadline,
    replay::Replay,
    site::{Shape, Site, WEBHOOK_SECRET},
};
use anyhow::{Context as _, Result, ensure};
use entity::{stream, vod};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::Value;

/// Short: what is looked at are rows, not pictures.
const CLIP: Clip = Clip::without_faces(6);
/// Each is another order.
const SEEDS: std::ops::Range<u64> = 1..5;

/// Everything in which two broadcasts of the same clip must agree.
#[derive(Debug, PartialEq)]
struct End {
    stream: stream::Status,
    length_ms: i64,
    vod: vod::Status,
    segments: (i32, i32, i32),
    duration_ms: i64,
    frames: i64,
    playlist: Vec<String>,
}

async fn end_of(site: &Site, broadcast: &Handmade) -> Result<End> {
    let (stream, vod) = rows(site, broadcast).await?;
    let client: &Client = &site.client;
    let shown = client.vod_of(&broadcast.stream).await?.context("no replay is shown")?;
    let address = shown.playback_url.with_context(|| format!("no address: {vod:?}"))?;
    let playlist = Replay::fetch(client, &address, &site.folder().join(&shown.id)).await?.lines;
    let length = stream.ended_at.context("no end")? - stream.started_at.context("no start")?;
    Ok(End {
        stream: stream.status,
        length_ms: length.num_milliseconds(),
        vod: vod.status,
        segments: (vod.segments_known, vod.segments_settled, vod.gaps),
        duration_ms: vod.duration_ms,
        frames: vod.frames,
        playlist: playlist.into_iter().filter(|line| !line.starts_with("#EXT-X-PROGRAM-DATE-TIME")).collect(),
    })
}

async fn rows(site: &Site, broadcast: &Handmade) -> Result<(stream::Model, vod::Model)> {
    Ok((site.records()?.stream(&broadcast.stream).await?, site.records()?.vod_of(&broadcast.stream).await?))
}

async fn settled(site: &Site, broadcast: &Handmade) -> Result<()> {
    deadline::until("the replay is READY", deadline::LATE, || async {
        let vods = site.records()?.vods_of(&broadcast.stream).await?;
        let ready = vods.len() == 1 && vods[0].status == vod::Status::Ready;
        let stream = site.records()?.stream(&broadcast.stream).await?;
        let ended = stream.status == stream::Status::Ended;
        Ok(if ready && ended { Ok(()) } else { Err(format!("{stream:?} {vods:?}")) })
    })
    .await
}

async fn inbox_is_applied(site: &Site) -> Result<()> {
    deadline::until("every message is applied", deadline::SOON, || async {
        let left = site.records()?.inbox_left().await?;
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) })
    })
    .await
}

/// All messages but the lost ones, some of them more than once, in an order of the seed's choosing.
fn disordered(broadcast: &Handmade, lost: &[&str], seed: u64) -> Vec<Value> {
    let mut random = StdRng::seed_from_u64(seed);
    let kept = broadcast.messages().into_iter().filter(|(name, _)| !lost.contains(name));
    let mut messages: Vec<Value> = kept.map(|(_, message)| message).collect();
    let repeated: Vec<Value> = messages.iter().step_by(2).cloned().collect();
    messages.extend(repeated);
    messages.shuffle(&mut random);
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_lost_repeated_late_and_shuffled_come_to_the_same_end() -> Result<()> {
    let site = Site::start(Shape::Embedded, "disorder", &[]).await?;
    let orderly = Handmade::start(&site, "in order", &CLIP).await?;
    orderly.play(&site).await?;
    settled(&site, &orderly).await?;
    let expected = end_of(&site, &orderly).await?;
    ensure!(expected.segments.0 == i32::try_from(CLIP.segments())?, "{expected:?}");

    for seed in SEEDS {
        let broadcast = Handmade::start(&site, &format!("disorder {seed}"), &CLIP).await?;
        // Even seeds: the messages overtake the recorder's files.
        if seed % 2 == 1 {
            broadcast.write(&site).await?;
        }
        for message in disordered(&broadcast, &["Stream End"], seed) {
            broadcast.send(&site, &message).await?;
        }
        if seed % 2 == 0 {
            broadcast.write(&site).await?;
        }
        settled(&site, &broadcast).await.with_context(|| format!("seed {seed}"))?;
        let end = end_of(&site, &broadcast).await?;
        ensure!(end == expected, "seed {seed}:\n{end:?}\nis not\n{expected:?}");
    }
    site.close(&[&orderly.token]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_end_changes_nothing_and_tells_nobody() -> Result<()> {
    let site = Site::start(Shape::Embedded, "afterwards", &[]).await?;
    let broadcast = Handmade::start(&site, "hours late", &CLIP).await?;
    broadcast.write(&site).await?;
    for (name, message) in broadcast.messages() {
        if !["Stream Start", "Starvation Start", "Stream End", "Session Ended"].contains(&name) {
            broadcast.send(&site, &message).await?;
        }
    }
    settled(&site, &broadcast).await?;
    inbox_is_applied(&site).await?;
    let (log, (_, vod)) = (site.records()?.log().await?, rows(&site, &broadcast).await?);
    // The lost ones at last, and everything once more.
    for (_, message) in broadcast.messages().into_iter().rev() {
        broadcast.send(&site, &message).await?;
    }
    inbox_is_applied(&site).await?;
    let end = end_of(&site, &broadcast).await?;
    ensure!(end.stream == stream::Status::Ended && end.vod == vod::Status::Ready, "{end:?}");
    let (_, after) = rows(&site, &broadcast).await?;
    ensure!(after.ready_at == vod.ready_at, "it became ready a second time");
    let told = site.records()?.log().await?;
    ensure!(told == log, "told afterwards: {:?}", &told[log.len()..]);
    site.close(&[&broadcast.token]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_takes_only_what_it_understands_from_whom_it_knows() -> Result<()> {
    let site = Site::start(Shape::Embedded, "webhook", &[]).await?;
    let broadcast = Handmade::start(&site, "never on air", &CLIP).await?;
    let start = broadcast.message_of("Stream Start")?;
    let refused = site.client.post_webhook("not the secret", &start).await?;
    ensure!(refused == 401 || refused == 403, "{refused} for a wrong secret");
    let mut unknown = start.clone();
    unknown["detail-type"] = "IVS Something New".into();
    let accepted = site.client.post_webhook(WEBHOOK_SECRET, &unknown).await?;
    ensure!((200..300).contains(&accepted), "{accepted} for a message of a kind nobody knows yet");
    let malformed = site.client.post_webhook(WEBHOOK_SECRET, &Value::String("not an event".into())).await?;
    ensure!(malformed == 400, "{malformed} for a malformed body");
    inbox_is_applied(&site).await?;
    let stream = site.records()?.stream(&broadcast.stream).await?;
    ensure!(stream.status == stream::Status::Preparing, "{:?}", stream.status);
    site.close(&[&broadcast.token, "not the secret"]).await
}

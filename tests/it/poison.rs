//! Segments that are no video: tried a bounded number of times, put aside, and left out of the replay in plain sight;
//! and when too much of a recording is like that, no replay at all.

use crate::harness::{
    broadcast::Handmade,
    client::Vod,
    clip::Clip,
    deadline, queue,
    replay::Replay,
    site::{Shape, Site},
    story,
    subscriber::Subscriber,
};
use anyhow::{Context as _, Result, ensure};
use entity::{job::RedactJob, segment};
use std::collections::BTreeSet;

/// 24 s in segments of 2 s: one of them is less than 10 %, two are more.
const CLIP: Clip = Clip::without_faces(24);

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_segment_becomes_a_gap_and_too_many_withhold_the_replay_embedded() -> Result<()> {
    poison(Shape::Embedded, "poison-embedded").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_segment_becomes_a_gap_and_too_many_withhold_the_replay_in_production_shape() -> Result<()> {
    poison(Shape::Production, "poison-production").await
}

async fn poison(shape: Shape, name: &str) -> Result<()> {
    let site = Site::start(shape, name, &[]).await?;
    let subscriber = Subscriber::start(site.client.base(), &site.client.map().await?.cursor);
    let few = spoilt(&site, "one torn piece", &[5]).await?;
    let many = spoilt(&site, "two torn pieces", &[3, 8]).await?;

    let ready = settled(&site, &few.stream, "READY").await?;
    let withheld = settled(&site, &many.stream, "WITHHELD").await?;
    gap_is_marked(&site, &few, &ready).await?;
    nothing_is_shown(&site, &many, &withheld).await?;

    let seen = story::heard_everything(&subscriber, &site).await?;
    story::is_a_good_tale(&seen, &few.stream, &ready.id)?;
    let told = |kind: &str| seen.iter().filter(|event| event.kind == kind && event.item_id == withheld.id).count();
    ensure!(told("VodWithheld") == 1 && told("VodReady") == 0, "{seen:?}");

    dead_letters_hold_the_poison(&site, &[&few, &many]).await?;
    drop(subscriber);
    site.close(&[&few.token, &many.token, few.prefix(), many.prefix()]).await
}

async fn spoilt(site: &Site, title: &str, numbers: &[usize]) -> Result<Handmade> {
    let mut broadcast = Handmade::start(site, title, &CLIP).await?;
    ensure!(broadcast.len() == CLIP.segments() as usize, "{} segments", broadcast.len());
    for &number in numbers {
        broadcast.spoil(number);
    }
    broadcast.write(site).await?;
    for name in ["Stream Start", "Recording Start", "Stream End", "Recording End", "Session Ended"] {
        broadcast.send(site, &broadcast.message_of(name)?).await?;
    }
    Ok(broadcast)
}

async fn settled(site: &Site, stream: &str, status: &str) -> Result<Vod> {
    deadline::until(&format!("the replay is {status}"), deadline::LATE, || async {
        Ok(match site.client.vod_of(stream).await? {
            Some(vod) if vod.status == status => Ok(vod),
            Some(vod) => {
                ensure!(vod.status == "PROCESSING", "{vod:?}");
                Err(format!("{vod:?}"))
            }
            None => Err("no replay".to_owned()),
        })
    })
    .await
}

async fn gaps(site: &Site, broadcast: &Handmade) -> Result<Vec<segment::Model>> {
    let vod = site.records()?.vod_of(&broadcast.stream).await?;
    let segments = site.records()?.segments(vod.id).await?;
    ensure!(segments.len() == broadcast.len(), "{} segments", segments.len());
    Ok(segments.into_iter().filter(|segment| segment.status == segment::Status::Gap).collect())
}

async fn gap_is_marked(site: &Site, broadcast: &Handmade, vod: &Vod) -> Result<()> {
    let gaps = gaps(site, broadcast).await?;
    ensure!(gaps.len() == 1 && gaps[0].number == 5, "{gaps:?}");
    ensure!(gaps[0].failure.as_deref().is_some_and(|why| !why.is_empty()), "given up without a reason");
    ensure!(gaps[0].attempts == 1, "tried {} times: what cannot be decoded will not be later", gaps[0].attempts);
    ensure!(vod.redaction.as_ref().is_some_and(|done| done.gaps == 1), "{vod:?}");
    let address = vod.playback_url.as_deref().context("no playback URL")?;
    let replay = Replay::fetch(&site.client, address, &site.folder().join("gappy")).await?;
    ensure!(replay.gaps() == 1 && replay.segments.len() == broadcast.len() - 1, "{:?}", replay.lines);
    // The gap keeps its place and its length: five segments come before it, and it has a duration of its own.
    let place = replay.lines.iter().position(|line| line == "#EXT-X-GAP").context("no gap")?;
    let before = replay.lines[..place].iter().filter(|line| !line.starts_with('#')).count();
    ensure!(before == 5, "the gap is after {before} segments");
    let durations = replay.lines.iter().filter(|line| line.starts_with("#EXTINF:")).count();
    ensure!(durations == broadcast.len(), "{durations} durations");
    ensure!(replay.lines.iter().any(|line| line == "#EXT-X-ENDLIST"), "{:?}", replay.lines);
    let (status, ..) = site.client.get(&address.replace("index.m3u8", "000005.ts")).await?;
    ensure!(status == 404, "{status} for the piece that could not be redacted");
    Ok(())
}

async fn nothing_is_shown(site: &Site, broadcast: &Handmade, vod: &Vod) -> Result<()> {
    ensure!(gaps(site, broadcast).await?.len() == 2, "both torn pieces are gaps");
    ensure!(vod.withheld_reason.as_deref().is_some_and(|why| !why.is_empty()), "withheld without a reason");
    ensure!(vod.playback_url.is_none(), "{vod:?}");
    let (status, ..) = site.client.get(&format!("{}/vod/{}/index.m3u8", site.client.base(), vod.id)).await?;
    ensure!(status == 404, "{status} for the playlist of a withheld replay");
    Ok(())
}

/// In production the jobs that were given up lie in the queue of dead letters, one for each torn piece.
async fn dead_letters_hold_the_poison(site: &Site, broadcasts: &[&Handmade]) -> Result<()> {
    let Some((broker, dead)) = site.dead_letters() else { return Ok(()) };
    let mut expected = BTreeSet::new();
    for broadcast in broadcasts {
        expected.extend(gaps(site, broadcast).await?.into_iter().map(|gap| gap.id));
    }
    deadline::until("the dead letters hold the poison", deadline::SOON, || async {
        let letters = queue::peek(broker, &dead).await?;
        let jobs: Vec<RedactJob> =
            letters.iter().map(|letter| Ok(serde_json::from_slice(letter)?)).collect::<Result<_>>()?;
        let held: BTreeSet<_> = jobs.iter().map(|job| job.segment).collect();
        let exactly = held == expected && jobs.len() == expected.len();
        Ok(if exactly { Ok(()) } else { Err(format!("{jobs:?}, not {expected:?}")) })
    })
    .await
}

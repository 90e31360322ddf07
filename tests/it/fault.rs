//! Processes die at any moment (`kill -9`: no handler, no farewell) and come back: every replay is ready in the end,
//! whole and published once, and whoever watches misses nothing.
//!
//! `SOAK_ROUNDS` says how many rounds; `FAULT_SEED` repeats what a failed run printed.

use crate::harness::{
    clip::{Clip, FRAME_RATE},
    deadline,
    picture::probe,
    queue,
    replay::Replay,
    simulate::{Play, Playing},
    site::{Shape, Site, WORKERS},
    story,
    subscriber::Subscriber,
};
use anyhow::{Context as _, Result, ensure};
use entity::{segment, vod};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use std::{collections::BTreeSet, time::Duration};
use storage::Key;

const DEFAULT_ROUNDS: u32 = 2;
/// Broadcasts at the same time in a round.
const BROADCASTS: usize = 2;
const CLIP: Clip = Clip::with_a_face(20);
/// How long a process stays away, milliseconds. Part of the fault, not a wait for anything.
const OUTAGE_MS: std::ops::Range<u64> = 200..2000;
/// One worker holds at most so many segments; with more in work, each of two workers holds one.
const HELD_BY_ONE: usize = 2;
/// A subscriber that lost its server was connected more than once.
const FEWEST_CONNECTIONS: u32 = 2;

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Worker(usize),
    Broker,
    Front,
}

struct Fault {
    victim: Victim,
    /// Once so many segments of the round are settled, and others are in work.
    after_settled: i32,
    outage: Duration,
}

fn rounds() -> Result<u32> {
    std::env::var("SOAK_ROUNDS").map_or(Ok(DEFAULT_ROUNDS), |text| text.parse().context("SOAK_ROUNDS"))
}

fn random() -> Result<StdRng> {
    let seed = match std::env::var("FAULT_SEED") {
        Ok(text) => text.parse().context("FAULT_SEED")?,
        Err(_) => rand::random::<u64>(),
    };
    // On standard error, so that a failed run shows it whatever the runner captures.
    eprintln!("FAULT_SEED={seed}");
    Ok(StdRng::seed_from_u64(seed))
}

/// One fault for each victim, in the order in which they strike.
fn plan(victims: &[Victim], segments: i32, random: &mut StdRng) -> Vec<Fault> {
    let mut victims = victims.to_vec();
    victims.shuffle(random);
    let mut faults: Vec<Fault> = victims
        .into_iter()
        .map(|victim| Fault {
            victim,
            after_settled: random.random_range(0..segments * 3 / 4),
            outage: Duration::from_millis(random.random_range(OUTAGE_MS)),
        })
        .collect();
    faults.sort_by_key(|fault| fault.after_settled);
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_workers_broker_and_api_are_killed_and_nothing_is_lost_or_doubled() -> Result<()> {
    let mut random = random()?;
    let mut site = Site::start(Shape::ProductionWithOwnBroker, "fault-production", &[]).await?;
    let subscriber = Subscriber::start(site.client.base(), &site.client.map().await?.cursor);
    let rounds = rounds()?;
    for round in 0..rounds {
        let worker = random.random_range(0..WORKERS);
        let victims = [Victim::Worker(worker), Victim::Broker, Victim::Front];
        a_round(&mut site, round, &victims, &mut random).await.with_context(|| format!("round {round}"))?;
    }
    everything_is_accounted_for(&site, &subscriber, rounds).await?;
    drop(subscriber);
    site.close(&[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_an_embedded_server_is_killed_and_goes_on_from_its_folder() -> Result<()> {
    let mut random = random()?;
    let mut site = Site::start(Shape::Embedded, "fault-embedded", &[]).await?;
    let subscriber = Subscriber::start(site.client.base(), &site.client.map().await?.cursor);
    let rounds = rounds()?;
    for round in 0..rounds {
        a_round(&mut site, round, &[Victim::Front], &mut random).await.with_context(|| format!("round {round}"))?;
    }
    everything_is_accounted_for(&site, &subscriber, rounds).await?;
    drop(subscriber);
    site.close(&[]).await
}

async fn a_round(site: &mut Site, round: u32, victims: &[Victim], random: &mut StdRng) -> Result<()> {
    let (mut playing, mut streams) = (Vec::new(), Vec::new());
    for number in 0..BROADCASTS {
        let title = format!("round {round} broadcast {number}");
        let mut one: Playing = Play { title: &title, clip: CLIP, speed: "4" }.begin(site)?;
        streams.push(one.stream(site).await?);
        playing.push(one);
    }
    let segments = i32::try_from(CLIP.segments() as usize * BROADCASTS)?;
    for fault in plan(victims, segments, random) {
        let moment = in_mid_segment(site, &streams, fault.after_settled).await?;
        kill(site, fault.victim)?;
        eprintln!("round {round}: {:?} dies for {:?}, {moment}", fault.victim, fault.outage);
        tokio::time::sleep(fault.outage).await;
        revive(site, fault.victim).await?;
    }
    for one in playing {
        one.end().await?;
    }
    for stream in &streams {
        ready(site, stream).await?;
        is_published_once(site, stream).await?;
    }
    Ok(())
}

/// Waits for so many settled segments and for every worker to have one in its hands; or for the end, if that came
/// first. Says which it was.
async fn in_mid_segment(site: &Site, streams: &[String], settled: i32) -> Result<String> {
    let total = CLIP.segments() as usize * streams.len();
    let enough = if site.workers.is_empty() { 1 } else { HELD_BY_ONE + 1 };
    deadline::until(&format!("{settled} segments are settled"), deadline::LATE, || async {
        let mut segments = Vec::new();
        for stream in streams {
            for vod in site.records()?.vods_of(stream).await? {
                segments.extend(site.records()?.segments(vod.id).await?);
            }
        }
        let (mut done, mut in_work) = (0, 0);
        for segment in segments {
            match segment.status {
                segment::Status::Queued if segment.attempts > 0 => in_work += 1,
                segment::Status::Done => done += 1,
                _ => (),
            }
        }
        let state = format!("{done} of {total} segments done and {in_work} in work");
        let now = done >= usize::try_from(settled)? && in_work >= enough || done == total;
        Ok(if now { Ok(state) } else { Err(state) })
    })
    .await
}

fn kill(site: &mut Site, victim: Victim) -> Result<()> {
    match victim {
        Victim::Worker(number) => site.workers[number].kill9(),
        Victim::Front => site.front.kill9(),
        Victim::Broker => {
            site.broker.as_mut().context("no broker of its own")?.kill9();
            Ok(())
        }
    }
}

async fn revive(site: &mut Site, victim: Victim) -> Result<()> {
    match victim {
        Victim::Worker(number) => site.workers[number].restart(),
        Victim::Front => {
            site.front.restart()?;
            site.ready().await
        }
        Victim::Broker => {
            let broker = site.broker.as_mut().context("no broker of its own")?;
            tokio::task::block_in_place(|| broker.restart())
        }
    }
}

async fn ready(site: &Site, stream: &str) -> Result<()> {
    deadline::until(&format!("the replay of {stream} is READY"), deadline::LATE, || async {
        let vods = site.records()?.vods_of(stream).await?;
        let ready = vods.len() == 1 && vods[0].status == vod::Status::Ready;
        Ok(if ready { Ok(()) } else { Err(format!("{vods:?}")) })
    })
    .await
}

/// Every segment is done, has its one object, and what is published plays from end to end.
async fn is_published_once(site: &Site, stream: &str) -> Result<()> {
    let vod = site.records()?.vod_of(stream).await?;
    let segments = site.records()?.segments(vod.id).await?;
    ensure!(segments.len() == CLIP.segments() as usize, "{} segments", segments.len());
    for segment in &segments {
        ensure!(segment.status == segment::Status::Done && segment.result_key.is_some(), "{segment:?}");
    }
    let own = format!("vod/{}", vod.id);
    let published = site.replays.list(&Key::parse(&own)?).await?.into_iter();
    let published: BTreeSet<String> = published.map(|(key, _)| key.to_string()).collect();
    let mut expected: BTreeSet<String> = segments.iter().filter_map(|segment| segment.result_key.clone()).collect();
    ensure!(expected.len() == segments.len(), "two segments share an object");
    let picture = vod.thumbnail.context("no thumbnail")?;
    expected.extend(["index.m3u8", "receipt.json", &picture.to_string()].map(|name| format!("{own}/{name}")));
    ensure!(published == expected, "{published:?} is published, not {expected:?}");
    let shown = site.client.vod_of(stream).await?.context("no replay")?;
    let address = shown.playback_url.context("no address")?;
    let replay = Replay::fetch(&site.client, &address, &site.folder().join(&shown.id)).await?;
    let played = probe(&replay.playlist, FRAME_RATE)?;
    ensure!(played.frames == u64::from(CLIP.frames()), "{} frames", played.frames);
    Ok(())
}

async fn everything_is_accounted_for(site: &Site, subscriber: &Subscriber, rounds: u32) -> Result<()> {
    let records = site.records()?;
    deadline::until("nothing is owed to anybody", deadline::SOON, || async {
        let (outbox, inbox) = (records.outbox().await?, records.inbox_left().await?);
        let nothing = outbox.is_empty() && inbox.is_empty();
        Ok(if nothing { Ok(()) } else { Err(format!("{outbox:?} {inbox:?}")) })
    })
    .await?;
    let vods = records.vods().await?;
    ensure!(vods.len() == BROADCASTS * rounds as usize, "{} replays", vods.len());
    if let Some((broker, dead)) = site.dead_letters() {
        let letters = queue::peek(broker, &dead).await?;
        ensure!(letters.is_empty(), "{} dead letters", letters.len());
    }
    let seen = story::heard_everything(subscriber, site).await?;
    for vod in &vods {
        story::is_a_good_tale(&seen, &vod.stream_id.to_string(), &vod.id.to_string())?;
    }
    ensure!(subscriber.connections() >= FEWEST_CONNECTIONS, "the subscriber never lost its server");
    println!(
        "{rounds} rounds, {} replays, {} events heard, {} connections",
        vods.len(),
        seen.len(),
        subscriber.connections()
    );
    Ok(())
}

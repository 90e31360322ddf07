//! Judges what was told: that a subscriber heard the whole public log, each line once and in order, and that the
//! tale of each broadcast makes sense.

use crate::harness::{deadline, site::Site, subscriber::Seen, subscriber::Subscriber};
use anyhow::{Context as _, Result, ensure};
use entity::event;
use std::collections::BTreeSet;

/// The name under which the API delivers a kind of event: `STREAM_STARTED` is a `StreamStarted`.
fn type_name(kind: event::Kind) -> String {
    let capital = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    kind.as_str().split('_').map(capital).collect()
}

/// Waits until a subscriber from the log's beginning has heard everything, and proves that it heard nothing else.
pub async fn heard_everything(subscriber: &Subscriber, site: &Site) -> Result<Vec<Seen>> {
    let records = site.records()?;
    let seen = deadline::until("the subscriber has heard the whole log", deadline::SOON, || async {
        let (log, seen) = (records.log().await?, subscriber.seen()?);
        Ok(if seen.len() >= log.len() { Ok(seen) } else { Err(format!("{} of {}", seen.len(), log.len())) })
    })
    .await?;
    let log: Vec<_> =
        records.log().await?.into_iter().map(|line| (type_name(line.kind), line.item().to_string())).collect();
    let heard: Vec<_> = seen.iter().map(|event| (event.kind.clone(), event.item_id.clone())).collect();
    ensure!(heard == log, "heard:\n{heard:?}\nbut the log says:\n{log:?}");
    let cursors: BTreeSet<_> = seen.iter().map(|event| &event.cursor).collect();
    ensure!(cursors.len() == seen.len(), "a cursor came twice");
    Ok(seen)
}

/// The tale of one broadcast that went well: started, ended, redacted more and more, ready; each turn once.
pub fn is_a_good_tale(seen: &[Seen], stream: &str, vod: &str) -> Result<()> {
    let once = |kind: &str, item: &str| {
        let mut places = (0..seen.len()).filter(|&n| seen[n].kind == kind && seen[n].item_id == item);
        let place = places.next().with_context(|| format!("no {kind} in {seen:?}"))?;
        ensure!(places.next().is_none(), "{kind} came twice");
        Ok(place)
    };
    let (started, ended) = (once("StreamStarted", stream)?, once("StreamEnded", stream)?);
    let ready = once("VodReady", vod)?;
    ensure!(started < ended && ended < ready, "started {started}, ended {ended}, ready {ready}");
    let progressed: Vec<(usize, i64)> = (0..seen.len())
        .filter(|&n| seen[n].kind == "VodProgressed" && seen[n].item_id == vod)
        .map(|n| Ok((n, seen[n].frames().context("a replay without a receipt")?)))
        .collect::<Result<_>>()?;
    ensure!(!progressed.is_empty(), "no VodProgressed");
    ensure!(progressed.is_sorted_by(|a, b| a.1 <= b.1), "progress goes back: {progressed:?}");
    ensure!(progressed.iter().all(|&(n, _)| n < ready), "progress after READY");
    Ok(())
}

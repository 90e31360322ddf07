//! Browsers go live over WHIP: Chromium with a portrait before its camera, to recorded segments that decode alone.

mod stage;

use crate::{
    chromium::{Chromium, camera},
    lossy::Lossy,
};
use entity::{PublishToken, StreamId};
use ingest::Settings;
use live::{LiveEventKind, LiveProvider as _, Local, Whip as _, WhipError};
use stage::{Recorded, Stage, browser_is};
use std::path::Path;
use tempfile::TempDir;

/// What the camera gives: small, because a test machine encodes it in software.
const SIZE: (u32, u32) = (640, 360);

async fn browser() -> anyhow::Result<(Chromium, TempDir)> {
    let folder = tempfile::tempdir()?;
    let camera = camera(folder.path(), SIZE).await?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/whip/publisher.html");
    Ok((Chromium::open(&page, &camera).await?, folder))
}

/// Stops the camera and says how many pictures the browser has sent, once the last is on its way.
async fn pictures_sent(browser: &mut Chromium) -> anyhow::Result<usize> {
    browser.evaluate("pause()").await?;
    let mut last = None;
    loop {
        let sent = browser.evaluate("sent()").await?;
        let frames = sent["frames"].as_u64();
        if frames.is_some() && frames == last {
            return Ok(usize::try_from(frames.unwrap_or(0))?);
        }
        last = frames;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

/// That the segments hold `pictures`, each begins with a keyframe, and time goes on evenly across them.
fn assert_whole(segments: &[Recorded], pictures: usize) {
    assert!(segments.iter().all(|segment| segment.begins_with_keyframe));
    assert_eq!(segments.iter().map(|segment| segment.pictures).sum::<usize>(), pictures, "pictures recorded and sent");
    let times = segments.iter().flat_map(|segment| &segment.times).copied().collect::<Vec<_>>();
    assert!(times.is_sorted_by(|a, b| a < b), "time runs back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_goes_live_and_every_picture_it_sends_is_in_segments_that_decode_alone() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default(), None).await?;
    let (mut browser, _camera) = browser().await?;
    let (stream, token) = stage.stream().await?;
    let session = stage.publish(&mut browser, &(stream, token.clone()), "{}").await?;
    stage.segments(stream, 2).await?;
    browser.evaluate("shrink(2)").await?;
    stage.segments(stream, 4).await?;
    assert_eq!(browser.evaluate("sent()").await?["width"], SIZE.0 / 2, "the picture has changed its size");
    let sent = pictures_sent(&mut browser).await?;
    stage.front.close(stream, &token, &session.id).await?;
    browser_is(&mut browser, "closed").await?;
    stage.heard(stream, "the recording's end", |event| matches!(event, LiveEventKind::RecordingEnded { .. })).await?;
    let segments = stage.recorded(stream).await?;
    assert!(segments.iter().all(|segment| segment.has_sound));
    assert_whole(&segments, sent);
    let events = stage.events(stream);
    assert!(events.contains(&LiveEventKind::StreamUp) && events.contains(&LiveEventKind::StreamDown));
    assert_eq!(stage.front.close(stream, &token, &session.id).await, Err(WhipError::Unknown), "it is gone");
    stage.strike().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_loses_one_datagram_in_twenty_costs_no_picture() -> anyhow::Result<()> {
    let mut network = Lossy::bind().await?;
    let stage = Stage::set(Settings::default(), Some(network.address()?)).await?;
    network.lead_to(stage.front.address());
    network.lose(5);
    let (mut browser, _camera) = browser().await?;
    let (stream, token) = stage.stream().await?;
    let session = stage.publish(&mut browser, &(stream, token.clone()), "{}").await?;
    stage.segments(stream, 5).await?;
    // What is lost at the very end is missed by nobody, so the last pictures come through.
    network.lose(0);
    let now = browser.evaluate("sent()").await?["frames"].as_u64();
    stage.frames(&mut browser, now.unwrap_or(0) + 10).await?;
    let sent = pictures_sent(&mut browser).await?;
    let statistics = browser.evaluate("sent()").await?;
    assert!(statistics["retransmitted"].as_u64() > Some(0), "nothing was lost: {statistics}");
    stage.front.close(stream, &token, &session.id).await?;
    stage.heard(stream, "the recording's end", |event| matches!(event, LiveEventKind::RecordingEnded { .. })).await?;
    assert_whole(&stage.recorded(stream).await?, sent);
    stage.strike().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_loses_half_of_everything_for_a_while_leaves_no_damaged_picture() -> anyhow::Result<()> {
    let mut network = Lossy::bind().await?;
    let stage = Stage::set(Settings::default(), Some(network.address()?)).await?;
    network.lead_to(stage.front.address());
    let (mut browser, _camera) = browser().await?;
    let (stream, token) = stage.stream().await?;
    let session = stage.publish(&mut browser, &(stream, token.clone()), "{}").await?;
    stage.segments(stream, 1).await?;
    network.lose(50);
    let before = browser.evaluate("sent()").await?["frames"].as_u64();
    stage.frames(&mut browser, before.unwrap_or(0) + 60).await?;
    network.lose(0);
    let before = stage.announced(stream);
    stage.segments(stream, before + 2).await?;
    let sent = pictures_sent(&mut browser).await?;
    stage.front.close(stream, &token, &session.id).await?;
    stage.heard(stream, "the recording's end", |event| matches!(event, LiveEventKind::RecordingEnded { .. })).await?;
    // Looking into them is the test: every one must decode without a word.
    let segments = stage.recorded(stream).await?;
    let recorded = segments.iter().map(|segment| segment.pictures).sum::<usize>();
    assert!(recorded < sent, "{recorded} of {sent} pictures: nothing was lost for good, so nothing was shown");
    stage.strike().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_crashed_comes_back_into_the_same_broadcast() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default(), None).await?;
    let (mut first, _first_camera) = browser().await?;
    let (mut second, _second_camera) = browser().await?;
    let lease = stage.stream().await?;
    let (stream, token) = (lease.0, &lease.1);
    stage.publish(&mut first, &lease, "{}").await?;
    stage.segments(stream, 2).await?;
    let busy = stage.try_publish(&mut second, (&stream, token), "{}").await?;
    assert_eq!(busy, Err(WhipError::Busy), "the first is alive");
    first.crash().await?;
    stage.heard(stream, "the interruption", |event| *event == LiveEventKind::StreamInterrupted).await?;
    let before = stage.announced(stream);
    let session = stage.publish(&mut second, &lease, "{}").await?;
    stage.heard(stream, "the return", |event| *event == LiveEventKind::StreamBack).await?;
    stage.segments(stream, before + 2).await?;
    stage.until("the first session's end", || stage.front.sessions() == 1).await?;
    stage.front.close(stream, token, &session.id).await?;
    stage.heard(stream, "the recording's end", |event| matches!(event, LiveEventKind::RecordingEnded { .. })).await?;
    assert!(stage.recorded(stream).await?.iter().all(|segment| segment.begins_with_keyframe));
    let recordings = stage.events(stream);
    let recordings = recordings.iter().filter(|event| matches!(event, LiveEventKind::RecordingStarted(_))).count();
    assert_eq!(recordings, 1, "one broadcast, one recording");
    let gone = stage.try_publish(&mut second, (&stream, token), "{}").await?;
    assert_eq!(gone, Err(WhipError::Ended), "the publisher said that it was over");
    stage.strike().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_without_sound_is_recorded_and_an_explicit_stop_reaches_the_browser_at_once() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default(), None).await?;
    let (mut browser, _camera) = browser().await?;
    let lease = stage.stream().await?;
    stage.publish(&mut browser, &lease, "{ sound: false }").await?;
    stage.segments(lease.0, 2).await?;
    stage.studio.release(&Local::channel_arn(lease.0)).await?;
    browser_is(&mut browser, "closed").await?;
    stage.until("the session's end", || stage.front.sessions() == 0).await?;
    stage.heard(lease.0, "the recording's end", |event| matches!(event, LiveEventKind::RecordingEnded { .. })).await?;
    let segments = stage.recorded(lease.0).await?;
    assert!(segments.len() >= 2 && segments.iter().all(|segment| !segment.has_sound && segment.begins_with_keyframe));
    stage.strike().await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_publish_is_told_why() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default(), None).await?;
    let (mut browser, _camera) = browser().await?;
    let (stream, token) = stage.stream().await?;
    let wrong = stage.try_publish(&mut browser, (&stream, &PublishToken::generate()), "{}").await?;
    assert_eq!(wrong, Err(WhipError::WrongToken));
    let nowhere = stage.try_publish(&mut browser, (&StreamId::generate(), &token), "{}").await?;
    assert_eq!(nowhere, Err(WhipError::Unknown));
    for codec in ["VP8", "VP9", "AV1"] {
        let refused = stage.try_publish(&mut browser, (&stream, &token), &format!("{{ codec: '{codec}' }}")).await?;
        assert!(matches!(refused, Err(WhipError::Unacceptable(reason)) if reason.contains("H.264")), "{codec}");
    }
    assert_eq!(stage.front.sessions(), 0);
    stage.publish(&mut browser, &(stream, token), "{}").await?;
    stage.segments(stream, 1).await?;
    stage.strike().await
}

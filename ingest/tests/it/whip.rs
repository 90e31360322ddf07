//! Browsers go live over WHIP: Chromium with a portrait before its camera, to recorded segments that decode alone.

use crate::lossy::Lossy;
use entity::{PublishToken, StreamId};
use ingest::Settings;
use live::{LiveProvider as _, Whip as _, WhipError};
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;
use test_studio::{Camera, Chromium, Fronts, Recorded, Stage, publisher, until};

/// What the camera gives: small, because a test machine encodes it in software.
const SIZE: (u32, u32) = (640, 360);

async fn browser() -> anyhow::Result<(Chromium, TempDir)> {
    let folder = tempfile::tempdir()?;
    let film = Camera { size: SIZE, has_clock: false }.film(folder.path()).await?;
    Ok((Chromium::open(&publisher(), &film).await?, folder))
}

/// A stage whose WHIP socket is told to browsers as `advertise`.
async fn stage_behind(advertise: SocketAddr) -> anyhow::Result<Stage> {
    Stage::over(tempfile::tempdir()?, Settings::default(), Fronts { advertise: Some(advertise), ..Fronts::default() })
        .await
}

/// Stops the camera and says how many pictures the browser has sent, once the last is on its way.
async fn pictures_sent(browser: &mut Chromium) -> anyhow::Result<usize> {
    let sent = browser.evaluate("pause()").await?;
    Ok(usize::try_from(sent.as_u64().unwrap_or(0))?)
}

/// Waits until the browser has sent so many more pictures.
async fn more_pictures(browser: &mut Chromium, count: u64) -> anyhow::Result<()> {
    let before = browser.evaluate("sent()").await?["frames"].as_u64().unwrap_or(0);
    browser.until("sent()", |sent| sent["frames"].as_u64() >= Some(before + count)).await?;
    Ok(())
}

/// Waits until the browser's connection is closed.
async fn is_closed(browser: &mut Chromium) -> anyhow::Result<()> {
    browser.until("state()", |state| state == "closed").await?;
    Ok(())
}

/// That the segments hold `pictures`, each begins with a keyframe, and time goes on evenly across them; gives them.
async fn assert_whole(stage: &Stage, stream: StreamId, pictures: usize) -> anyhow::Result<Vec<Recorded>> {
    let segments = stage.recorded(stream).await?;
    assert!(segments.iter().all(|segment| segment.begins_with_keyframe));
    assert_eq!(segments.iter().map(|segment| segment.pictures).sum::<usize>(), pictures, "pictures recorded and sent");
    let times = segments.iter().flat_map(|segment| &segment.times).copied().collect::<Vec<_>>();
    assert!(times.is_sorted_by(|a, b| a < b), "time runs back");
    // Each begins where the one before it ends; how far apart the pictures within are is the camera's affair.
    let lengths = stage.segments(stream).into_iter().map(|(_, duration_ms, _)| Duration::from_millis(duration_ms));
    for ((segment, next), length) in segments.iter().zip(&segments[1..]).zip(lengths) {
        let jump = next.times[0] - segment.times[0] - length.as_secs_f64();
        assert!(jump.abs() < 0.002, "a jump of {jump} s");
    }
    Ok(segments)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_goes_live_and_every_picture_it_sends_is_in_segments_that_decode_alone() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let (mut browser, _camera) = browser().await?;
    let channel = stage.channel().await?;
    let (stream, token) = (channel.stream, &channel.token);
    let session = stage.go_live(&mut browser, &channel, "{}").await?;
    stage.until_segments(stream, 2).await?;
    browser.evaluate("shrink(2)").await?;
    stage.until_segments(stream, 4).await?;
    assert_eq!(browser.evaluate("sent()").await?["width"], SIZE.0 / 2, "the picture has changed its size");
    let sent = pictures_sent(&mut browser).await?;
    stage.whip.close(stream, token, &session.id).await?;
    is_closed(&mut browser).await?;
    stage.until_told(stream, "recording_ended").await?;
    let segments = assert_whole(&stage, stream, sent).await?;
    assert!(segments.iter().all(|segment| segment.has_sound));
    assert_eq!(stage.story(stream), ["stream_up", "recording_started", "stream_down", "recording_ended"]);
    assert_eq!(stage.whip.close(stream, token, &session.id).await, Err(WhipError::Unknown), "it is gone");
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_loses_one_datagram_in_twenty_costs_no_picture() -> anyhow::Result<()> {
    let mut network = Lossy::bind().await?;
    let stage = stage_behind(network.address()?).await?;
    network.lead_to(stage.whip.address());
    network.lose(5);
    let (mut browser, _camera) = browser().await?;
    let channel = stage.channel().await?;
    let (stream, token) = (channel.stream, &channel.token);
    let session = stage.go_live(&mut browser, &channel, "{}").await?;
    stage.until_segments(stream, 5).await?;
    // What is lost at the very end is missed by nobody, so the last pictures come through.
    network.lose(0);
    more_pictures(&mut browser, 10).await?;
    let sent = pictures_sent(&mut browser).await?;
    let statistics = browser.evaluate("sent()").await?;
    assert!(statistics["retransmitted"].as_u64() > Some(0), "nothing was lost: {statistics}");
    stage.whip.close(stream, token, &session.id).await?;
    stage.until_told(stream, "recording_ended").await?;
    assert_whole(&stage, stream, sent).await?;
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_loses_half_of_everything_for_a_while_leaves_no_damaged_picture() -> anyhow::Result<()> {
    let mut network = Lossy::bind().await?;
    let stage = stage_behind(network.address()?).await?;
    network.lead_to(stage.whip.address());
    let (mut browser, _camera) = browser().await?;
    let channel = stage.channel().await?;
    let (stream, token) = (channel.stream, &channel.token);
    let session = stage.go_live(&mut browser, &channel, "{}").await?;
    stage.until_segments(stream, 1).await?;
    network.lose(50);
    more_pictures(&mut browser, 60).await?;
    network.lose(0);
    let before = stage.segments(stream).len();
    stage.until_segments(stream, before + 2).await?;
    let sent = pictures_sent(&mut browser).await?;
    stage.whip.close(stream, token, &session.id).await?;
    stage.until_told(stream, "recording_ended").await?;
    // Looking into them is the test: every one must decode without a word.
    let segments = stage.recorded(stream).await?;
    let recorded = segments.iter().map(|segment| segment.pictures).sum::<usize>();
    assert!(recorded < sent, "{recorded} of {sent} pictures: nothing was lost for good, so nothing was shown");
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_crashed_comes_back_into_the_same_broadcast() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let (mut first, _first_camera) = browser().await?;
    let (mut second, _second_camera) = browser().await?;
    let channel = stage.channel().await?;
    let (stream, token) = (channel.stream, &channel.token);
    stage.go_live(&mut first, &channel, "{}").await?;
    stage.until_segments(stream, 2).await?;
    let busy = stage.try_go_live(&mut second, (stream, token), "{}").await?;
    assert_eq!(busy, Err(WhipError::Busy), "the first is alive");
    first.crash().await?;
    stage.until_told(stream, "stream_interrupted").await?;
    let before = stage.segments(stream).len();
    let session = stage.go_live(&mut second, &channel, "{}").await?;
    stage.until_told(stream, "stream_back").await?;
    stage.until_segments(stream, before + 2).await?;
    until("the first session's end", || stage.whip.sessions() == 1).await?;
    stage.whip.close(stream, token, &session.id).await?;
    stage.until_told(stream, "recording_ended").await?;
    assert!(stage.recorded(stream).await?.iter().all(|segment| segment.begins_with_keyframe));
    assert_eq!(stage.recordings(stream).len(), 1, "one broadcast, one recording");
    let gone = stage.try_go_live(&mut second, (stream, token), "{}").await?;
    assert_eq!(gone, Err(WhipError::Ended), "the publisher said that it was over");
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_without_sound_is_recorded_and_an_explicit_stop_reaches_the_browser_at_once() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let (mut browser, _camera) = browser().await?;
    let channel = stage.channel().await?;
    stage.go_live(&mut browser, &channel, "{ sound: false }").await?;
    stage.until_segments(channel.stream, 2).await?;
    stage.studio.release(&channel.arn).await?;
    is_closed(&mut browser).await?;
    until("the session's end", || stage.whip.sessions() == 0).await?;
    stage.until_told(channel.stream, "recording_ended").await?;
    let segments = stage.recorded(channel.stream).await?;
    assert!(segments.len() >= 2 && segments.iter().all(|segment| !segment.has_sound && segment.begins_with_keyframe));
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_publish_is_told_why() -> anyhow::Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let (mut browser, _camera) = browser().await?;
    let channel = stage.channel().await?;
    let (stream, token) = (channel.stream, &channel.token);
    let wrong = stage.try_go_live(&mut browser, (stream, &PublishToken::generate()), "{}").await?;
    assert_eq!(wrong, Err(WhipError::WrongToken));
    let nowhere = stage.try_go_live(&mut browser, (StreamId::generate(), token), "{}").await?;
    assert_eq!(nowhere, Err(WhipError::Unknown));
    for codec in ["VP8", "VP9", "AV1"] {
        let refused = stage.try_go_live(&mut browser, (stream, token), &format!("{{ codec: '{codec}' }}")).await?;
        assert!(matches!(refused, Err(WhipError::Unacceptable(reason)) if reason.contains("H.264")), "{codec}");
    }
    assert_eq!(stage.whip.sessions(), 0);
    stage.go_live(&mut browser, &channel, "{}").await?;
    stage.until_segments(stream, 1).await?;
    stage.strike().await?;
    Ok(())
}

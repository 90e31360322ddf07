//! Broadcast apps go live over RTMP: `ffmpeg`, to recorded segments that decode alone and join without a jump.

mod hostile;
mod stage;

use anyhow::{Context as _, Result, ensure};
use ingest::Settings;
use live::{LiveProvider as _, NotLive, Observation, Playback as _, Viewer, recording::scan};
use stage::{Stage, decodes, end, packets};
use std::{path::Path, time::Duration};
use storage::{Location, Recordings};

const PICTURE: &str = "-f lavfi -i testsrc2=size=640x360:rate=25";
const SOUND: &str = "-f lavfi -i sine=frequency=440:sample_rate=44100";
const H264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 50 -b:v 800k";
const AAC: &str = "-c:a aac -b:a 96k";
const VIEWER: Viewer<'static> = Viewer { address: None, agent: "test" };
/// A frame at 25 per second, in seconds, and what rounding to milliseconds may add.
const FRAME: f64 = 0.041;

/// That each segment decodes alone and starts on its only keyframe, and that time goes on evenly where they join; gives the number of pictures.
async fn assert_whole(folder: &Path, segments: &[(std::path::PathBuf, u64, bool)], has_sound: bool) -> Result<usize> {
    let mut joined = Vec::new();
    for (file, duration_ms, _) in segments {
        decodes(file).await?;
        let packets = packets(file).await?;
        let pictures: Vec<_> = packets.iter().filter(|packet| packet.is_picture).collect();
        ensure!(pictures.first().is_some_and(|first| first.is_key), "{} starts on no keyframe", file.display());
        ensure!(packets.iter().any(|packet| !packet.is_picture) == has_sound, "{}: sound", file.display());
        ensure!(pictures.iter().filter(|picture| picture.is_key).count() == 1, "{}: keyframes", file.display());
        let length_ms = pictures.len() as u64 * 40;
        ensure!(length_ms.abs_diff(*duration_ms) <= 40, "{length_ms} ms are said to be {duration_ms}");
        joined.extend(std::fs::read(file)?);
    }
    let file = folder.join("joined.ts");
    std::fs::write(&file, joined)?;
    decodes(&file).await?;
    let packets = packets(&file).await?;
    for (is_picture, frame) in [(true, FRAME), (false, 0.025)] {
        let mut times: Vec<f64> =
            packets.iter().filter(|packet| packet.is_picture == is_picture).map(|p| p.pts).collect();
        times.sort_by(f64::total_cmp);
        let jump = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        ensure!(jump <= frame, "a jump of {jump} s, pictures: {is_picture}");
    }
    Ok(packets.iter().filter(|packet| packet.is_picture).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_told_recorded_and_played_as_it_runs() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    assert_eq!(stage.studio.observe(&channel.arn).await?, Observation::Unknown);
    assert_eq!(stage.studio.playlist(channel.stream, VIEWER).await, Err(NotLive::OffAir));
    let publisher = stage.publish(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 7"), &channel.key)?;
    stage.until_told(channel.stream, "stream_up").await?;
    assert_eq!(stage.studio.observe(&channel.arn).await?, Observation::OnAir);
    let playlist = stage.studio.playlist(channel.stream, VIEWER).await?;
    ensure!(playlist.ends_with("0.ts\n") && playlist.contains("#EXT-X-TARGETDURATION:2\n"), "{playlist}");
    let shown = stage.studio.segment(channel.stream, "0.ts").await?;
    let (content, complaint) = end(publisher).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    let told = ["stream_up", "recording_started", "stream_down", "recording_ended"];
    assert_eq!(stage.story(channel.stream), told);
    let segments = stage.segments(channel.stream);
    assert_eq!(shown, std::fs::read(&segments[0].0)?);
    assert_eq!(
        segments.iter().map(|(_, length, breaks)| (*length, *breaks)).collect::<Vec<_>>()[..3],
        [(2_000, false); 3]
    );
    assert_eq!(assert_whole(stage.folder.path(), &segments, true).await?, 7 * 25);
    // Nothing of it can be watched any more; what is left of it says that it is over.
    assert_eq!(stage.studio.segment(channel.stream, "0.ts").await, Err(NotLive::OffAir));
    ensure!(stage.studio.playlist(channel.stream, VIEWER).await?.ends_with("#EXT-X-ENDLIST\n"));
    assert_eq!(stage.studio.observe(&channel.arn).await?, Observation::OffAir);
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_are_shown_in_another_order_than_they_are_sent_keep_their_times() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let coding = "-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -g 50 -sc_threshold 0 -b:v 800k";
    let publisher = stage.publish(&format!("{PICTURE} {SOUND} {coding} {AAC} -t 8"), &channel.key)?;
    let (content, complaint) = end(publisher).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    let segments = stage.segments(channel.stream);
    assert_eq!(assert_whole(stage.folder.path(), &segments, true).await?, 8 * 25);
    let reordered = packets(&segments[0].0).await?.iter().filter(|packet| packet.pts - packet.dts > FRAME).count();
    ensure!(reordered > 10, "only {reordered} pictures are shown later than decoded");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_needs_no_sound() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let (content, complaint) = end(stage.publish(&format!("{PICTURE} {H264} -t 5"), &channel.key)?).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    assert_eq!(assert_whole(stage.folder.path(), &stage.segments(channel.stream), false).await?, 5 * 25);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_sent_away_with_the_reason() -> Result<()> {
    let stage = Stage::set(Settings { first_picture: Duration::from_secs(1), ..Settings::default() })?;
    let channel = stage.channel().await?;
    let (content, complaint) = end(stage.publish(&format!("-re {SOUND} {AAC} -t 30"), &channel.key)?).await?;
    ensure!(!content, "it was content");
    assert_eq!(stage.story(channel.stream), Vec::<String>::new(), "{complaint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_and_cut() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let (content, complaint) = end(stage.publish(&format!("-re {PICTURE} {H264} -t 30"), "wrong")?).await?;
    ensure!(!content && complaint.contains("there is no such stream"), "{complaint}");
    assert_eq!(stage.story(channel.stream), Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_publisher_is_told_that_somebody_is_on_air() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let arguments = format!("-re {PICTURE} {H264} -t 30");
    let _first = stage.publish(&arguments, &channel.key)?;
    stage.until_told(channel.stream, "stream_up").await?;
    let (content, complaint) = end(stage.publish(&arguments, &channel.key)?).await?;
    ensure!(!content && complaint.contains("somebody is publishing"), "{complaint}");
    assert_eq!(stage.story(channel.stream)[0], "stream_up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_killed_and_comes_back_larger_goes_on_in_the_same_recording() -> Result<()> {
    let stage = Stage::set(Settings { idle: Duration::from_millis(500), ..Settings::default() })?;
    let channel = stage.channel().await?;
    let mut first = stage.publish(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    first.kill().await?;
    stage.until_told(channel.stream, "stream_interrupted").await?;
    ensure!(!stage.studio.playlist(channel.stream, VIEWER).await?.contains("ENDLIST"));
    let before = stage.segments(channel.stream).len();
    let larger = "-f lavfi -i testsrc2=size=1280x720:rate=25";
    let second = stage.publish(&format!("{larger} {SOUND} {H264} {AAC} -t 5"), &channel.key)?;
    let (content, complaint) = end(second).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    let told =
        ["stream_up", "recording_started", "stream_interrupted", "stream_back", "stream_down", "recording_ended"];
    assert_eq!(stage.story(channel.stream), told);
    assert_eq!(stage.recordings(channel.stream).len(), 1);
    let segments = stage.segments(channel.stream);
    let breaks: Vec<usize> = (0..segments.len()).filter(|at| segments[*at].2).collect();
    assert_eq!(breaks, [before]);
    assert_whole(stage.folder.path(), &segments, true).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_nobody_comes_back_to_ends_after_the_grace_window() -> Result<()> {
    let (idle, grace) = (Duration::from_millis(500), Duration::from_millis(500));
    let stage = Stage::set(Settings { idle, grace, farewell: idle, ..Settings::default() })?;
    let channel = stage.channel().await?;
    let mut publisher = stage.publish(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_told(channel.stream, "stream_up").await?;
    publisher.kill().await?;
    stage.until_told(channel.stream, "recording_ended").await?;
    let told = ["stream_up", "recording_started", "stream_interrupted", "stream_down", "recording_ended"];
    assert_eq!(sorted(stage.story(channel.stream)), sorted(told.map(str::to_owned).to_vec()));
    let (content, complaint) = end(stage.publish(&format!("-re {PICTURE} {H264} -t 30"), &channel.key)?).await?;
    ensure!(!content && complaint.contains("the broadcast is over"), "{complaint}");
    while stage.studio.playlist(channel.stream, VIEWER).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cuts_the_publisher_and_returns_once_the_recording_is_complete() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let publisher = stage.publish(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    stage.studio.release(&channel.arn).await?;
    assert_eq!(stage.story(channel.stream).last().map(String::as_str), Some("recording_ended"));
    assert_eq!(stage.studio.segment(channel.stream, "0.ts").await, Err(NotLive::OffAir));
    let (content, _) = end(publisher).await?;
    ensure!(!content, "the publisher went on");
    stage.studio.release(&channel.arn).await?;
    assert_eq!(stage.story(channel.stream).iter().filter(|word| *word == "recording_ended").count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_bits_and_too_large_a_picture_are_refused() -> Result<()> {
    let settings = Settings { bits_per_second: 20_000, pixels: 640 * 360, ..Settings::default() };
    let stage = Stage::set(settings)?;
    let greedy = stage.channel().await?;
    let (content, _) = end(stage.publish(&format!("-re {PICTURE} {H264} -t 60"), &greedy.key)?).await?;
    ensure!(!content, "800 kbit/s are taken where 20 may be");
    let large = stage.channel().await?;
    let picture = "-f lavfi -i testsrc2=size=642x362:rate=1";
    let (content, _) = end(stage.publish(&format!("-re {picture} {H264} -t 60"), &large.key)?).await?;
    ensure!(!content, "a picture was taken that is too large");
    assert_eq!(stage.story(large.stream), Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_on_air_is_ended_at_the_next_start() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let _publisher = stage.publish(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 2).await?;
    // The disk as it is at this moment, which a process that starts after a crash would find.
    let left = tempfile::tempdir()?;
    copy(stage.folder.path(), left.path())?;
    let recording = stage.recordings(channel.stream).pop().context("no recording")?;
    let next = Stage::over(left, Settings::default())?;
    next.until_told(channel.stream, "recording_ended").await?;
    assert_eq!(next.story(channel.stream), ["stream_down", "recording_ended"]);
    let folder = next.strike().await?;
    let store = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
    let found = scan(&store, &recording.prefix, 0).await?;
    ensure!(found.is_complete() && found.has_endlist && found.segments.len() >= 2, "{found:?}");
    let again = Stage::over(folder, Settings::default())?;
    let quiet = again.channel().await?;
    again.studio.release(&quiet.arn).await?;
    assert_eq!(again.story(channel.stream), Vec::<String>::new(), "it is told once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_every_broadcast_properly() -> Result<()> {
    let stage = Stage::set(Settings::default())?;
    let channel = stage.channel().await?;
    let _publisher = stage.publish(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    let recording = stage.recordings(channel.stream).pop().context("no recording")?;
    let folder = stage.strike().await?;
    let store = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
    ensure!(scan(&store, &recording.prefix, 0).await?.is_complete());
    Ok(())
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

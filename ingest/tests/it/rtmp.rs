//! Broadcast apps go live over RTMP: `ffmpeg`, to recorded segments that decode alone and join without a jump.

mod hostile;

use anyhow::{Context as _, Result, ensure};
use entity::{PublishToken, StreamId};
use ingest::{RtmpLimits, Settings};
use live::{LiveProvider as _, NotLive, Observation, Playback as _, ProviderError, Viewer, recording::scan};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use storage::{Key, Location, Recordings};
use test_studio::{DEADLINE, Fronts, Stage, decodes, ended, packets, picture_size};
use tokio::process::{Child, Command};

const PICTURE: &str = "-f lavfi -i testsrc2=size=640x360:rate=25";
const SOUND: &str = "-f lavfi -i sine=frequency=440:sample_rate=44100";
const H264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 50 -b:v 800k";
const AAC: &str = "-c:a aac -b:a 96k";
const VIEWER: Viewer<'static> = Viewer { address: None, agent: "test" };
/// A frame at 25 per second, in seconds, and what rounding to milliseconds may add.
const FRAME: f64 = 0.041;
/// A frame of AAC at 44.1 kHz.
const SOUND_FRAME: f64 = 0.025;

/// That each segment decodes alone and starts on its only keyframe, and that time goes on evenly where they join, all
/// but evenly where they break; gives the number of pictures.
async fn assert_whole(folder: &Path, segments: &[(PathBuf, u64, bool)], has_sound: bool) -> Result<usize> {
    let mut joined = Vec::new();
    let mut last = [None::<f64>; 2];
    let mut count = 0;
    for (file, duration_ms, breaks) in segments {
        decodes(file).await?;
        let packets = packets(file).await?;
        let pictures: Vec<_> = packets.iter().filter(|packet| packet.is_picture).collect();
        ensure!(pictures.first().is_some_and(|first| first.is_key), "{} starts on no keyframe", file.display());
        ensure!(pictures.iter().filter(|picture| picture.is_key).count() == 1, "{}: keyframes", file.display());
        let sound = packets.iter().any(|packet| !packet.is_picture);
        // The last piece of a publisher that was killed may be a single picture.
        ensure!(sound == has_sound || has_sound && pictures.len() < 3, "{}: sound", file.display());
        let length_ms = pictures.len() as u64 * 40;
        ensure!(length_ms.abs_diff(*duration_ms) <= 40, "{length_ms} ms are said to be {duration_ms}");
        for (track, frame) in [(0, FRAME), (1, SOUND_FRAME)] {
            let of_track = packets.iter().filter(|packet| packet.is_picture == (track == 0));
            let mut times: Vec<f64> = last[track].into_iter().chain(of_track.map(|packet| packet.pts)).collect();
            times.sort_by(f64::total_cmp);
            last[track] = times.last().copied();
            let steps = times.windows(2).map(|pair| pair[1] - pair[0]).enumerate();
            for (at, step) in steps {
                // Sound and picture of a publisher that was killed do not end together.
                let most = if *breaks && at == 0 { FRAME + 2.0 * frame } else { frame };
                ensure!(step <= most, "a step of {step} s in {}, track {track}", file.display());
            }
        }
        count += pictures.len();
        joined.extend(std::fs::read(file)?);
    }
    let file = folder.join("joined.ts");
    std::fs::write(&file, joined)?;
    decodes(&file).await?;
    Ok(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_told_recorded_and_played_as_it_runs() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    assert_eq!(stage.studio.observe(&channel.arn).await?, Observation::Unknown);
    ensure!(!stage.studio.carries(channel.stream), "it is only announced");
    assert_eq!(stage.studio.playlist(channel.stream, None, VIEWER).await, Err(NotLive::OffAir));
    let publisher = stage.app(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 7"), &channel.key)?;
    stage.until_told(channel.stream, "stream_up").await?;
    assert_eq!(stage.studio.observe(&channel.arn).await?, Observation::OnAir);
    ensure!(stage.studio.carries(channel.stream), "it is on air");
    let playlist = stage.studio.playlist(channel.stream, None, VIEWER).await?;
    ensure!(playlist.contains("\n0.ts\n") && playlist.contains("#EXT-X-TARGETDURATION:2\n"), "{playlist}");
    let shown = stage.studio.segment(channel.stream, "0.ts").await?;
    let (content, complaint) = ended(publisher).await?;
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
    ensure!(stage.studio.playlist(channel.stream, None, VIEWER).await?.ends_with("#EXT-X-ENDLIST\n"));
    assert_eq!(stage.studio.observe(&channel.arn).await?, Observation::OffAir);
    ensure!(!stage.studio.carries(channel.stream), "it is over");
    stage.strike().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_are_shown_in_another_order_than_they_are_sent_keep_their_times() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let coding = "-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -g 50 -sc_threshold 0 -b:v 800k";
    let publisher = stage.app(&format!("{PICTURE} {SOUND} {coding} {AAC} -t 8"), &channel.key)?;
    let (content, complaint) = ended(publisher).await?;
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
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let (content, complaint) = ended(stage.app(&format!("{PICTURE} {H264} -t 5"), &channel.key)?).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    assert_eq!(assert_whole(stage.folder.path(), &stage.segments(channel.stream), false).await?, 5 * 25);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_sent_away_with_the_reason() -> Result<()> {
    let stage = Stage::set(Settings { first_picture: Duration::from_secs(1), ..Settings::default() }).await?;
    let channel = stage.channel().await?;
    let (content, complaint) = ended(stage.app(&format!("-re {SOUND} {AAC} -t 30"), &channel.key)?).await?;
    ensure!(!content, "it was content");
    assert_eq!(stage.story(channel.stream), Vec::<&str>::new(), "{complaint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_and_cut() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let (content, complaint) = ended(stage.app(&format!("-re {PICTURE} {H264} -t 30"), "wrong")?).await?;
    ensure!(!content && complaint.contains("there is no such stream"), "{complaint}");
    assert_eq!(stage.story(channel.stream), Vec::<&str>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_publisher_is_told_that_somebody_is_on_air() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let arguments = format!("-re {PICTURE} {H264} -t 30");
    let _first = stage.app(&arguments, &channel.key)?;
    stage.until_told(channel.stream, "stream_up").await?;
    let (content, complaint) = ended(stage.app(&arguments, &channel.key)?).await?;
    ensure!(!content && complaint.contains("somebody is publishing"), "{complaint}");
    assert_eq!(stage.story(channel.stream)[0], "stream_up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_killed_and_comes_back_larger_goes_on_in_the_same_recording() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let mut first = stage.app(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    first.kill().await?;
    stage.until_told(channel.stream, "stream_interrupted").await?;
    ensure!(!stage.studio.playlist(channel.stream, None, VIEWER).await?.contains("ENDLIST"));
    let larger = "-f lavfi -i testsrc2=size=1280x720:rate=25";
    let second = stage.app(&format!("{larger} {SOUND} {H264} {AAC} -t 5"), &channel.key)?;
    let (content, complaint) = ended(second).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    let told =
        ["stream_up", "recording_started", "stream_interrupted", "stream_back", "stream_down", "recording_ended"];
    assert_eq!(stage.story(channel.stream), told);
    assert_eq!(stage.recordings(channel.stream).len(), 1);
    let segments = stage.segments(channel.stream);
    let mut sizes = Vec::new();
    for (file, ..) in &segments {
        sizes.push(picture_size(file).await?);
    }
    let larger = sizes.iter().position(|size| *size == (1_280, 720)).context("no larger picture")?;
    ensure!(larger > 0 && sizes[..larger].iter().all(|size| *size == (640, 360)), "{sizes:?}");
    ensure!(sizes[larger..].iter().all(|size| *size == (1_280, 720)), "{sizes:?}");
    let breaks: Vec<usize> = (0..segments.len()).filter(|at| segments[*at].2).collect();
    assert_eq!(breaks, [larger], "it breaks once, where the picture is another");
    assert_whole(stage.folder.path(), &segments, true).await?;
    Ok(())
}

/// Has a publisher stand still, or go on.
async fn signal(publisher: &Child, name: &str) -> Result<()> {
    let process = publisher.id().context("the publisher has ended")?;
    ensure!(Command::new("kill").args([name, &process.to_string()]).status().await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_stalls_is_interrupted_and_goes_on_as_if_nothing_had_been() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let publisher = stage.app(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 12"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    signal(&publisher, "-STOP").await?;
    stage.until_told(channel.stream, "stream_interrupted").await?;
    signal(&publisher, "-CONT").await?;
    let (content, complaint) = ended(publisher).await?;
    ensure!(content, "{complaint}");
    stage.until_told(channel.stream, "recording_ended").await?;
    let told =
        ["stream_up", "recording_started", "stream_interrupted", "stream_back", "stream_down", "recording_ended"];
    assert_eq!(stage.story(channel.stream), told);
    let segments = stage.segments(channel.stream);
    ensure!(segments.iter().all(|(.., breaks)| !breaks), "{segments:?}");
    assert_eq!(assert_whole(stage.folder.path(), &segments, true).await?, 12 * 25);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_says_nothing_for_too_long_is_cut_and_its_broadcast_may_be_taken_up_again() -> Result<()> {
    // Shorter than what a broadcast takes to count as interrupted: once it does, the publisher has been cut.
    let rtmp = RtmpLimits { silence: Duration::from_secs(1), ..RtmpLimits::default() };
    let stage = Stage::over(tempfile::tempdir()?, Settings::default(), Fronts { rtmp, ..Fronts::default() }).await?;
    let channel = stage.channel().await?;
    let arguments = format!("-re {PICTURE} {H264} -t 60");
    let publisher = stage.app(&arguments, &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    signal(&publisher, "-STOP").await?;
    stage.until_told(channel.stream, "stream_interrupted").await?;
    signal(&publisher, "-CONT").await?;
    ensure!(!ended(publisher).await?.0, "nobody listened to what it went on to send");
    let _next = stage.app(&arguments, &channel.key)?;
    stage.until_told(channel.stream, "stream_back").await?;
    stage.studio.release(&channel.arn).await?;
    stage.until_told(channel.stream, "recording_ended").await?;
    assert_whole(stage.folder.path(), &stage.segments(channel.stream), false).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_publishers_and_channels_than_there_are_places() -> Result<()> {
    let stage = Stage::set(Settings { publishers: 1, leases: 2, ..Settings::default() }).await?;
    let (first, second) = (stage.channel().await?, stage.channel().await?);
    let full = stage.studio.lease(StreamId::generate(), &PublishToken::generate()).await;
    ensure!(matches!(full, Err(ProviderError::Full)), "a third channel where there are two");
    let arguments = format!("-re {PICTURE} {H264} -t 60");
    let _publisher = stage.app(&arguments, &first.key)?;
    stage.until_told(first.stream, "stream_up").await?;
    let (content, complaint) = ended(stage.app(&arguments, &second.key)?).await?;
    ensure!(!content && complaint.contains("as many publishers as it can take"), "{complaint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_nobody_comes_back_to_ends_after_the_grace_window() -> Result<()> {
    let (grace, farewell) = (Duration::from_millis(500), Duration::from_millis(500));
    let stage = Stage::set(Settings { grace, farewell, ..Settings::default() }).await?;
    let channel = stage.channel().await?;
    let mut publisher = stage.app(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_told(channel.stream, "stream_up").await?;
    publisher.kill().await?;
    stage.until_told(channel.stream, "recording_ended").await?;
    let told = ["stream_up", "recording_started", "stream_interrupted", "stream_down", "recording_ended"];
    assert_eq!(stage.story(channel.stream), told);
    let (content, complaint) = ended(stage.app(&format!("-re {PICTURE} {H264} -t 30"), &channel.key)?).await?;
    ensure!(!content && complaint.contains("the broadcast is over"), "{complaint}");
    let start = Instant::now();
    while stage.studio.playlist(channel.stream, None, VIEWER).await.is_ok() {
        ensure!(start.elapsed() < DEADLINE, "the playlist stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cuts_the_publisher_and_returns_once_the_recording_is_complete() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let publisher = stage.app(&format!("-re {PICTURE} -re {SOUND} {H264} {AAC} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    stage.studio.release(&channel.arn).await?;
    assert_eq!(stage.story(channel.stream).last(), Some(&"recording_ended"));
    assert_eq!(stage.studio.segment(channel.stream, "0.ts").await, Err(NotLive::OffAir));
    let (content, _) = ended(publisher).await?;
    ensure!(!content, "the publisher went on");
    stage.studio.release(&channel.arn).await?;
    assert_eq!(stage.story(channel.stream).iter().filter(|word| **word == "recording_ended").count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_bits_and_too_large_a_picture_are_refused() -> Result<()> {
    let settings = Settings { bits_per_second: 20_000, pixels: 640 * 360, ..Settings::default() };
    let stage = Stage::set(settings).await?;
    let greedy = stage.channel().await?;
    let (content, _) = ended(stage.app(&format!("-re {PICTURE} {H264} -t 60"), &greedy.key)?).await?;
    ensure!(!content, "800 kbit/s are taken where 20 may be");
    let large = stage.channel().await?;
    let picture = "-f lavfi -i testsrc2=size=642x362:rate=1";
    let (content, _) = ended(stage.app(&format!("-re {picture} {H264} -t 60"), &large.key)?).await?;
    ensure!(!content, "a picture was taken that is too large");
    assert_eq!(stage.story(large.stream), Vec::<&str>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_on_air_is_ended_at_the_next_start() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let mut publisher = stage.app(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 2).await?;
    // Nobody writes while the grace window lasts, so the copy is of one moment.
    publisher.kill().await?;
    stage.until_told(channel.stream, "stream_interrupted").await?;
    // The disk as it is at this moment, which a process that starts after a crash would find.
    let left = tempfile::tempdir()?;
    copy(stage.folder.path(), left.path())?;
    let recording = stage.recordings(channel.stream).pop().context("no recording")?;
    let next = Stage::over(left, Settings::default(), Fronts::default()).await?;
    next.until_told(channel.stream, "recording_ended").await?;
    assert_eq!(next.story(channel.stream), ["stream_down", "recording_ended"]);
    let folder = next.strike().await?;
    let store = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
    let found = scan(&store, &recording.prefix, 0).await?;
    ensure!(found.is_complete() && found.has_endlist && found.segments.len() >= 2, "{found:?}");
    let again = Stage::over(folder, Settings::default(), Fronts::default()).await?;
    let quiet = again.channel().await?;
    again.studio.release(&quiet.arn).await?;
    assert_eq!(again.story(channel.stream), Vec::<&str>::new(), "it is told once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_cannot_be_ended_keeps_no_other_open_and_ends_nothing_that_is_on_air() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let mut publisher = stage.app(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    publisher.kill().await?;
    stage.until_told(channel.stream, "stream_interrupted").await?;
    let left = tempfile::tempdir()?;
    copy(stage.folder.path(), left.path())?;
    let store = Recordings::open(&Location::folder(left.path())?, &storage::Settings::default())?;
    // Before the other one in the order of their names, and not to be understood.
    let (prefix, stream) = ("ivs/v1/0/half/2026/1/1/1/1/written", "stream_00000000000070008000000000000000");
    let marker = serde_json::json!({ "channel_arn": "arn:of-no-one", "recording": { "id": "half", "prefix": prefix } });
    let files = [
        (format!("ingest/on-air/{stream}.json"), marker.to_string()),
        (format!("{prefix}/events/recording-started.json"), "{".to_owned()),
    ];
    for (name, text) in files {
        store.put(&Key::parse(&name)?, text.into(), "application/json").await?;
    }
    let next = Stage::over(left, Settings::default(), Fronts::default()).await?;
    next.until_told(channel.stream, "recording_ended").await?;
    // It is tried again every second, beside a broadcast that is on air.
    let fresh = next.channel().await?;
    let _publisher = next.app(&format!("-re {PICTURE} {H264} -t 60"), &fresh.key)?;
    next.until_segments(fresh.stream, 3).await?;
    let told = next.story(fresh.stream);
    ensure!(!told.contains(&"stream_down") && !told.contains(&"recording_ended"), "{told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_every_broadcast_properly() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let channel = stage.channel().await?;
    let _publisher = stage.app(&format!("-re {PICTURE} {H264} -t 60"), &channel.key)?;
    stage.until_segments(channel.stream, 1).await?;
    let recording = stage.recordings(channel.stream).pop().context("no recording")?;
    let folder = stage.strike().await?;
    let store = Recordings::open(&Location::folder(folder.path())?, &storage::Settings::default())?;
    ensure!(scan(&store, &recording.prefix, 0).await?.is_complete());
    Ok(())
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

//! The main job in fair weather: a broadcast is on the map while it is live, and its replay, with every face blurred
//! and everything else as it was, takes its place.

use crate::harness::{
    client::Vod,
    clip::{Clip, FRAME_RATE},
    deadline,
    map_watch::{self, MapWatch},
    picture::{Frames, digests, likeness, probe, psnr_db},
    raw_http,
    replay::Replay,
    simulate::Play,
    site::{Shape, Site, files_below},
    still, story,
    subscriber::Subscriber,
};
use anyhow::{Context as _, Result, ensure};
use entity::{VodId, segment, vod};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use storage::Key;

/// What is left of the picture far from faces must be this close to the original.
const UNTOUCHED_DB: f64 = 36.0;
/// How the SEI message begins in which x264 names itself.
const ENCODER: &[u8] = b"x264 - core";

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_becomes_a_blurred_replay_embedded() -> Result<()> {
    a_broadcast_becomes_a_blurred_replay(Shape::Embedded, "main-embedded").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_becomes_a_blurred_replay_in_production_shape() -> Result<()> {
    a_broadcast_becomes_a_blurred_replay(Shape::Production, "main-production").await
}

async fn a_broadcast_becomes_a_blurred_replay(shape: Shape, name: &str) -> Result<()> {
    let clip = Clip::with_a_face(12);
    let site = Site::start(shape, name, &[]).await?;
    let before = site.client.map().await?;
    ensure!(before.items.is_empty(), "an empty map shows {:?}", before.items);
    let subscriber = Subscriber::start(site.client.base(), &before.cursor);
    let watch = MapWatch::start(&site.client);
    let (_, token) = site.client.start("never on air", 0.0, 0.0).await?;

    let mut playing = Play { title: "smoke over the river", clip, speed: "3" }.begin(&site)?;
    let stream = playing.stream(&site).await?;
    playing.end().await?;
    let vod = ready(&site, &stream).await?;
    print_wait(&site, &stream, "12 s at threefold speed").await?;

    let seen = story::heard_everything(&subscriber, &site).await?;
    story::is_a_good_tale(&seen, &stream, &vod.id)?;
    ensure!(subscriber.connections() == 1, "the subscription broke in fair weather");
    map_watch::hands_over(&watch.end().await?, &stream)?;
    replay_is_whole_and_blurred(&site, &stream, &vod, &clip).await?;
    thumbnail_and_receipt_tell_the_same(&site, &stream, &vod, &clip).await?;
    recordings_are_out_of_reach(&site, &vod).await?;
    stores_hold_what_they_should(&site, &vod).await?;
    drop(subscriber);
    site.close(&[&token]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_without_faces_keeps_every_frame_its_audio_and_its_times_and_nothing_else() -> Result<()> {
    let clip = Clip::without_faces(12);
    let site = Site::start(Shape::Embedded, "copied", &[]).await?;
    let mut playing = Play { title: "an empty street", clip, speed: "max" }.begin(&site)?;
    let stream = playing.stream(&site).await?;
    playing.end().await?;
    let vod: VodId = ready(&site, &stream).await?.id.parse()?;
    let segments = site.records()?.segments(vod).await?;
    ensure!(segments.len() == clip.segments() as usize, "{} segments", segments.len());
    let mut any_named = false;
    for segment in segments {
        let (recorded, published) = objects(&site, &segment).await?;
        let [recorded, published] = [("recorded.ts", recorded), ("published.ts", published)].map(|(name, bytes)| {
            let file = site.folder().join(name);
            std::fs::write(&file, &bytes)?;
            let names_encoder = bytes.windows(ENCODER.len()).any(|window| window == ENCODER);
            anyhow::Ok((digests(&file)?, names_encoder))
        });
        let ((recorded, named), (published, still_named)) = (recorded?, published?);
        ensure!(recorded == published, "segment {} was changed", segment.number);
        ensure!(!still_named, "segment {} holds an SEI message of the encoder", segment.number);
        any_named |= named;
        ensure!(segment.copied == Some(true), "segment {} is not known to be a copy", segment.number);
    }
    ensure!(any_named, "no recorded segment holds an SEI message, so that nothing was proved");
    site.close(&[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_long_broadcast_is_redacted_while_it_is_live() -> Result<()> {
    let clip = Clip::with_a_face(60);
    let site = Site::start(Shape::Production, "minute", &[]).await?;
    let mut playing = Play { title: "a minute", clip, speed: "1" }.begin(&site)?;
    let stream = playing.stream(&site).await?;
    live_pictures_are_blurred_and_move_on(&site, &stream, &clip).await?;
    let id = deadline::until("half of it is redacted", deadline::LATE, || async {
        let vods = site.records()?.vods_of(&stream).await?;
        let settled = vods.first().map_or(0, |vod| vod.segments_settled);
        let enough = settled >= i32::try_from(clip.segments() / 2)?;
        Ok(if enough { Ok(vods[0].id) } else { Err(format!("{settled} segments")) })
    })
    .await?;
    let status = site.client.stream(&stream).await?.status;
    ensure!(status == "LIVE", "half of it was redacted only when it was {status}");
    playing.end().await?;
    let vod = ready(&site, &stream).await?;
    ensure!(vod.id == id.to_string(), "another replay took its place");
    ensure!(vod.redaction.as_ref().is_some_and(|done| done.frames == i64::from(clip.frames())), "{vod:?}");
    print_wait(&site, &stream, "60 s at the speed of life").await?;
    site.close(&[]).await
}

/// Waits for the replay to be ready.
pub async fn ready(site: &Site, stream: &str) -> Result<Vod> {
    deadline::until("the replay is READY", deadline::LATE, || async {
        Ok(match site.client.vod_of(stream).await? {
            Some(vod) if vod.status == "READY" => Ok(vod),
            Some(vod) => {
                ensure!(vod.status == "PROCESSING", "{vod:?}");
                Err(format!("{vod:?}"))
            }
            None => Err("no replay".to_owned()),
        })
    })
    .await
}

/// Says how long a viewer waited for the replay. Nothing is asserted: that is the benchmark's part.
pub async fn print_wait(site: &Site, stream: &str, what: &str) -> Result<()> {
    let records = site.records()?;
    let (stream, vod) = (records.stream(stream).await?, records.vod_of(stream).await?);
    let waited = vod.ready_at.context("not ready")? - stream.ended_at.context("not ended")?;
    println!("measured: {what}, {:?}: READY {} ms after Stream End", site.shape(), waited.num_milliseconds());
    Ok(())
}

/// A segment as it was recorded and as it was published.
async fn objects(site: &Site, segment: &segment::Model) -> Result<(bytes::Bytes, bytes::Bytes)> {
    let published = segment.result_key.as_deref().context("nothing published")?;
    let recorded = site.recordings.get(&Key::parse(&segment.source_key)?).await?;
    Ok((recorded, site.replays.get(&Key::parse(published)?).await?))
}

pub async fn replay_is_whole_and_blurred(site: &Site, stream: &str, vod: &Vod, clip: &Clip) -> Result<()> {
    let folder = site.folder().join("replay");
    let address = vod.playback_url.as_deref().context("no playback URL")?;
    let replay = Replay::fetch(&site.client, address, &folder).await?;
    ensure!(replay.gaps() == 0 && replay.segments.len() == clip.segments() as usize, "{:?}", replay.lines);

    let original = clip.render()?;
    let recorded = folder.join("recorded.ts");
    let row = site.records()?.vod_of(stream).await?;
    let mut whole = Vec::new();
    for segment in site.records()?.segments(row.id).await? {
        whole.extend_from_slice(&objects(site, &segment).await?.0);
    }
    std::fs::write(&recorded, whole)?;
    let frame_s = 1.0 / f64::from(FRAME_RATE);
    let (expected, played) = (probe(&original, FRAME_RATE)?, probe(&replay.playlist, FRAME_RATE)?);
    ensure!(played.frames == expected.frames, "{} frames of {}", played.frames, expected.frames);
    ensure!((played.video_s - expected.video_s).abs() <= frame_s, "{played:?} is not as long as {expected:?}");
    let sound = probe(&recorded, FRAME_RATE)?;
    ensure!(played.audio.as_deref() == Some("aac"), "{played:?}");
    ensure!(played.audio_packets == sound.audio_packets, "{played:?} lost sound of {sound:?}");
    ensure!((f64::from(i32::try_from(vod.duration_ms)?) / 1000.0 - expected.video_s).abs() <= frame_s, "{vod:?}");

    let redaction = vod.redaction.as_ref().context("no receipt")?;
    let counted = redaction.frames == i64::from(clip.frames()) && redaction.gaps == 0 && vod.progress >= 1.0;
    ensure!(counted && redaction.face_tracks > 0 && redaction.faces_blurred >= redaction.frames, "{vod:?}");
    ensure!(redaction.model.as_deref().is_some_and(|model| !model.is_empty()), "{vod:?}");

    let original = Frames::decode(&original, clip.width(), clip.height())?;
    let published = Frames::decode(&replay.playlist, clip.width(), clip.height())?;
    ensure!(original.count() == published.count(), "{} pictures of {}", published.count(), original.count());
    for frame in 0..original.count() {
        let left = likeness(&original, &published, frame, Clip::face(u32::try_from(frame)?));
        ensure!(!left.is_recognisable(), "the face in frame {frame} could be known again: {left:?}");
    }
    let elsewhere = psnr_db(&original, &published, Clip::far_from_faces());
    ensure!(elsewhere >= UNTOUCHED_DB, "{elsewhere:.1} dB far from the face");
    println!("measured: {elsewhere:.1} dB far from the face over {} frames", original.count());
    Ok(())
}

/// While a broadcast is on air its thumbnail is a blurred picture of it, and after a while another one.
async fn live_pictures_are_blurred_and_move_on(site: &Site, stream: &str, clip: &Clip) -> Result<()> {
    let newer = async |than: Option<&str>| {
        deadline::until("there is a new picture", deadline::LATE, || async {
            let now = site.client.stream(stream).await?;
            ensure!(!["ENDED", "FAILED"].contains(&now.status.as_str()), "over before it had a new picture: {now:?}");
            Ok(match now.thumbnail_url {
                Some(address) if than != Some(&address) => Ok(address),
                other => Err(format!("{other:?}")),
            })
        })
        .await
    };
    let first = newer(None).await?;
    let shown = still::is_blurred(site, &first, clip).await?;
    let next = newer(Some(&first)).await?;
    ensure!(still::is_blurred(site, &next, clip).await? > shown, "{next} came after {first}");
    let id = site.client.vod_of(stream).await?.context("no replay")?.id;
    let (status, ..) = site.client.get(&format!("{}/vod/{id}/000000.ts", site.client.base())).await?;
    ensure!(status == 404, "{status} for a segment of a broadcast on air");
    Ok(())
}

/// The picture of a replay is its first frame, blurred; its receipt adds up to what the API says.
async fn thumbnail_and_receipt_tell_the_same(site: &Site, stream: &str, vod: &Vod, clip: &Clip) -> Result<()> {
    let address = vod.thumbnail_url.as_deref().context("no thumbnail")?;
    ensure!(still::is_blurred(site, address, clip).await? == 0, "{address}");
    let of_stream = site.client.stream(stream).await?.thumbnail_url;
    ensure!(of_stream.as_deref() == Some(address), "{of_stream:?} of a stream whose replay is {address}");

    let redaction = vod.redaction.as_ref().context("no redaction")?;
    let (status, kind, body) = site.client.get(redaction.receipt_url.as_deref().context("no receipt")?).await?;
    ensure!((status, kind.as_str()) == (200, "application/json"), "{status} {kind}");
    let receipt: Value = serde_json::from_slice(&body)?;
    let told = json!({
        "segments": clip.segments(), "copied": 0, "reencoded": clip.segments(), "gaps": redaction.gaps, "gapMs": 0,
        "frames": redaction.frames, "framesDetected": redaction.frames_detected, "detections": redaction.detections,
        "faceTracks": redaction.face_tracks, "framesFilled": redaction.frames_filled,
        "facesBlurred": redaction.faces_blurred, "framesCopied": 0, "seconds": redaction.seconds,
        "longestUnseenFrames": receipt["totals"]["longestUnseenFrames"],
    });
    let unseen = receipt["totals"]["longestUnseenFrames"].as_i64();
    ensure!(unseen.is_some_and(|frames| frames <= 1), "{unseen:?} frames with something new and without a look");
    ensure!(close(&receipt["totals"], &told), "{} is not {told}", receipt["totals"]);
    ensure!(redaction.frames_detected > 0 && redaction.detections > 0 && redaction.seconds > 0.0, "{redaction:?}");
    ensure!(receipt["version"] == 1 && receipt["vod"] == vod.id && receipt["durationMs"] == vod.duration_ms);
    let engines = receipt["engines"].as_array().context("no engines")?;
    ensure!(engines.len() == 1 && engines[0]["version"].as_str() == redaction.version.as_deref(), "{engines:?}");
    let model = format!("{} sha256:{}", text(&engines[0]["model"]["name"])?, text(&engines[0]["model"]["sha256"])?);
    ensure!(redaction.model == Some(model), "{engines:?}");
    let lines = receipt["segments"].as_array().context("no segments")?;
    let frames: i64 = lines.iter().filter_map(|line| line["frames"].as_i64()).sum();
    ensure!(lines.len() == clip.segments() as usize && frames == redaction.frames, "{lines:?}");
    println!("measured: receipt {receipt}");
    Ok(())
}

/// Whether two objects hold the same, but for the rounding of sums.
fn close(one: &Value, other: &Value) -> bool {
    let fields = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    let alike = |name: &String, value: &Value| match (value.as_f64(), other[name].as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-6,
        _ => false,
    };
    fields(one) == fields(other)
        && one.as_object().is_some_and(|one| one.iter().all(|(name, value)| alike(name, value)))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// No path, however it is spelt, gives a byte of a recording.
async fn recordings_are_out_of_reach(site: &Site, vod: &Vod) -> Result<()> {
    let id: VodId = vod.id.parse()?;
    let segment = site.records()?.segments(id).await?.into_iter().next().context("no segment")?;
    let (key, vod) = (segment.source_key.as_str(), vod.id.as_str());
    let recorded = site.recordings.get(&Key::parse(key)?).await?;
    let mut paths = vec![
        format!("/{key}"),
        format!("/recordings/{key}"),
        format!("/vod/{key}"),
        format!("/vod/recordings/{key}"),
        format!("/vod/../recordings/{key}"),
        format!("/vod/{vod}/../../recordings/{key}"),
        format!("/vod/{vod}/../../../recordings/{key}"),
        format!("/vod/%2e%2e/recordings/{key}"),
        format!("/vod/{vod}/%2e%2e/%2e%2e/%2e%2e/recordings/{key}"),
        format!("/vod/{vod}/..%2f..%2f..%2frecordings%2f{}", key.replace('/', "%2f")),
        format!("/vod/{vod}/..%5c..%5c..%5crecordings%5c{}", key.replace('/', "%5c")),
        format!("/vod/{vod}/%252e%252e/%252e%252e/%252e%252e/recordings/{key}"),
        format!("/vod//{}/recordings/{key}", site.data_dir().display()),
        format!("/vod/{vod}/%00/../recordings/{key}"),
        format!("http://{}/recordings/{key}", site.authority()),
    ];
    let link = site.data_dir().join("replays/vod").join(vod).join("linked.ts");
    if site.shape() == Shape::Embedded {
        std::os::unix::fs::symlink(site.data_dir().join("recordings").join(key), &link)?;
        paths.push(format!("/vod/{vod}/linked.ts"));
    }
    for path in paths {
        let (status, body) = raw_http::get(site.authority(), &path).await?;
        ensure!(status >= 300, "{status} for {path}");
        let needle = &recorded[..188.min(recorded.len())];
        ensure!(!body.windows(needle.len()).any(|window| window == needle), "{path} gives a recording");
    }
    if site.shape() == Shape::Embedded {
        std::fs::remove_file(link)?;
    }
    let (status, _) = raw_http::get(site.authority(), &format!("/vod/{vod}/000000.ts")).await?;
    ensure!(status == 200, "the replay itself must be there, or nothing was proved: {status}");
    Ok(())
}

/// One object for each segment, the playlist, the receipt, a thumbnail, and not a byte besides; nothing half-written anywhere.
async fn stores_hold_what_they_should(site: &Site, vod: &Vod) -> Result<()> {
    let id: VodId = vod.id.parse()?;
    let row: vod::Model = site.records()?.vods().await?.into_iter().find(|row| row.id == id).context("no row")?;
    let numbered = (0..row.segments_known).map(|number| format!("vod/{id}/{number:06}.ts"));
    let others = ["index.m3u8", "receipt.json", "thumbnail-000000.webp"].map(|name| format!("vod/{id}/{name}"));
    let expected: BTreeSet<String> = numbered.chain(others).collect();
    // The live pictures go a moment after the replay has come.
    deadline::until("the replay store holds the replay and nothing else", deadline::SOON, || async {
        let published: BTreeSet<String> =
            site.replays.list(&Key::parse("vod")?).await?.into_iter().map(|(key, _)| key.to_string()).collect();
        Ok(if published == expected { Ok(()) } else { Err(format!("published: {published:?}")) })
    })
    .await?;
    if site.shape() == Shape::Embedded {
        for file in files_below(&site.data_dir())? {
            let path = file.strip_prefix(site.data_dir())?.to_string_lossy().into_owned();
            let recorded = path.starts_with("recordings/")
                && [".ts", ".m3u8", ".json", ".jpg"].iter().any(|ending| path.ends_with(ending));
            let known = recorded
                || path.strip_prefix("replays/").is_some_and(|key| expected.contains(key))
                || OWN_FILES.iter().any(|own| path.starts_with(own));
            ensure!(known, "{path} does not belong there");
        }
    }
    Ok(())
}

/// What the embedded server keeps beside the stores: its database and its secrets.
const OWN_FILES: &[&str] = &["emergency-time.db", "webhook-secret"];

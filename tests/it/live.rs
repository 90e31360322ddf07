//! A broadcast app goes live to the server itself, over RTMP: watched while it runs, then replayed with the face
//! blurred; and what is over can be watched no more.

use crate::{
    harness::{
        broadcast::Handmade,
        clip::Clip,
        deadline,
        site::{Shape, Site},
    },
    main_job::{print_wait, ready, replay_is_whole_and_blurred},
};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::process::{Child, Command, ExitStatus, Stdio};

const START: &str = "mutation($input: StartStreamInput!) { startStream(input: $input) {
    stream { id } publishToken ingest { whipUrl rtmpUrl streamKey } } }";
const STOP: &str = "mutation($input: StopStreamInput!) { stopStream(input: $input) {
    stream { status playbackUrl } error { code } } }";
const WATCHED: &str = "query($id: ID!) { stream(id: $id) { status playbackUrl viewerCount } }";

/// A broadcast that was announced.
struct Announced {
    id: String,
    token: String,
    rtmp: String,
    whip: String,
}

async fn announce(site: &Site) -> Result<Announced> {
    let position = json!({ "longitude": 126.9784, "latitude": 37.5667 });
    let input = json!({ "title": "smoke over the river", "category": "FIRE", "position": position });
    let data = site.client.ask(START, json!({ "input": input })).await?;
    let payload = &data["startStream"];
    let text = |value: &Value| value.as_str().map(String::from).with_context(|| format!("not offered: {payload}"));
    let ingest = &payload["ingest"];
    Ok(Announced {
        id: text(&payload["stream"]["id"])?,
        token: text(&payload["publishToken"])?,
        rtmp: format!("{}/{}", text(&ingest["rtmpUrl"])?, text(&ingest["streamKey"])?),
        whip: text(&ingest["whipUrl"])?,
    })
}

/// A broadcast app; ends with its test.
struct App(Child);

impl App {
    /// Sends a clip as it is, at the pace of life; again and again if told so.
    fn publish(clip: &Clip, address: &str, again: bool) -> Result<Self> {
        let clip = clip.render()?;
        let again = if again { "-1" } else { "0" };
        let child = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-re", "-stream_loop", again, "-i"])
            .arg(clip)
            .args(["-c", "copy", "-f", "flv", address])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    async fn end(&mut self) -> Result<ExitStatus> {
        let child = &mut self.0;
        deadline::until("the app ends", deadline::SOON, || {
            let status = child.try_wait();
            async move { Ok(status?.ok_or_else(|| "it publishes".to_owned())) }
        })
        .await
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Whoever has ended already cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something can be watched; gives the playlist's address and text.
async fn playing(site: &Site, stream: &str) -> Result<(String, String)> {
    deadline::until("it can be watched", deadline::SOON, || async {
        let stream = &site.client.ask(WATCHED, json!({ "id": stream })).await?["stream"];
        let Some(address) = stream["playbackUrl"].as_str() else { return Ok(Err(format!("{stream}"))) };
        let (status, kind, body) = site.client.get(address).await?;
        let text = String::from_utf8(body)?;
        if status != 200 {
            return Ok(Err(format!("{status}: {text}")));
        }
        ensure!(kind == "application/vnd.apple.mpegurl", "{kind}");
        Ok(Ok((address.to_owned(), text)))
    })
    .await
}

/// The address of the last segment in a playlist.
fn newest(address: &str, playlist: &str) -> Result<String> {
    let name = playlist.lines().rfind(|line| !line.starts_with('#')).context("an empty playlist")?;
    Ok(address.replace("index.m3u8", name))
}

/// A player that names the segment after the newest is answered with it; one that names what will not come soon, or no
/// number, is refused in words.
async fn waits_for_a_segment_that_is_named(site: &Site, address: &str, playlist: &str) -> Result<()> {
    let number = |playlist: &str| -> Result<u64> {
        let name = newest(address, playlist)?;
        let name = name.rsplit('/').next().and_then(|name| name.strip_suffix(".ts")).context("no segment")?;
        Ok(name.parse()?)
    };
    let next = number(playlist)? + 1;
    let (status, _, playlist) = site.client.get(&format!("{address}?_HLS_msn={next}")).await?;
    let newest = number(&String::from_utf8(playlist)?)?;
    ensure!(status == 200 && newest >= next, "{status}: {newest} where {next} was waited for");
    for refused in ["1000000", "-1", "soon"] {
        let (status, _, reason) = site.client.get(&format!("{address}?_HLS_msn={refused}")).await?;
        ensure!(status == 400 && !reason.is_empty(), "{refused}: {status}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_goes_live_is_watched_and_becomes_a_blurred_replay() -> Result<()> {
    let clip = Clip::with_a_face(12);
    let site = Site::start(Shape::Embedded, "live", &[]).await?;
    let announced = announce(&site).await?;
    let live = format!("{}/live/{}/index.m3u8", site.client.base(), announced.id);
    ensure!(site.client.get(&live).await?.0 == 404, "something can be watched before there is a picture");

    let mut app = App::publish(&clip, &announced.rtmp, false)?;
    let (address, playlist) = playing(&site, &announced.id).await?;
    ensure!(address == live, "{address}");
    let elsewhere = reqwest::Client::new().get(&address).header("origin", "https://example.org").send().await?;
    ensure!(elsewhere.headers()["access-control-allow-origin"] == "*", "{elsewhere:?}");
    let (status, kind, segment) = site.client.get(&newest(&address, &playlist)?).await?;
    ensure!(status == 200 && kind == "video/mp2t" && segment.first() == Some(&0x47), "{status} {kind}");
    waits_for_a_segment_that_is_named(&site, &address, &playlist).await?;
    ensure!(app.end().await?.success(), "the app was cut");

    let vod = ready(&site, &announced.id).await?;
    print_wait(&site, &announced.id, "12 s over RTMP").await?;
    replay_is_whole_and_blurred(&site, &announced.id, &vod, &clip).await?;
    let (status, _, reason) = site.client.get(&newest(&address, &playlist)?).await?;
    ensure!(status == 404 && !reason.is_empty(), "the live picture has outlived the broadcast");
    let key = announced.rtmp.rsplit('/').next().unwrap_or_default();
    site.close(&[&announced.token, key]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cuts_the_app_and_the_picture_at_once_and_its_replay_is_ready() -> Result<()> {
    let clip = Clip::without_faces(12);
    let site = Site::start(Shape::Embedded, "live-stop", &[]).await?;
    let announced = announce(&site).await?;
    let mut app = App::publish(&clip, &announced.rtmp, true)?;
    let (address, playlist) = playing(&site, &announced.id).await?;
    let watched = deadline::until("the viewer is counted", deadline::SOON, || async {
        ensure!(site.client.get(&address).await?.0 == 200, "nothing can be watched");
        let stream = &site.client.ask(WATCHED, json!({ "id": announced.id })).await?["stream"];
        Ok(if stream["viewerCount"] == 1 { Ok(stream.clone()) } else { Err(format!("{stream}")) })
    });
    ensure!(watched.await?["status"] == "LIVE");
    let input = json!({ "id": announced.id, "publishToken": announced.token });
    let stopped = site.client.ask(STOP, json!({ "input": input })).await?;
    let stream = &stopped["stopStream"]["stream"];
    ensure!(stream["status"] == "ENDED" && stream["playbackUrl"].is_null(), "{stopped}");
    ensure!(site.client.get(&newest(&address, &playlist)?).await?.0 == 404, "the picture is there after the stop");
    ensure!(!app.end().await?.success(), "the app went on");
    ready(&site, &announced.id).await?;
    print_wait(&site, &announced.id, "a stop over RTMP").await?;
    let over = site.client.ask(WATCHED, json!({ "id": announced.id })).await?["stream"].take();
    ensure!(over["viewerCount"] == 0, "{over}");
    site.close(&[&announced.token]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_on_air_ends_the_broadcast_when_it_is_back() -> Result<()> {
    let clip = Clip::without_faces(12);
    let mut site = Site::start(Shape::Embedded, "live-crash", &[]).await?;
    let announced = announce(&site).await?;
    let _app = App::publish(&clip, &announced.rtmp, true)?;
    deadline::until("segments are recorded", deadline::SOON, || async {
        let vods = site.records()?.vods_of(&announced.id).await?;
        let known = vods.first().map_or(0, |vod| vod.segments_known);
        Ok(if known >= 2 { Ok(()) } else { Err(format!("{known} segments")) })
    })
    .await?;
    site.front.kill9()?;
    site.front.restart()?;
    site.ready().await?;
    let vod = ready(&site, &announced.id).await?;
    ensure!(vod.redaction.as_ref().is_some_and(|done| done.frames > 0), "{vod:?}");
    ensure!(site.client.stream(&announced.id).await?.status == "ENDED");
    site.close(&[&announced.token]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_that_is_carried_elsewhere_has_no_live_picture_here() -> Result<()> {
    let site = Site::start(Shape::Embedded, "live-elsewhere", &[]).await?;
    let broadcast = Handmade::start(&site, "told of from afar", &Clip::without_faces(4)).await?;
    broadcast.send(&site, &broadcast.message_of("Stream Start")?).await?;
    let stream = deadline::until("it is live", deadline::SOON, || async {
        let stream = site.client.ask(WATCHED, json!({ "id": broadcast.stream })).await?["stream"].take();
        Ok(if stream["status"] == "LIVE" { Ok(stream) } else { Err(format!("{stream}")) })
    })
    .await?;
    ensure!(stream["playbackUrl"].is_null(), "{stream}");
    site.close(&[&broadcast.token]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whip_answers_with_the_status_that_goes_with_each_reason() -> Result<()> {
    let site = Site::start(Shape::Embedded, "whip-answers", &[]).await?;
    let announced = announce(&site).await?;
    let http = reqwest::Client::new();
    let post = |token: Option<&str>, kind: &str, body: &str| {
        let request = http.post(&announced.whip).header("content-type", kind).body(body.to_owned());
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        async move { anyhow::Ok(request.send().await?) }
    };
    let token = Some(announced.token.as_str());
    let refused = post(None, "application/sdp", "v=0").await?;
    ensure!(refused.status() == 401 && refused.headers()["www-authenticate"] == "Bearer", "{refused:?}");
    for (token, kind, body, status) in [
        (Some("wrong"), "application/sdp", "v=0", 401),
        (token, "text/plain", "v=0", 415),
        (token, "application/sdp", "not an offer", 400),
        (token, "application/sdp", &"a".repeat(100_000), 413),
    ] {
        let answer = post(token, kind, body).await?;
        ensure!(answer.status() == status, "{} instead of {status}: {}", answer.status(), answer.text().await?);
    }
    let unknown = format!("{}/whip/stream_00000000000000000000000000000000", site.client.base());
    let answer =
        http.post(unknown).header("content-type", "application/sdp").bearer_auth("x").body("v=0").send().await?;
    ensure!(answer.status() == 404, "{answer:?}");
    let session = format!("{}/none", announced.whip);
    let answer = http.patch(&session).bearer_auth(&announced.token).send().await?;
    ensure!(answer.status() == 405, "{answer:?}");
    let answer = http.delete(&session).bearer_auth(&announced.token).send().await?;
    ensure!(answer.status() == 404, "{answer:?}");
    let asked = http.request(reqwest::Method::OPTIONS, &announced.whip).header("origin", "https://example.org");
    let asked = asked.header("access-control-request-method", "POST");
    let allowed = asked.header("access-control-request-headers", "authorization,content-type").send().await?;
    ensure!(allowed.headers()["access-control-allow-origin"] == "*", "{allowed:?}");
    site.close(&[&announced.token]).await
}

//! A client of the public API: GraphQL over HTTP, as any third party would ask.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

/// Asks one server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// What a map shows at one moment.
#[derive(Debug, Deserialize)]
pub struct MapView {
    /// Where a subscription must start to miss nothing after this view.
    pub cursor: String,
    /// What stands on it.
    pub items: Vec<Item>,
}

/// Something on the map.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub id: String,
    /// Of a stream.
    pub stream_status: Option<String>,
    /// Of a replay.
    pub vod_status: Option<String>,
    /// Of a replay: what it replays.
    pub stream: Option<Reference>,
}

/// Something named by its id.
#[derive(Clone, Debug, Deserialize)]
pub struct Reference {
    pub id: String,
}

/// A replay as the API shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vod {
    pub id: String,
    pub status: String,
    pub progress: f64,
    pub duration_ms: i64,
    pub playback_url: Option<String>,
    pub withheld_reason: Option<String>,
    pub thumbnail_url: Option<String>,
    pub redaction: Option<Redaction>,
}

/// What the redaction did.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redaction {
    pub frames: i64,
    pub frames_detected: i64,
    pub detections: i64,
    pub face_tracks: i64,
    pub frames_filled: i64,
    pub faces_blurred: i64,
    pub gaps: i64,
    pub model: Option<String>,
    pub version: Option<String>,
    pub seconds: f64,
    pub receipt_url: Option<String>,
}

/// A broadcast as the API shows it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    pub id: String,
    pub status: String,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub thumbnail_url: Option<String>,
}

/// The whole earth, as close as a map gets: single items, no clusters.
const MAP: &str = "{ map(bbox: {west: -180, south: -90, east: 180, north: 90}, zoom: 22, first: 200) { cursor items {
    id
    ... on Stream { streamStatus: status }
    ... on Vod { vodStatus: status stream { id } } } } }";

const STREAM: &str = "query($id: ID!) { stream(id: $id) {
    id status startedAt endedAt thumbnailUrl } }";

const VOD_OF_STREAM: &str = "query($id: ID!) { stream(id: $id) { vod { id status progress durationMs playbackUrl
    withheldReason thumbnailUrl redaction { frames framesDetected detections faceTracks framesFilled facesBlurred gaps
    model version seconds receiptUrl } } } }";

const START: &str = "mutation($input: StartStreamInput!) {
    startStream(input: $input) { stream { id } publishToken } }";

impl Client {
    /// A client of the server at `base` (`http://host:port`).
    pub fn new(base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned() }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks; an answer with errors is an error.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.http.post(format!("{}/graphql", self.base)).json(&body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let mut answer: Value = serde_json::from_str(&text).with_context(|| format!("{status}: {text}"))?;
        match answer.get("errors") {
            Some(errors) if !errors.is_null() => bail!("{status}: {errors}"),
            _ => Ok(answer["data"].take()),
        }
    }

    /// What stands on the map.
    pub async fn map(&self) -> Result<MapView> {
        let mut data = self.ask(MAP, json!({})).await?;
        serde_json::from_value(data["map"].take()).context("a map")
    }

    /// A broadcast.
    pub async fn stream(&self, id: &str) -> Result<Stream> {
        let mut data = self.ask(STREAM, json!({ "id": id })).await?;
        serde_json::from_value(data["stream"].take()).context("a stream")
    }

    /// The replay of a broadcast, once there is one.
    pub async fn vod_of(&self, stream: &str) -> Result<Option<Vod>> {
        let mut data = self.ask(VOD_OF_STREAM, json!({ "id": stream })).await?;
        serde_json::from_value(data["stream"]["vod"].take()).context("a replay")
    }

    /// Starts a broadcast; gives its id and its publish token.
    pub async fn start(&self, title: &str, longitude: f64, latitude: f64) -> Result<(String, String)> {
        let position = json!({ "longitude": longitude, "latitude": latitude });
        let input = json!({ "title": title, "category": "FIRE", "position": position });
        let data = self.ask(START, json!({ "input": input })).await?;
        let text = |value: &Value| value.as_str().map(String::from);
        let payload = &data["startStream"];
        let started = text(&payload["stream"]["id"]).zip(text(&payload["publishToken"]));
        started.with_context(|| format!("not started: {payload}"))
    }

    /// Fetches something; gives status, content type and body.
    pub async fn get(&self, url: &str) -> Result<(u16, String, Vec<u8>)> {
        let answer = self.http.get(url).send().await?;
        let kind = answer.headers().get("content-type").map(|value| value.to_str().map(String::from)).transpose()?;
        Ok((answer.status().as_u16(), kind.unwrap_or_default(), answer.bytes().await?.to_vec()))
    }

    /// Posts a message of the live provider, with the shared secret; gives the status.
    pub async fn post_webhook(&self, secret: &str, message: &Value) -> Result<u16> {
        let request = self.http.post(format!("{}/webhooks/ivs", self.base)).header(WEBHOOK_HEADER, secret);
        Ok(request.json(message).send().await?.status().as_u16())
    }
}

/// Carries the shared secret of the webhook.
pub const WEBHOOK_HEADER: &str = "x-emergency-time-secret";

//! The server, seen from outside: a broadcaster's and an event sender's requests.
//!
//! What may be sent twice is sent again when it fails, ever more slowly and for a bounded time, as EventBridge does.

use crate::config::Secret;
use anyhow::{Context as _, Result, anyhow, bail};
use entity::{Category, Position};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use url::Url;

const SECRET_HEADER: &str = "x-emergency-time-secret";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// After this long a request is not tried again.
const RETRY_FOR: Duration = Duration::from_mins(2);
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LAST_DELAY: Duration = Duration::from_secs(5);

const START: &str = "mutation Start($input: StartStreamInput!) {
    startStream(input: $input) { stream { id } ingest { channelArn } error { code message } } }";

const REPLAY: &str = "query Replay($id: ID!) { stream(id: $id) { vod { id status playbackUrl } } }";

/// A server.
pub struct Server {
    http: Client,
    graphql: Url,
    webhook: Url,
    secret: Secret<String>,
}

/// A stream that the server has started.
pub struct Started {
    /// Its id.
    pub stream: String,
    /// Its channel.
    pub channel_arn: String,
}

/// A replay.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// Where it plays.
    pub playback_url: Option<String>,
}

/// Whether a request that failed may have been heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Hearing it twice is the same as once.
    Always,
    /// Only if it was certainly not heard.
    Unheard,
}

impl Server {
    /// The server at `base`.
    pub fn new(base: &Url, secret: Secret<String>) -> Result<Self> {
        let http = Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(REQUEST_TIMEOUT).build();
        let below = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        };
        let (graphql, webhook) = (below("/graphql"), below("/webhooks/ivs"));
        Ok(Self { http: http.context("no HTTP client")?, graphql, webhook, secret })
    }

    /// Starts a stream.
    pub async fn start_stream(&self, title: &str, at: Position, category: Category) -> Result<Started> {
        let position = json!({ "longitude": at.longitude, "latitude": at.latitude });
        let input = json!({ "title": title, "category": category, "position": position });
        let data = self.ask(START, json!({ "input": input }), Repeat::Unheard).await.context("startStream")?;
        let payload = &data["startStream"];
        if let Some(error) = payload["error"].as_object() {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            bail!("startStream: {}: {}", text("code"), text("message"));
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let started = text(&payload["stream"]["id"]).zip(text(&payload["ingest"]["channelArn"]));
        let (stream, channel_arn) = started.context("startStream: no stream and channel in the answer")?;
        Ok(Started { stream, channel_arn })
    }

    /// The replay of a stream, once there is one.
    pub async fn replay(&self, stream: &str) -> Result<Option<Replay>> {
        let mut data = self.ask(REPLAY, json!({ "id": stream }), Repeat::Always).await?;
        serde_json::from_value(data["stream"]["vod"].take()).context("the replay's state cannot be read")
    }

    /// Sends a message as the live provider, if there is one to send.
    pub async fn post(&self, message: Option<Value>) -> Result<()> {
        let Some(message) = message else { return Ok(()) };
        let request = self.http.post(self.webhook.clone()).header(SECRET_HEADER, self.secret.reveal()).json(&message);
        let what = message["detail-type"].as_str().unwrap_or_default();
        self.send(request, Repeat::Always).await.map(drop).with_context(|| format!("sending {what}"))
    }

    async fn ask(&self, query: &str, variables: Value, repeat: Repeat) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.send(self.http.post(self.graphql.clone()).json(&body), repeat).await?;
        let mut answer: Value = serde_json::from_slice(&answer).context("the answer is not JSON")?;
        match answer["errors"].as_array().and_then(|errors| errors.first()) {
            Some(error) => Err(anyhow!("{}", error["message"].as_str().unwrap_or("an error without words"))),
            None => Ok(answer["data"].take()),
        }
    }

    async fn send(&self, request: RequestBuilder, repeat: Repeat) -> Result<Vec<u8>> {
        let (began, mut delay) = (Instant::now(), FIRST_DELAY);
        loop {
            let attempt = request.try_clone().context("the request cannot be sent twice")?;
            let failure = match attempt.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(answer.bytes().await?.to_vec()),
                Ok(answer) => {
                    let status = answer.status();
                    let error = anyhow!("{} answers {status}", self.graphql.authority());
                    // These say that nothing was done with the request.
                    let unheard = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
                    if !(unheard || repeat == Repeat::Always && status.is_server_error()) {
                        return Err(error);
                    }
                    error
                }
                Err(error) if repeat == Repeat::Always || error.is_connect() => error.into(),
                Err(error) => return Err(error.into()),
            };
            if began.elapsed() >= RETRY_FOR {
                return Err(failure.context(format!("given up after {} s", RETRY_FOR.as_secs())));
            }
            tracing::info!(error = format!("{failure:#}"), "sent again");
            sleep(delay).await;
            delay = (delay * 2).min(LAST_DELAY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    /// Reads one request, of which nothing but the head is looked at, and answers it.
    async fn answer(mut connection: TcpStream, status: &str, body: &str) -> String {
        let mut request = Vec::new();
        let (mut head, mut length) = (None, 0);
        while head.is_none_or(|head| request.len() < head + length) {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0, "a whole request");
            let text = String::from_utf8_lossy(&request).to_lowercase();
            head = text.find("\r\n\r\n").map(|at| at + 4);
            let announced = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            length = announced.and_then(|length| length.parse().ok()).unwrap_or(0);
        }
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
        String::from_utf8(request).unwrap()
    }

    /// A server that gives these answers, one after the other, and then the requests it got.
    async fn playing(
        answers: &'static [(&'static str, &'static str)],
    ) -> (Server, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/under", listener.local_addr().unwrap())).unwrap();
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for (status, body) in answers {
                requests.push(answer(listener.accept().await.unwrap().0, status, body).await);
            }
            requests
        });
        (Server::new(&base, Secret::new("hunter2".into())).unwrap(), requests)
    }

    #[tokio::test]
    async fn a_message_is_sent_again_until_it_is_taken() {
        let (server, requests) = playing(&[("503 Down", ""), ("500 Broken", ""), ("202 Accepted", "")]).await;
        server.post(Some(json!({ "detail-type": "test" }))).await.unwrap();
        let requests = requests.await.unwrap();
        assert_eq!((requests.len(), &requests[0]), (3, &requests[2]));
        assert!(requests[0].starts_with("POST /under/webhooks/ivs ") && requests[0].contains("hunter2"));
    }

    #[tokio::test]
    async fn a_message_that_is_refused_is_not_sent_again() {
        let (server, requests) = playing(&[("401 Unauthorized", "")]).await;
        let error = server.post(Some(json!({ "detail-type": "test" }))).await.unwrap_err();
        assert!(format!("{error:#}").contains("401"), "{error:#}");
        assert_eq!(requests.await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_may_have_been_started_is_not_started_twice() {
        let (server, requests) = playing(&[("500 Internal Server Error", "")]).await;
        let position = Position::new(1.0, 2.0).unwrap();
        assert!(server.start_stream("title", position, Category::Fire).await.is_err());
        assert_eq!(requests.await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn why_a_stream_was_not_started_is_said() {
        const REFUSAL: &str = r#"{"data":{"startStream":{"error":{"code":"INVALID","message":"title: is empty"}}}}"#;
        let (server, _requests) = playing(&[("200 OK", REFUSAL)]).await;
        let position = Position::new(1.0, 2.0).unwrap();
        let error = server.start_stream("", position, Category::Fire).await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "startStream: INVALID: title: is empty");
    }
}

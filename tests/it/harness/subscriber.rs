//! A map client that subscribes over graphql-transport-ws, writes down every event, and after any break comes back
//! with the last cursor it saw.

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpStream, task::AbortHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Before it comes back.
const PAUSE: Duration = Duration::from_millis(200);

const SUBSCRIPTION: &str = "subscription($after: Cursor) {
    mapEvents(bbox: {west: -180, south: -90, east: 180, north: 90}, after: $after) {
        __typename cursor itemId item { ... on Vod { redaction { frames } } } } }";

/// One event, as it was delivered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// `StreamStarted`, `VodReady`, …
    #[serde(rename = "__typename")]
    pub kind: String,
    pub cursor: String,
    /// What it is about.
    pub item_id: String,
    item: Option<SeenItem>,
}

#[derive(Clone, Debug, Deserialize)]
struct SeenItem {
    redaction: Option<Redacted>,
}

#[derive(Clone, Debug, Deserialize)]
struct Redacted {
    frames: i64,
}

impl Seen {
    /// How many frames of a replay were examined when the event was delivered.
    pub fn frames(&self) -> Option<i64> {
        Some(self.item.as_ref()?.redaction.as_ref()?.frames)
    }
}

/// What a message means for the connection it came on.
enum Next {
    Listen,
    /// Go on after the cursor on a new connection.
    ComeBack,
}

#[derive(Default)]
struct Notes {
    seen: Vec<Seen>,
    /// What no reconnection can mend.
    fault: Option<String>,
    connections: u32,
}

/// Subscribes until dropped.
pub struct Subscriber {
    notes: Arc<Mutex<Notes>>,
    listening: AbortHandle,
}

impl Subscriber {
    /// Subscribes to the whole earth from a cursor on.
    pub fn start(base: &str, after: &str) -> Self {
        let url = format!("{}/graphql/ws", base.replacen("http", "ws", 1));
        let notes = Arc::new(Mutex::new(Notes::default()));
        let listening = tokio::spawn(listen(url, after.to_owned(), Arc::clone(&notes))).abort_handle();
        Self { notes, listening }
    }

    /// Everything delivered so far, in the order of delivery.
    pub fn seen(&self) -> Result<Vec<Seen>> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.fault.as_ref().map_or(Ok(()), |fault| bail!("the subscription failed: {fault}"))?;
        Ok(notes.seen.clone())
    }

    /// How often it was connected.
    pub fn connections(&self) -> u32 {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).connections
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(url: String, mut cursor: String, notes: Arc<Mutex<Notes>>) {
    loop {
        // A server that is away or goes away is what this client is made for; a refusal is not.
        if let Ok(mut socket) = connect(&url, &cursor).await {
            notes.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
            while let Some(Ok(message)) = socket.next().await {
                match take(&message, &mut cursor, &notes) {
                    Ok(Next::Listen) => (),
                    Ok(Next::ComeBack) => break,
                    Err(fault) => {
                        notes.lock().unwrap_or_else(PoisonError::into_inner).fault = Some(format!("{fault:#}"));
                        return;
                    }
                }
                if is_ping(&message) && socket.send(Message::text(r#"{"type":"pong"}"#)).await.is_err() {
                    break;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn connect(url: &str, after: &str) -> Result<Socket> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(json!({ "type": "connection_init" }).to_string())).await?;
    loop {
        let message = socket.next().await.context("closed before it was acknowledged")??;
        if message.is_text() && field(&message, "type")? == "connection_ack" {
            break;
        }
    }
    let payload = json!({ "query": SUBSCRIPTION, "variables": { "after": after } });
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": payload });
    socket.send(Message::text(subscribe.to_string())).await?;
    Ok(socket)
}

fn field(message: &Message, name: &str) -> Result<String> {
    let value: Value = serde_json::from_str(message.to_text()?)?;
    Ok(value[name].as_str().unwrap_or_default().to_owned())
}

fn is_ping(message: &Message) -> bool {
    message.is_text() && field(message, "type").is_ok_and(|kind| kind == "ping")
}

fn take(message: &Message, cursor: &mut String, notes: &Mutex<Notes>) -> Result<Next> {
    if !message.is_text() {
        return Ok(Next::Listen);
    }
    let mut body: Value = serde_json::from_str(message.to_text()?)?;
    match body["type"].as_str() {
        Some("next") if body["payload"]["errors"].is_null() => {
            let event: Seen = serde_json::from_value(body["payload"]["data"]["mapEvents"].take())?;
            cursor.clone_from(&event.cursor);
            notes.lock().unwrap_or_else(PoisonError::into_inner).seen.push(event);
            Ok(Next::Listen)
        }
        Some("next") => come_back(&body["payload"]["errors"], cursor),
        Some("error") => come_back(&body["payload"], cursor),
        Some("complete") => Ok(Next::ComeBack),
        Some("ping" | "pong" | "connection_ack") => Ok(Next::Listen),
        _ => bail!("{body}"),
    }
}

/// A subscription that ends with `UNAVAILABLE` says where to go on; any other error is a fault.
fn come_back(errors: &Value, cursor: &mut String) -> Result<Next> {
    let extensions = &errors[0]["extensions"];
    ensure!(extensions["code"] == "UNAVAILABLE", "{errors}");
    if let Some(after) = extensions["resumeAfter"].as_str() {
        after.clone_into(cursor);
    }
    Ok(Next::ComeBack)
}

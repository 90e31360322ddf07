//! A WebSocket client that says what a test wants said, right or wrong.

use crate::harness::{Served, soon};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest as _,
        handshake::client::Response,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

/// The newer subprotocol.
pub const TRANSPORT: &str = "graphql-transport-ws";
/// The older one.
pub const LEGACY: &str = "graphql-ws";

/// A socket.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub chosen: Option<String>,
}

/// What comes in.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// A message.
    Said(Value),
    /// The end, with its code; 1006 if there was no close frame.
    Closed(u16),
}

impl Client {
    /// Shakes hands, offering these subprotocols.
    pub async fn connect(served: &Served, offered: &str) -> Self {
        let (socket, response) = Self::try_connect(served, offered).await.unwrap();
        let chosen = response.headers().get("sec-websocket-protocol");
        let chosen = chosen.map(|name| name.to_str().unwrap().to_owned());
        Self { socket, chosen }
    }

    pub async fn try_connect(
        served: &Served,
        offered: &str,
    ) -> Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, Response), tungstenite::Error> {
        let mut request = format!("ws://{}/graphql/ws", served.address).into_client_request().unwrap();
        if !offered.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        }
        match soon("the handshake", connect_async(request)).await {
            // The client insists on one of its subprotocols; the server shakes hands to be able to say 4406.
            Err(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::SecWebSocketSubProtocolError(_))) => {
                let bare = format!("ws://{}/graphql/ws", served.address).into_client_request().unwrap();
                soon("the handshake", connect_async(bare)).await
            }
            other => other,
        }
    }

    /// Shakes hands and begins.
    pub async fn begin(served: &Served, protocol: &str) -> Self {
        let mut client = Self::connect(served, protocol).await;
        assert_eq!(client.chosen.as_deref(), Some(protocol));
        client.say(json!({ "type": "connection_init" })).await;
        client.expect("connection_ack").await;
        if protocol == LEGACY {
            client.expect("ka").await;
        }
        client
    }

    pub async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends, even if the server has hung up meanwhile: what it said is then what counts.
    pub async fn send(&mut self, message: Message) {
        let _ = soon("sending", self.socket.send(message)).await;
    }

    /// One frame of a text message in pieces.
    pub async fn piece(&mut self, text: &str, first: bool, last: bool) {
        let code = OpCode::Data(if first { Data::Text } else { Data::Continue });
        self.send(Message::Frame(Frame::message(text.to_owned(), code, last))).await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    /// The next message or the end; WebSocket's own pings are answered and passed over.
    pub async fn hear(&mut self) -> Heard {
        loop {
            match soon("a message", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return Heard::Said(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Heard::Closed(frame.code.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Heard::Closed(1006),
            }
        }
    }

    /// The next message, which must be of this type.
    pub async fn expect(&mut self, kind: &str) -> Value {
        match self.hear().await {
            Heard::Said(message) if message["type"] == kind => message,
            other => panic!("not {kind} but {other:?}"),
        }
    }

    /// The code that the server closes with; messages before that are passed over.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }
}

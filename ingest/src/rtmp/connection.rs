//! One RTMP connection: handshake, commands, then media into a publication.

use super::{
    APP, RtmpLimits,
    amf::{self, Value},
    chunk::{self, ChunkError, Message, OWN_CHUNK_SIZE, Reader},
    flv::{Media, MediaError},
};
use crate::{
    publication::{Closed, Publication, Refused},
    sample::Unit,
    studio::{Credential, Studio},
};
use bytes::Bytes;
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// C0, S0: the version.
const VERSION: u8 = 3;
/// Bytes of C1, C2, S1, S2.
const HANDSHAKE: usize = 1_536;
/// Bytes read at once.
const READ: usize = 64 * 1024;
/// Bytes read from a peer that was turned away, until it has read why.
const MAX_DRAIN: usize = 4 * 1024 * 1024;
/// How many bytes either side may send before it wants to hear that they came.
const WINDOW: u32 = 2_500_000;
/// The message stream that publishers get.
const STREAM: u32 = 1;

/// Message type ids.
const SET_CHUNK_SIZE: u8 = 1;
const ABORT: u8 = 2;
const ACKNOWLEDGEMENT: u8 = 3;
const USER_CONTROL: u8 = 4;
const WINDOW_SIZE: u8 = 5;
const PEER_BANDWIDTH: u8 = 6;
const SOUND: u8 = 8;
const PICTURE: u8 = 9;
const COMMAND_AMF3: u8 = 17;
const COMMAND: u8 = 20;

/// Chunk streams we answer on.
const CONTROL_CHUNKS: u8 = 2;
const COMMAND_CHUNKS: u8 = 3;

/// How a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("nothing came for too long")]
    Silent,
    #[error("the peer closed the connection")]
    Gone,
    #[error("the publisher is done")]
    Done,
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    #[error(transparent)]
    Command(#[from] amf::Malformed),
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error("only publishing to the application {APP:?} is possible here")]
    Elsewhere,
    #[error("too much came before publishing")]
    TooMuch,
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl End {
    /// The code a peer that can still listen is told; `None` if it cannot, or need not.
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused(Refused::Busy | Refused::Full) | Self::Closed(_) | Self::Media(_) | Self::ShuttingDown => {
                Some("NetStream.Publish.Denied")
            }
            Self::Refused(_) | Self::Elsewhere => Some("NetStream.Publish.BadName"),
            Self::Broken(_)
            | Self::Silent
            | Self::Gone
            | Self::Done
            | Self::Chunk(_)
            | Self::Command(_)
            | Self::TooMuch => None,
        }
    }
}

/// A connection.
pub(super) struct Connection {
    socket: TcpStream,
    studio: Studio,
    limits: Arc<RtmpLimits>,
    reader: Reader,
    media: Media,
    publication: Option<Publication>,
    received: u64,
    /// What the peer wants to be told after so many bytes, and how many it was told.
    window: Option<(u32, u64)>,
}

impl Connection {
    /// A connection that was just accepted.
    pub(super) fn new(socket: TcpStream, studio: Studio, limits: Arc<RtmpLimits>) -> Self {
        let reader = Reader::new(limits.opening_message_bytes);
        let media = Media::default();
        Self { socket, studio, limits, reader, media, publication: None, received: 0, window: None }
    }

    /// Serves it to its end.
    pub(super) async fn run(mut self, cancel: CancellationToken) {
        // Small answers should not wait for each other; where that cannot be set they do.
        let _ = self.socket.set_nodelay(true);
        let end = match cancel.run_until_cancelled(self.serve()).await {
            Some(Ok(())) => End::Done,
            Some(Err(end)) => end,
            None => End::ShuttingDown,
        };
        match (&end, self.publication.take()) {
            (End::Done, Some(publication)) => publication.end(),
            (_, publication) => drop(publication),
        }
        metrics::counter!("rtmp_connections_total").increment(1);
        tracing::info!(%end, bytes = self.received, "an RTMP connection has ended");
        if let Some(code) = end.code() {
            self.part(code, &end.to_string()).await;
        }
    }

    async fn serve(&mut self) -> Result<(), End> {
        let deadline = Instant::now() + self.limits.opening;
        timeout_at(deadline, self.handshake()).await.map_err(|_| End::Silent)??;
        let mut buffer = vec![0; READ];
        loop {
            let count = self.read(&mut buffer, deadline).await?;
            self.reader.feed(&buffer[..count]);
            while let Some(message) = self.reader.next()? {
                self.message(message).await?;
            }
            self.acknowledge().await?;
            if self.publication.is_none() && self.received > self.limits.opening_bytes as u64 {
                return Err(End::TooMuch);
            }
        }
    }

    /// The plain handshake (section 5.2): peers that offer the one with digests take it, too.
    async fn handshake(&mut self) -> Result<(), End> {
        if self.socket.read_u8().await? != VERSION {
            return Err(ChunkError::Malformed.into());
        }
        let mut theirs = [0; HANDSHAKE];
        self.socket.read_exact(&mut theirs).await?;
        let mut ours = [0; 1 + 2 * HANDSHAKE];
        ours[0] = VERSION;
        // Time and version stay zero, which says that there are no digests.
        rand::fill(&mut ours[9..=HANDSHAKE]);
        ours[1 + HANDSHAKE..].copy_from_slice(&theirs);
        self.socket.write_all(&ours).await?;
        self.socket.read_exact(&mut theirs).await?;
        self.received += 1 + 2 * HANDSHAKE as u64;
        Ok(())
    }

    /// Reads what there is; waits for as long as this stage allows, or until the publisher must go.
    async fn read(&mut self, buffer: &mut [u8], opening: Instant) -> Result<usize, End> {
        let count = match &self.publication {
            None => timeout_at(opening, self.socket.read(buffer)).await.map_err(|_| End::Silent)??,
            Some(publication) => tokio::select! {
                reason = publication.closed() => return Err(reason.into()),
                read = timeout(self.limits.silence, self.socket.read(buffer)) => read.map_err(|_| End::Silent)??,
            },
        };
        self.received += count as u64;
        if let Some(publication) = &self.publication {
            publication.received(count)?;
        }
        if count == 0 { Err(End::Gone) } else { Ok(count) }
    }

    async fn acknowledge(&mut self) -> Result<(), End> {
        let Some((window, told)) = self.window else { return Ok(()) };
        if self.received - told >= u64::from(window) {
            self.window = Some((window, self.received));
            // The field has four bytes and runs over.
            let [.., a, b, c, d] = self.received.to_be_bytes();
            self.control(ACKNOWLEDGEMENT, &[a, b, c, d]).await?;
        }
        Ok(())
    }

    async fn message(&mut self, message: Message) -> Result<(), End> {
        let Message { kind, stream, timestamp, data } = message;
        let number = || data.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(ChunkError::Malformed);
        match kind {
            SET_CHUNK_SIZE => self.reader.set_chunk_size(number()?)?,
            ABORT => self.reader.abort(number()?),
            WINDOW_SIZE => self.window = Some((number()?.max(1_024), self.received)),
            USER_CONTROL if data.starts_with(&[0, 6]) => self.control(USER_CONTROL, &pong(&data)).await?,
            COMMAND => self.command(&data, stream).await?,
            // AMF3's commands are AMF0's behind a byte.
            COMMAND_AMF3 => self.command(data.get(1..).unwrap_or_default(), stream).await?,
            PICTURE if self.publication.is_some() => {
                let unit = self.media.picture(timestamp, data)?;
                self.send(unit).await?;
            }
            SOUND if self.publication.is_some() => {
                let unit = self.media.sound(timestamp, data)?;
                self.send(unit).await?;
            }
            // Metadata say nothing that the media do not.
            _ => {}
        }
        Ok(())
    }

    async fn send(&mut self, unit: Option<Unit>) -> Result<(), End> {
        if let (Some(unit), Some(publication)) = (unit, &self.publication) {
            publication.send(unit).await?;
        }
        Ok(())
    }

    async fn command(&mut self, data: &[u8], stream: u32) -> Result<(), End> {
        let values = amf::read(data)?;
        let [Value::Text(name), Value::Number(transaction), rest @ ..] = &values[..] else { return Ok(()) };
        match name.as_str() {
            "connect" => self.connect(*transaction, rest.first()).await,
            "createStream" => {
                let answer = [text("_result"), Value::Number(*transaction), Value::Null, Value::Number(STREAM.into())];
                self.answer(0, &answer).await
            }
            "publish" => self.publish(stream, rest.get(1)).await,
            "play" | "play2" => Err(End::Elsewhere),
            "FCUnpublish" | "deleteStream" | "closeStream" if self.publication.is_some() => Err(End::Done),
            _ => Ok(()),
        }
    }

    async fn connect(&mut self, transaction: f64, about: Option<&Value>) -> Result<(), End> {
        let app = about.and_then(|about| about.text("app")).unwrap_or_default();
        if app.split('?').next().unwrap_or_default().trim_matches('/') != APP {
            return Err(End::Elsewhere);
        }
        self.control(WINDOW_SIZE, &WINDOW.to_be_bytes()).await?;
        let [a, b, c, d] = WINDOW.to_be_bytes();
        // 2: as the peer sees fit.
        self.control(PEER_BANDWIDTH, &[a, b, c, d, 2]).await?;
        self.control(SET_CHUNK_SIZE, &OWN_CHUNK_SIZE.to_be_bytes()).await?;
        let server =
            Value::Object(vec![("fmsVer".into(), text("FMS/3,0,1,123")), ("capabilities".into(), Value::Number(31.0))]);
        let mut said = status("status", "NetConnection.Connect.Success", "Connected.");
        said.push(("objectEncoding".into(), Value::Number(0.0)));
        self.answer(0, &[text("_result"), Value::Number(transaction), server, Value::Object(said)]).await
    }

    async fn publish(&mut self, stream: u32, key: Option<&Value>) -> Result<(), End> {
        let Some(Value::Text(key)) = key else { return Err(Refused::Unknown.into()) };
        if self.publication.is_some() {
            return Err(Refused::Busy.into());
        }
        // Apps append what they think belongs to an address.
        let key = key.split('?').next().unwrap_or_default();
        self.publication = Some(self.studio.open(Credential::Key(key))?);
        self.reader.allow(self.limits.message_bytes);
        let said = status("status", "NetStream.Publish.Start", "Publishing.");
        self.answer(stream, &[text("onStatus"), Value::Number(0.0), Value::Null, Value::Object(said)]).await
    }

    async fn control(&mut self, kind: u8, data: &[u8]) -> Result<(), End> {
        self.write(chunk::write(CONTROL_CHUNKS, kind, 0, data)).await
    }

    async fn answer(&mut self, stream: u32, values: &[Value]) -> Result<(), End> {
        self.write(chunk::write(COMMAND_CHUNKS, COMMAND, stream, &amf::write(values))).await
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), End> {
        timeout(self.limits.answer, self.socket.write_all(&bytes)).await.map_err(|_| End::Silent)??;
        Ok(())
    }

    /// Tells the peer why it must go, and reads on until it has gone: what lies unread when a socket is closed takes
    /// the last answer with it.
    async fn part(mut self, code: &str, why: &str) {
        let limit = self.limits.answer;
        let parting = async {
            let said = Value::Object(status("error", code, why));
            self.answer(STREAM, &[text("onStatus"), Value::Number(0.0), Value::Null, said]).await?;
            self.socket.shutdown().await?;
            let (mut buffer, mut drained) = (vec![0; READ], 0);
            while drained < MAX_DRAIN {
                match self.socket.read(&mut buffer).await? {
                    0 => break,
                    count => drained += count,
                }
            }
            Ok::<(), End>(())
        };
        if !matches!(timeout(limit, parting).await, Ok(Ok(()))) {
            tracing::debug!("an RTMP peer did not wait for the reason");
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn status(level: &str, code: &str, description: &str) -> Vec<(String, Value)> {
    let pairs = [("level", level), ("code", code), ("description", description)];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

/// The answer to a ping: the same time, another type.
fn pong(ping: &[u8]) -> Vec<u8> {
    [&[0, 7], ping.get(2..6).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests;

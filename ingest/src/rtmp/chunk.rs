//! RTMP's chunk stream (Adobe RTMP 1.0, section 5.3): bytes become messages, messages become bytes.
//!
//! Messages may be interleaved chunk by chunk. What a peer can make us hold is bounded: the size of a message, and of all
//! that are under way.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::collections::HashMap;

/// The chunk size both sides begin with.
const FIRST_CHUNK_SIZE: usize = 128;
/// The chunk size we send with, once the peer was told: no answer of ours is longer.
pub(super) const OWN_CHUNK_SIZE: u32 = 4_096;
/// Chunk streams that a peer may use; real ones use a handful.
const MAX_STREAMS: usize = 16;
/// What may be under way beside the largest message, in bytes: sound between the chunks of a picture.
const BESIDE: usize = 256 * 1024;
/// A timestamp field that says that the real one follows.
const EXTENDED: u32 = 0x00ff_ffff;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Message type id.
    pub(super) kind: u8,
    /// Message stream id.
    pub(super) stream: u32,
    /// Milliseconds.
    pub(super) timestamp: u32,
    pub(super) data: Bytes,
}

/// Why a peer cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChunkError {
    #[error("a message is too large")]
    TooLarge,
    #[error("too many chunk streams")]
    TooManyStreams,
    #[error("not a chunk stream")]
    Malformed,
}

/// Reads messages out of bytes.
pub(super) struct Reader {
    buffer: BytesMut,
    chunk_size: usize,
    max_message: usize,
    streams: HashMap<u32, Stream>,
    /// Bytes of all messages under way.
    held: usize,
}

/// What the next chunk of a chunk stream may leave out.
#[derive(Default)]
struct Stream {
    /// Of the message under way.
    timestamp: u32,
    /// The timestamp field last sent: a time or a difference.
    field: u32,
    is_extended: bool,
    length: usize,
    kind: u8,
    message_channel: u32,
    /// What has come of the message under way.
    partial: BytesMut,
}

/// A chunk's header as it stands in the buffer.
struct Header {
    format: u8,
    stream: u32,
    /// Bytes it takes.
    size: usize,
}

impl Reader {
    /// A reader of messages of at most `max_message` bytes.
    pub(super) fn new(max_message: usize) -> Self {
        let buffer = BytesMut::new();
        Self { buffer, chunk_size: FIRST_CHUNK_SIZE, max_message, streams: HashMap::new(), held: 0 }
    }

    /// From now on messages may be this large.
    pub(super) fn allow(&mut self, max_message: usize) {
        self.max_message = max_message;
    }

    /// Adds what was received.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The peer sends larger chunks from now on.
    pub(super) fn set_chunk_size(&mut self, size: u32) -> Result<(), ChunkError> {
        let size = usize::try_from(size).map_err(|_| ChunkError::Malformed)?;
        if size == 0 || size > i32::MAX as usize {
            return Err(ChunkError::Malformed);
        }
        self.chunk_size = size;
        Ok(())
    }

    /// The peer gives up the message under way on a chunk stream.
    pub(super) fn abort(&mut self, chunk_stream: u32) {
        if let Some(stream) = self.streams.get_mut(&chunk_stream) {
            self.held -= stream.partial.len();
            stream.partial.clear();
        }
    }

    /// The next message; `None` until more is fed.
    pub(super) fn next(&mut self) -> Result<Option<Message>, ChunkError> {
        while let Some(header) = self.header() {
            match self.chunk(&header)? {
                Chunk::Missing => return Ok(None),
                Chunk::Part => {}
                Chunk::Last(message) => return Ok(Some(message)),
            }
        }
        Ok(None)
    }

    fn header(&self) -> Option<Header> {
        let first = *self.buffer.first()?;
        let at = |n: usize| self.buffer.get(n).map(|byte| u32::from(*byte));
        let (stream, basic) = match first & 0x3f {
            0 => (at(1)? + 64, 2),
            1 => (at(1)? + at(2)? * 256 + 64, 3),
            id => (u32::from(id), 1),
        };
        let format = first >> 6;
        let size = basic + [11, 7, 3, 0][usize::from(format)];
        (self.buffer.len() >= size).then_some(Header { format, stream, size })
    }

    fn chunk(&mut self, header: &Header) -> Result<Chunk, ChunkError> {
        if !self.streams.contains_key(&header.stream) {
            if header.format != 0 {
                return Err(ChunkError::Malformed);
            }
            if self.streams.len() >= MAX_STREAMS {
                return Err(ChunkError::TooManyStreams);
            }
        }
        let stream = self.streams.entry(header.stream).or_default();
        let begins = stream.partial.is_empty();
        if !begins && header.format != 3 {
            return Err(ChunkError::Malformed);
        }
        let fields = &self.buffer[..header.size];
        let fields = &fields[header.size - [11, 7, 3, 0][usize::from(header.format)]..];
        let field = if header.format == 3 { stream.field } else { be24(fields) };
        let length = if header.format <= 1 { be24(&fields[3..]) as usize } else { stream.length };
        if length > self.max_message {
            return Err(ChunkError::TooLarge);
        }
        let is_extended = if header.format == 3 { stream.is_extended } else { field == EXTENDED };
        let Some((field, extended)) = extended(&self.buffer[header.size..], header.format, field, is_extended) else {
            return Ok(Chunk::Missing);
        };
        let wanted = (length - stream.partial.len().min(length)).min(self.chunk_size);
        if self.held + wanted > self.max_message + BESIDE {
            return Err(ChunkError::TooLarge);
        }
        if self.buffer.len() < header.size + extended + wanted {
            return Ok(Chunk::Missing);
        }
        if header.format <= 1 {
            (stream.length, stream.kind) = (length, fields[6]);
        }
        if header.format == 0 {
            stream.message_channel = u32::from_le_bytes([fields[7], fields[8], fields[9], fields[10]]);
        }
        if begins {
            stream.timestamp = if header.format == 0 { field } else { stream.timestamp.wrapping_add(field) };
        }
        (stream.field, stream.is_extended) = (field, is_extended);
        self.buffer.advance(header.size + extended);
        stream.partial.extend_from_slice(&self.buffer[..wanted]);
        self.buffer.advance(wanted);
        self.held += wanted;
        if stream.partial.len() < stream.length {
            return Ok(Chunk::Part);
        }
        let data = std::mem::take(&mut stream.partial).freeze();
        self.held -= data.len();
        let Stream { kind, message_channel, timestamp, .. } = *stream;
        Ok(Chunk::Last(Message { kind, stream: message_channel, timestamp, data }))
    }
}

enum Chunk {
    /// It is not whole yet.
    Missing,
    /// More of its message follows.
    Part,
    Last(Message),
}

/// The timestamp field's real value and how many bytes it takes after the header; `None` until they are there.
fn extended(rest: &[u8], format: u8, field: u32, is_extended: bool) -> Option<(u32, usize)> {
    if !is_extended {
        return Some((field, 0));
    }
    let value = u32::from_be_bytes(*rest.first_chunk::<4>()?);
    // Senders disagree whether a chunk without a header repeats it; if it does, it is the same.
    Some(if format != 3 || value == field { (value, 4) } else { (field, 0) })
}

fn be24(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

/// A message as one chunk on chunk stream `chunk_stream` (below 64), with a whole header.
pub(super) fn write(chunk_stream: u8, kind: u8, stream: u32, data: &[u8]) -> Bytes {
    let mut to = BytesMut::with_capacity(12 + data.len());
    to.put_u8(chunk_stream & 0x3f);
    to.put_uint(0, 3);
    to.put_uint(data.len() as u64, 3);
    to.put_u8(kind);
    to.put_u32_le(stream);
    to.put_slice(data);
    to.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut Reader, bytes: &[u8]) -> Vec<Message> {
        reader.feed(bytes);
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    fn message(kind: u8, timestamp: u32, data: &[u8]) -> Message {
        Message { kind, stream: 1, timestamp, data: Bytes::copy_from_slice(data) }
    }

    /// A header of format 0.
    fn full(chunk_stream: u8, timestamp: u32, length: u32, kind: u8) -> Vec<u8> {
        let mut bytes = vec![chunk_stream];
        bytes.extend_from_slice(&timestamp.min(EXTENDED).to_be_bytes()[1..]);
        bytes.extend_from_slice(&length.to_be_bytes()[1..]);
        bytes.extend_from_slice(&[kind, 1, 0, 0, 0]);
        if timestamp >= EXTENDED {
            bytes.extend_from_slice(&timestamp.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn messages_are_put_together_however_the_bytes_arrive_and_however_they_are_interleaved() {
        let (picture, sound) = ([7; 300], [8; 10]);
        let mut bytes = [full(6, 40, 300, 9), picture[..128].to_vec()].concat();
        bytes.extend([full(4, 41, 10, 8), sound.to_vec()].concat());
        bytes.extend([&[0xc6][..], &picture[128..256], &[0xc6], &picture[256..]].concat());
        // The same length and kind, 20 ms later; then the same difference again.
        bytes.extend([&[0x84, 0, 0, 20][..], &sound, &[0xc4], &sound].concat());
        let expected =
            [message(8, 41, &sound), message(9, 40, &picture), message(8, 61, &sound), message(8, 81, &sound)];
        assert_eq!(read(&mut Reader::new(1_000), &bytes), expected);
        let mut reader = Reader::new(1_000);
        let slowly: Vec<Message> = bytes.iter().flat_map(|byte| read(&mut reader, &[*byte])).collect();
        assert_eq!(slowly, expected);
    }

    #[test]
    fn times_past_four_and_a_half_hours_are_read_from_senders_that_repeat_them_and_those_that_do_not() {
        let at = EXTENDED + 77;
        let picture = [7; 200];
        let first = [full(6, at, 200, 9), picture[..128].to_vec()].concat();
        let repeated = [&[0xc6][..], &at.to_be_bytes(), &picture[128..]].concat();
        let bare = [&[0xc6][..], &picture[128..]].concat();
        for rest in [repeated, bare] {
            let bytes = [first.clone(), rest].concat();
            assert_eq!(read(&mut Reader::new(1_000), &bytes), [message(9, at, &picture)]);
        }
    }

    #[test]
    fn messages_that_are_left_half_sent_are_bounded_in_all() {
        let large = 1 << 20;
        let mut reader = Reader::new(large);
        reader.set_chunk_size(u32::try_from(large - 1).unwrap()).unwrap();
        let half = |stream| [full(stream, 0, u32::try_from(large).unwrap(), 9), vec![7; large - 1]].concat();
        assert!(read(&mut reader, &half(4)).is_empty());
        reader.feed(&half(5));
        assert_eq!(reader.next(), Err(ChunkError::TooLarge));
        // One that is given up makes room.
        let mut reader = Reader::new(large);
        reader.set_chunk_size(u32::try_from(large - 1).unwrap()).unwrap();
        for stream in 4..8 {
            assert!(read(&mut reader, &half(stream)).is_empty());
            reader.abort(u32::from(stream));
        }
    }

    #[test]
    fn larger_chunks_are_taken_once_they_were_announced() {
        let mut reader = Reader::new(1_000);
        reader.set_chunk_size(1_000).unwrap();
        let bytes = [full(6, 0, 300, 9), vec![7; 300]].concat();
        assert_eq!(read(&mut reader, &bytes), [message(9, 0, &[7; 300])]);
        assert_eq!(reader.set_chunk_size(0), Err(ChunkError::Malformed));
        assert_eq!(reader.set_chunk_size(u32::MAX), Err(ChunkError::Malformed));
    }

    #[test]
    fn what_would_have_to_be_held_without_bound_is_refused() {
        let mut reader = Reader::new(100);
        reader.feed(&full(6, 0, 101, 9));
        assert_eq!(reader.next(), Err(ChunkError::TooLarge));
        let mut reader = Reader::new(100);
        (2..2 + MAX_STREAMS).for_each(|n| reader.feed(&[full(u8::try_from(n).unwrap(), 0, 1, 9), vec![0]].concat()));
        while reader.next().unwrap().is_some() {}
        reader.feed(&[full(60, 0, 1, 9), vec![0]].concat());
        assert_eq!(reader.next(), Err(ChunkError::TooManyStreams));
        let mut reader = Reader::new(100);
        reader.feed(&[0xc6, 0]);
        assert_eq!(reader.next(), Err(ChunkError::Malformed), "a chunk that goes on with nothing");
    }

    #[test]
    fn what_we_write_is_read() {
        let written = write(3, 20, 1, &[1, 2, 3]);
        assert_eq!(read(&mut Reader::new(100), &written), [message(20, 0, &[1, 2, 3])]);
    }
}

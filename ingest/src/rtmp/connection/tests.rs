//! A publisher whose bytes are no media.

use super::*;
use crate::{
    meter::Meter,
    settings::Settings,
    testing::{Nobody, parts},
};
use entity::StreamId;
use std::time::Duration;
use tokio::net::TcpListener;

/// Metadata, which nobody reads.
const DATA: u8 = 18;
/// A bucket of this rate holds ten thousand bytes.
const BITS_PER_SECOND: u64 = 8_000;

/// How a publisher's connection ends over which so many messages of a hundred bytes come.
async fn end(messages: usize) -> End {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::new(parts(&folder, Settings::default(), Arc::new(Nobody)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    let (publication, intake) = Publication::new(StreamId::generate());
    intake.allow(Meter::new(BITS_PER_SECOND, Instant::now()));
    let mut connection = Connection::new(socket, studio, Arc::new(RtmpLimits::default()));
    connection.publication = Some(publication);

    peer.write_all(&[&[VERSION][..], &[0; 2 * HANDSHAKE]].concat()).await.unwrap();
    peer.write_all(&chunk::write(4, DATA, STREAM, &[0; 100]).repeat(messages)).await.unwrap();
    peer.shutdown().await.unwrap();
    timeout(Duration::from_secs(10), connection.serve()).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn bytes_that_are_no_media_count_like_those_that_are() {
    assert!(matches!(end(50).await, End::Gone));
    assert!(matches!(end(500).await, End::Closed(Closed::TooFast)));
}

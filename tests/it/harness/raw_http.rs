//! HTTP without a client's good manners: the path goes out byte for byte, with its dots and escapes.

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Sends `GET <path>` to a host and port; gives the status and everything after the head.
pub async fn get(authority: &str, path: &str) -> Result<(u16, Vec<u8>)> {
    let mut connection = TcpStream::connect(authority).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("an answer without a head")?;
    let head = String::from_utf8_lossy(&answer[..head_end]);
    let status = head.split(' ').nth(1).context("an answer without a status")?.parse()?;
    Ok((status, answer.split_off(head_end + 4)))
}

//! Strangers at the RTMP port: whatever bytes they send, they get nowhere and leave nothing behind.

use super::{H264, PICTURE};
use anyhow::{Result, ensure};
use ingest::Settings;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use test_studio::{DEADLINE, Stage, ended, until, until_idle};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

/// What a stranger sends, by its number: noise, a handshake cut off, or noise behind a whole one.
fn bytes(number: u64) -> Vec<u8> {
    let mut dice = StdRng::seed_from_u64(number);
    let mut noise = |most: usize| {
        let mut bytes = vec![0_u8; dice.random_range(0..most)];
        dice.fill(&mut bytes[..]);
        bytes
    };
    let mut handshake = vec![3];
    handshake.extend(vec![7; 2 * 1_536]);
    match number % 4 {
        0 => noise(5_000),
        1 => {
            let length = noise(handshake.len()).len();
            handshake.truncate(length);
            handshake
        }
        2 => [handshake, noise(5_000)].concat(),
        // The first chunk of a message that says to be a command, and is noise.
        _ => [handshake, vec![3, 0, 0, 0, 0, 0, 100, 20, 0, 0, 0, 0], noise(5_000)].concat(),
    }
}

fn sockets() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let target = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read_link(entry.ok()?.path()).ok();
    open.filter_map(target).filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_strangers_get_nowhere_and_leave_nothing_behind() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let before = sockets();
    let mut strangers = JoinSet::new();
    for number in 0..500 {
        let address = stage.rtmp;
        strangers.spawn(async move {
            let mut socket = TcpStream::connect(address).await?;
            // It may be cut before it has said all, or while it listens: both are answers.
            if socket.write_all(&bytes(number)).await.is_ok() && socket.shutdown().await.is_ok() {
                let _ = socket.read_to_end(&mut Vec::new()).await;
            }
            Ok::<(), std::io::Error>(())
        });
        if strangers.len() >= 50 {
            strangers.join_next().await;
        }
    }
    while let Some(stranger) = strangers.join_next().await {
        stranger??;
    }
    until("every socket to be closed", || sockets() <= before).await?;
    until_idle().await?;
    let channel = stage.channel().await?;
    let (content, complaint) = ended(stage.app(&format!("{PICTURE} {H264} -t 3"), &channel.key)?).await?;
    ensure!(content, "a real publisher is not taken any more: {complaint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_sends_without_end_is_cut() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let mut socket = TcpStream::connect(stage.rtmp).await?;
    socket.write_all(&[3]).await?;
    socket.write_all(&vec![0; 2 * 1_536]).await?;
    // Messages of a kind that means nothing, each well formed.
    let message = [&[2, 0, 0, 0, 0, 0, 100, 99, 0, 0, 0, 0][..], &[0; 100]].concat();
    let mut sent = 0;
    while socket.write_all(&message).await.is_ok() {
        sent += message.len();
        ensure!(sent < 64 * 1024 * 1024, "{sent} bytes were taken from a stranger");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_says_nothing_is_cut_before_and_within_the_handshake() -> Result<()> {
    let stage = Stage::set(Settings::default()).await?;
    let mut silent = TcpStream::connect(stage.rtmp).await?;
    let mut slow = TcpStream::connect(stage.rtmp).await?;
    slow.write_all(&[3; 100]).await?;
    for socket in [&mut silent, &mut slow] {
        // Both sockets stay open on this side: it is the server that ends them.
        let read = tokio::time::timeout(DEADLINE, socket.read(&mut [0; 16])).await?;
        ensure!(read.is_ok_and(|count| count == 0), "a stranger is answered");
    }
    Ok(())
}

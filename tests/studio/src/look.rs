//! Looks into recorded segments, each by itself, with `ffmpeg` and `ffprobe`.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

/// A packet as ffprobe sees it, times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Or a piece of sound.
    pub is_picture: bool,
    /// When it is decoded.
    pub dts: f64,
    /// When it is shown.
    pub pts: f64,
    /// Whether decoding can start here.
    pub is_key: bool,
}

/// A recorded segment, which decodes alone.
#[derive(Debug)]
pub struct Recorded {
    /// How many there are.
    pub pictures: usize,
    /// Times of the pictures in seconds, in the order of the file.
    pub times: Vec<f64>,
    /// Whether its first picture is one.
    pub begins_with_keyframe: bool,
    /// Whether there is any.
    pub has_sound: bool,
}

/// Looks into a segment; fails if it does not decode without a word.
pub async fn look(file: &Path) -> Result<Recorded> {
    decodes(file).await?;
    let packets = packets(file).await?;
    let pictures = || packets.iter().filter(|packet| packet.is_picture);
    Ok(Recorded {
        pictures: pictures().count(),
        times: pictures().map(|picture| picture.pts).collect(),
        begins_with_keyframe: pictures().next().is_some_and(|first| first.is_key),
        has_sound: packets.iter().any(|packet| !packet.is_picture),
    })
}

/// The packets of a file.
pub async fn packets(file: &Path) -> Result<Vec<Packet>> {
    let probed = probe(file, "packet=codec_type,dts_time,pts_time,flags").await?;
    let time = |packet: &Value, name: &str| packet[name].as_str()?.parse().ok();
    let read = |packet: &Value| {
        Some(Packet {
            is_picture: packet["codec_type"] == "video",
            dts: time(packet, "dts_time")?,
            pts: time(packet, "pts_time")?,
            is_key: packet["flags"].as_str()?.starts_with('K'),
        })
    };
    let packets = probed["packets"].as_array().context("no packets")?;
    packets.iter().map(|packet| read(packet).with_context(|| format!("{packet}"))).collect()
}

/// Width and height of a file's picture.
pub async fn picture_size(file: &Path) -> Result<(u64, u64)> {
    let probed = probe(file, "stream=codec_type,width,height").await?;
    let picture = probed["streams"].as_array().into_iter().flatten().find(|stream| stream["codec_type"] == "video");
    let size = picture.and_then(|picture| picture["width"].as_u64().zip(picture["height"].as_u64()));
    size.with_context(|| format!("{} has no picture: {probed}", file.display()))
}

async fn probe(file: &Path, entries: &str) -> Result<Value> {
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries", entries])
        .arg(file)
        .kill_on_drop(true)
        .output()
        .await
        .context("ffprobe is needed")?;
    ensure!(probed.stderr.is_empty(), "{}: {}", file.display(), String::from_utf8_lossy(&probed.stderr));
    Ok(serde_json::from_slice(&probed.stdout)?)
}

/// Decodes all of a file, which must go without a word.
pub async fn decodes(file: &Path) -> Result<()> {
    let decoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "warning", "-xerror", "-err_detect", "explode", "-i"])
        .arg(file)
        // Cameras do not keep their rate: every picture is taken as it comes.
        .args(["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"])
        .kill_on_drop(true)
        .output()
        .await
        .context("ffmpeg is needed")?;
    let complaint = String::from_utf8_lossy(&decoded.stderr);
    ensure!(decoded.status.success() && complaint.is_empty(), "{} does not decode: {complaint}", file.display());
    Ok(())
}

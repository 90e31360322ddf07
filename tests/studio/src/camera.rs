//! What a camera sees: a portrait that wanders through the picture, made from the one picture the tests carry, with or
//! without a [clock](crate::clock) across its top.

use crate::clock;
use anyhow::{Context as _, Result, ensure};
use std::{
    fs::File,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// The one picture the tests carry.
pub const PORTRAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/astronaut.png");
/// Pictures in a second, which is how Chromium plays films before its camera.
const RATE: u16 = 30;

/// A film to hold before a camera, or to send.
#[derive(Clone, Copy, Debug)]
pub struct Camera {
    /// Width and height.
    pub size: (u32, u32),
    /// Whether a clock is drawn into it; then it lasts [`clock::LAPS_AFTER`] pictures, else four seconds.
    pub has_clock: bool,
}

impl Camera {
    /// The film as MJPEG, which Chromium plays again and again.
    pub async fn film(self, folder: &Path) -> Result<PathBuf> {
        let file = folder.join("camera.mjpeg");
        self.make(folder, &["-pix_fmt", "yuvj420p", "-q:v", "4", "-f", "mjpeg"], &file).await?;
        Ok(file)
    }

    /// The film as a broadcast app would send it: H.264 with a keyframe every two seconds, and AAC. Encoded once, so
    /// that whoever sends it only copies.
    pub async fn clip(self, folder: &Path) -> Result<PathBuf> {
        let file = folder.join("clip.mp4");
        let coding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "60"];
        let bounds =
            ["-keyint_min", "60", "-sc_threshold", "0", "-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "5M"];
        let sound = ["-map", "2:a", "-c:a", "aac", "-b:a", "96k"];
        self.make(folder, &[&coding[..], &bounds, &sound].concat(), &file).await?;
        Ok(file)
    }

    async fn make(self, folder: &Path, coding: &[&str], file: &Path) -> Result<()> {
        let ((width, height), seconds) = (self.size, self.seconds().to_string());
        let squares = folder.join("clock.gray");
        clock::draw(&mut File::create(&squares)?)?;
        let face = format!("[1]scale=-2:{height}*3/4[face];[0][face]overlay=");
        let way = "x='(W-w)/2+(W-w)/3*sin(t*PI/2)':y='(H-h)/2+(H-h)/3*cos(t*PI/2)'";
        let clock = format!("[3]scale={width}:{height}/8:flags=neighbor[clock];[scene][clock]overlay");
        let scene =
            if self.has_clock { format!("{face}{way}[scene];{clock}[out]") } else { format!("{face}{way}[out]") };
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(["-f", "lavfi", "-i", &format!("testsrc2=size={width}x{height}:rate={RATE}:duration={seconds}")])
            .args(["-loop", "1", "-t", &seconds, "-r", &RATE.to_string(), "-i", PORTRAIT])
            // A little shorter than the pictures, whatever whole frames of sound it is made of: a clip that is sent again
            // and again then goes on with its next picture in time.
            .args([
                "-f",
                "lavfi",
                "-i",
                &format!("sine=frequency=440:sample_rate=48000:duration={}.97", self.seconds() - 1),
            ])
            .args(["-f", "rawvideo", "-pix_fmt", "gray", "-r", &RATE.to_string()])
            .args(["-s", &format!("{}x1", clock::SQUARES), "-i"])
            .arg(&squares)
            .args(["-filter_complex", &scene, "-map", "[out]", "-t", &seconds])
            .args(coding)
            .arg(file)
            .kill_on_drop(true)
            .status()
            .await
            .context("ffmpeg is needed")?;
        ensure!(made.success(), "ffmpeg made no film for the camera");
        Ok(())
    }

    /// How long the film is.
    fn seconds(self) -> u16 {
        if self.has_clock { clock::LAPS_AFTER / RATE } else { 4 }
    }
}

//! A thumbnail as a map client gets it, judged by what it shows.

use crate::harness::{
    clip::{Clip, FRAME_RATE, SEGMENT_S},
    picture::{Frames, likeness, psnr_db, size},
    site::Site,
};
use anyhow::{Context as _, Result, ensure};

/// Width of every thumbnail of a clip that is wider.
const WIDTH: u32 = 480;
/// Away from the face it must look like the clip; a picture of another moment, or of nothing, has less than 20 dB.
const SAME_PICTURE_DB: f64 = 24.0;

/// Fetches a thumbnail and proves that it is a picture of the clip with its face blurred; gives the number of the
/// segment that it was made of.
pub async fn is_blurred(site: &Site, url: &str, clip: &Clip) -> Result<u32> {
    let (status, kind, body) = site.client.get(url).await?;
    ensure!((status, kind.as_str()) == (200, "image/webp"), "{status} {kind} for {url}");
    let name = url.rsplit('/').next().context("no name")?;
    let number = name.strip_prefix("thumbnail-").and_then(|rest| rest.strip_suffix(".webp"));
    let number: u32 = number.with_context(|| format!("a thumbnail called {name}"))?.parse()?;
    let file = site.folder().join(name);
    std::fs::write(&file, body)?;
    let (width, height) = (clip.width(), clip.height());
    let expected = WIDTH as usize * height / width;
    ensure!(size(&file)? == (WIDTH, u32::try_from(expected)?), "{:?}", size(&file)?);

    // The first frame of its segment, since every frame of these clips shows something.
    let (rendered, frame) = (clip.render()?, number * SEGMENT_S * FRAME_RATE);
    let original = Frames::one(&rendered, frame, "null", width, height)?;
    let control = Frames::one(&rendered, frame, &format!("scale={WIDTH}:{expected}"), width, height)?;
    let shown = Frames::one(&file, 0, "null", width, height)?;
    let face = Clip::face(frame);
    let bare = likeness(&original, &control, 0, face);
    ensure!(bare.is_recognisable(), "a bare face of this size would not be noticed: {bare:?}");
    let left = likeness(&original, &shown, 0, face);
    ensure!(!left.is_recognisable(), "the face in {name} could be known again: {left:?}");
    let elsewhere = psnr_db(&original, &shown, Clip::far_from_faces());
    ensure!(elsewhere >= SAME_PICTURE_DB, "{elsewhere:.1} dB: {name} is not a picture of the clip");
    Ok(number)
}

//! The clip, cut while it plays: the first segment is there long before the last one is cut.
//!
//! Pieces are kept in a folder of their own until the end, so that a clip that is played again is not cut again.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use media::cut::{self, Outline, Picture, Segment, Sound};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};

/// Pieces that are cut ahead of the playing.
const AHEAD: usize = 8;

/// One segment, in a file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// When its first picture is shown, from the clip's beginning.
    pub starts_ms: u64,
    /// How long it lasts.
    pub duration_ms: u64,
    file: PathBuf,
}

impl Piece {
    /// The segment.
    pub async fn read(&self) -> Result<Bytes> {
        let bytes = tokio::fs::read(&self.file).await;
        bytes.map(Bytes::from).with_context(|| format!("{} cannot be read", self.file.display()))
    }
}

/// A clip being played.
pub struct Clip {
    path: PathBuf,
    outline: Outline,
    known: Vec<Piece>,
    next: usize,
    cutting: Option<(mpsc::Receiver<Piece>, JoinHandle<Result<()>>)>,
    folder: TempDir,
}

/// Nobody takes pieces any more.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("a piece cannot be kept: {0}")]
    Unwritten(#[from] std::io::Error),
    #[error("nobody plays it any more")]
    Unwanted,
}

impl Clip {
    /// Looks at the clip and begins to cut it.
    pub async fn open(path: &Path, segment_ms: u64) -> Result<Self> {
        let looked = path.to_owned();
        let outline = tokio::task::spawn_blocking(move || cut::outline(&looked, segment_ms)).await??;
        if let Picture::Encoded(reason) = outline.picture {
            eprintln!("{}: is encoded anew, because {reason}", path.display());
        }
        if let Sound::LeftOut(codec) = &outline.sound {
            eprintln!("{}: its sound is left out, because it is {codec}, not AAC", path.display());
        }
        let folder = TempDir::with_prefix("emergency-time-").context("no folder for the clip's pieces")?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (input, output) = (path.to_owned(), folder.path().to_owned());
        let task = tokio::task::spawn_blocking(move || pieces(&input, &output, segment_ms, &sender));
        let cutting = Some((receiver, task));
        Ok(Self { path: path.to_owned(), outline, known: Vec::new(), next: 0, cutting, folder })
    }

    /// What is known of it.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The file's name without its ending.
    pub fn name(&self) -> String {
        self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The next piece; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Piece>> {
        if let Some(piece) = self.known.get(self.next) {
            self.next += 1;
            return Ok(Some(piece.clone()));
        }
        let Some((receiver, _)) = &mut self.cutting else { return Ok(None) };
        if let Some(piece) = receiver.recv().await {
            self.known.push(piece.clone());
            self.next += 1;
            return Ok(Some(piece));
        }
        if let Some((_, task)) = self.cutting.take() {
            task.await.context("the clip's cutter broke down")??;
        }
        Ok(None)
    }

    /// Begins anew.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    /// Stops cutting and takes the pieces away.
    pub async fn close(self) -> Result<()> {
        if let Some((receiver, task)) = self.cutting {
            drop(receiver);
            // The cutter may be writing a piece; a folder that is still written to cannot be taken away.
            task.await.context("the clip's cutter broke down")??;
        }
        self.folder.close().context("the clip's pieces cannot be taken away")
    }
}

/// Cuts the clip into files, never far ahead of who plays it. Blocks.
fn pieces(input: &Path, folder: &Path, segment_ms: u64, sender: &mpsc::Sender<Piece>) -> Result<()> {
    let mut keep = |segment: Segment| {
        let file = folder.join(format!("{}.ts", segment.number));
        fs::write(&file, &segment.bytes)?;
        let piece = Piece { starts_ms: segment.starts_ms, duration_ms: segment.duration_ms, file };
        sender.blocking_send(piece).map_err(|_| NotTaken::Unwanted)
    };
    match cut::cut(input, segment_ms, &mut keep) {
        // Whoever stopped playing knows why.
        Ok(_) | Err(cut::Error::Refused(NotTaken::Unwanted)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

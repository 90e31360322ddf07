//! Redacts a whole file into another. The output appears under its name only when it is complete.

use crate::{
    Engine, Error, Progress, Receipt, Stage,
    examine::{Examined, Footage},
    read::Reader,
    rewrite::{Rewrite, rewrite},
};
use media::{Container, Demuxer, Muxer, Source};
use std::{path::Path, time::Instant};
use tempfile::TempPath;

impl Engine {
    /// Redacts the file `input` into `output`, whose extension chooses the container (`ts`, `mp4`, `mov`, `mkv`,
    /// `webm`). The best video track and all sound tracks are kept; covers, subtitles, data and further video tracks
    /// are not. When no face is found the packets are copied.
    ///
    /// # Errors
    /// As [`Engine::segment`], and [`Error::Unsupported`] when the container is unknown or has no place for the sound.
    /// No output is left behind.
    pub fn blur_file(&self, input: &Path, output: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Receipt, Error> {
        let begun = Instant::now();
        let what = input.display().to_string();
        let fail = |error| Error::media(&what, error);
        let container = Container::of(output).ok_or_else(|| Error::Unsupported {
            what: output.display().to_string(),
            reason: "its extension is none of ts, mp4, mov, mkv, webm".to_owned(),
        })?;
        let source = Source::File(input);
        let demuxer = Demuxer::open(&source).map_err(fail)?;
        check_sound(&demuxer, container, &what)?;
        let footage = Footage { what: &what, before: None, target: source.clone(), after: None, warm: false };
        let examined = self.examine(&footage, &mut |frames_done, frames_total| {
            progress(Progress { stage: Stage::Examining, frames_done, frames_total });
        })?;
        let examine_time = begun.elapsed();
        let part = partial(output)?;
        let copied = examined.plan.is_empty() && copy(demuxer, &part, container, &examined).map_err(fail)?;
        if !copied {
            let frames_total = Some(examined.times.len() as u64);
            let reader = Reader::open(&source, None, self.options.threads).map_err(fail)?;
            let muxer = Muxer::file(&part, container).map_err(fail)?;
            let job = Rewrite { what: &what, options: &self.options, examined: &examined, container };
            rewrite(&job, reader, muxer, &mut |frames_done| {
                progress(Progress { stage: Stage::Blurring, frames_done, frames_total });
            })?;
        }
        part.persist(output).map_err(|error| unwritable(output, &error.error))?;
        Ok(self.receipt(&examined, examine_time, begun.elapsed()))
    }
}

/// Refuses sound that the output cannot hold before hours are spent on the picture.
fn check_sound(demuxer: &Demuxer, container: Container, what: &str) -> Result<(), Error> {
    let misfit = demuxer.audio().into_iter().find(|index| !demuxer.fits(*index, container));
    misfit.map_or(Ok(()), |index| {
        let reason = format!("its sound is {}, which {} does not hold", demuxer.codec(index), container.name());
        Err(Error::Unsupported { what: what.to_owned(), reason })
    })
}

/// A file beside `output` that is gone unless it is renamed.
fn partial(output: &Path) -> Result<TempPath, Error> {
    let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".redacting-").tempfile_in(directory);
    file.map(tempfile::NamedTempFile::into_temp_path).map_err(|error| unwritable(output, &error))
}

fn unwritable(output: &Path, error: &std::io::Error) -> Error {
    Error::Write { path: output.display().to_string(), reason: error.to_string() }
}

/// Copies the examined track and the sound; `false` when the picture has to be encoded after all, since the container
/// does not take its codec, its rotation or its times, or since there is more in the packets than was shown and
/// examined.
fn copy(demuxer: Demuxer, part: &Path, container: Container, examined: &Examined) -> Result<bool, media::Error> {
    match copy_packets(demuxer, part, container, examined) {
        Err(media::Error::Mux(reason)) => {
            tracing::info!(reason, "the picture is encoded anew, since its packets cannot be copied");
            Ok(false)
        }
        copied => copied,
    }
}

fn copy_packets(
    mut demuxer: Demuxer,
    part: &Path,
    container: Container,
    examined: &Examined,
) -> Result<bool, media::Error> {
    let video = demuxer.video()?;
    let turned = video.rotation != media::Rotation::None && !container.holds_rotation();
    if turned || !demuxer.fits(video.index, container) {
        return Ok(false);
    }
    let mut muxer = Muxer::file(part, container)?;
    let mut tracks = vec![(video.index, muxer.add_copy(&demuxer, video.index)?)];
    for index in demuxer.audio() {
        tracks.push((index, muxer.add_copy(&demuxer, index)?));
    }
    muxer.begin()?;
    let mut pictures = 0;
    while let Some(packet) = demuxer.next()? {
        let Some((source, target)) = tracks.iter().find(|(source, _)| *source == packet.track()) else { continue };
        if *source == video.index {
            pictures += 1;
            if packet.is_discarded() {
                return Ok(false);
            }
        }
        muxer.write(*target, packet)?;
    }
    muxer.finish()?;
    Ok(pictures == examined.times.len())
}

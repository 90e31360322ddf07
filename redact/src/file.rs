//! Redacts a whole file into another. The output appears under its name only when it is complete.

use crate::{Engine, Error, Progress, Receipt, deadline::Deadline, pass::Pass, sight::Footage};
use media::{Container, Demuxer, Muxer, Source};
use std::path::Path;
use tempfile::TempPath;

impl Engine {
    /// Redacts the file `input` into `output`, whose extension chooses the container (`ts`, `mp4`, `mov`, `mkv`,
    /// `webm`). The best video track and all sound tracks are kept, these unless the options mute them; covers,
    /// subtitles, data and further video tracks are not. When no face is found the packets are copied.
    ///
    /// # Errors
    /// As [`Engine::segment`], and [`Error::Unsupported`] when the container is unknown or has no place for the sound.
    /// No output is left behind.
    pub fn blur_file(&self, input: &Path, output: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Receipt, Error> {
        let what = input.display().to_string();
        let fail = |error| Error::media(&what, error);
        let container = Container::of(output).ok_or_else(|| Error::Unsupported {
            what: output.display().to_string(),
            reason: "its extension is none of ts, mp4, mov, mkv, webm".to_owned(),
        })?;
        let source = Source::File(input);
        let part = partial(output)?;
        let copying = Copying { what: &what, source: &source, part: &part, container, mute: self.options.mute };
        copying.check_sound()?;
        let footage = Footage { what: &what, before: None, target: source.clone(), after: None, warm: false };
        let muxer = || Muxer::file(&part, container).map_err(fail);
        let copy = |frames| copying.copy(frames).map_err(fail);
        let deadline = Deadline::none(&what);
        let pass = Pass { footage: &footage, container, copy: &copy, muxer: &muxer, deadline };
        let done = self.with_detector(|detector| pass.run(self, detector, progress))?;
        part.persist(output).map_err(|error| unwritable(output, &error.error))?;
        Ok(self.receipt(&done))
    }
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

/// Taking over a file in which there is nothing to blur.
struct Copying<'a> {
    what: &'a str,
    source: &'a Source<'a>,
    part: &'a Path,
    container: Container,
    mute: bool,
}

impl Copying<'_> {
    /// The sound tracks to keep.
    fn sound(&self, demuxer: &Demuxer) -> Vec<usize> {
        if self.mute { Vec::new() } else { demuxer.audio() }
    }

    /// Refuses sound that the output cannot hold before hours are spent on the picture.
    fn check_sound(&self) -> Result<(), Error> {
        let demuxer = Demuxer::open(self.source).map_err(|error| Error::media(self.what, error))?;
        let misfit = self.sound(&demuxer).into_iter().find(|index| !demuxer.fits(*index, self.container));
        misfit.map_or(Ok(()), |index| {
            let (codec, container) = (demuxer.codec(index), self.container.name());
            let reason = format!("its sound is {codec}, which {container} does not hold");
            Err(Error::Unsupported { what: self.what.to_owned(), reason })
        })
    }

    /// Copies the examined track and the sound; `false` when the picture has to be encoded after all, since the
    /// container does not take its codec, its rotation or its times, or since there is more in the packets than the
    /// `frames` that were shown and examined.
    fn copy(&self, frames: u64) -> Result<bool, media::Error> {
        match self.copy_packets(frames) {
            Err(media::Error::Mux(reason)) => {
                tracing::info!(reason, "the picture is encoded anew, since its packets cannot be copied");
                Ok(false)
            }
            copied => copied,
        }
    }

    fn copy_packets(&self, frames: u64) -> Result<bool, media::Error> {
        let mut demuxer = Demuxer::open(self.source)?;
        let video = demuxer.video()?;
        let turned = !video.orientation.is_upright() && !self.container.holds_rotation();
        if turned || !demuxer.fits(video.index, self.container) {
            return Ok(false);
        }
        let mut muxer = Muxer::file(self.part, self.container)?;
        let mut tracks = vec![(video.index, muxer.add_copy(&demuxer, video.index)?)];
        for index in self.sound(&demuxer) {
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
        Ok(pictures == frames)
    }
}

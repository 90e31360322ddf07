//! Redacts a whole file into another. The output appears under its name only when it is complete.

use crate::{Engine, Error, Options, Progress, Receipt, copy::audio, deadline::Deadline, pass::Pass, sight::Footage};
use media::{Container, Demuxer, Muxer, Source};
use std::path::Path;
use tempfile::TempPath;

impl Engine {
    /// Redacts the file `input` into `output`, whose extension chooses the container (`ts`, `mp4`, `mov`, `mkv`,
    /// `webm`). The best video track and all sound tracks are kept, these unless the options mute them; covers,
    /// subtitles, data, further video tracks, titles, positions and what cameras write beside the frames are not. When no
    /// face is found the packets are copied, without that.
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
        check_audio(&what, &source, container, &self.options)?;
        let footage = Footage { what: &what, before: None, target: source.clone(), after: None, warm: false };
        let captions = self.options.captions;
        let muxer = || Muxer::file(&part, container).map(|muxer| muxer.with_captions(captions)).map_err(fail);
        let pass = Pass { footage: &footage, container, muxer: &muxer, deadline: Deadline::none(&what) };
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

/// Refuses audio that the output cannot hold before hours are spent on the frames.
fn check_audio(what: &str, source: &Source<'_>, container: Container, options: &Options) -> Result<(), Error> {
    let demuxer = Demuxer::open(source).map_err(|error| Error::media(what, error))?;
    let misfit = audio(&demuxer, options).into_iter().find(|index| !demuxer.fits(*index, container));
    misfit.map_or(Ok(()), |index| {
        let (codec, container) = (demuxer.codec(index), container.name());
        let reason = format!("its sound is {codec}, which {container} does not hold");
        Err(Error::Unsupported { what: what.to_owned(), reason })
    })
}

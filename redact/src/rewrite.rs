//! The second pass: decodes again, blurs what the plan says, encodes and muxes.
//!
//! It trusts nothing: every frame must have the time that the first pass planned at this place, and there must be
//! exactly as many, or nothing comes out.

use crate::{
    Error, Options,
    blur::{Brush, blur},
    deadline::Deadline,
    plan::Planned,
    read::{Event, Reader},
};
use media::{Codec, Container, Encoder, EncoderSettings, Layout, Muxer, Packet, Picture, Rotation, Scaler};
use std::sync::mpsc::Receiver;

/// Most packets of other tracks that are kept while the first picture is awaited.
const MAX_WAITING: usize = 20_000;

/// What to write.
pub(crate) struct Rewrite<'a> {
    /// How errors call the input.
    pub what: &'a str,
    /// The settings.
    pub options: &'a Options,
    /// What the output is.
    pub container: Container,
    /// When to give up.
    pub deadline: Deadline<'a>,
}

/// Writes the redacted `reader` to `muxer` as `plan` says, frame by frame, calling `progress` with the number of frames
/// done; gives what [`Muxer::finish`] gives. Waits for the plan where the first pass is not that far yet.
pub(crate) fn rewrite(
    job: &Rewrite<'_>,
    mut reader: Reader,
    muxer: Muxer,
    plan: &Receiver<Planned>,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Vec<u8>>, Error> {
    let fail = |error| Error::media(job.what, error);
    let mut writer = Writer::new(job, muxer);
    let mut frames = 0;
    while let Some(event) = reader.next().map_err(fail)? {
        match event {
            Event::Packet(packet) => writer.other(packet).map_err(fail)?,
            Event::Picture(picture) => {
                job.deadline.check()?;
                let planned = plan.recv().ok().filter(|planned| planned.pts == picture.pts());
                let planned = planned.ok_or_else(|| job.differs())?;
                writer.picture(&reader, picture, &planned).map_err(fail)?;
                frames += 1;
                progress(frames);
            }
        }
    }
    if plan.recv().is_ok() {
        return Err(job.differs());
    }
    writer.finish().map_err(fail)
}

impl Rewrite<'_> {
    fn differs(&self) -> Error {
        let reason = "its frames differ between two readings".to_owned();
        Error::Unreadable { what: self.what.to_owned(), reason }
    }

    /// By how much decoding comes before showing, so that the output's decoding times begin where the source's did.
    fn delay(&self, reader: &Reader, first: &Picture) -> i64 {
        match (self.container, reader.first_dts()) {
            (Container::MpegTs, Some(dts)) => (first.pts() - dts).max(0),
            _ => 0,
        }
    }
}

/// The output while it grows.
struct Writer<'a> {
    job: &'a Rewrite<'a>,
    muxer: Muxer,
    started: Option<Started>,
    waiting: Vec<Packet>,
}

/// What is known from the first picture on.
struct Started {
    encoder: Encoder,
    delay: i64,
    shape: (u32, u32, Layout),
    scaler: Scaler,
    turn: Rotation,
    video: usize,
    /// Track of the source, track of the output.
    copies: Vec<(usize, usize)>,
}

impl<'a> Writer<'a> {
    fn new(job: &'a Rewrite<'a>, muxer: Muxer) -> Self {
        Self { job, muxer, started: None, waiting: Vec::new() }
    }

    /// Copies a packet of a sound track; those of other tracks end here.
    fn other(&mut self, packet: Packet) -> Result<(), media::Error> {
        let Some(started) = &self.started else {
            if self.waiting.len() == MAX_WAITING {
                return Err(media::Error::Unsupported("its sound begins long before its picture".to_owned()));
            }
            self.waiting.push(packet);
            return Ok(());
        };
        let target = started.copies.iter().find(|(source, _)| *source == packet.track()).map(|(_, target)| *target);
        target.map_or(Ok(()), |target| self.muxer.write(target, packet))
    }

    fn picture(&mut self, reader: &Reader, mut picture: Picture, planned: &Planned) -> Result<(), media::Error> {
        let first = self.started.is_none();
        if first {
            self.started = Some(self.start(reader, &picture)?);
            for packet in std::mem::take(&mut self.waiting) {
                self.other(packet)?;
            }
        }
        let Some(started) = &mut self.started else { return Ok(()) };
        let key = first || picture.is_key();
        if (picture.width(), picture.height(), picture.layout()) != started.shape {
            picture = started.scaler.convert(&picture)?;
        }
        if !planned.ellipses.is_empty() {
            let Options { strength, blocks, grow, .. } = *self.job.options;
            blur(&mut picture.planes_mut()?, &planned.ellipses, Brush { strength, blocks, grow });
        }
        if started.turn != Rotation::None {
            picture = picture.turned(started.turn)?;
        }
        started.encoder.send(&mut picture, key)?;
        self.drain()
    }

    fn start(&mut self, reader: &Reader, first: &Picture) -> Result<Started, media::Error> {
        let (container, options) = (self.job.container, self.job.options);
        let (track, demuxer) = (reader.track(), reader.demuxer());
        let codec = Codec::for_container(container);
        let shape = (first.width(), first.height(), codec.layout_for(first.width(), first.height()));
        let mut scaler = Scaler::new(shape.2, shape.0, shape.1);
        let mut like = scaler.convert(first)?;
        let turn = if container.holds_rotation() { Rotation::None } else { track.rotation };
        if turn != Rotation::None {
            like = like.turned(turn)?;
        }
        let settings = EncoderSettings {
            codec,
            container,
            time_base: track.time_base,
            frame_rate: track.frame_rate,
            crf: options.crf,
            preset: options.preset.clone(),
            threads: options.threads,
        };
        let encoder = Encoder::open(&settings, &like)?;
        let left = if turn == Rotation::None { track.rotation } else { Rotation::None };
        let video = self.muxer.add_encoded(&encoder, demuxer, left)?;
        let mut copies = Vec::new();
        let sound = if options.mute { Vec::new() } else { demuxer.audio() };
        for source in sound {
            copies.push((source, self.muxer.add_copy(demuxer, source)?));
        }
        self.muxer.begin()?;
        let delay = self.job.delay(reader, first);
        Ok(Started { encoder, delay, shape, scaler, turn, video, copies })
    }

    /// Writes what the encoder has ready.
    fn drain(&mut self) -> Result<(), media::Error> {
        let Some(started) = &mut self.started else { return Ok(()) };
        while let Some(mut packet) = started.encoder.receive()? {
            let pts = packet.pts().ok_or_else(|| media::Error::Encode("a picture without a time".to_owned()))?;
            packet.set_times(pts, pts - started.delay);
            self.muxer.write(started.video, packet)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Option<Vec<u8>>, media::Error> {
        if let Some(started) = &mut self.started {
            started.encoder.finish()?;
        }
        self.drain()?;
        self.muxer.finish()
    }
}

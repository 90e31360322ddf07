//! The second pass: decodes again, blurs what the plan says, encodes and muxes.
//!
//! It trusts nothing: every frame must have the time that the first pass planned at this place, and there must be
//! exactly as many, or nothing comes out. Groups of pictures on which there is nothing to blur are copied where that is
//! safe ([`splice`](crate::splice)).

use crate::{
    Error, Options,
    blur::{Brush, blur},
    copy::audio,
    deadline::Deadline,
    pass::Output,
    plan::Planned,
    read::{Event, Reader},
    splice::{Ahead, Stretch, Stretches},
};
use media::{Codec, Container, Encoder, EncoderSettings, Layout, Muxer, Orientation, Packet, Picture, Scaler};
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
/// done. Waits for the plan where the first pass is not that far yet.
pub(crate) fn rewrite(
    job: &Rewrite<'_>,
    mut reader: Reader,
    muxer: Muxer,
    plan: &Receiver<Planned>,
    progress: &mut dyn FnMut(u64),
) -> Result<Output, Error> {
    let fail = |error| Error::media(job.what, error);
    let (mut writer, mut plan, mut stretches) = (Writer::new(job, muxer), Ahead::new(plan), Stretches::default());
    let warmed = reader.taken();
    let mut frames = 0;
    while let Some(event) = reader.next().map_err(fail)? {
        match event {
            Event::Packet(packet) => writer.other(packet).map_err(fail)?,
            Event::Group(group) => stretches.decide(group, reader.taken(), warmed, &mut plan),
            Event::Picture(picture) => {
                job.deadline.check()?;
                let planned = plan.next().filter(|planned| planned.pts == picture.pts());
                let planned = planned.ok_or_else(|| job.differs())?;
                let stretch = stretches.of(picture.number());
                writer.picture(&reader, picture, &planned, stretch).map_err(fail)?;
                frames += 1;
                progress(frames);
            }
        }
    }
    if plan.next().is_some() {
        return Err(job.differs());
    }
    writer.finish().map_err(fail)
}

impl Rewrite<'_> {
    fn differs(&self) -> Error {
        let reason = "its frames differ between two readings".to_owned();
        Error::Unreadable { what: self.what.to_owned(), reason }
    }
}

/// The output while it grows.
struct Writer<'a> {
    job: &'a Rewrite<'a>,
    muxer: Muxer,
    form: Option<Form>,
    tracks: Option<Tracks>,
    run: Option<Run>,
    waiting: Vec<Packet>,
    copied: u64,
    /// Decoding time of the last picture that was written.
    last_dts: Option<i64>,
}

/// What the frames of one sequence share. A frame of another size, pixel format or orientation is never bent into it: it
/// begins a sequence of its own, with an encoder of its own.
struct Form {
    shape: Shape,
    /// Size and layout of what is blurred.
    blurred: (u32, u32, Layout),
    scaler: Scaler,
    /// What the encoder is given upright, since the output cannot say how it lies.
    turn: Orientation,
}

/// By what frames of a sequence are alike: size, pixel format and what the stream says about the orientation.
type Shape = (u32, u32, Layout, bool, Option<Orientation>);

/// Tracks of the output.
struct Tracks {
    video: usize,
    /// Track of the source, track of the output.
    sound: Vec<(usize, usize)>,
}

/// Pictures encoded one after the other, with nothing copied in between.
struct Run {
    encoder: Encoder,
    /// By how much decoding comes before showing.
    delay: i64,
}

impl<'a> Writer<'a> {
    fn new(job: &'a Rewrite<'a>, muxer: Muxer) -> Self {
        let (form, tracks, run, waiting, last_dts) = (None, None, None, Vec::new(), None);
        Self { job, muxer, form, tracks, run, waiting, copied: 0, last_dts }
    }

    /// Copies a packet of a sound track; those of other tracks end here.
    fn other(&mut self, packet: Packet) -> Result<(), media::Error> {
        let Some(tracks) = &self.tracks else {
            if self.waiting.len() == MAX_WAITING {
                return Err(media::Error::Unsupported("its sound begins long before its picture".to_owned()));
            }
            self.waiting.push(packet);
            return Ok(());
        };
        let target = tracks.sound.iter().find(|(source, _)| *source == packet.track()).map(|(_, target)| *target);
        target.map_or(Ok(()), |target| self.muxer.write(target, packet))
    }

    /// Writes a picture, blurred as planned; of a stretch that is copied, all at its first picture.
    fn picture(
        &mut self,
        reader: &Reader,
        mut picture: Picture,
        planned: &Planned,
        mut stretch: Option<&mut Stretch>,
    ) -> Result<(), media::Error> {
        if let Some(stretch) = &mut stretch
            && self.copy(reader, stretch)?
        {
            return Ok(());
        }
        let delay = self.change_form(reader, &picture)?;
        let Some(form) = &mut self.form else { return Ok(()) };
        let key = self.run.is_none() || picture.is_key();
        if (picture.width(), picture.height(), picture.layout()) != form.blurred {
            picture = form.scaler.convert(&picture)?;
        }
        if !planned.ellipses.is_empty() {
            let Options { strength, blocks, grow, .. } = *self.job.options;
            blur(&mut picture.planes_mut()?, &planned.ellipses, Brush { strength, blocks, grow });
        }
        if !form.turn.is_upright() {
            picture = picture.upright(form.turn)?;
        }
        if self.run.is_none() {
            let first_dts = stretch.map_or(reader.first_dts(), |stretch| stretch.first_dts);
            let delay = delay.unwrap_or_else(|| self.delay(picture.pts(), first_dts));
            self.run = Some(Run { encoder: self.encoder(reader, &picture)?, delay });
            self.begin(reader)?;
        }
        if let Some(run) = &mut self.run {
            run.encoder.send(&mut picture, key)?;
        }
        self.drain()
    }

    /// Begins a new sequence when `picture` is not like those before it; gives the delay of the run that this ended.
    fn change_form(&mut self, reader: &Reader, picture: &Picture) -> Result<Option<i64>, media::Error> {
        if self.form.as_ref().is_some_and(|form| form.shape == shape(picture)) {
            return Ok(None);
        }
        let delay = self.run.as_ref().map(|run| run.delay);
        self.end_run()?;
        self.form = Some(Form::of(self.job, reader, picture));
        Ok(delay)
    }

    /// Takes over the packets of `stretch` if that is what is to become of it; `false` if it has to be encoded.
    fn copy(&mut self, reader: &Reader, stretch: &mut Stretch) -> Result<bool, media::Error> {
        if stretch.is_copied {
            return Ok(true);
        }
        let Some(packets) = stretch.copy.take() else { return Ok(false) };
        self.end_run()?;
        if self.last_dts.is_some_and(|last| stretch.first_dts.is_none_or(|first| first <= last)) {
            return Ok(false);
        }
        self.begin(reader)?;
        let Some(video) = self.tracks.as_ref().map(|tracks| tracks.video) else { return Ok(false) };
        self.copied += packets.len() as u64;
        self.last_dts = packets.last().and_then(Packet::dts);
        for packet in packets {
            self.muxer.write(video, packet)?;
        }
        stretch.is_copied = true;
        Ok(true)
    }

    /// By how much decoding comes before showing in a run whose first picture is shown at `pts`, so that its decoding
    /// times begin where the source's did, and behind what is written.
    fn delay(&self, pts: i64, first_dts: Option<i64>) -> i64 {
        match (self.job.container, first_dts) {
            (Container::MpegTs, Some(dts)) => {
                let earliest = self.last_dts.map_or(dts, |last| dts.max(last + 1));
                (pts - earliest).max(0)
            }
            _ => 0,
        }
    }

    fn encoder(&self, reader: &Reader, like: &Picture) -> Result<Encoder, media::Error> {
        let (container, options, track) = (self.job.container, self.job.options, reader.track());
        let settings = EncoderSettings {
            codec: Codec::for_container(container),
            container,
            time_base: track.time_base,
            frame_rate: track.frame_rate,
            crf: options.crf,
            preset: options.preset.clone(),
            // Whoever plays the source plays this.
            profile: reader.demuxer().h264_profile(track.index).filter(|_| like.layout() == Layout::Yuv420),
            threads: options.threads,
        };
        Encoder::open(&settings, like)
    }

    /// Makes the tracks of the output, once, and writes what waited for them.
    fn begin(&mut self, reader: &Reader) -> Result<(), media::Error> {
        if self.tracks.is_some() {
            return Ok(());
        }
        let (track, demuxer) = (reader.track(), reader.demuxer());
        let video = match &self.run {
            Some(run) if !reader.tells_groups() => self.muxer.add_encoded(&run.encoder, demuxer)?,
            _ => self.muxer.add_copy(demuxer, track.index)?,
        };
        let mut sound = Vec::new();
        for source in audio(demuxer, self.job.options) {
            sound.push((source, self.muxer.add_copy(demuxer, source)?));
        }
        self.muxer.begin()?;
        self.tracks = Some(Tracks { video, sound });
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|packet| self.other(packet))
    }

    /// Writes what the encoder has ready.
    fn drain(&mut self) -> Result<(), media::Error> {
        let (Some(run), Some(tracks)) = (&mut self.run, &self.tracks) else { return Ok(()) };
        while let Some(mut packet) = run.encoder.receive()? {
            let pts = packet.pts().ok_or_else(|| media::Error::Encode("a picture without a time".to_owned()))?;
            let dts = pts - run.delay;
            packet.set_times(pts, dts);
            self.last_dts = Some(dts);
            self.muxer.write(tracks.video, packet)?;
        }
        Ok(())
    }

    /// Writes all that is in the encoder, and has done with it.
    fn end_run(&mut self) -> Result<(), media::Error> {
        if let Some(run) = &mut self.run {
            run.encoder.finish()?;
        }
        self.drain()?;
        self.run = None;
        Ok(())
    }

    fn finish(mut self) -> Result<Output, media::Error> {
        self.end_run()?;
        Ok(Output { bytes: self.muxer.finish()?, copied: self.copied })
    }
}

/// By what `picture` is alike to others of its sequence.
fn shape(picture: &Picture) -> Shape {
    (picture.width(), picture.height(), picture.layout(), picture.is_full_range(), picture.orientation())
}

impl Form {
    /// Of the sequence that `first` begins.
    fn of(job: &Rewrite<'_>, reader: &Reader, first: &Picture) -> Self {
        let (width, height) = (first.width(), first.height());
        let layout = Codec::for_container(job.container).layout_for(width, height);
        // An encoder repeats nothing of what the stream said of its orientation: the frame has to be turned here.
        let keeps_matrix = job.container.holds_rotation() && !reader.track().orientation.is_upright();
        let turn = if keeps_matrix { Orientation::UPRIGHT } else { reader.track().orientation_of(first) };
        let blurred = (width, height, layout);
        Self { shape: shape(first), blurred, scaler: Scaler::new(layout, width, height), turn }
    }
}

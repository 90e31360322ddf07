//! Reads a video strictly, the same way in both passes: pictures in the order of showing, other packets in between.

use crate::packets::{Group, Next, Packets};
use media::{Care, Decoder, Demuxer, Packet, Picture, Source, Track};

/// What comes next in a video.
pub(crate) enum Event {
    /// A picture of the video track.
    Picture(Picture),
    /// A packet of another track.
    Packet(Packet),
    /// The video track's next packets are a group; told only when asked for.
    Group(Group),
}

/// A video being read.
pub(crate) struct Reader {
    packets: Packets,
    decoder: Decoder,
    track: Track,
    /// Packets that were only there to fill the decoder.
    warmed: u64,
    first_dts: Option<i64>,
    last_pts: Option<i64>,
    ended: bool,
}

impl Reader {
    /// Opens `source`. The pictures of `warm`, the segments before, are decoded first and dropped: a segment that was
    /// not cut between closed groups of pictures refers to them.
    pub fn open(source: &Source<'_>, warm: &[&Source<'_>], threads: u32) -> Result<Self, media::Error> {
        let demuxer = Demuxer::open(source)?;
        let track = demuxer.video()?;
        let care = if matches!(source, Source::Segment(_)) { Care::Copying } else { Care::Recoding };
        let mut decoder = Decoder::open(&demuxer, threads, care)?;
        for warm in warm {
            fill(&mut decoder, &mut Demuxer::open(warm)?)?;
        }
        let warmed = decoder.sent();
        let packets = Packets::new(demuxer, track.index);
        Ok(Self { packets, decoder, track, warmed, first_dts: None, last_pts: None, ended: false })
    }

    /// Has it tell of groups, if its pictures are coded so that there can be any.
    #[must_use]
    pub fn with_groups(mut self) -> Self {
        self.packets.tell_groups();
        self
    }

    /// Whether it tells of groups.
    pub fn tells_groups(&self) -> bool {
        self.packets.tells_groups()
    }

    /// The container.
    pub fn demuxer(&self) -> &Demuxer {
        self.packets.demuxer()
    }

    /// Packets of the video track taken so far, which [`Picture::number`] counts.
    pub fn taken(&self) -> u64 {
        self.decoder.sent()
    }

    /// The video track.
    pub fn track(&self) -> Track {
        self.track
    }

    /// Decoding time of the first packet of the video track, once it was read.
    pub fn first_dts(&self) -> Option<i64> {
        self.first_dts
    }

    /// What comes next; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Event>, media::Error> {
        loop {
            if let Some(picture) = self.decoder.receive()? {
                if picture.number() <= self.warmed {
                    continue;
                }
                return Ok(Some(Event::Picture(self.in_order(picture))));
            }
            if self.ended {
                return Ok(None);
            }
            match self.packets.next()? {
                None => {
                    self.decoder.finish()?;
                    self.ended = true;
                }
                Some(Next::Group(group)) => return Ok(Some(Event::Group(group))),
                Some(Next::Packet(packet)) if packet.track() == self.track.index => {
                    self.first_dts = self.first_dts.or(packet.dts());
                    self.decoder.send(&packet)?;
                }
                Some(Next::Packet(packet)) => return Ok(Some(Event::Packet(packet))),
            }
        }
    }

    /// An encoder needs times that grow; sources now and then repeat one.
    fn in_order(&mut self, mut picture: Picture) -> Picture {
        if let Some(last) = self.last_pts
            && picture.pts() <= last
        {
            picture.set_pts(last + 1);
        }
        self.last_pts = Some(picture.pts());
        picture
    }
}

fn fill(decoder: &mut Decoder, warm: &mut Demuxer) -> Result<(), media::Error> {
    let video = warm.video()?.index;
    while let Some(packet) = warm.next()? {
        if packet.track() == video {
            decoder.send(&packet)?;
            while decoder.receive()?.is_some() {}
        }
    }
    Ok(())
}

/// The presentation time of the last picture of `source`, in the time base of its video track, read without decoding.
pub(crate) fn last_pts(source: &Source<'_>) -> Result<i64, media::Error> {
    let mut demuxer = Demuxer::open(source)?;
    let video = demuxer.video()?.index;
    let mut last = None;
    while let Some(packet) = demuxer.next()? {
        if packet.track() == video {
            last = last.max(packet.pts());
        }
    }
    last.ok_or(media::Error::NoVideo)
}

/// How many pictures `source` holds, counted without decoding: a decoder may leave some out without a word, as those
/// that refer to pictures before a random access point.
pub(crate) fn pictures(source: &Source<'_>) -> Result<u64, media::Error> {
    let mut demuxer = Demuxer::open(source)?;
    let video = demuxer.video()?.index;
    let mut count = 0;
    while let Some(packet) = demuxer.next()? {
        count += u64::from(packet.track() == video);
    }
    Ok(count)
}

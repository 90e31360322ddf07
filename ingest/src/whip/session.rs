//! One publisher's WebRTC session: datagrams in, samples out, from the answer to the farewell.
//!
//! The engine does no input or output of its own; after every change to it, all it has to say is taken before the next
//! one (its one rule). Whatever ends the session, the peer is told, so that a browser notices at once.

use super::{
    Config,
    clock::Clock,
    offer::Agreed,
    picture::Pictures,
    routes::{Datagram, Route, is_stun},
    socket::Socket,
    sound::Sound,
};
use crate::{
    publication::{Closed, Publication},
    sample::{Sample, Track, Unit},
};
use bytes::Bytes;
use std::{sync::Arc, time::Instant};
use str0m::{
    Event, IceConnectionState, Input, Output, Rtc, RtcError,
    media::{Frequency, KeyframeRequestKind, MediaData, MediaTime, Mid},
    net::{Protocol, Receive},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Why a session is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The publisher said that it is done.
    #[error("the publisher is done")]
    Deleted,
    /// The broadcast wants no more of it.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// It never came.
    #[error("nobody connected in time")]
    NeverCame,
    /// It is gone.
    #[error("the connection was lost")]
    Lost,
    /// What it sent is not WebRTC.
    #[error("the peer broke the protocol: {0}")]
    Broken(#[from] RtcError),
    /// The process ends.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// What a session is told from outside.
#[derive(Clone, Default)]
pub(super) struct Orders {
    /// The publisher deletes it.
    pub(super) delete: CancellationToken,
    /// The process ends.
    pub(super) stop: CancellationToken,
}

/// A session.
pub(super) struct Session {
    rtc: Rtc,
    socket: Arc<Socket>,
    route: Route,
    inbox: mpsc::Receiver<Datagram>,
    publication: Publication,
    video: Mid,
    audio: Option<Mid>,
    pictures: Pictures,
    sound: Option<Sound>,
    clock: Clock,
    started: Instant,
    connect_by: Option<Instant>,
}

impl Session {
    /// A session that awaits its peer.
    pub(super) fn new(
        agreed: Agreed,
        socket: Arc<Socket>,
        (route, inbox): (Route, mpsc::Receiver<Datagram>),
        publication: Publication,
        config: &Config,
    ) -> Self {
        let started = Instant::now();
        Self {
            rtc: agreed.rtc,
            socket,
            route,
            inbox,
            publication,
            video: agreed.video,
            audio: agreed.audio,
            pictures: Pictures::new(started, config.keyframe_interval),
            sound: None,
            clock: Clock::new(started),
            started,
            connect_by: Some(started + config.connect_timeout),
        }
    }

    /// Runs until the session is over.
    pub(super) async fn run(mut self: Box<Self>, orders: &Orders) {
        self.sound = self.audio.map(|_| Sound::start());
        let end = self.serve(orders).await.unwrap_or_else(|end| end);
        self.farewell();
        let stream = self.publication.stream();
        tracing::info!(stream.id = %stream, reason = %end, "a WHIP publisher is gone");
        if let Some(sound) = self.sound {
            sound.stop().await;
        }
        match end {
            End::Deleted => self.publication.end(),
            // Lost, as far as the broadcast knows: the publisher may come back.
            _ => drop(self.publication),
        }
    }

    async fn serve(&mut self, orders: &Orders) -> Result<End, End> {
        loop {
            let wake = self.drain()?;
            tokio::select! {
                biased;
                () = orders.delete.cancelled() => return Ok(End::Deleted),
                () = orders.stop.cancelled() => return Ok(End::ShuttingDown),
                reason = self.publication.closed() => return Ok(End::Closed(reason)),
                unit = next_unit(self.sound.as_mut()) => self.hand_on(unit)?,
                datagram = self.inbox.recv() => self.receive(&datagram.ok_or(End::Lost)?),
                () = tokio::time::sleep_until(wake.into()) => self.rtc.handle_input(Input::Timeout(Instant::now()))?,
            }
        }
    }

    /// Takes a datagram. None can end the session, because its sender's address may be forged: a peer that is really
    /// broken ends it by falling silent.
    fn receive(&mut self, datagram: &Datagram) {
        let Datagram { from, at, bytes } = datagram;
        let Ok(contents) = Receive::new(Protocol::Udp, *from, self.socket.local(*from), bytes) else { return };
        let input = Input::Receive(*at, contents);
        if !self.rtc.accepts(&input) {
            return;
        }
        if is_stun(bytes) {
            self.route.learn(*from);
        }
        if let Err(error) = self.rtc.handle_input(input) {
            tracing::debug!(%error, "a datagram was not understood");
        }
    }

    /// Does all that the engine asks for; returns when it is to be called again.
    fn drain(&mut self) -> Result<Instant, End> {
        let now = Instant::now();
        if self.connect_by.is_some_and(|by| by <= now) {
            return Err(End::NeverCame);
        }
        if self.connect_by.is_none() && self.pictures.due() <= now {
            self.ask_for_keyframe(now);
        }
        loop {
            let output = match self.rtc.poll_output() {
                // A packet that cannot be read is a lost picture, not the end of the broadcast.
                Err(RtcError::Packet(mid, _, error)) => {
                    tracing::debug!(%error, "a packet was not understood");
                    if mid == self.video {
                        self.pictures.lose();
                    }
                    continue;
                }
                output => output?,
            };
            match output {
                Output::Timeout(at) => {
                    let ours = self.connect_by.unwrap_or_else(|| self.pictures.due());
                    return Ok(at.min(ours));
                }
                Output::Transmit(datagram) => self.socket.send(&datagram.contents, datagram.destination),
                Output::Event(event) => self.react(event)?,
            }
        }
    }

    fn react(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Connected => {
                self.connect_by = None;
                self.pictures.asked(Instant::now());
                let stream = self.publication.stream();
                let after_ms = self.started.elapsed().as_millis();
                tracing::info!(stream.id = %stream, after_ms, "a WHIP publisher is connected");
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => return Err(End::Lost),
            Event::SenderFeedback(report) => {
                if let Some(track) = self.track(report.mid) {
                    self.clock.report(track, report.sender_info.ntp_time, ticks(report.sender_info.rtp_time));
                }
            }
            Event::MediaData(data) => self.take(data)?,
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, data: MediaData) -> Result<(), End> {
        let Some(track) = self.track(data.mid) else { return Ok(()) };
        let pts = self.clock.at(track, ticks(data.time), data.network_time);
        if track == Track::Audio {
            if let Some(sound) = &self.sound {
                sound.push(pts, Bytes::from_owner(data.data));
            }
            return Ok(());
        }
        let Some(key) = self.pictures.admit(&data.data, data.contiguous, pts, data.network_time) else {
            return Ok(());
        };
        self.hand_on(Sample { track, dts: pts, pts, key, data: Bytes::from_owner(data.data) }.into())
    }

    /// Gives a unit to the broadcast; a connection of datagrams cannot be slowed down.
    fn hand_on(&mut self, unit: Unit) -> Result<(), End> {
        let picture = matches!(&unit, Unit::Sample(Sample { track: Track::Video, .. }));
        match self.publication.try_send(unit) {
            Err(Closed::Overrun) => {
                let stream = self.publication.stream();
                if picture {
                    self.pictures.lose();
                    tracing::warn!(stream.id = %stream, "a picture was lost: the server is behind");
                } else {
                    tracing::debug!(stream.id = %stream, "a piece of sound was lost: the server is behind");
                }
                Ok(())
            }
            sent => Ok(sent?),
        }
    }

    fn ask_for_keyframe(&mut self, now: Instant) {
        self.pictures.asked(now);
        if let Some(mut video) = self.rtc.writer(self.video)
            && let Err(error) = video.request_keyframe(None, KeyframeRequestKind::Pli)
        {
            tracing::debug!(%error, "no keyframe could be asked for");
        }
    }

    /// Tells the peer that it is over (RTCP BYE, DTLS close_notify). It needs no answer.
    fn farewell(&mut self) {
        if self.rtc.close().is_ok() {
            while let Ok(output) = self.rtc.poll_output() {
                match output {
                    Output::Transmit(datagram) => self.socket.send(&datagram.contents, datagram.destination),
                    Output::Event(_) => {}
                    Output::Timeout(_) => break,
                }
            }
        }
    }

    fn track(&self, mid: Mid) -> Option<Track> {
        if mid == self.video {
            return Some(Track::Video);
        }
        (Some(mid) == self.audio).then_some(Track::Audio)
    }
}

/// The next unit of sound; pending for ever without sound.
async fn next_unit(sound: Option<&mut Sound>) -> Unit {
    match sound {
        Some(sound) => sound.next().await,
        None => std::future::pending().await,
    }
}

fn ticks(time: MediaTime) -> i64 {
    i64::try_from(time.rebase(Frequency::NINETY_KHZ).numer()).unwrap_or(i64::MAX)
}

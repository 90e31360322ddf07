//! The server against strangers: what an offer must be, and what 500 broken ones and a flood of noise leave behind.

use super::*;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

/// What Chromium offers.
const OFFER: &str = include_str!("../../../tests/it/whip/offer.sdp");
/// What broadcast apps on libdatachannel offer: transport for the whole session, lip synchronisation, no retransmission.
const APP_OFFER: &str = "v=0
o=rtc 3767197920 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=setup:actpass
a=ice-ufrag:6kCX
a=ice-pwd:zKKmbJCOBmbKTWLFjT5V7h
a=ice-options:ice2,trickle
a=fingerprint:sha-256 26:E2:6A:E9:0C:35:48:43:34:CB:7B:74:91:E5:35:82:9B:F1:B0:8A:9C:C1:3F:BA:67:79:37:A9:C1:77:84:7A
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=ssrc:1001 cname:app
a=ssrc:1001 msid:app app-audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=ssrc:1002 cname:app
a=ssrc:1002 msid:app app-video
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
a=candidate:1 1 UDP 2122317823 192.0.2.9 57500 typ host
a=candidate:2 1 UDP 2122317311 6c0b3f7e-7e1b-4d0c-9b57-0d4c1ad1b6f5.local 57501 typ host
a=end-of-candidates
";
const DEADLINE: Duration = Duration::from_secs(20);

async fn server() -> Server {
    let config = Config {
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        max_sessions: 600,
        connect_timeout: Duration::from_millis(300),
        ..Config::default()
    };
    Server::start(config).await.unwrap()
}

/// Has the offer answered; the broadcast's side of it is kept by the caller, or nobody is there to publish to.
fn admit(server: &Server, offer: &str) -> Result<(WhipSession, impl Sized + use<>), WhipError> {
    let (publication, intake) = Publication::new(StreamId::generate());
    server.admit(offer, || Ok(publication)).map(|session| (session, intake))
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_offer_is_answered_with_h264_and_opus_and_every_address_of_ours() {
    let config = Config {
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        advertise: vec!["192.0.2.7:0".parse().unwrap(), "[2001:db8::7]:9000".parse().unwrap()],
        ..Config::default()
    };
    let server = Server::start(config).await.unwrap();
    let (session, _intake) = admit(&server, OFFER).unwrap();
    let has = |text: &str| session.answer.contains(text);
    assert!(has("a=ice-lite") && has("a=setup:passive") && has("H264/90000") && has("opus/48000/2"));
    assert!(!has("VP8") && !has("AV1") && !has("packetization-mode=0"));
    let mut formats = session.answer.lines().filter(|line| line.contains("profile-level-id="));
    assert!(formats.all(|line| line.ends_with(";x-google-start-bitrate=1000")), "{}", session.answer);
    assert!(!has("video-orientation"), "a phone must turn the picture itself");
    assert!(has(&format!(" 192.0.2.7 {} typ host", server.address().port())), "port 0 is the bound port");
    assert!(has(" 2001:db8::7 9000 typ host"));
    server.stop().await;
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn an_offer_that_cannot_be_taken_is_refused_with_the_reason() {
    let server = server().await;
    let without =
        |what: &str| OFFER.lines().filter(|line| !line.contains(what)).collect::<Vec<_>>().join("\r\n") + "\r\n";
    let audio_only = OFFER.split("m=video").next().unwrap().replace("BUNDLE 0 1", "BUNDLE 0");
    let cases: [(String, &str); 14] = [
        (String::new(), "no session description"),
        ("v=0\r\n".to_owned(), "no picture"),
        (format!("{OFFER}{}", "a=x:y\r\n".repeat(20_000)), "longer than"),
        (audio_only, "no picture"),
        (OFFER.replace("H264/90000", "VP8/90000"), "no picture to send in H.264"),
        (OFFER.replace("packetization-mode=1", "packetization-mode=0"), "no picture to send in H.264"),
        (OFFER.replace("a=sendonly", "a=recvonly"), "no picture to send in H.264"),
        (OFFER.replace("opus/48000/2", "L16/48000/2"), "none to send in Opus"),
        (OFFER.replace("m=audio 9 UDP", "m=application 9 UDP"), "no data channel"),
        (format!("{OFFER}a=rid:h send\r\na=simulcast:send h\r\n"), "simulcast"),
        (without("BUNDLE"), "bundled"),
        (without("a=fingerprint"), "fingerprint"),
        (OFFER.replace("a=rtpmap:108", "a=rtpmap:102"), "given twice"),
        (OFFER.replace("a=fmtp:109 apt=108", "a=fmtp:103 apt=108"), "conflicting"),
    ];
    for (offer, reason) in cases {
        let error = admit(&server, &offer).map(|(session, _)| session.answer).unwrap_err();
        assert!(error.to_string().contains(reason), "{error} should say: {reason}");
    }
    assert_eq!(server.sessions(), 0, "what is refused leaves nothing");
    server.stop().await;
}

#[tokio::test]
async fn an_offer_of_a_broadcast_app_is_answered_too() {
    let server = server().await;
    for offer in [APP_OFFER.to_owned(), APP_OFFER.replace('\n', "\r\n"), APP_OFFER.replace("42e01f", "640c34")] {
        let (session, _intake) = admit(&server, &offer).unwrap();
        assert!(session.answer.contains("a=rtpmap:96 H264/90000") && session.answer.contains("a=rtpmap:111 opus"));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_picture_without_sound_is_taken() {
    let server = server().await;
    let head = OFFER.split("m=audio").next().unwrap().replace("BUNDLE 0 1", "BUNDLE 1");
    let video = OFFER.split("m=video").nth(1).unwrap();
    let (session, _intake) = admit(&server, &format!("{head}m=video{video}")).unwrap();
    assert!(!session.answer.contains("m=audio"));
    server.stop().await;
}

/// Damages an offer as a broken or hostile publisher would.
fn mutate(offer: &str, dice: &mut StdRng) -> String {
    let mut lines = offer.lines().map(str::to_owned).collect::<Vec<_>>();
    for _ in 0..dice.random_range(1..6) {
        let (at, other) = (dice.random_range(0..lines.len()), dice.random_range(0..lines.len()));
        match dice.random_range(0..8) {
            0 if lines.len() > 1 => _ = lines.remove(at),
            1 => lines.insert(other, lines[at].clone()),
            2 => lines.swap(at, other),
            3 => lines.truncate(at.max(1)),
            4 => {
                let digit = char::from(b'0' + dice.random_range(0..10));
                lines[at] = lines[at].chars().map(|c| if c.is_ascii_digit() { digit } else { c }).collect();
            }
            5 => lines[at] = lines[at].chars().rev().collect(),
            6 => {
                let long = lines[at].repeat(dice.random_range(2..40));
                lines[at].push_str(&long);
            }
            _ => {
                let noise = (0..dice.random_range(1..30)).map(|_| dice.random::<char>()).collect::<String>();
                let line = lines[at].clone();
                let cut = line.char_indices().map(|(cut, _)| cut).nth(dice.random_range(0..=line.chars().count() / 2));
                lines[at].insert_str(cut.unwrap_or(0), &noise);
            }
        }
    }
    lines.join("\r\n") + "\r\n"
}

#[tokio::test]
async fn five_hundred_broken_offers_break_nothing_and_leave_nothing() {
    let server = server().await;
    let mut dice = StdRng::seed_from_u64(9725);
    let mut accepted = Vec::new();
    for _ in 0..500 {
        accepted.extend(admit(&server, &mutate(OFFER, &mut dice)).ok());
    }
    assert!(
        !accepted.is_empty() && accepted.len() < 500,
        "{} of 500 accepted: mutations too mild or too wild",
        accepted.len()
    );
    until("sessions that nobody came to remain", || server.sessions() == 0).await;
    test_studio::until_idle().await.unwrap();
    assert!(admit(&server, OFFER).is_ok(), "a good offer is still taken");
    server.stop().await;
}

#[tokio::test]
async fn noise_on_the_socket_breaks_nothing() {
    let server = server().await;
    let (session, _intake) = admit(&server, OFFER).unwrap();
    let username = session.answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap();
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut dice = StdRng::seed_from_u64(8445);
    for round in 0..3000 {
        let mut noise = (0..dice.random_range(0..200)).map(|_| dice.random::<u8>()).collect::<Vec<_>>();
        if round % 3 == 0 {
            // A STUN request for the session, with a guessed password: type, length, magic cookie, transaction, USERNAME.
            let name = format!("{username}:P+6b");
            let padded = name.len().next_multiple_of(4);
            noise = vec![0, 1, 0, u8::try_from(4 + padded).unwrap(), 0x21, 0x12, 0xa4, 0x42];
            noise.extend((0..12).map(|_| dice.random::<u8>()));
            noise.extend([0, 6, 0, u8::try_from(name.len()).unwrap()]);
            noise.extend(name.bytes().chain(std::iter::repeat_n(0, padded - name.len())));
            let at = dice.random_range(0..noise.len());
            noise[at] = dice.random();
        }
        stranger.send_to(&noise, server.address()).await.unwrap();
    }
    until("a session that nobody came to remains", || server.sessions() == 0).await;
    assert_eq!(server.tasks.len(), 1, "the socket is still received from");
    server.stop().await;
}

#[tokio::test]
async fn no_more_sessions_than_there_are_places() {
    let config = Config { bind: (Ipv4Addr::LOCALHOST, 0).into(), max_sessions: 1, ..Config::default() };
    let server = Server::start(config).await.unwrap();
    let (_session, _intake) = admit(&server, OFFER).unwrap();
    assert_eq!(admit(&server, OFFER).map(|_| ()).unwrap_err(), WhipError::Full);
    server.stop().await;
}

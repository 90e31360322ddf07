//! Recordings in a folder, read while they grow, when they are complete, and when they are not what they should be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use live::recording::{
    Description, Entry, Layout, ScanError, Snapshot, Status, Variant, master_playlist, media_playlist, scan,
};
use live::{LiveEventKind, RecordedSegment, RecordingRef};
use storage::{Key, Location, Recordings, Settings};
use tempfile::TempDir;

const ARN: &str = "arn:aws:ivs:us-west-2:123456789012:channel/AbCdef1G2hij";
const RENDITION: &str = "720p30";

/// A recording that the test writes as IVS would.
struct Recording {
    _folder: TempDir,
    store: Recordings,
    layout: Layout,
}

impl Recording {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::folder(&folder.path().join("recordings")).unwrap();
        let store = Recordings::open(&location, &Settings::default()).unwrap();
        let layout = Layout::new(ARN, "2026-01-02T03:04:05Z".parse().unwrap(), "rec-1").unwrap();
        Self { _folder: folder, store, layout }
    }

    fn prefix(&self) -> &str {
        self.layout.prefix().as_str()
    }

    async fn put(&self, key: &Key, text: impl Into<bytes::Bytes>) {
        self.store.put(key, text.into(), key.content_type()).await.unwrap();
    }

    async fn put_at(&self, rest: &str, text: &str) {
        self.put(&self.layout.prefix().join(rest).unwrap(), text.to_owned()).await;
    }

    async fn describe(&self, key: &Key, status: Status, duration_ms: Option<u64>) {
        let description = Self::description(status, duration_ms);
        self.put(key, serde_json::to_vec(&description).unwrap()).await;
    }

    fn description(recording_status: Status, duration_ms: Option<u64>) -> Description {
        Description {
            version: "v1".into(),
            channel_arn: ARN.into(),
            recording_ended_at: duration_ms.map(|_| "2026-01-02T03:05:00Z".parse().unwrap()),
            recording_started_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            recording_status,
            recording_status_message: None,
            media: Layout::media(RENDITION, 1280, 720, duration_ms),
        }
    }

    async fn start(&self) {
        self.describe(&self.layout.started().unwrap(), Status::Started, None).await;
    }

    async fn end(&self, duration_ms: u64) {
        self.describe(&self.layout.ended().unwrap(), Status::Ended, Some(duration_ms)).await;
    }

    async fn segment(&self, number: u32) {
        self.put(&self.layout.segment(RENDITION, number).unwrap(), vec![0x47; 188]).await;
    }

    async fn list(&self, segments: u32, ended: bool) {
        self.put(&self.layout.playlist(RENDITION).unwrap(), media_playlist(2, &entries(segments), ended)).await;
    }

    async fn scan(&self, known: u32) -> Result<Snapshot, ScanError> {
        scan(&self.store, self.prefix(), known).await
    }

    fn recorded(&self, number: u32) -> RecordedSegment {
        RecordedSegment {
            number,
            key: format!("{}/media/hls/{RENDITION}/{number}.ts", self.prefix()),
            duration_ms: 2_000 + u64::from(number),
            discontinuity: number == 2,
        }
    }
}

fn entries(segments: u32) -> Vec<Entry> {
    (0..segments)
        .map(|n| Entry {
            uri: Layout::segment_uri(n),
            duration_ms: 2_000 + u64::from(n),
            discontinuity: n == 2,
            at: "2026-01-02T03:04:05Z".parse().ok(),
        })
        .collect()
}

#[tokio::test]
async fn a_growing_recording_tells_each_segment_once_and_its_end_last() {
    let recording = Recording::new();
    let reference = RecordingRef { id: "rec-1".into(), prefix: recording.prefix().into() };
    assert_eq!(recording.scan(0).await.unwrap(), Snapshot::default(), "nothing is there yet");
    recording.start().await;
    assert_eq!(recording.scan(0).await.unwrap(), Snapshot::default(), "no playlist yet");

    let (mut known, mut told, mut complete) = (0, Vec::new(), None);
    for step in 0..=6_u32 {
        if step < 5 {
            recording.segment(step).await;
            recording.list(step + 1, false).await;
        } else if step == 5 {
            recording.list(5, true).await;
            recording.end(10_010).await;
        }
        let snapshot = recording.scan(known).await.unwrap();
        for event in snapshot.into_events(ARN, &reference, known, "2026-01-02T03:04:05Z".parse().unwrap()) {
            assert_eq!(event.channel_arn, ARN);
            match event.kind {
                LiveEventKind::SegmentsWritten { recording, segments } => {
                    assert_eq!(recording, reference);
                    told.extend(segments);
                }
                LiveEventKind::RecordingEnded { segments, .. } => complete = segments,
                other => panic!("{other:?}"),
            }
        }
        known = u32::try_from(told.len()).unwrap();
        assert_eq!(known, (step + 1).min(5));
        assert_eq!(complete.is_some(), step >= 5);
    }
    assert_eq!(complete, Some(5));
    assert_eq!(told, (0..5).map(|n| recording.recorded(n)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_segment_that_is_listed_but_not_there_is_not_told_nor_those_after_it() {
    let recording = Recording::new();
    recording.start().await;
    for number in [0, 1, 3] {
        recording.segment(number).await;
    }
    recording.list(4, true).await;
    recording.end(8_006).await;
    let snapshot = recording.scan(0).await.unwrap();
    assert_eq!((snapshot.segments.len(), snapshot.listed, snapshot.ended), (2, 4, true));
    assert!(!snapshot.is_complete());
    recording.segment(2).await;
    let snapshot = recording.scan(2).await.unwrap();
    assert_eq!((snapshot.segments.len(), snapshot.is_complete()), (4, true));
}

#[tokio::test]
async fn segments_already_known_are_not_asked_for_again() {
    let recording = Recording::new();
    recording.start().await;
    recording.list(3, false).await;
    recording.segment(2).await;
    assert_eq!(recording.scan(0).await.unwrap().segments, [], "the first is missing");
    assert_eq!(recording.scan(2).await.unwrap().segments.len(), 3, "two were there before");
}

#[tokio::test]
async fn a_long_recording_is_told_in_several_readings_before_its_end_is() {
    const SEGMENTS: u32 = 1_200;
    let recording = Recording::new();
    recording.start().await;
    for number in 0..SEGMENTS {
        recording.segment(number).await;
    }
    recording.list(SEGMENTS, true).await;
    recording.end(1).await;
    let first = recording.scan(0).await.unwrap();
    assert_eq!((first.segments.len(), first.is_complete()), (1_000, false));
    let second = recording.scan(1_000).await.unwrap();
    assert_eq!((second.segments.len(), second.is_complete()), (1_200, true));
}

#[tokio::test]
async fn a_finished_playlist_without_the_provider_s_word_is_told_as_such() {
    let recording = Recording::new();
    recording.start().await;
    recording.segment(0).await;
    recording.list(1, true).await;
    let snapshot = recording.scan(0).await.unwrap();
    assert!(snapshot.has_endlist && !snapshot.ended && !snapshot.is_complete());
}

#[tokio::test]
async fn a_recording_that_failed_has_ended_with_what_is_there() {
    let recording = Recording::new();
    recording.start().await;
    recording.segment(0).await;
    recording.list(1, false).await;
    recording.describe(&recording.layout.failed().unwrap(), Status::EndedWithFailure, Some(2_000)).await;
    let snapshot = recording.scan(0).await.unwrap();
    assert!(snapshot.is_complete() && !snapshot.has_endlist);
    assert_eq!(snapshot.segments, [recording.recorded(0)]);
}

#[tokio::test]
async fn an_ended_recording_without_a_playlist_is_empty_only_if_it_may_be() {
    let empty = Recording::new();
    empty.end(0).await;
    assert!(empty.scan(0).await.unwrap().is_complete());
    let failed = Recording::new();
    failed.describe(&failed.layout.failed().unwrap(), Status::EndedWithFailure, Some(5)).await;
    assert!(failed.scan(0).await.unwrap().is_complete());
    let late = Recording::new();
    late.end(5_000).await;
    assert_eq!(late.scan(0).await, Err(ScanError::Missing(late.layout.playlist(RENDITION).unwrap())));
}

#[tokio::test]
async fn the_greatest_resolution_is_read_and_a_lesser_one_only_after_the_end() {
    let recording = Recording::new();
    let mut description = Recording::description(Status::Started, None);
    let best = description.media.hls.renditions[0].clone();
    let rendition = |path: &str, width, height| live::recording::Rendition {
        path: path.into(),
        resolution_width: width,
        resolution_height: height,
        ..best.clone()
    };
    description.media.hls.renditions = vec![rendition("160p", 284, 160), best.clone(), rendition("480p", 852, 480)];
    recording.put_at("events/recording-started.json", &serde_json::to_string(&description).unwrap()).await;
    recording.put_at("media/hls/480p/playlist.m3u8", &media_playlist(2, &entries(1), true)).await;
    recording.put_at("media/hls/480p/0.ts", "x").await;
    assert_eq!(recording.scan(0).await.unwrap().segments, [], "the best playlist may be late");
    recording.end(2_000).await;
    assert!(recording.scan(0).await.unwrap().segments[0].key.ends_with("media/hls/480p/0.ts"));
    recording.list(1, true).await;
    recording.segment(0).await;
    assert_eq!(recording.scan(0).await.unwrap().segments, [recording.recorded(0)]);
}

#[tokio::test]
async fn without_renditions_in_the_description_the_master_playlist_tells_them() {
    let recording = Recording::new();
    let mut description = Recording::description(Status::Started, None);
    description.media.hls.renditions.clear();
    description.media.hls.path = "elsewhere/video".into();
    description.media.hls.playlist = "multivariant.m3u8".into();
    recording.put_at("events/recording-started.json", &serde_json::to_string(&description).unwrap()).await;
    assert_eq!(recording.scan(0).await.unwrap(), Snapshot::default());
    let variant = |uri: &str, width, height| Variant {
        uri: uri.into(),
        bandwidth: 1,
        width,
        height,
        frame_rate: None,
        codecs: Some("avc1.4D401F,mp4a.40.2".into()),
    };
    let master = master_playlist(&[variant("low/p.m3u8", 640, 360), variant("high/p.m3u8", 1280, 720)]);
    recording.put_at("elsewhere/video/multivariant.m3u8", &master).await;
    recording.put_at("elsewhere/video/high/p.m3u8", "#EXTM3U\n#EXTINF:2,\nparts/a.ts\n").await;
    recording.put_at("elsewhere/video/high/parts/a.ts", "x").await;
    let snapshot = recording.scan(0).await.unwrap();
    assert_eq!(snapshot.segments[0].key, format!("{}/elsewhere/video/high/parts/a.ts", recording.prefix()));
}

#[tokio::test]
async fn no_path_in_a_recording_leads_out_of_it() {
    let recording = Recording::new();
    recording.start().await;
    let playlist = recording.layout.playlist(RENDITION).unwrap();
    for uri in [
        "../0.ts",
        "../../../../../secret.ts",
        "/0.ts",
        "//host/0.ts",
        "https://host/0.ts?X-Amz-Signature=s3cr3t",
        "data:video/mp2t;base64,AA",
        "a/../0.ts",
        "%2e%2e/0.ts",
        "..\\0.ts",
        "0.ts?x",
    ] {
        recording.put(&playlist, format!("#EXTM3U\n#EXTINF:2,\n{uri}\n")).await;
        let error = recording.scan(0).await.unwrap_err();
        assert_eq!(error, ScanError::Outside { key: playlist.clone(), at: "line 3".into() }, "{uri}");
        assert!(!error.to_string().contains("s3cr3t"));
    }
    for (field, path) in
        [("path", "../other/media"), ("path", "/etc"), ("rendition", "../../x"), ("playlist", "a/../b")]
    {
        let mut description = Recording::description(Status::Started, None);
        match field {
            "path" => description.media.hls.path = path.into(),
            "rendition" => description.media.hls.renditions[0].path = path.into(),
            _ => description.media.hls.renditions[0].playlist = path.into(),
        }
        recording.put_at("events/recording-started.json", &serde_json::to_string(&description).unwrap()).await;
        assert!(matches!(recording.scan(0).await, Err(ScanError::Outside { .. })), "{field} {path}");
    }
    for prefix in ["", "../x", "/x", "a/../b"] {
        assert!(matches!(scan(&recording.store, prefix, 0).await, Err(ScanError::Prefix(_))), "{prefix:?}");
    }
}

#[tokio::test]
async fn files_that_make_no_sense_are_named() {
    let recording = Recording::new();
    let started = recording.layout.started().unwrap();
    recording.put(&started, "{\"version\":").await;
    assert!(matches!(recording.scan(0).await, Err(ScanError::Malformed { key, .. }) if key == started));
    recording.start().await;
    let playlist = recording.layout.playlist(RENDITION).unwrap();
    for text in [&b"<html>\n"[..], b"", b"#EXTM3U\n\xff\n", b"#EXTM3U\n#EXTINF:x,\n0.ts\n"] {
        recording.put(&playlist, text.to_vec()).await;
        assert!(
            matches!(recording.scan(0).await, Err(ScanError::Malformed { key, .. }) if key == playlist),
            "{text:?}"
        );
    }
    recording.put(&playlist, "#EXTM3U\n#EXT-X-BYTERANGE:9@0\n#EXTINF:2,\n0.ts\n").await;
    assert!(matches!(recording.scan(0).await, Err(ScanError::Unsupported { key, .. }) if key == playlist));
    recording.list(2, false).await;
    let shrunk = recording.scan(3).await.unwrap_err().to_string();
    assert!(shrunk.ends_with("it lists 2 segments, 3 are known"), "{shrunk}");
}

#[tokio::test]
async fn a_half_written_playlist_tells_what_is_whole_in_it() {
    let recording = Recording::new();
    recording.start().await;
    for number in 0..3 {
        recording.segment(number).await;
    }
    let whole = media_playlist(2, &entries(3), true);
    let playlist = recording.layout.playlist(RENDITION).unwrap();
    let mut told = 0;
    for cut in whole.find("#EXTINF").unwrap()..=whole.len() {
        recording.put(&playlist, whole[..cut].to_owned()).await;
        let snapshot = recording.scan(0).await.unwrap();
        assert!(snapshot.segments.len() >= told, "{cut}");
        told = snapshot.segments.len();
        assert_eq!(snapshot.segments, (0..3).take(told).map(|n| recording.recorded(n)).collect::<Vec<_>>(), "{cut}");
    }
    assert_eq!(told, 3);
}

//! Real pictures for the tests of this crate, encoded by `ffmpeg`.

use crate::h264;
use bytes::{Bytes, BytesMut};
use std::process::Command;

/// Pictures per second.
pub(crate) const RATE: i64 = 25;

/// The access units of two seconds, the first one a keyframe.
pub(crate) fn pictures(size: &str) -> Vec<Bytes> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pictures.h264");
    let encoded = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &format!("testsrc2=size={size}:rate={RATE}"), "-t", "2"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "50", "-x264-params", "aud=1"])
        .arg(&file)
        .status()
        .unwrap();
    assert!(encoded.success());
    let bytes = std::fs::read(file).unwrap();
    let mut access_units: Vec<BytesMut> = Vec::new();
    for unit in h264::units(&bytes) {
        if unit[0] & 0x1f == 9 {
            access_units.push(BytesMut::new());
            continue;
        }
        let access_unit = access_units.last_mut().unwrap();
        access_unit.extend_from_slice(&[0, 0, 0, 1]);
        access_unit.extend_from_slice(unit);
    }
    assert_eq!(access_units.len(), 50);
    access_units.into_iter().map(BytesMut::freeze).collect()
}

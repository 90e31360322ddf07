//! Cameras out of GeoJSON (RFC 7946): every faulty feature is named with every reason, so that a file is mended once.

use entity::{Position, cctv};
use lifecycle::Camera;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{collections::HashMap, fmt, fmt::Write as _};
use url::Url;

/// Longest texts taken, in characters.
const NAME_CHARS: usize = 200;
const ATTRIBUTION_CHARS: usize = 500;
const URL_CHARS: usize = 2_000;
const ID_CHARS: usize = 200;

/// What a file holds.
#[derive(Debug)]
pub struct Found {
    /// How many features.
    pub features: usize,
    /// The cameras of the good ones.
    pub cameras: Vec<Camera>,
    /// The faulty ones.
    pub faults: Vec<Fault>,
}

/// A faulty feature.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its place in the file, from 0.
    pub index: usize,
    /// Everything that is wrong with it.
    pub reasons: Vec<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "feature {}: {}", self.index, self.reasons.join("; "))
    }
}

/// Why a file is not one of cameras at all.
#[derive(Debug, thiserror::Error)]
pub enum NotCameras {
    /// Not JSON.
    #[error("is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but something else.
    #[error("is not a GeoJSON FeatureCollection")]
    NoCollection,
}

/// Reads the cameras of a FeatureCollection.
pub fn cameras(text: &str, source: &str) -> Result<Found, NotCameras> {
    let collection: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let features = collection["features"].as_array().filter(|_| collection["type"] == "FeatureCollection");
    let features = features.ok_or(NotCameras::NoCollection)?;
    let mut found = Found { features: features.len(), cameras: Vec::new(), faults: Vec::new() };
    let mut first_with: HashMap<String, usize> = HashMap::new();
    for (index, feature) in features.iter().enumerate() {
        let camera = camera(feature, source).and_then(|camera| match first_with.get(&camera.source_id) {
            Some(first) => Err(vec![format!("has the same id as feature {first}: {:?}", camera.source_id)]),
            None => Ok(camera),
        });
        match camera {
            Ok(camera) => {
                first_with.insert(camera.source_id.clone(), index);
                found.cameras.push(camera);
            }
            Err(reasons) => found.faults.push(Fault { index, reasons }),
        }
    }
    Ok(found)
}

fn camera(feature: &Value, source: &str) -> Result<Camera, Vec<String>> {
    if feature["type"] != "Feature" {
        return Err(vec!["is not a Feature".into()]);
    }
    let nothing = Map::new();
    let properties = feature["properties"].as_object().unwrap_or(&nothing);
    let mut reasons = Vec::new();
    let mut note = |reason: String| reasons.push(reason);
    let position = position(&feature["geometry"]).map_err(&mut note).ok();
    let name = text(properties, "name", NAME_CHARS).and_then(present("name")).map_err(&mut note).ok();
    let kind = text(properties, "kind", NAME_CHARS)
        .and_then(present("kind"))
        .and_then(|word| kind(&word))
        .map_err(&mut note)
        .ok();
    let url = text(properties, "url", URL_CHARS).and_then(present("url")).and_then(address).map_err(&mut note).ok();
    let attribution = text(properties, "attribution", ATTRIBUTION_CHARS).map_err(&mut note).ok();
    let id = id(feature, properties).map_err(&mut note).ok();
    let whole = || {
        let url = url?;
        let source_id = id?.unwrap_or_else(|| hash(&url));
        let (name, kind, attribution, position) = (name?, kind?, attribution?, position?);
        Some(Camera { source: source.to_owned(), source_id, name, kind, url, attribution, position })
    };
    whole().ok_or(reasons)
}

fn position(geometry: &Value) -> Result<Position, String> {
    let coordinates = geometry["coordinates"].as_array().filter(|_| geometry["type"] == "Point");
    let coordinates = coordinates.ok_or("its geometry is not a Point")?;
    match coordinates.iter().map(Value::as_f64).collect::<Option<Vec<_>>>().as_deref() {
        Some([longitude, latitude] | [longitude, latitude, _]) => {
            Position::new(*longitude, *latitude).map_err(|error| error.to_string())
        }
        _ => Err("its coordinates are not [longitude, latitude]".into()),
    }
}

/// A text property; `None` if it is missing, null or empty.
fn text(properties: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>, String> {
    match properties.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > most => {
            Err(format!("{name} has more than {most} characters"))
        }
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("{name} is not a text")),
    }
}

fn present(name: &'static str) -> impl Fn(Option<String>) -> Result<String, String> {
    move |text| text.ok_or_else(|| format!("{name} is missing"))
}

fn kind(word: &str) -> Result<cctv::Kind, String> {
    let words = cctv::Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    word.parse().map_err(|_| format!("kind is {word:?}, not one of {words}"))
}

fn address(text: String) -> Result<String, String> {
    let url = Url::parse(&text).map_err(|error| format!("url is no URL: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(text),
        other => Err(format!("url has the scheme {other}, not http or https")),
    }
}

/// The feature's id, which may be a text or a number, or the property of that name.
fn id(feature: &Value, properties: &Map<String, Value>) -> Result<Option<String>, String> {
    let given = [feature.get("id"), properties.get("id")].into_iter().flatten().find(|value| !value.is_null());
    match given {
        None => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() || text.chars().count() > ID_CHARS => {
            Err(format!("id does not have 1 to {ID_CHARS} characters"))
        }
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err("id is neither a text nor a number".into()),
    }
}

/// An id for a camera whose source gives none: its address is what stays.
fn hash(url: &str) -> String {
    let digest = Sha256::digest(url.as_bytes());
    digest.iter().take(16).fold("url-".to_owned(), |mut id, byte| {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn feature(id: &Value, kind: &str, url: &str) -> Value {
        json!({ "type": "Feature", "id": id, "geometry": { "type": "Point", "coordinates": [126.9784, 37.5667] },
            "properties": { "name": " City hall ", "kind": kind, "url": url, "attribution": "Seoul" } })
    }

    fn found(features: &[Value]) -> Found {
        let collection = json!({ "type": "FeatureCollection", "features": features });
        cameras(&collection.to_string(), "seoul").unwrap()
    }

    #[test]
    fn a_camera_is_read_with_all_that_is_said_of_it() {
        let found = found(&[feature(&json!(7), "HLS", "https://example.org/7.m3u8")]);
        assert!(found.faults.is_empty());
        assert_eq!(
            found.cameras[0],
            Camera {
                source: "seoul".into(),
                source_id: "7".into(),
                name: "City hall".into(),
                kind: cctv::Kind::Hls,
                url: "https://example.org/7.m3u8".into(),
                attribution: Some("Seoul".into()),
                position: Position::new(126.9784, 37.5667).unwrap(),
            }
        );
    }

    #[test]
    fn an_id_comes_from_the_feature_then_its_properties_then_its_url() {
        let mut by_property = feature(&Value::Null, "MP4", "https://example.org/a.mp4");
        by_property["properties"]["id"] = json!("a");
        let by_url = |url| feature(&Value::Null, "IMAGE", url);
        let features = [
            feature(&json!("x"), "HLS", "https://example.org/x.m3u8"),
            by_property,
            by_url("https://example.org/1.jpg"),
            by_url("https://example.org/2.jpg"),
        ];
        let ids: Vec<_> = found(&features).cameras.into_iter().map(|camera| camera.source_id).collect();
        assert_eq!(&ids[..2], ["x", "a"]);
        assert!(ids[2].starts_with("url-") && ids[3].starts_with("url-") && ids[2] != ids[3]);
        let again: Vec<_> = found(&features).cameras.into_iter().map(|camera| camera.source_id).collect();
        assert_eq!(ids, again, "an id stays the same from one import to the next");
    }

    #[test]
    fn every_faulty_feature_is_named_with_every_reason() {
        let good = feature(&json!("good"), "HLS", "https://example.org/x.m3u8");
        let mut line = good.clone();
        line["geometry"] = json!({ "type": "LineString", "coordinates": [[1, 2], [3, 4]] });
        line["id"] = json!(true);
        let mut nowhere = feature(&json!("nowhere"), "RTSP", "rtsp://example.org/");
        nowhere["geometry"]["coordinates"] = json!([200, 0]);
        nowhere["properties"]["name"] = Value::Null;
        let again = good.clone();
        let found = found(&[good, line, nowhere, again, json!(3)]);
        assert_eq!((found.features, found.cameras.len()), (5, 1));
        let faults: Vec<_> = found.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "feature 1: its geometry is not a Point; id is neither a text nor a number",
                "feature 2: longitude must lie between -180 and 180, not 200; name is missing; \
             kind is \"RTSP\", not one of HLS, MP4, IMAGE; url has the scheme rtsp, not http or https",
                "feature 3: has the same id as feature 0: \"good\"",
                "feature 4: is not a Feature",
            ]
        );
    }

    #[test]
    fn a_file_of_something_else_is_refused_whole() {
        for text in ["", "{", "[]", "{\"type\": \"Feature\"}", "{\"type\": \"FeatureCollection\", \"features\": {}}"] {
            assert!(cameras(text, "x").is_err(), "{text}");
        }
    }
}

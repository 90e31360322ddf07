//! Writes every case, or those named, into a folder: NAME.mp4 and, as NAME.json, the frames on which segments begin and
//! the faces of every frame. For looking at them and for running any redaction by hand.
#![expect(clippy::expect_used, reason = "there is nothing to do but to say what failed")]

use ground_truth::{Case, TrueFace, cases};
use serde::Serialize;
use std::{fs, path::Path};

/// What is true of a clip.
#[derive(Serialize)]
struct Truth<'a> {
    name: &'a str,
    width: usize,
    height: usize,
    rate: u32,
    borders: &'a [usize],
    frames: Vec<Vec<TrueFace>>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("usage: render FOLDER [CASE...]");
    let wanted: Vec<String> = arguments.collect();
    let folder = Path::new(&folder);
    fs::create_dir_all(folder).expect("the folder can be made");
    for (name, _) in cases::ALL.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|it| it == name)) {
        let case = Case::named(name).expect("its name is from the list");
        let options = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast"];
        let encoded = case.clip.encode("mp4", &[], &options);
        fs::copy(&encoded.path, folder.join(format!("{name}.mp4"))).expect("the clip can be written");
        let Case { name, ref clip, ref borders } = case;
        let (frames, (width, height)) = (clip.truth(), clip.size());
        let truth = Truth { name, width, height, rate: clip.rate, borders, frames };
        let text = serde_json::to_string(&truth).expect("numbers can be written");
        fs::write(folder.join(format!("{name}.json")), text).expect("the truth can be written");
        println!("{name}: {} frames", clip.shots.len());
    }
}

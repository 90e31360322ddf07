//! What was measured, for people and for machines: ratios and times for each frame, never a figure that would only
//! hold on this machine without what it is to be compared with.

use crate::{measure::Usage, memory::Memory};
use ground_truth::{
    Verdict,
    judge::{Find, Leak},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, num::NonZeroU32};

const MEBIBYTE: f64 = 1_048_576.0;

/// Everything of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub repetitions: NonZeroU32,
    pub clips: Vec<Outcome>,
    pub memory: Option<Memory>,
    pub faults: Vec<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self { repetitions: NonZeroU32::MIN, clips: Vec::new(), memory: None, faults: Vec::new() }
    }
}

/// Everything of one clip.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub name: String,
    pub frames: u64,
    /// What both encoded with.
    pub settings: String,
    pub blur: Cost,
    pub transcode: Cost,
    /// The engine's own times by stage, in milliseconds of wall time for each frame.
    pub stages: BTreeMap<String, f64>,
    pub answer: Answer,
    /// The peer's cost and answer.
    pub peer: Option<(Cost, Answer)>,
}

/// What a program took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Cost {
    /// CPU and wall time for each frame, in milliseconds.
    pub cpu_ms: f64,
    pub wall_ms: f64,
    pub peak_mib: f64,
}

/// What came out.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    pub frames: u64,
    /// How it was judged, where the truth is known.
    pub judged: Option<Judged>,
}

/// The judge's figures.
#[derive(Debug, Default, Serialize)]
pub struct Judged {
    /// Faces of 24 pixels and more that can be seen, and those of them that can be known again.
    pub faces: u64,
    pub leaked: u64,
    /// Those of them that another detector than the engine's finds still.
    pub found: u64,
    pub small_faces: u64,
    pub small_leaked: u64,
    /// Share of the picture outside faces that was touched, in per cent.
    pub touched: f64,
    /// Likeness outside faces, in decibels.
    pub likeness: f64,
    /// Every face that can be known again, small ones too.
    pub leaks: Vec<Leak>,
    /// Every face that the other detector finds still.
    pub finds: Vec<Find>,
}

impl Cost {
    pub fn new(usage: Usage, frames: u64) -> Self {
        let each = 1e3 / frames.max(1) as f64;
        let (cpu_ms, wall_ms) = (usage.cpu_seconds * each, usage.wall_seconds * each);
        Self { cpu_ms, wall_ms, peak_mib: usage.peak_bytes as f64 / MEBIBYTE }
    }
}

impl Answer {
    pub fn new(frames: u64, verdict: Option<&Verdict>) -> Self {
        let judged = verdict.map(|verdict| Judged {
            faces: verdict.faces.all,
            leaked: verdict.faces.bad,
            found: verdict.finds.len() as u64,
            small_faces: verdict.small_faces.all,
            small_leaked: verdict.small_faces.bad,
            touched: verdict.outside.percent(),
            likeness: verdict.likeness(),
            leaks: verdict.leaks.clone(),
            finds: verdict.finds.clone(),
        });
        Self { frames, judged }
    }
}

/// `a` over `b`.
fn ratio(a: f64, b: f64) -> f64 {
    a / b.max(f64::MIN_POSITIVE)
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.clips.first().map_or("", |clip| clip.settings.as_str());
        writeln!(out, "Both encode with {settings}; medians of {} runs in turns.\n", self.repetitions)?;
        writeln!(
            out,
            "{:24} {:>6} {:>9} {:>9} {:>8} {:>8} {:>10}",
            "clip", "frames", "blur", "transcode", "CPU", "wall", "peak"
        )?;
        for clip in &self.clips {
            clip.write_cost(out)?;
        }
        writeln!(
            out,
            "\n{:24} {:>12} {:>6} {:>12} {:>10} {:>9}",
            "what came out", "leaked", "found", "leaked <24", "touched", "outside"
        )?;
        for clip in &self.clips {
            write_answer(out, &clip.name, &clip.answer)?;
            if let Some((_, answer)) = &clip.peer {
                write_answer(out, "  the peer", answer)?;
            }
        }
        if let Some(memory) = &self.memory {
            let (minutes, growth) = (memory.minutes, memory.ratio());
            writeln!(out, "\nPeak memory at 1080p, {minutes} min over 1 min: {growth:.2} times")?;
        }
        Ok(())
    }
}

impl Outcome {
    fn write_cost(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blur, plain) = (self.blur, self.transcode);
        writeln!(
            out,
            "{:24} {:6} {:6.1} ms {:6.1} ms {:7.2}x {:7.2}x {:6.0} MiB",
            shortened(&self.name),
            self.frames,
            blur.cpu_ms,
            plain.cpu_ms,
            ratio(blur.cpu_ms, plain.cpu_ms),
            ratio(blur.wall_ms, plain.wall_ms),
            blur.peak_mib
        )?;
        let stages: Vec<String> = self.stages.iter().map(|(name, each)| format!("{name} {each:.1} ms")).collect();
        writeln!(out, "  wall for each frame: {}", stages.join(", "))?;
        if let Some((peer, _)) = self.peer {
            let (cpu, memory) = (ratio(peer.cpu_ms, blur.cpu_ms), ratio(peer.peak_mib, blur.peak_mib));
            writeln!(out, "  the peer: {cpu:.1} times the CPU of blur, {memory:.1} times the memory")?;
        }
        Ok(())
    }
}

fn write_answer(out: &mut fmt::Formatter<'_>, name: &str, answer: &Answer) -> fmt::Result {
    let name = shortened(name);
    let Some(judged) = &answer.judged else {
        return writeln!(out, "{name:24} {} frames; where faces are is not known", answer.frames);
    };
    let of = |bad: u64, all: u64| format!("{bad} of {all}");
    writeln!(
        out,
        "{name:24} {:>12} {:>6} {:>12} {:8.3} % {:6.1} dB",
        of(judged.leaked, judged.faces),
        judged.found,
        of(judged.small_leaked, judged.small_faces),
        judged.touched,
        judged.likeness
    )
}

/// The end of a name that is too long for its column.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    name.chars().skip(count.saturating_sub(24)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_for_each_frame_and_compared_as_ratios() {
        let usage = |cpu_seconds, wall_seconds| Usage { cpu_seconds, wall_seconds, peak_bytes: 3 << 20 };
        let judged = Judged { faces: 40, leaked: 1, likeness: 43.25, ..Judged::default() };
        let clip = Outcome {
            name: "a street".into(),
            frames: 200,
            settings: "preset veryfast".into(),
            blur: Cost::new(usage(6.0, 4.0), 200),
            transcode: Cost::new(usage(4.0, 1.0), 200),
            stages: BTreeMap::from([("examine".into(), 12.0)]),
            answer: Answer { frames: 200, judged: Some(judged) },
            peer: Some((Cost::new(usage(60.0, 30.0), 200), Answer { frames: 200, judged: None })),
        };
        let text = Report { clips: vec![clip], ..Report::default() }.to_string();
        for part in ["30.0 ms", "20.0 ms", "1.50x", "4.00x", "3 MiB", "examine 12.0 ms", "10.0 times", "1 of 40", "dB"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        assert_eq!(shortened("short.mp4"), "short.mp4");
        let long = shortened("a/folder/with/a/long/name/holiday.mp4");
        assert!(long.ends_with("holiday.mp4") && long.len() == 24, "{long}");
    }
}

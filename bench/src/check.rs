//! What is wrong with an answer. A redaction that loses frames, bares a face or spoils the picture is not measured, it
//! is refused, however fast it was.

use crate::report::Outcome;
use ground_truth::judge::{LIKENESS, SMALL};
use std::collections::BTreeSet;

/// Everything that is wrong with what came out of a clip.
pub fn faults(outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    let name = &outcome.name;
    let answer = &outcome.answer;
    if answer.frames != outcome.frames {
        faults.push(format!("{name}: {} frames came out of {}", answer.frames, outcome.frames));
    }
    if let Some(judged) = &answer.judged {
        if judged.leaked > 0 {
            let large = judged.leaks.iter().filter(|leak| leak.bounds.side() >= SMALL);
            let frames: BTreeSet<usize> = large.map(|leak| leak.frame).collect();
            faults.push(format!(
                "{name}: {} of {} faces of {SMALL} pixels or more can be known again, on frames {frames:?}",
                judged.leaked, judged.faces
            ));
        }
        if judged.found > 0 {
            let frames: BTreeSet<usize> = judged.finds.iter().map(|find| find.frame).collect();
            faults.push(format!("{name}: another detector finds {} faces, on frames {frames:?}", judged.found));
        }
        if judged.likeness < LIKENESS {
            faults.push(format!("{name}: {:.1} dB outside faces, less than {LIKENESS}", judged.likeness));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Answer, Judged};

    fn outcome(frames: u64, leaked: u64, likeness: f64) -> Outcome {
        let judged = Judged { faces: 90, leaked, likeness, ..Judged::default() };
        let answer = Answer { frames, judged: Some(judged) };
        Outcome { name: "street".into(), frames: 100, answer, ..Outcome::default() }
    }

    #[test]
    fn a_right_answer_has_no_fault() {
        assert!(faults(&outcome(100, 0, 41.0)).is_empty());
    }

    #[test]
    fn lost_frames_bare_faces_and_a_spoilt_picture_are_faults() {
        for (outcome, word) in [
            (outcome(99, 0, 41.0), "99 frames"),
            (outcome(101, 0, 41.0), "101 frames"),
            (outcome(100, 1, 41.0), "known again"),
            (outcome(100, 0, 39.9), "dB"),
        ] {
            let faults = faults(&outcome);
            assert!(faults.len() == 1 && faults[0].contains(word) && faults[0].contains("street"), "{faults:?}");
        }
        assert_eq!(faults(&outcome(1, 1, 1.0)).len(), 3);
    }

    #[test]
    fn a_face_that_another_detector_finds_is_a_fault() {
        let mut found = outcome(100, 0, 41.0);
        if let Some(judged) = &mut found.answer.judged {
            judged.found = 2;
        }
        let faults = faults(&found);
        assert!(faults.len() == 1 && faults[0].contains("another detector finds 2"), "{faults:?}");
    }

    #[test]
    fn a_file_without_truth_answers_for_its_frames() {
        let mut outcome = outcome(100, 0, 0.0);
        outcome.answer.judged = None;
        assert!(faults(&outcome).is_empty());
        outcome.answer.frames = 3;
        assert_eq!(faults(&outcome).len(), 1);
    }
}

//! The second look: what may be a face but is small or not sure is looked at again in detail, many at a time on one
//! sheet. Small faces then score like large ones, and what only resembles one from afar no longer does.

use crate::{
    detector::{Detection, suppress},
    look::Look,
    options::Looking,
    sheet::{Area, Sheet, View, join},
};

/// Score from which there is no doubt.
const SURE: f32 = 0.6;
/// What is looked at around a doubtful face, in faces.
const MARGIN: f32 = 1.5;
/// Most of them looked at again in one frame, the likeliest first.
const MOST: usize = 16;
/// How much closer the second look has to be than the first.
const CLOSER: f32 = 1.4;
/// Share of their joint area from which two boxes are of the same face.
const SAME_FACE: f32 = 0.2;

/// A sheet with the doubtful ones among what `look` has `found`; `None` when there are none or the picture's detail, which
/// allows a zoom of `most`, would show no more of them.
pub(crate) fn sheet(
    found: &[Detection],
    looking: &Looking,
    size: (f32, f32),
    (look, most): (&Look, f32),
) -> Option<Sheet> {
    let is_doubtful = |face: &&Detection| face.is_cut || face.score < SURE;
    let doubtful = found.iter().filter(|face| face.score >= looking.doubt_score).filter(is_doubtful);
    let closer = if found.iter().any(|face| face.is_cut) { most.min(1.0) } else { look.zoom() * CLOSER };
    let view = |face: &Detection| View { area: Area::around(face.region, MARGIN, size), turn: face.turn };
    let mut views: Vec<View> = doubtful.take(MOST).map(view).collect();
    views.retain(|view| view.area.w > 0.0 && view.area.h > 0.0);
    while !views.is_empty() && closer <= most {
        let mut joined = Vec::new();
        for view in &views {
            join(&mut joined, *view);
        }
        if let Some(sheet) = Sheet::enlarge(&joined, size, closer..=most) {
            return Some(sheet);
        }
        views.pop();
    }
    None
}

/// Corrects what was `found` by what was found when looking `again` at `sheet`.
pub(crate) fn settle(found: &mut Vec<Detection>, mut again: Vec<Detection>, sheet: &Sheet, looking: &Looking) {
    again.retain(|face| !face.is_cut);
    let looked_at = |face: &Detection| sheet.holds(face.region.x, face.region.y, face.turn);
    let same = |other: &Detection, face: &Detection| other.region.overlap(face.region) > SAME_FACE;
    let seen_again =
        |face: &Detection| again.iter().any(|other| other.score >= looking.start_score && same(other, face));
    // What was likely enough to start a track stays even if it is not seen again: better a blur too many.
    found.retain(|face| !looked_at(face) || (face.score >= looking.start_score && !seen_again(face)));
    found.retain(|face| !face.is_cut);
    found.extend(again);
    *found = suppress(std::mem::take(found));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Region;
    use media::Rotation;

    const SIZE: (f32, f32) = (640.0, 352.0);

    fn face(x: f32, score: f32) -> Detection {
        Detection { region: Region { x, y: 100.0, w: 10.0, h: 12.0 }, score, is_cut: false, turn: Rotation::None }
    }

    #[test]
    fn only_doubtful_faces_are_looked_at_again_and_only_when_there_is_more_to_see() {
        let looking = Looking::default();
        assert!(
            sheet(&[face(50.0, 0.9), face(90.0, 0.01)], &looking, SIZE, (&Look::Whole(Rotation::None), 2.0)).is_none()
        );
        assert!(sheet(&[face(50.0, 0.3)], &looking, SIZE, (&Look::Whole(Rotation::None), 1.0)).is_none());
        let doubts = sheet(&[face(50.0, 0.9), face(300.0, 0.3)], &looking, SIZE, (&Look::Whole(Rotation::None), 2.0))
            .expect("one is doubtful");
        assert!(doubts.holds(300.0, 100.0, Rotation::None) && doubts.zoom() > 1.4);
        let many: Vec<Detection> = (0..60).map(|at| face(10.0 * at as f32, 0.3)).collect();
        assert!(sheet(&many, &looking, SIZE, (&Look::Whole(Rotation::None), 2.0)).is_some(), "some of them fit");
    }

    #[test]
    fn the_second_look_raises_refutes_and_leaves_alone() {
        let looking = Looking::default();
        let mut found = vec![face(50.0, 0.9), face(300.0, 0.1), face(400.0, 0.2), face(500.0, 0.5)];
        let doubts = sheet(&found, &looking, SIZE, (&Look::Whole(Rotation::None), 2.0)).expect("three are doubtful");
        settle(&mut found, vec![face(301.0, 0.8)], &doubts, &looking);
        let at: Vec<(u32, u32)> =
            found.iter().map(|face| (face.region.x as u32, (face.score * 10.0).round() as u32)).collect();
        assert_eq!(at, [(50, 9), (301, 8), (500, 5)]);
    }
}

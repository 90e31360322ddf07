//! The cases a redaction has to hold, each a clip of one difficulty; their names are sentences' subjects. A face is put
//! only where a person would see one, so that a case may never be weakened because it is hard.

mod borders;
mod camera;
mod cuts;
mod edges;
mod heads;
mod moments;
mod others;
mod sizes;
mod streets;
mod turned;

use crate::{clip::Clip, shot::Shot};
use std::ops::Range;

pub use streets::{busy_street, busy_street_of, easy_street, empty_street, swinging_street};

/// A clip, and the frames on which a new segment begins.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub clip: Clip,
    pub borders: Vec<usize>,
}

/// A case's name, and what makes its clip.
pub type Entry = (&'static str, fn() -> Clip);

/// Every case by its name.
pub const ALL: &[Entry] = &[
    ("a_face_that_walks_by", camera::walk),
    ("a_face_that_the_camera_pans_over", camera::pan),
    ("a_face_that_the_camera_zooms_in_on", camera::zoom),
    ("a_face_that_comes_nearer_fast", camera::approach),
    ("a_face_in_a_shaken_picture", camera::shake),
    ("a_face_in_an_upright_picture", camera::upright),
    ("a_face_in_the_dark", camera::dark),
    ("a_face_that_runs_through_the_picture", camera::run),
    ("a_face_smeared_by_its_own_motion", camera::smear),
    ("a_head_that_leans_to_both_sides", heads::lean),
    ("a_head_that_rolls_onto_its_side_and_back", heads::roll),
    ("a_head_that_turns_to_profile_and_back", heads::turn),
    ("a_head_without_a_body", heads::bare),
    ("a_face_that_passes_behind_a_pillar", others::pillar),
    ("a_face_glimpsed_between_two_pillars", others::glimpse),
    ("a_face_that_another_person_passes", others::passer),
    ("two_faces_that_cross", others::crossing),
    ("a_face_that_comes_and_goes_over_the_left_edge", others::left_edge),
    ("a_face_that_comes_and_goes_over_the_right_edge", others::right_edge),
    ("a_face_that_comes_and_goes_over_the_upper_edge", others::upper_edge),
    ("a_face_that_comes_and_goes_over_the_lower_edge", others::lower_edge),
    ("a_face_that_peeps_in_for_a_few_frames", others::peep),
    ("faces_of_20_pixels", sizes::of_20),
    ("faces_of_24_pixels", sizes::of_24),
    ("faces_of_32_pixels", sizes::of_32),
    ("faces_of_48_pixels", sizes::of_48),
    ("faces_of_96_pixels", sizes::of_96),
    ("a_face_of_160_pixels", sizes::of_160),
    ("a_face_of_300_pixels", sizes::of_300),
    ("a_face_from_a_cut_on", cuts::from_a_cut_on),
    ("a_face_for_three_frames_between_two_cuts", cuts::between_two_cuts),
    ("faces_that_a_cut_moves_elsewhere", cuts::elsewhere),
    ("a_large_face_that_a_cut_takes_away", cuts::away),
    ("a_large_face_that_a_cut_takes_away_in_the_dark", cuts::away_in_the_dark),
    ("a_video_on_its_right_side", turned::on_the_right_side),
    ("a_video_on_its_left_side", turned::on_the_left_side),
    ("a_video_on_its_head", turned::on_its_head),
    ("a_video_of_people_far_away_on_its_left_side", turned::far_on_the_left_side),
    ("a_video_of_people_far_away_on_its_head", turned::far_on_its_head),
    ("a_video_on_its_side_that_is_empty_at_first", turned::empty_at_first),
    ("people_who_lie_among_people_who_walk", turned::lying),
    ("a_person_upside_down_among_upright_ones", turned::hanging),
    ("a_phone_that_is_turned_onto_its_side", turned::phone),
    ("people_far_away_who_lie", turned::lying_far_away),
    ("people_far_away_upside_down", turned::hanging_far_away),
    ("a_phone_that_hangs_askew", turned::askew),
    ("faces_of_100_pixels_for_moments_in_a_picture_at_rest", moments::large_at_rest),
    ("faces_of_40_pixels_for_moments_in_a_picture_at_rest", moments::medium_at_rest),
    ("faces_of_100_pixels_for_moments_in_a_panned_picture", moments::large_panned),
    ("faces_of_40_pixels_for_moments_in_a_panned_picture", moments::medium_panned),
    ("faces_of_100_pixels_for_moments_in_a_spinning_picture", moments::large_spinning),
    ("faces_of_40_pixels_for_moments_in_a_spinning_picture", moments::medium_spinning),
    ("faces_of_100_pixels_for_moments_in_an_ever_new_picture", moments::large_ever_new),
    ("faces_of_40_pixels_for_moments_in_an_ever_new_picture", moments::medium_ever_new),
    ("a_face_that_leaves_a_shaken_picture_over_the_left_edge", edges::left),
    ("a_face_that_leaves_a_shaken_picture_over_the_right_edge", edges::right),
    ("a_face_that_leaves_a_shaken_picture_over_the_upper_edge", edges::upper),
    ("a_face_that_leaves_a_shaken_picture_over_the_lower_edge", edges::lower),
    ("a_face_that_hurries_out_of_a_shaken_picture_over_the_right_edge", edges::right_in_a_hurry),
    ("a_face_that_hurries_out_of_a_shaken_picture_over_the_upper_edge", edges::upper_in_a_hurry),
    ("a_face_half_out_of_a_shaken_picture", edges::half_out),
    ("a_face_that_comes_three_frames_before_a_border", borders::before),
    ("a_face_that_goes_three_frames_after_a_border", borders::after),
    ("a_face_that_crosses_a_border", borders::across),
    ("a_busy_street", || busy_street(50)),
    ("a_busy_street_where_faces_show_for_moments", || busy_street_of(5, 50)),
    ("a_street_without_faces", || empty_street(40)),
];

impl Case {
    /// The case of this name.
    pub fn named(name: &str) -> Option<Self> {
        let (name, clip) = ALL.iter().find(|(known, _)| *known == name)?;
        let borders = if name.ends_with("_border") { vec![borders::AT] } else { Vec::new() };
        Some(Self { name, clip: clip(), borders })
    }

    /// The frames of each segment.
    pub fn segments(&self) -> Vec<Range<usize>> {
        let ends = self.borders.iter().copied().chain([self.clip.shots.len()]);
        let mut begin = 0;
        ends.map(|end| std::mem::replace(&mut begin, end)..end).collect()
    }
}

/// Small pictures, where nothing else is asked for.
fn small(frames: usize, shot: impl Fn(f32) -> Shot) -> Clip {
    Clip::of(640, 360, frames, shot)
}

/// Pictures of the usual size.
fn large(frames: usize, shot: impl Fn(f32) -> Shot) -> Clip {
    Clip::of(1280, 720, frames, shot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_case_has_a_name_of_its_own_and_segments_that_cover_it() {
        let names: BTreeSet<&str> = ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), ALL.len());
        for (name, _) in ALL {
            let case = Case::named(name).expect("it is there");
            let segments = case.segments();
            assert_eq!(segments.iter().flat_map(Clone::clone).count(), case.clip.shots.len(), "{name}");
            assert_eq!(segments.len(), 1 + usize::from(name.ends_with("_border")), "{name}");
        }
        assert!(Case::named("a_face_nobody_thought_of").is_none());
    }

    #[test]
    fn every_case_shows_faces_but_the_one_without() {
        for (name, _) in ALL {
            let truth = Case::named(name).expect("it is there").clip.truth();
            let visible = truth.iter().flatten().filter(|face| face.visible > 0.5).count();
            assert_eq!(visible == 0, *name == "a_street_without_faces", "{name}: {visible}");
        }
    }

    #[test]
    fn only_whom_a_case_turns_is_turned_when_first_seen() {
        let turned = ["a_video_o", "people_who_lie", "people_far_away", "a_person_upside_down", "a_phone_that"];
        for (name, _) in ALL {
            let clip = Case::named(name).expect("it is there").clip;
            let mut fresh = std::collections::HashMap::new();
            for (shot, truth) in clip.shots.iter().zip(clip.truth()) {
                for (index, face) in shot.faces.iter().enumerate().filter(|(index, _)| truth[*index].visible > 0.25) {
                    fresh.entry(index).or_insert_with(|| clip.is_turned(*face));
                }
            }
            let expected = turned.iter().any(|prefix| name.starts_with(prefix));
            assert_eq!(fresh.values().any(|turned| *turned), expected, "{name}");
        }
    }

    #[test]
    fn faces_called_small_are_from_20_to_24_pixels_wide_and_the_next_ones_are_not() {
        let sides = |name: &str| {
            let truth = Case::named(name).expect("it is there").clip.truth();
            truth.into_iter().flatten().map(|face| face.bounds.side()).collect::<Vec<_>>()
        };
        assert!(sides("faces_of_20_pixels").iter().all(|side| (19.9..24.0).contains(side)));
        assert!(sides("faces_of_24_pixels").iter().all(|side| (24.0..28.0).contains(side)));
    }
}

//! A look: the whole frame in some turn, rows of it, or parts side by side on a sheet; and what following asks to be
//! looked at. What a look shows of a face decides whether it says anything of it: of a face that is shown in part the
//! detector may take the part for the whole.

use crate::{
    geometry::Region,
    sheet::{FULL, Sheet, View},
};
use media::Rotation;
use std::ops::Range;

/// What to look at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    /// The whole picture, reduced and turned.
    Whole(Rotation),
    /// So many rows of it.
    Rows(Range<usize>),
    /// Parts of it, in detail.
    Parts(Sheet),
}

impl Look {
    /// Whether a face of the reduced picture, of `height` rows, which `turn` brings upright, is looked at as far as it is
    /// in the picture. Of one that is shown in part the detector may find a part, and take it for the face.
    pub fn shows(&self, face: Region, turn: Rotation, height: usize) -> bool {
        let (top, bottom) = (face.y - face.h / 2.0, face.y + face.h / 2.0);
        match self {
            Self::Whole(turned) => *turned == turn,
            Self::Rows(rows) => {
                let is_above = rows.start == 0 || top >= rows.start as f32;
                turn == Rotation::None && is_above && (rows.end == height || bottom <= rows.end as f32)
            }
            Self::Parts(sheet) => sheet.shows(face, turn),
        }
    }

    /// What it costs on a picture of so many rows, in looks at the whole.
    pub fn cost(&self, height: usize) -> f32 {
        match self {
            Self::Whole(_) => 1.0,
            Self::Rows(rows) => rows.len() as f32 / height as f32,
            Self::Parts(sheet) => sheet.cost(),
        }
    }

    /// The turns in which something is looked at.
    pub fn turns(&self) -> impl Iterator<Item = Rotation> {
        Rotation::ALL.into_iter().filter(|turn| match self {
            Self::Whole(whole) => whole == turn,
            Self::Rows(_) => *turn == Rotation::None,
            Self::Parts(sheet) => sheet.views().any(|view| view.turn == *turn),
        })
    }

    /// Pixels looked at per pixel of the reduced picture.
    pub fn zoom(&self) -> f32 {
        match self {
            Self::Whole(_) | Self::Rows(_) => FULL,
            Self::Parts(sheet) => sheet.zoom(),
        }
    }
}

/// What following asks for on a frame.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Where faces were lost on this very frame.
    pub urgent: Vec<View>,
    /// Where faces are in doubt, or were not looked at for long.
    pub wanted: Vec<View>,
    /// Where a face that was lost may be found in another turn.
    pub guesses: Vec<View>,
    /// Faces that are followed and will be blurred.
    pub faces: Vec<Region>,
    /// The turn that most of them stand in.
    pub turn: Rotation,
}

impl Asked {
    /// What is asked for in a turn: what is urgent and, where the time for it has come (`is_due`), the rest.
    pub fn of(&self, turn: Rotation, is_due: bool) -> impl Iterator<Item = &View> {
        let rest = self.wanted.iter().filter(move |_| is_due);
        self.urgent.iter().chain(rest).filter(move |view| view.turn == turn)
    }
}

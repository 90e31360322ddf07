//! Names of places without a network: finds places by name, and the place at a position, in a list that is part of the
//! binary.
//!
//! South Korea is there down to its districts, with Korean names; the rest of the world with its cities of 15,000
//! inhabitants or more. What the list is made of, and whom to credit, stands in `data/README.md`.

mod bundled;
mod fold;
mod nearest;
mod search;

pub use bundled::Damaged;

use entity::Position;
use nearest::Squares;
use std::sync::OnceLock;

/// Whom to credit wherever these places are shown.
pub const ATTRIBUTION: &str = "GeoNames (CC BY 4.0)";

/// A language a place's name can be had in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, or the name in Latin letters that is used in English.
    English,
    /// Korean; where no Korean name is known, as in English.
    Korean,
}

/// A place with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The place alone: `Jung-gu`, `중구`.
    name: Words,
    /// What it lies in, the innermost first: `Seoul`.
    within: Vec<Words>,
    /// Where it is: its office or its middle.
    position: Position,
    /// How likely it is to be the one that is meant: the decimal logarithm of its inhabitants, or of as many as a place
    /// of its rank usually has.
    weight: f64,
    /// Whether it is too wide to be told as where something is.
    wide: bool,
}

/// One name in both languages.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Words {
    english: &'static str,
    korean: &'static str,
}

impl Words {
    const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Korean if self.korean.is_empty() => self.english,
            Language::Korean => self.korean,
        }
    }
}

impl Place {
    /// Its whole name, in the order of the language: `Jung-gu, Seoul`, `서울특별시 중구`.
    pub fn name(&self, language: Language) -> String {
        let within = self.within.iter().map(|words| words.in_language(language));
        let mut parts: Vec<_> = std::iter::once(self.name.in_language(language)).chain(within).collect();
        match language {
            Language::English => parts.join(", "),
            Language::Korean => {
                parts.reverse();
                parts.join(" ")
            }
        }
    }

    /// Where it is.
    pub const fn position(&self) -> Position {
        self.position
    }
}

/// All places there are.
#[derive(Debug)]
pub struct Gazetteer {
    places: Vec<Place>,
    /// Made by the first search: nothing else needs them.
    keys: OnceLock<Vec<search::Key>>,
    squares: Squares,
}

impl Gazetteer {
    /// The places that are part of the binary. Fails only if a build put damaged data in.
    pub fn bundled() -> Result<Self, Damaged> {
        let places = bundled::places()?;
        let squares = Squares::of(&places);
        Ok(Self { places, keys: OnceLock::new(), squares })
    }

    /// At most `most` places of which every word of the text begins a word of the name, in either language, the
    /// likeliest first; with `near`, those near it before those far away.
    pub fn search(&self, text: &str, near: Option<Position>, most: usize) -> Vec<&Place> {
        let keys = self.keys.get_or_init(|| self.places.iter().map(search::Key::of).collect());
        search::search(&self.places, keys, text, near, most)
    }

    /// The place whose middle is nearest, if one is within 50 km.
    pub fn at(&self, position: Position) -> Option<&Place> {
        self.squares.nearest(&self.places, position)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

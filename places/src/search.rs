//! Places by name: every word of the text must begin a word of the name or of what the place lies in, and one of them a
//! word of the name itself.
//!
//! All names are looked through each time: thirty thousand short words take about two milliseconds, and an index would
//! have to be kept right.

use crate::{Place, fold, nearest::kilometres};
use entity::Position;

/// What an exact name is worth, in powers of ten of inhabitants.
const EXACT: f64 = 2.0;
/// What a name that begins with the text is worth.
const LEADING: f64 = 1.0;
/// As far away, a place is worth a tenth of one that is near.
const TENTH_KM: f64 = 250.0;
/// Nothing is worth less for being farther away than this.
const FARTHEST_KM: f64 = 1_000.0;

/// The folded words of a place, in all its languages.
#[derive(Debug)]
pub(crate) struct Key {
    own: [Vec<String>; 2],
    around: Vec<String>,
}

impl Key {
    pub(crate) fn of(place: &Place) -> Self {
        let around = place.within.iter().flat_map(|words| [words.english, words.korean]);
        Self {
            own: [place.name.english, place.name.korean].map(fold::words),
            around: around.flat_map(fold::words).collect(),
        }
    }

    /// How well the words fit, in powers of ten; `None` if they do not.
    fn fit(&self, words: &[String]) -> Option<f64> {
        let begins = |whole: &[String], word: &String| whole.iter().any(|own| own.starts_with(word.as_str()));
        let own = |word: &String| self.own.iter().any(|name| begins(name, word));
        let mine: Vec<_> = words.iter().filter(|word| own(word)).collect();
        if mine.is_empty() || !words.iter().all(|word| own(word) || begins(&self.around, word)) {
            return None;
        }
        let exact = self.own.iter().any(|name| name.iter().eq(mine.iter().copied()));
        let leads = |name: &Vec<String>| name.first().zip(mine.first()).is_some_and(|(a, b)| a.starts_with(b.as_str()));
        let leading = self.own.iter().any(leads);
        Some(if exact {
            EXACT
        } else if leading {
            LEADING
        } else {
            0.0
        })
    }
}

pub(crate) fn search<'a>(
    places: &'a [Place],
    keys: &[Key],
    text: &str,
    near: Option<Position>,
    most: usize,
) -> Vec<&'a Place> {
    let words = fold::words(text);
    let value = |(place, key): (&'a Place, &Key)| {
        let far = near.map_or(0.0, |near| kilometres(place.position, near).min(FARTHEST_KM) / TENTH_KM);
        key.fit(&words).map(|fit| (fit + place.weight - far, place))
    };
    let mut found: Vec<_> = places.iter().zip(keys).filter_map(value).collect();
    // Equals stay in the order of the lists: Korea first, then by inhabitants.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(most);
    found.into_iter().map(|(_, place)| place).collect()
}

//! The form of a text in which names are compared: without case, accents and punctuation.
//!
//! Hangul is taken apart into its letters, so that a syllable that is still being typed (`부사`) begins the word it will
//! become part of (`부산`).

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// The words of a text, folded.
pub(crate) fn words(text: &str) -> Vec<String> {
    let letters: String = text.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    let words = letters.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_punctuation_make_no_difference() {
        assert_eq!(words("São Paulo"), ["sao", "paulo"]);
        assert_eq!(words("JUNG-GU, Seoul"), ["jung", "gu", "seoul"]);
        assert_eq!(words("  ,- "), Vec::<String>::new());
    }

    #[test]
    fn a_syllable_being_typed_begins_the_word_it_becomes() {
        assert!(words("부산")[0].starts_with(&words("부사")[0]));
        assert!(words("강남구")[0].starts_with(&words("강나")[0]));
    }
}

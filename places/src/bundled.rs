//! Reads the lists in `data/`. Every line is one place; a line that is none is a fault of the build, named by its file
//! and number.

use crate::{Place, Words};
use entity::Position;
use std::collections::HashMap;

const KOREA: &str = include_str!("../data/korea.tsv");
const CITIES: &str = include_str!("../data/cities.tsv");
const COUNTRIES: &str = include_str!("../data/countries.tsv");

/// The one province without parts: it is its own city.
const SEJONG: &str = "세종특별자치시";

/// A line of the data that is no place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct Damaged {
    file: &'static str,
    line: usize,
    what: &'static str,
}

/// Every place there is.
pub(crate) fn places() -> Result<Vec<Place>, Damaged> {
    let mut places = korea(KOREA)?;
    places.extend(cities(CITIES, &countries(COUNTRIES)?)?);
    Ok(places)
}

/// The rows of a list, its heading left out, each with its number.
fn rows<const N: usize>(
    file: &'static str,
    text: &'static str,
) -> impl Iterator<Item = Result<(usize, [&'static str; N]), Damaged>> {
    text.lines().enumerate().skip(1).map(move |(index, row)| {
        let line = index + 1;
        let fields: Vec<_> = row.split('\t').collect();
        let fields = fields.try_into().map_err(|_| Damaged { file, line, what: "has another number of fields" })?;
        Ok((line, fields))
    })
}

fn position(file: &'static str, line: usize, longitude: &str, latitude: &str) -> Result<Position, Damaged> {
    let degrees = |text: &str| text.parse::<f64>().ok();
    let position = degrees(longitude).zip(degrees(latitude)).and_then(|(x, y)| Position::new(x, y).ok());
    position.ok_or(Damaged { file, line, what: "has no position" })
}

fn korea(text: &'static str) -> Result<Vec<Place>, Damaged> {
    const FILE: &str = "korea.tsv";
    let mut english: HashMap<&str, &str> = HashMap::new();
    let mut places = Vec::new();
    for row in rows::<6>(FILE, text) {
        let (line, [level, name, korean, within, longitude, latitude]) = row?;
        // As many inhabitants as such a place has in the middle.
        let weight = match level {
            "province" => 6.3,
            "city" => 5.4,
            "district" => 5.3,
            "county" => 4.7,
            _ => return Err(Damaged { file: FILE, line, what: "is of no known level" }),
        };
        english.insert(korean, name);
        let within: Option<Vec<_>> = within
            .split_whitespace()
            .rev()
            .map(|korean| english.get(korean).map(|english| Words { english, korean }))
            .collect();
        places.push(Place {
            name: Words { english: name, korean },
            within: within.ok_or(Damaged { file: FILE, line, what: "lies in a place that is not listed above it" })?,
            position: position(FILE, line, longitude, latitude)?,
            weight,
            wide: level == "province" && korean != SEJONG,
        });
    }
    Ok(places)
}

fn countries(text: &'static str) -> Result<HashMap<&'static str, Words>, Damaged> {
    let rows = rows::<3>("countries.tsv", text);
    rows.map(|row| row.map(|(_, [code, english, korean])| (code, Words { english, korean }))).collect()
}

fn cities(text: &'static str, countries: &HashMap<&str, Words>) -> Result<Vec<Place>, Damaged> {
    const FILE: &str = "cities.tsv";
    rows::<6>(FILE, text)
        .map(|row| {
            let (line, [english, korean, country, population, longitude, latitude]) = row?;
            let wrong = |what| Damaged { file: FILE, line, what };
            let country = countries.get(country).ok_or_else(|| wrong("is in an unknown country"))?;
            let population: f64 = population.parse().map_err(|_| wrong("has no population"))?;
            Ok(Place {
                name: Words { english, korean },
                // A city that is its country is told once.
                within: if country.english == english { Vec::new() } else { vec![*country] },
                position: position(FILE, line, longitude, latitude)?,
                weight: population.max(1.0).log10(),
                wide: false,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_place_is_named() {
        let wrong = |text| korea(text).unwrap_err().to_string();
        assert_eq!(wrong("heading\nprovince\tSeoul"), "korea.tsv, line 2: has another number of fields");
        assert_eq!(wrong("heading\nprovince\tSeoul\t서울\t\t200\t37"), "korea.tsv, line 2: has no position");
        let orphan = "heading\ncity\tSuwon\t수원시\t경기도\t127\t37";
        assert_eq!(wrong(orphan), "korea.tsv, line 2: lies in a place that is not listed above it");
    }
}

//! What was measured beside what is wanted, for people and for machines.

use serde::Serialize;
use std::fmt;

/// Everything of one run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// In the order of measuring.
    pub figures: Vec<Figure>,
    /// Answers that were wrong, which no speed makes good.
    pub faults: Vec<String>,
}

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// What.
    pub what: String,
    /// In what the values are.
    pub unit: &'static str,
    /// What was measured, the smallest first.
    pub values: Vec<f64>,
    /// What the value at [`Figure::rank`] should not be more than.
    pub wanted: Option<f64>,
    /// Which value counts.
    pub rank: Rank,
    /// More words.
    pub note: String,
}

/// Which of many values counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Rank {
    /// The one in the middle.
    Median,
    /// The one that 95 of 100 are not above; of fewer than 20, the greatest.
    P95,
}

impl Figure {
    /// A figure of these values, in any order.
    pub fn new(what: impl Into<String>, unit: &'static str, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { what: what.into(), unit, values, wanted: None, rank: Rank::Median, note: String::new() }
    }

    /// With what is wanted of it.
    pub fn wanted(self, most: f64, rank: Rank) -> Self {
        Self { wanted: Some(most), rank, ..self }
    }

    /// With more words.
    pub fn note(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// The value at a rank; `None` of none.
    pub fn at(&self, rank: Rank) -> Option<f64> {
        let count = self.values.len();
        let place = match rank {
            Rank::Median => count.div_ceil(2),
            Rank::P95 => (count * 19).div_ceil(20),
        };
        self.values.get(place.checked_sub(1)?).copied()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:54} {:>4} {:>9} {:>9} {:>9} {:>10}", "", "runs", "median", "p95", "greatest", "wanted")?;
        for figure in &self.figures {
            writeln!(out, "{figure}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, values, wanted, rank, note } = self;
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2} {unit}"));
        let [median, p95] = [Rank::Median, Rank::P95].map(|rank| shown(self.at(rank)));
        let (count, greatest) = (values.len(), shown(values.last().copied()));
        write!(out, "{what:54} {count:4} {median:>9} {p95:>9} {greatest:>9}")?;
        if let Some(most) = wanted {
            let rank = if *rank == Rank::P95 { "p95 " } else { "" };
            let missed = if self.at(self.rank).is_some_and(|value| value > *most) { "  missed" } else { "" };
            write!(out, " {:>10}{missed}", format!("{rank}≤ {most} {unit}"))?;
        }
        if note.is_empty() { Ok(()) } else { write!(out, "\n  {note}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_of_the_values_however_many_there_are() {
        let of = |count: u32| Figure::new("a", "s", (1..=count).rev().map(f64::from).collect());
        let ranks = |count| [Rank::Median, Rank::P95].map(|rank| of(count).at(rank));
        assert_eq!(ranks(0), [None, None]);
        assert_eq!(ranks(1), [Some(1.0), Some(1.0)]);
        assert_eq!(ranks(10), [Some(5.0), Some(10.0)]);
        assert_eq!(ranks(100), [Some(50.0), Some(95.0)]);
    }

    #[test]
    fn what_misses_is_marked_and_is_no_fault() {
        let slow = Figure::new("ready", "s", vec![1.0, 4.0]).wanted(3.0, Rank::P95);
        assert!(slow.to_string().contains("p95 ≤ 3 s  missed"), "{slow}");
        let quick = Figure::new("ready", "s", vec![1.0, 2.0]).wanted(3.0, Rank::P95);
        assert!(!quick.to_string().contains("missed"), "{quick}");
    }
}

//! The time that one input may take: a video made to be slow must not hold a worker for ever.

use crate::Error;
use std::time::{Duration, Instant};

/// When to give up on an input.
#[derive(Clone, Copy)]
pub(crate) struct Deadline<'a> {
    what: &'a str,
    limit: Option<(Instant, Duration)>,
}

impl<'a> Deadline<'a> {
    /// No limit, for files that someone waits for.
    pub fn none(what: &'a str) -> Self {
        Self { what, limit: None }
    }

    /// `ms` from now; none when it is 0.
    pub fn after(what: &'a str, ms: u64) -> Self {
        let limit = Duration::from_millis(ms);
        let end = Instant::now().checked_add(limit);
        Self { what, limit: end.filter(|_| ms > 0).map(|end| (end, limit)) }
    }

    /// # Errors
    /// [`Error::TooSlow`] when the time is up.
    pub fn check(&self) -> Result<(), Error> {
        match self.limit {
            Some((end, limit)) if Instant::now() > end => {
                Err(Error::TooSlow { what: self.what.to_owned(), limit_ms: limit.as_millis() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_up_only_where_there_is_a_limit() {
        let passed = Deadline { what: "segment 1", limit: Some((Instant::now(), Duration::from_millis(7))) };
        while Instant::now() <= passed.limit.map_or_else(Instant::now, |(end, _)| end) {}
        let error = passed.check().expect_err("time is up").to_string();
        assert!(error.contains("segment 1") && error.contains("7 ms"), "{error}");
        assert!(Deadline::none("a file").check().is_ok());
        assert!(Deadline::after("a file", 0).check().is_ok());
        assert!(Deadline::after("a file", 60_000).check().is_ok());
    }
}

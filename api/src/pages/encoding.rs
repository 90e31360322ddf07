//! Which of the ways a file was compressed in at its build a client takes.
//!
//! Compressing once, as well as can be, is smaller than compressing at every request. Source: RFC 9110, 12.5.3.

/// A way to compress, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    pub(super) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in HTTP.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What the build adds to the names of files compressed like this.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Whether a client with this `Accept-Encoding` takes it. One that is not named is not taken, whatever `*` says:
    /// plain bytes are always right.
    pub(super) fn is_accepted(self, accept: &str) -> bool {
        accept.split(',').any(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            name.trim().eq_ignore_ascii_case(self.name()) && !is_refusal(weight)
        })
    }
}

/// Whether a weight is `q=0`, which says no.
fn is_refusal(weight: &str) -> bool {
    let value = weight.trim().to_ascii_lowercase();
    value.strip_prefix("q=").and_then(|value| value.trim().parse::<f32>().ok()).is_some_and(|value| value <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_used_only_where_it_is_named_and_not_refused() {
        let accepted = |accept: &str| Encoding::ALL.map(|encoding| encoding.is_accepted(accept));
        assert_eq!(accepted("gzip, deflate, br, zstd"), [true, true]);
        assert_eq!(accepted("gzip, deflate"), [false, true]);
        assert_eq!(accepted("BR;q=0.5,gzip; q=0.000"), [true, false]);
        assert_eq!(accepted("*"), [false, false]);
        assert_eq!(accepted(""), [false, false]);
        assert_eq!(accepted("brotli, gzipped"), [false, false]);
    }
}

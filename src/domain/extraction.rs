//! An extraction: the unit of work, and the one identity from which all names derive.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, QueryId, SiteKey, Window, serde_as_text};

/// One query version × site × window.
///
/// Ledger key, object path, log fields and console address all derive from this type. Written
/// `s40123/observation@v1/2026-11-18..2026-11-19`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extraction {
    /// Whose data.
    pub site: SiteKey,
    /// Which question.
    pub query: QueryId,
    /// Of which days.
    pub window: Window,
}

impl FromStr for Extraction {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let example = "s40123/observation@v1/2026-11-18..2026-11-19";
        let wrong = || {
            ParseError::new(
                text,
                "an extraction (site / query @ version / window)",
                example,
            )
        };
        let mut parts = text.split('/');
        let (Some(site), Some(query), Some(window), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        Ok(Self {
            site: site.parse().map_err(|_| wrong())?,
            query: query.parse().map_err(|_| wrong())?,
            window: window.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Extraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.site, self.query, self.window)
    }
}

serde_as_text!(Extraction);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extraction_prints_as_it_parses() {
        let text = "s40123/observation@v1/2026-11-18..2026-11-19";
        assert_eq!(
            text.parse::<Extraction>()
                .expect("an extraction")
                .to_string(),
            text
        );
    }
}

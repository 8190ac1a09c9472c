//! A query: one named question of `queries/`, in numbered versions that are frozen once run.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{Contract, ParseError, PmsType, Variant, VariantName, serde_as_text};

/// Name of a query: a lower-case letter, then letters, digits or `_`; also its folder in `queries/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryName(String);

impl QueryName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueryName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut chars = text.chars();
        let first_is_letter = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest_fits = chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if first_is_letter && rest_fits && text.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                text,
                "a query name (a lower-case letter, then letters, digits or _)",
                "visit_reason",
            ))
        }
    }
}

/// Number of a query's text, from 1. Written `v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryVersion(u32);

impl QueryVersion {
    /// The version `number`; `None` for 0.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// The number, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for QueryVersion {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.strip_prefix('v')
            .filter(|digits| !digits.starts_with(['0', '+']))
            .and_then(|digits| digits.parse().ok())
            .and_then(Self::new)
            .ok_or_else(|| ParseError::new(text, "a query version (v and a number from 1)", "v1"))
    }
}

/// A query in one version. Written `observation@v1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId {
    /// The question.
    pub name: QueryName,
    /// Its text.
    pub version: QueryVersion,
}

impl FromStr for QueryId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || {
            ParseError::new(
                text,
                "a query in one version (name @ version)",
                "observation@v1",
            )
        };
        let (name, version) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self {
            name: name.parse()?,
            version: version.parse()?,
        })
    }
}

/// What the windows of a query mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Rows changed within the window; the SQL sees a window that starts `overlap_days` earlier, for late edits.
    Incremental {
        /// How much earlier than the window the SQL looks, in days.
        overlap_days: u32,
    },
    /// All rows as they are on one day; the window is that day.
    Snapshot,
}

/// SHA-256 over what a version means: the SQL's tokens, the contract and the privacy rules, as hex.
///
/// White space, comments outside the header and line ends do not change it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl FromStr for Fingerprint {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                text,
                "a fingerprint (64 lower-case hex digits)",
                "9f86d081…",
            ))
        }
    }
}

/// One version of a query, read from its file and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Name and version, from the file's path.
    pub id: QueryId,
    /// The file it was read from.
    pub file: PathBuf,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// Who answers for it.
    pub owner: String,
    /// The system whose database it asks.
    pub pms: PmsType,
    /// The database it asks; the site's default one if absent.
    pub catalogue: Option<String>,
    /// What its windows mean.
    pub mode: Mode,
    /// The expression that tells when a row last changed, as documentation.
    pub watermark: Option<String>,
    /// Columns that identify a row within a site.
    pub key: Vec<String>,
    /// When it runs, as cron in each site's time zone; never by itself if absent.
    pub cron: Option<String>,
    /// The measures that need it, for example `QIM 3`.
    pub measures: Vec<String>,
    /// How opted-out and access-denied patients are kept out, said for queries that read patients.
    pub opt_out: Option<String>,
    /// Counts the rows that `opt_out` keeps out of a window; one row with one column, `withheld`.
    pub withheld: Option<String>,
    /// What it costs the practice's server, in a sentence.
    pub cost: Option<String>,
    /// How old its newest object may grow before a site counts as late; whole hours.
    pub freshness: Option<Duration>,
    /// The columns it returns, in order.
    pub contract: Contract,
    /// The statement that is sent, without the header.
    pub sql: String,
    /// Other statements for practices that refuse a table, in the order in which they are tried.
    pub variants: Vec<Variant>,
    /// Identity of its meaning, its variants' included.
    pub fingerprint: Fingerprint,
}

impl Query {
    /// Its own statement, or that of one of its variants; `None` if it has no such variant.
    #[must_use]
    pub fn statement(&self, variant: Option<&VariantName>) -> Option<&str> {
        match variant {
            None => Some(&self.sql),
            Some(name) => {
                let mut variants = self.variants.iter();
                let variant = variants.find(|variant| variant.name == *name)?;
                Some(&variant.sql)
            }
        }
    }
}

impl fmt::Display for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for QueryVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(QueryName, QueryVersion, QueryId, Fingerprint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_id_prints_as_it_parses() {
        assert_eq!(
            "visit_reason@v12"
                .parse::<QueryId>()
                .expect("an id")
                .to_string(),
            "visit_reason@v12"
        );
        for bad in [
            "visit",
            "visit@1",
            "visit@v0",
            "visit@v01",
            "Visit@v1",
            "visit@v+1",
        ] {
            assert!(bad.parse::<QueryId>().is_err(), "{bad}");
        }
    }
}

//! A variant of a query: another statement for practices that refuse a table, with the same columns and rules.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{ParseError, serde_as_text, stored_text};

/// Name of a variant; also the second part of its file's name, `v1.view.sql`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariantName(String);

impl VariantName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariantName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut chars = text.chars();
        let first_is_letter = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest_fits = chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if first_is_letter && rest_fits && text.len() <= 32 {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                text,
                "a variant's name (a lower-case letter, then letters, digits or _)",
                "view",
            ))
        }
    }
}

impl fmt::Display for VariantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(VariantName);

stored_text! {
    /// Which rows an object of a variant has, and so how it is to be read.
    pub enum Brings {
        /// What changed within the window, deletions among it: as the query itself.
        Changes = "changes",
        /// Every row that stands when it is asked, whatever the window. A row that is absent is deleted or ceased.
        Whole = "whole",
    }
}

/// One variant of a query, read from its file and checked against the query's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: VariantName,
    /// The file it was read from.
    pub file: PathBuf,
    /// Why it exists and what its rows lack, for those who read them.
    pub why: String,
    /// Which rows its objects have.
    pub brings: Brings,
    /// How opted-out and access-denied patients are kept out of it.
    pub opt_out: Option<String>,
    /// What it costs the practice's server, in a sentence.
    pub cost: Option<String>,
    /// The statement that is sent, without the header.
    pub sql: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_named_as_files_can_be() {
        assert_eq!(
            "view_2".parse::<VariantName>().expect("a name").to_string(),
            "view_2"
        );
        for bad in ["", "View", "2nd", "a.b", "a-b", "_a"] {
            assert!(bad.parse::<VariantName>().is_err(), "{bad}");
        }
    }
}

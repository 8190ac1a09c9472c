//! An attempt: one numbered try at an extraction.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{ParseError, serde_as_text};

/// Number of a try at an extraction, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct AttemptNumber(pub u32);

/// Number of a result page, from 1 as the API numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct PageNumber(pub u32);

impl PageNumber {
    /// The first page of every result.
    pub const FIRST: Self = Self(1);
}

/// The API's identifier of a query that it runs for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteQueryId(pub Uuid);

impl FromStr for RemoteQueryId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            ParseError::new(
                text,
                "a remote query id",
                "7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f0c",
            )
        })
    }
}

/// The four row counts that must be equal before an object is published, and what is known to be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proof {
    /// Rows that the API declared for the result.
    pub declared: u64,
    /// Sum of the rows that it declared for the pages.
    pub pages: u64,
    /// Rows in the batches that were made of the pages.
    pub batches: u64,
    /// Rows that the finished Parquet footer tells.
    pub footer: u64,
    /// Rows that the practice kept back, of patients who opted out or closed their record; absent where the query
    /// does not count them. Not among the four, nor written with them: they are not in the result.
    #[serde(skip)]
    pub withheld: Option<u64>,
}

/// The four counts differ: the object must not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "row counts differ: the API declared {}, its pages hold {}, {} were converted, {} are in the Parquet footer",
    .0.declared, .0.pages, .0.batches, .0.footer
)]
pub struct ProofError(pub Proof);

impl Proof {
    /// The number of rows, if all four agree.
    ///
    /// # Errors
    /// When any two of the counts differ.
    pub fn rows(self) -> Result<u64, ProofError> {
        if self.declared == self.pages && self.pages == self.batches && self.batches == self.footer
        {
            Ok(self.footer)
        } else {
            Err(ProofError(self))
        }
    }
}

impl fmt::Display for AttemptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RemoteQueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

serde_as_text!(RemoteQueryId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_equal_counts_are_a_proof_and_any_other_is_not() {
        let proof = Proof {
            declared: 3,
            pages: 3,
            batches: 3,
            footer: 3,
            withheld: None,
        };
        assert_eq!(proof.rows(), Ok(3));
        for wrong in [
            Proof {
                declared: 4,
                ..proof
            },
            Proof { pages: 2, ..proof },
            Proof {
                batches: 0,
                ..proof
            },
            Proof { footer: 9, ..proof },
        ] {
            assert_eq!(wrong.rows(), Err(ProofError(wrong)));
        }
    }
}

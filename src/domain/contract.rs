//! The contract of a query: the columns that its result must have, and what may leave the practice.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, SqlType, serde_as_text};

/// How closely a column points at a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Points at one person by itself: name, number, record key. Needs a privacy rule.
    Identifier,
    /// Points at a person together with others: dates, postcode, ethnicity.
    Quasi,
    /// What care found or did.
    Clinical,
    /// How the practice works: status, keys of rows, codes of visits.
    Operational,
}

/// What happens to a column before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Never written.
    Drop,
    /// Keyed hash of kind, site and value, 32 hex digits; equal kinds give equal pseudonyms in every query.
    Pseudonym {
        /// What the value names, for example `patient`.
        kind: String,
    },
    /// A date or time cut to its day.
    Day,
    /// A date or time cut to the first of its month.
    Month,
    /// A date or time cut to its year, as a whole number.
    Year,
    /// Whole years from the date to the window's end, 90 for 90 and older, as a whole number.
    Age,
    /// The first three characters of a postcode.
    Postcode3,
    /// Written as it is, said out loud.
    Keep,
}

/// One column of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name, exactly as the result has it.
    pub name: String,
    /// Type at the practice.
    pub sql_type: SqlType,
    /// Whether a null is allowed.
    pub nullable: bool,
    /// How closely it points at a person.
    pub class: Class,
    /// What happens before writing; `None` writes it as it is.
    pub rule: Option<Rule>,
    /// Whether trailing blanks of text are cut: `char(n)` comes padded.
    pub trim: bool,
    /// Whether a `datetimeoffset` also gets a column `<name>_offset_minutes`.
    pub offset: bool,
    /// What the column means, for the dictionary.
    pub description: Option<String>,
}

/// The columns of a query's result, in order; names are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// At least one column.
    pub columns: Vec<Column>,
}

impl FromStr for Class {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "identifier" => Ok(Self::Identifier),
            "quasi" => Ok(Self::Quasi),
            "clinical" => Ok(Self::Clinical),
            "operational" => Ok(Self::Operational),
            _ => Err(ParseError::new(
                text,
                "one of identifier, quasi, clinical, operational",
                "clinical",
            )),
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identifier => "identifier",
            Self::Quasi => "quasi",
            Self::Clinical => "clinical",
            Self::Operational => "operational",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "drop",
            Self::Pseudonym { kind } => return write!(f, "pseudonym of {kind}"),
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
            Self::Age => "age",
            Self::Postcode3 => "postcode3",
            Self::Keep => "keep",
        })
    }
}

serde_as_text!(Class);

//! Vocabulary: the words of the whole program as types, and nothing that does I/O.
//!
//! Every other module imports from here; this one imports from none of them. Types parse where text
//! enters the program (`FromStr`) and print the same text again (`Display`), so that inside there are
//! no loose strings.

mod attempt;
mod backfill;
mod contract;
mod extraction;
mod failure;
mod lifecycle;
mod object;
mod overrides;
mod planned;
mod practice_name;
mod query;
mod quiet_hours;
mod site;
mod sql_type;
mod standing;
mod state;
mod variant;
mod window;

pub use attempt::{AttemptNumber, PageNumber, Proof, ProofError, RemoteQueryId};
pub use backfill::{BackfillEvent, BackfillId, BackfillState, FailureLimit, Reprocess};
pub use contract::{Class, Column, Contract, Rule};
pub use extraction::Extraction;
pub use failure::{FailureClass, Mender, Retry};
pub use lifecycle::{Refused, SiteEvent, transition};
pub use object::{Gone, ObjectRecord, Sha256};
pub use overrides::SiteOverrides;
pub use planned::{Due, Lane, Planned, Tonight};
pub use practice_name::{SAME_PRACTICE, similarity};
pub use query::{Fingerprint, Mode, Query, QueryId, QueryName, QueryVersion};
pub use quiet_hours::QuietHours;
pub use site::{Environment, HaloGuid, PmsId, PmsType, Site, SiteKey, SiteState};
pub use sql_type::{Length, SqlType};
pub use standing::{Alert, Arrival, Arrivals, Open, Standing, Standings, days_over};
pub use state::{ExtractionState, Step, Waiting};
pub use variant::{Brings, Variant, VariantName};
pub use window::Window;

/// A text that is not what its type asks for: says what was given, what is wanted and an example.
///
/// Used by every `FromStr` of this module, so that a bad value reads the same on the command line, in
/// the config file and in a query header. Carries identifiers only, never row values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {wanted}; write for example `{example}`")]
pub struct ParseError {
    /// The text as it was given.
    pub given: String,
    /// What is wanted, with its article: "a site key (a letter, then …)".
    pub wanted: &'static str,
    /// A value that would be accepted.
    pub example: &'static str,
}

impl ParseError {
    pub(crate) fn new(given: &str, wanted: &'static str, example: &'static str) -> Self {
        Self {
            given: given.to_owned(),
            wanted,
            example,
        }
    }
}

/// Implements serde through `Display` and `FromStr`, the one textual form of a domain type.
macro_rules! serde_as_text {
    ($($type:ty),+ $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;

/// An enum that the ledger stores as text, with an `Unknown` variant so that an older program can still
/// read what a newer one wrote. Prints and serialises as the stored text.
macro_rules! stored_text {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// Written by a newer program; the text as it stands in the ledger.
            Unknown(String),
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Unknown(text.to_owned()),
                }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                })
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(text.as_str()))
            }
        }
    };
}
pub(crate) use stored_text;

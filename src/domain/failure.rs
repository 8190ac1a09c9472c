//! How an attempt can fail: the class, who can mend it, and when to try again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{ParseError, serde_as_text};

/// What kind of thing went wrong. The first nine come from the remote side, the others from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// No answer, or a broken one: connection, time-out, cut body.
    Network,
    /// The subscription key is missing, wrong, or of another environment.
    Auth,
    /// The key may not ask this site: not paired, another GUID is authoritative, address not allowed.
    Forbidden,
    /// The practice's server or agent is off, unreachable or stuck.
    Site,
    /// The practice's database refused or failed the statement.
    Sql,
    /// The result does not fit the query's contract.
    Contract,
    /// The result existed and is no longer held.
    Gone,
    /// A rate limit, quota, size or time limit of the API, or our own budget.
    Limit,
    /// The API itself failed, or answered what its specification does not know.
    Halo,
    /// Object storage or the local disk refused.
    Storage,
    /// A fault of this program.
    Internal,
}

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mender {
    /// Time alone: it is tried again.
    Time,
    /// Whoever runs this program.
    Operator,
    /// The practice, on its own screens.
    Practice,
    /// The API owner's support.
    HaloSupport,
    /// Whoever writes the query.
    QueryAuthor,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// At once, after a short back-off.
    Now,
    /// Not before this much time has passed.
    Later(Duration),
    /// Not until somebody changed something.
    Never,
}

impl FailureClass {
    /// Every class, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Network,
        Self::Auth,
        Self::Forbidden,
        Self::Site,
        Self::Sql,
        Self::Contract,
        Self::Gone,
        Self::Limit,
        Self::Halo,
        Self::Storage,
        Self::Internal,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::Site => "site",
            Self::Sql => "sql",
            Self::Contract => "contract",
            Self::Gone => "gone",
            Self::Limit => "limit",
            Self::Halo => "halo",
            Self::Storage => "storage",
            Self::Internal => "internal",
        }
    }
}

impl FromStr for FailureClass {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == text)
            .ok_or_else(|| ParseError::new(text, "a failure class", "network"))
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Mender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Operator => "the operator",
            Self::Practice => "the practice",
            Self::HaloSupport => "Halo support",
            Self::QueryAuthor => "the query's author",
        })
    }
}

serde_as_text!(FailureClass);

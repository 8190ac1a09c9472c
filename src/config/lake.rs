//! `[lake]`: what is kept in storage, and how.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{Layers, Secret};
use crate::domain::QueryName;

/// What is kept in storage, and how.
#[derive(Debug, Clone)]
pub struct Lake {
    /// How long snapshots are kept.
    pub keep_snapshots: Retention,
    /// Whether new objects are encrypted.
    pub encryption: Encryption,
    /// Where the keys are found that objects are encrypted with, the one to write with first.
    pub encryption_key: Secret,
}

/// Whether objects are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// They are written in clear.
    Off,
    /// They are written with the first key; without one nothing is written.
    On,
}

/// A text that says neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `on` nor `off`")]
pub struct EncryptionError(String);

impl FromStr for Encryption {
    type Err = EncryptionError;

    fn from_str(text: &str) -> Result<Self, EncryptionError> {
        match text {
            "off" => Ok(Self::Off),
            "on" => Ok(Self::On),
            other => Err(EncryptionError(other.to_owned())),
        }
    }
}

/// How many days snapshots are kept, for all queries and for some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    of_all: Option<u32>,
    of_some: BTreeMap<QueryName, Option<u32>>,
}

/// A text that is not a retention.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a retention; write `all`, a number of days such as `400`, and after commas those of some queries: `400, \
     patient 30, roster all`"
)]
pub struct RetentionError(String);

impl Lake {
    pub(super) fn read(layers: &mut Layers) -> Self {
        let keep_snapshots = layers.text("lake.keep_snapshots");
        Self {
            keep_snapshots: keep_snapshots.unwrap_or(Retention {
                of_all: None,
                of_some: BTreeMap::new(),
            }),
            encryption: layers.text("lake.encryption").unwrap_or(Encryption::Off),
            encryption_key: Secret::setting(layers, "lake.encryption_key"),
        }
    }
}

impl Retention {
    /// Days that snapshots of this query are kept; `None` for ever.
    #[must_use]
    pub fn days(&self, query: &QueryName) -> Option<u32> {
        self.of_some.get(query).copied().unwrap_or(self.of_all)
    }
}

impl FromStr for Retention {
    type Err = RetentionError;

    fn from_str(text: &str) -> Result<Self, RetentionError> {
        let wrong = || RetentionError(text.to_owned());
        let mut parts = text.split(',').map(str::trim);
        let of_all = days(parts.next().unwrap_or_default()).ok_or_else(wrong)?;
        let of_some = parts.map(|part| {
            let (query, kept) = part.split_once(char::is_whitespace)?;
            Some((query.parse().ok()?, days(kept.trim())?))
        });
        Ok(Self {
            of_all,
            of_some: of_some.collect::<Option<_>>().ok_or_else(wrong)?,
        })
    }
}

/// `all`, or days from 1; `None` if it is neither.
fn days(text: &str) -> Option<Option<u32>> {
    match text {
        "all" => Some(None),
        text => text.parse().ok().filter(|days| *days > 0).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_queries_may_be_kept_longer_or_shorter_than_the_others() {
        let retention: Retention = "400, patient 30, roster all".parse().expect("a retention");

        let days = |query: &str| retention.days(&query.parse().expect("a name"));
        assert_eq!(days("visit"), Some(400));
        assert_eq!(days("patient"), Some(30));
        assert_eq!(days("roster"), None);
        let all: Retention = "all".parse().expect("a retention");
        assert_eq!(all.days(&"visit".parse().expect("a name")), None);
    }

    #[test]
    fn what_is_no_retention_is_refused_with_an_example() {
        for text in [
            "",
            "0",
            "-3",
            "patient 30",
            "400, patient",
            "400,,",
            "400, Patient 3",
        ] {
            let error = text.parse::<Retention>().expect_err(text);
            assert!(error.to_string().contains("400, patient 30"), "{error}");
        }
    }
}

//! What a failed attempt leaves for whoever asks why: what, why, who can mend it, and the next step, always.

use std::error::Error;

use chrono::{DateTime, Utc};

use crate::convert::ConvertError;
use crate::domain::{Extraction, Mender};
use crate::ledger::Setback;

use super::error::AttemptError;

impl AttemptError {
    /// Who can mend it.
    #[must_use]
    pub fn mender(&self) -> Mender {
        match self {
            Self::Remote(error) => error.mender(),
            Self::Uncounted(error) => error.mender(),
            Self::Convert(ConvertError::Contract(_))
            | Self::Privacy(_)
            | Self::NotACount(_)
            | Self::Edited { .. }
            | Self::NoQuery(_) => Mender::QueryAuthor,
            Self::Convert(ConvertError::Malformed(_))
            | Self::Incomplete(_)
            | Self::OtherRows { .. }
            | Self::BudgetSpent { .. }
            | Self::OutsideHours { .. }
            | Self::Turned { .. }
            | Self::LeftBehind(_)
            | Self::Lost => Mender::Time,
            Self::Storage(_)
            | Self::Ledger(_)
            | Self::NotPaired(_)
            | Self::OtherPractice(_)
            | Self::OtherDatabase(_)
            | Self::WouldEmpty { .. }
            | Self::LostAgain { .. }
            | Self::Internal(_) => Mender::Operator,
        }
    }

    /// What the ledger keeps of it for `why`.
    pub(super) fn setback(&self, extraction: &Extraction, at: DateTime<Utc>) -> Setback {
        let mut what = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            what.push_str(&format!("; caused by: {error}"));
            cause = error.source();
        }
        Setback {
            at,
            class: self.class(),
            who: self.mender().to_string(),
            what,
            why: self.why().map(str::to_owned),
            next: Some(self.next().unwrap_or_else(|| self.usual_next(extraction))),
        }
    }

    /// The next step where the error itself, printed with its message, needs none.
    fn usual_next(&self, extraction: &Extraction) -> String {
        match self {
            Self::Convert(ConvertError::Contract(_)) => format!(
                "see what the practice's server returns (halo-extract query describe {} --site {}) and how many sites have it \
                 (halo-extract status --drift); then add the next version of the query",
                extraction.query, extraction.site
            ),
            Self::Privacy(_) => format!(
                "mend the rule in the next version of {}, then check it: halo-extract query lint",
                extraction.query.name
            ),
            Self::Storage(_) => {
                "see whether the storage can be written: halo-extract doctor".to_owned()
            }
            _ => "if it happens again, report it with the log of --log debug".to_owned(),
        }
    }
}

//! What the ledger holds about an extraction: its state, what it waits for, how far it is.

use std::fmt;

use super::{FailureClass, stored_text};

/// State of an extraction.
///
/// `pending(waiting) → running(step) → succeeded | failed(class) | cancelled`. A retry leads from running
/// back to pending, and an operator may ask for a finished one again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtractionState {
    /// Due, and waiting for this.
    Pending(Waiting),
    /// A worker has it and is at this step.
    Running(Step),
    /// Its object is published and proven.
    Succeeded,
    /// Given up for this reason until somebody asks again.
    Failed(FailureClass),
    /// Called off: by an operator, or because a wider window took its place.
    Cancelled,
    /// Written by a newer program; the text as it stands in the ledger.
    Unknown(String),
}

stored_text! {
    /// What a pending extraction waits for.
    pub enum Waiting {
        /// Only a free worker.
        Worker = "worker",
        /// The end of the site's busy hours.
        QuietHours = "quiet-hours",
        /// The practice's server to come back.
        SiteOffline = "site-offline",
        /// Somebody to activate the site.
        SiteHeld = "site-held",
        /// The site's query budget to be renewed.
        BudgetSpent = "budget-spent",
        /// The API's rate limit to pass.
        RateLimited = "rate-limited",
        /// A pause after a failed attempt.
        BackingOff = "backing-off",
        /// A worker to go on with an attempt that was interrupted.
        Interrupted = "interrupted",
    }
}

stored_text! {
    /// How far the attempt at a running extraction is.
    pub enum Step {
        /// Claimed; nothing was asked of the practice yet.
        Claimed = "claimed",
        /// The query is being posted.
        Submitting = "submitting",
        /// The remote query runs.
        Polling = "polling",
        /// Pages are fetched and converted.
        Fetching = "fetching",
        /// The object is being written to its place.
        Publishing = "publishing",
    }
}

impl ExtractionState {
    /// The state's name without its detail, as a column or a count names it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pending(_) => "pending",
            Self::Running(_) => "running",
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown(text) => text,
        }
    }

    /// What it waits for, which step it is at, or how it failed.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Pending(waiting) => Some(waiting.to_string()),
            Self::Running(step) => Some(step.to_string()),
            Self::Failed(class) => Some(class.to_string()),
            Self::Succeeded | Self::Cancelled | Self::Unknown(_) => None,
        }
    }

    /// The state of this name and detail; what this program does not know becomes `Unknown`.
    #[must_use]
    pub fn from_parts(name: &str, detail: Option<&str>) -> Self {
        let known = match (name, detail) {
            ("pending", Some(waiting)) => Some(Self::Pending(Waiting::from(waiting))),
            ("running", Some(step)) => Some(Self::Running(Step::from(step))),
            ("succeeded", None) => Some(Self::Succeeded),
            ("failed", Some(class)) => class.parse().ok().map(Self::Failed),
            ("cancelled", None) => Some(Self::Cancelled),
            _ => None,
        };
        known.unwrap_or_else(|| {
            Self::Unknown(match detail {
                Some(detail) => format!("{name} ({detail})"),
                None => name.to_owned(),
            })
        })
    }
}

impl fmt::Display for ExtractionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            Some(detail) => write!(f, "{} ({detail})", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl serde::Serialize for ExtractionState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_back_from_its_name_and_detail() {
        let states = [
            ExtractionState::Pending(Waiting::QuietHours),
            ExtractionState::Pending(Waiting::Unknown("moon".to_owned())),
            ExtractionState::Running(Step::Fetching),
            ExtractionState::Succeeded,
            ExtractionState::Failed(FailureClass::Gone),
            ExtractionState::Cancelled,
        ];
        for state in states {
            let read = ExtractionState::from_parts(state.name(), state.detail().as_deref());
            assert_eq!(read, state);
        }
    }

    #[test]
    fn a_state_of_a_newer_program_is_kept_as_text() {
        let read = ExtractionState::from_parts("failed", Some("solar-flare"));
        assert_eq!(
            read,
            ExtractionState::Unknown("failed (solar-flare)".to_owned())
        );
        assert_eq!(read.to_string(), "failed (solar-flare)");
    }
}

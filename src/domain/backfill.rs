//! A backfill: history that is rebuilt unit by unit, and the table of what may be done with it.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text, stored_text};

/// Number of a backfill in its ledger, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct BackfillId(pub u64);

stored_text! {
    /// Where a backfill stands.
    pub enum BackfillState {
        /// Saved, and nothing of it was asked.
        Planned = "planned",
        /// Its units are claimed when there is room.
        Running = "running",
        /// No more of its units are claimed until it is resumed.
        Paused = "paused",
        /// As paused, because more units failed than it may have.
        Stopped = "stopped",
        /// Called off; what it has published stays.
        Cancelled = "cancelled",
        /// Each unit has succeeded or failed.
        Finished = "finished",
    }
}

/// What happens to a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackfillEvent {
    /// An operator starts what was planned.
    Start,
    /// An operator pauses it.
    Pause,
    /// An operator lets a paused or stopped one go on.
    Resume,
    /// An operator calls it off.
    Cancel,
    /// An operator asks for the failed units again.
    Retry,
    /// More units failed than it may have.
    Stop,
    /// No unit is open any more.
    Finish,
}

impl BackfillState {
    /// Every state that this program knows.
    pub const ALL: [Self; 6] = [
        Self::Planned,
        Self::Running,
        Self::Paused,
        Self::Stopped,
        Self::Cancelled,
        Self::Finished,
    ];

    /// The state after `event`; `None` where that makes no sense.
    #[must_use]
    pub fn after(&self, event: BackfillEvent) -> Option<Self> {
        use BackfillEvent::{Cancel, Finish, Pause, Resume, Retry, Start, Stop};
        Some(match (self, event) {
            (Self::Planned, Start) => Self::Running,
            (Self::Running, Pause) => Self::Paused,
            (Self::Paused | Self::Stopped, Resume) => Self::Running,
            (Self::Running | Self::Paused | Self::Stopped | Self::Finished, Retry) => Self::Running,
            (Self::Planned | Self::Running | Self::Paused | Self::Stopped, Cancel) => {
                Self::Cancelled
            }
            (Self::Running, Stop) => Self::Stopped,
            (Self::Running | Self::Stopped, Finish) => Self::Finished,
            _ => return None,
        })
    }
}

/// How many units of a backfill may fail before it stops. Written `5` or `10%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureLimit {
    /// So many; one more stops it.
    Units(u32),
    /// So many in a hundred of its units; more stop it.
    Percent(u8),
}

impl FailureLimit {
    /// Whether `failed` of `units` are more than there may be.
    #[must_use]
    pub fn is_exceeded(self, failed: u64, units: u64) -> bool {
        match self {
            Self::Units(most) => failed > u64::from(most),
            Self::Percent(most) => failed * 100 > u64::from(most) * units,
        }
    }
}

impl FromStr for FailureLimit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let limit = match text.strip_suffix('%') {
            Some(percent) => percent
                .parse()
                .ok()
                .filter(|percent| *percent <= 100)
                .map(Self::Percent),
            None => text.parse().ok().map(Self::Units),
        };
        limit.ok_or_else(|| ParseError::new(text, "a number of units, or a share of them", "10%"))
    }
}

impl fmt::Display for FailureLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(most) => write!(f, "{most}"),
            Self::Percent(most) => write!(f, "{most}%"),
        }
    }
}

/// What a backfill asks beside what is missing. Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reprocess {
    /// Nothing.
    None,
    /// Days of extractions that failed.
    Failed,
    /// Days that an object of an older version of the query covers.
    StaleVersion,
    /// Days whose object stands: they are extracted again in their windows.
    Completed,
}

impl Reprocess {
    /// Every choice, the least first.
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::Failed,
        Self::StaleVersion,
        Self::Completed,
    ];
}

impl FromStr for Reprocess {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.to_string() == text)
            .ok_or_else(|| {
                ParseError::new(
                    text,
                    "none, failed, stale-version or completed",
                    "stale-version",
                )
            })
    }
}

impl fmt::Display for Reprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Failed => "failed",
            Self::StaleVersion => "stale-version",
            Self::Completed => "completed",
        })
    }
}

impl fmt::Display for BackfillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(FailureLimit, Reprocess);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_limit_counts_units_or_a_share_of_them() {
        let limit = |text: &str| text.parse::<FailureLimit>().expect("a limit");

        assert!(!limit("2").is_exceeded(2, 100));
        assert!(limit("2").is_exceeded(3, 100));
        assert!(limit("0").is_exceeded(1, 100));
        assert!(!limit("10%").is_exceeded(2, 20));
        assert!(limit("10%").is_exceeded(3, 20));
        assert!(!limit("100%").is_exceeded(20, 20));
        for text in ["10%", "0", "7"] {
            assert_eq!(limit(text).to_string(), text);
        }
        for bad in ["-1", "101%", "ten", "%", ""] {
            assert!(bad.parse::<FailureLimit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_choice_of_what_to_ask_again_prints_as_it_parses_and_is_ordered() {
        for choice in Reprocess::ALL {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!(Reprocess::None < Reprocess::Failed && Reprocess::Failed < Reprocess::Completed);
    }

    #[test]
    fn what_is_called_off_stays_so_and_what_was_not_started_cannot_be_paused() {
        use BackfillEvent::{Cancel, Finish, Pause, Resume, Retry, Start, Stop};
        for event in [Start, Pause, Resume, Cancel, Retry, Stop, Finish] {
            assert_eq!(BackfillState::Cancelled.after(event), None, "{event:?}");
        }
        assert_eq!(BackfillState::Planned.after(Pause), None);
        assert_eq!(BackfillState::Finished.after(Start), None);
        assert_eq!(
            BackfillState::Stopped.after(Resume),
            Some(BackfillState::Running)
        );
    }
}

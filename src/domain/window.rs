//! A window: the civil dates that an extraction covers.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate};

use super::{ParseError, serde_as_text};

/// A half-open range of civil dates `[start, end)` in the site's own calendar, never empty.
///
/// The practice database keeps local times without zone, so a window has none either. A snapshot of a
/// day is the window of that one day. Written `2026-11-18..2026-11-19`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    start: NaiveDate,
    end: NaiveDate,
}

impl Window {
    /// The window from `start` up to, not including, `end`; `None` if it would be empty.
    #[must_use]
    pub fn new(start: NaiveDate, end: NaiveDate) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The window of one day.
    #[must_use]
    pub fn day(date: NaiveDate) -> Self {
        Self {
            start: date,
            end: date
                .checked_add_days(Days::new(1))
                .unwrap_or(NaiveDate::MAX),
        }
    }

    /// First date covered.
    #[must_use]
    pub fn start(&self) -> NaiveDate {
        self.start
    }

    /// First date after it.
    #[must_use]
    pub fn end(&self) -> NaiveDate {
        self.end
    }

    /// Length in days, at least 1.
    #[must_use]
    pub fn days(&self) -> u64 {
        (self.end - self.start).num_days().unsigned_abs()
    }
}

impl FromStr for Window {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wanted = "a window (first date, two dots, first date after it)";
        let wrong = || ParseError::new(text, wanted, "2026-11-18..2026-11-19");
        let (start, end) = text.split_once("..").ok_or_else(wrong)?;
        let start = NaiveDate::parse_from_str(start, "%Y-%m-%d").map_err(|_| wrong())?;
        let end = NaiveDate::parse_from_str(end, "%Y-%m-%d").map_err(|_| wrong())?;
        Self::new(start, end).ok_or_else(wrong)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

serde_as_text!(Window);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_never_empty() {
        assert!("2026-11-18..2026-11-18".parse::<Window>().is_err());
        assert!("2026-11-19..2026-11-18".parse::<Window>().is_err());
    }

    #[test]
    fn a_window_prints_as_it_parses() {
        let text = "2026-02-28..2026-03-02";
        let window: Window = text.parse().expect("a window");
        assert_eq!(window.to_string(), text);
        assert_eq!(window.days(), 2);
    }
}

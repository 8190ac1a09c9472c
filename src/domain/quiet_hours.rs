//! Quiet hours: when a practice lends us its server, in its own local time.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveTime;

use super::{ParseError, serde_as_text};

/// A daily span of local time in which extraction may run, `20:00-06:00`. Half-open: it ends before `end`.
///
/// One that ends before it begins goes over midnight; one whose ends are equal is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuietHours {
    start: NaiveTime,
    end: NaiveTime,
}

impl QuietHours {
    /// The whole day.
    pub const ALWAYS: Self = Self {
        start: NaiveTime::MIN,
        end: NaiveTime::MIN,
    };

    /// The local time at which they begin.
    #[must_use]
    pub fn start(self) -> NaiveTime {
        self.start
    }

    /// The first local time after them.
    #[must_use]
    pub fn end(self) -> NaiveTime {
        self.end
    }

    /// Whether extraction may run at this local time.
    #[must_use]
    pub fn contains(self, time: NaiveTime) -> bool {
        if self.start < self.end {
            self.start <= time && time < self.end
        } else {
            self.start <= time || time < self.end
        }
    }
}

impl FromStr for QuietHours {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let time = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").ok();
        text.split_once('-')
            .and_then(|(start, end)| time(start).zip(time(end)))
            .map(|(start, end)| Self { start, end })
            .ok_or_else(|| {
                ParseError::new(text, "quiet hours (local times from and to)", "20:00-06:00")
            })
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}",
            self.start.format("%H:%M"),
            self.end.format("%H:%M")
        )
    }
}

serde_as_text!(QuietHours);

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(hours: &str, time: &str) -> bool {
        let hours: QuietHours = hours.parse().expect("quiet hours");
        hours.contains(time.parse().expect("a time"))
    }

    #[test]
    fn hours_over_midnight_hold_evening_and_morning() {
        assert!(contains("20:00-06:00", "20:00:00"));
        assert!(contains("20:00-06:00", "00:00:00"));
        assert!(contains("20:00-06:00", "05:59:59"));
        assert!(!contains("20:00-06:00", "06:00:00"));
        assert!(!contains("20:00-06:00", "19:59:59"));
    }

    #[test]
    fn hours_within_a_day_end_before_their_end() {
        assert!(contains("01:00-05:00", "01:00:00"));
        assert!(!contains("01:00-05:00", "05:00:00"));
        assert!(!contains("01:00-05:00", "00:59:59"));
    }

    #[test]
    fn equal_ends_are_the_whole_day() {
        assert!(contains("00:00-00:00", "12:00:00"));
        assert!(contains("07:00-07:00", "06:59:59"));
        assert_eq!(QuietHours::ALWAYS.to_string(), "00:00-00:00");
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for text in ["20:00-06:00", "00:00-00:00", "01:30-05:15"] {
            assert_eq!(
                text.parse::<QuietHours>().expect("quiet hours").to_string(),
                text
            );
        }
        for bad in ["", "20:00", "20-6", "25:00-06:00", "20:00-06:60"] {
            assert!(bad.parse::<QuietHours>().is_err(), "{bad}");
        }
    }
}

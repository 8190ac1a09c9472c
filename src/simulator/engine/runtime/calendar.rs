//! The civil calendar as ticks: 100 nanoseconds since 0001-01-01 00:00, the resolution of `datetime2(7)`.
//!
//! `date`, `smalldatetime`, `datetime` and `datetime2` are all stored so, which makes comparing them, and
//! converting between them, a matter of rounding. `time` is ticks since midnight.

use crate::{SqlError, SqlType};

pub(crate) const SECOND: i64 = 10_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
/// Days from 0001-01-01 to 1900-01-01, SQL Server's day zero.
pub(crate) const DAY_ZERO: i64 = 693_595;
/// Days from 0001-01-01 to 10000-01-01, one past the last day.
const END_OF_DAYS: i64 = 3_652_059;

/// A date and time taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    /// Ticks since midnight.
    pub(crate) time: i64,
}

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 0001-01-01 of a date that exists; `None` for one that does not.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let exists = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    exists.then(|| {
        // Counting years from March puts the leap day last.
        let shifted = if month > 2 { year } else { year - 1 };
        let from_march = (month + 9) % 12;
        shifted * 365 + shifted / 4 - shifted / 100
            + shifted / 400
            + (from_march * 306 + 5) / 10
            + day
            - 307
    })
}

pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 306;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

pub(crate) fn take_apart(ticks: i64) -> Civil {
    let (year, month, day) = civil_from_days(ticks.div_euclid(DAY));
    Civil {
        year,
        month,
        day,
        time: ticks.rem_euclid(DAY),
    }
}

/// Rounds ticks to what the type can hold and checks its range.
///
/// # Errors
/// `None` when the moment is outside the type's range.
pub(crate) fn round_to(ticks: i64, to: SqlType) -> Option<i64> {
    let rounded = match to {
        SqlType::Date => ticks.div_euclid(DAY) * DAY,
        SqlType::SmallDateTime => nearest(ticks, MINUTE),
        SqlType::DateTime => to_three_hundredths(ticks),
        SqlType::DateTime2(digits) | SqlType::DateTimeOffset(digits) | SqlType::Time(digits) => {
            nearest(ticks, 10i64.pow(7 - u32::from(digits)))
        }
        _ => ticks,
    };
    let (first, end) = match to {
        SqlType::DateTime => (639_905, END_OF_DAYS),
        SqlType::SmallDateTime => (DAY_ZERO, DAY_ZERO + 65_536),
        SqlType::Time(_) => return Some(rounded.rem_euclid(DAY)),
        _ => (0, END_OF_DAYS),
    };
    (first * DAY..end * DAY)
        .contains(&rounded)
        .then_some(rounded)
}

fn nearest(ticks: i64, unit: i64) -> i64 {
    (ticks + unit / 2).div_euclid(unit) * unit
}

/// `datetime` counts three-hundredths of a second and shows them as .000, .003 and .007.
fn to_three_hundredths(ticks: i64) -> i64 {
    let (seconds, rest) = (ticks.div_euclid(SECOND), ticks.rem_euclid(SECOND));
    let three_hundredths = (rest * 300 + SECOND / 2) / SECOND;
    let milliseconds = (three_hundredths * 10 + 1) / 3;
    seconds * SECOND + milliseconds * (SECOND / 1000)
}

/// A part of a date that DATEADD, DATEDIFF and DATEPART know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Quarter,
    Month,
    DayOfYear,
    Day,
    Week,
    IsoWeek,
    Weekday,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    OffsetMinutes,
}

impl Part {
    const ALL: [Self; 15] = [
        Self::Year,
        Self::Quarter,
        Self::Month,
        Self::DayOfYear,
        Self::Day,
        Self::Week,
        Self::IsoWeek,
        Self::Weekday,
        Self::Hour,
        Self::Minute,
        Self::Second,
        Self::Millisecond,
        Self::Microsecond,
        Self::Nanosecond,
        Self::OffsetMinutes,
    ];

    /// The number that stands for the part in translated statements: its place in the list.
    pub(crate) fn code(self) -> i64 {
        self as i64
    }

    /// The part that a code stands for; `None` for a number that is no code.
    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" | "yy" | "yyyy" => Self::Year,
            "quarter" | "qq" | "q" => Self::Quarter,
            "month" | "mm" | "m" => Self::Month,
            "dayofyear" | "dy" | "y" => Self::DayOfYear,
            "day" | "dd" | "d" => Self::Day,
            "week" | "wk" | "ww" => Self::Week,
            "iso_week" | "isowk" | "isoww" => Self::IsoWeek,
            "weekday" | "dw" | "w" => Self::Weekday,
            "hour" | "hh" => Self::Hour,
            "minute" | "mi" | "n" => Self::Minute,
            "second" | "ss" | "s" => Self::Second,
            "millisecond" | "ms" => Self::Millisecond,
            "microsecond" | "mcs" => Self::Microsecond,
            "nanosecond" | "ns" => Self::Nanosecond,
            "tzoffset" | "tz" => Self::OffsetMinutes,
            _ => return None,
        })
    }

    /// Ticks of a part of fixed length; nanoseconds are below a tick and have none.
    fn ticks(self) -> Option<i64> {
        Some(match self {
            Self::DayOfYear | Self::Day | Self::Weekday => DAY,
            Self::Week => 7 * DAY,
            Self::Hour => HOUR,
            Self::Minute => MINUTE,
            Self::Second => SECOND,
            Self::Millisecond => SECOND / 1000,
            Self::Microsecond => SECOND / 1_000_000,
            _ => return None,
        })
    }

    fn months(self) -> Option<i64> {
        Some(match self {
            Self::Year => 12,
            Self::Quarter => 3,
            Self::Month => 1,
            _ => return None,
        })
    }
}

/// DATEADD; `None` when the result leaves the calendar.
pub(crate) fn add(part: Part, count: i64, ticks: i64) -> Option<i64> {
    if let Some(months) = part.months() {
        return add_months(ticks, count.checked_mul(months)?);
    }
    if part == Part::Nanosecond {
        return ticks.checked_add(count.checked_add(50)?.div_euclid(100));
    }
    ticks.checked_add(count.checked_mul(part.ticks()?)?)
}

fn add_months(ticks: i64, months: i64) -> Option<i64> {
    let civil = take_apart(ticks);
    let total = (civil.year * 12 + civil.month - 1).checked_add(months)?;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let day = civil.day.min(days_in_month(year, month));
    Some(days_from_civil(year, month, day)? * DAY + civil.time)
}

/// DATEDIFF: how many boundaries of the part lie between; `None` for a part that has no difference.
pub(crate) fn difference(part: Part, from: i64, to: i64) -> Option<i64> {
    let (a, b) = (take_apart(from), take_apart(to));
    Some(match part {
        Part::Year => b.year - a.year,
        Part::Quarter => (b.year * 4 + (b.month - 1) / 3) - (a.year * 4 + (a.month - 1) / 3),
        Part::Month => (b.year * 12 + b.month) - (a.year * 12 + a.month),
        // Weeks begin on Sunday whatever DATEFIRST says; 0001-01-01 was a Monday.
        Part::Week => sunday_weeks(to) - sunday_weeks(from),
        Part::Nanosecond => to.checked_sub(from)?.checked_mul(100)?,
        part => to.div_euclid(part.ticks()?) - from.div_euclid(part.ticks()?),
    })
}

fn sunday_weeks(ticks: i64) -> i64 {
    (ticks.div_euclid(DAY) + 1).div_euclid(7)
}

/// DATEPART without an offset; DATEFIRST is 7 (Sunday), the US English default.
pub(crate) fn part_of(part: Part, ticks: i64) -> i64 {
    let civil = take_apart(ticks);
    let days = ticks.div_euclid(DAY);
    let fraction = civil.time % SECOND;
    match part {
        Part::Year => civil.year,
        Part::Quarter => (civil.month - 1) / 3 + 1,
        Part::Month => civil.month,
        Part::Day => civil.day,
        Part::DayOfYear => day_of_year(civil.year, days),
        Part::Weekday => (days + 1).rem_euclid(7) + 1,
        Part::Week => {
            let first_weekday = (days - day_of_year(civil.year, days) + 1 + 1).rem_euclid(7);
            (day_of_year(civil.year, days) + first_weekday - 1) / 7 + 1
        }
        Part::IsoWeek => iso_week(days),
        Part::Hour => civil.time / HOUR,
        Part::Minute => civil.time / MINUTE % 60,
        Part::Second => civil.time / SECOND % 60,
        Part::Millisecond => fraction / (SECOND / 1000),
        Part::Microsecond => fraction / 10,
        Part::Nanosecond => fraction * 100,
        Part::OffsetMinutes => 0,
    }
}

fn day_of_year(year: i64, days: i64) -> i64 {
    days - days_from_civil(year, 1, 1).expect("the year comes from a date") + 1
}

/// The week that holds the year's first Thursday is week 1.
fn iso_week(days: i64) -> i64 {
    let thursday = days - days.rem_euclid(7) + 3;
    let (year, _, _) = civil_from_days(thursday);
    (day_of_year(year, thursday) - 1) / 7 + 1
}

/// The error SQL Server raises when DATEADD or DATEDIFF leaves the calendar.
pub(crate) fn out_of_calendar(sql_type: SqlType) -> SqlError {
    SqlError::new(
        517,
        format!(
            "Adding a value to a '{}' column caused an overflow.",
            sql_type.name()
        ),
    )
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

//! The proleptic Gregorian calendar in whole numbers: from a civil date to a count of days, without tables.

/// Days from 1970-01-01 to the date; `None` if there is no such day in the years 1 to 9999.
///
/// Years are counted from March, so that the leap day is the last of its year and months need no table.
#[inline]
pub(super) fn days_from_civil(year: u32, month: u32, day: u32) -> Option<i32> {
    if year == 0 || year > 9999 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    if day > 28 && day > days_of_month(year, month) {
        return None;
    }
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1;
    Some(days as i32 - DAYS_BEFORE_1970)
}

/// Days from 0000-03-01, where the count above starts, to 1970-01-01.
const DAYS_BEFORE_1970: i32 = 719_468;

fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds since midnight; `None` if no clock shows that. There are no leap seconds in SQL Server.
#[inline]
pub(super) fn seconds_of_day(hour: u32, minute: u32, second: u32) -> Option<u32> {
    (hour < 24 && minute < 60 && second < 60).then(|| hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_agrees_with_chrono() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day");
        let mut date = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
        while date.year() <= 9999 {
            let days = days_from_civil(date.year() as u32, date.month(), date.day());
            assert_eq!(days, Some((date - epoch).num_days() as i32), "{date}");
            date = date.succ_opt().expect("chrono goes on");
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for year in [0, 1, 1900, 1999, 2000, 2024, 9999, 10_000] {
            for month in 0..=13 {
                for day in [0, 28, 29, 30, 31, 32] {
                    let exists = year > 0
                        && year < 10_000
                        && NaiveDate::from_ymd_opt(year as i32, month, day).is_some();
                    let days = days_from_civil(year, month, day);
                    assert_eq!(days.is_some(), exists, "{year}-{month}-{day}");
                }
            }
        }
    }
}

//! DATEADD and its kin as SQLite functions over ticks.

use rusqlite::types::Value as Stored;

use super::calendar::{self, DAY, HOUR, MINUTE, Part, SECOND};
use super::{Answer, Arguments, Function, format, offset, unexpected};
use crate::{SqlError, SqlType};

pub(super) const LIST: &[(&str, i32, Function)] = &[
    ("t_dateadd", 4, add),
    ("t_datediff", 4, difference),
    ("t_datepart", 2, part_of),
    ("t_datename", 2, name_of),
    ("t_eomonth", 2, end_of_month),
    ("t_datefromparts", 3, from_parts),
    ("t_datetimefromparts", 8, moment_from_parts),
    ("t_timefromparts", 5, time_from_parts),
    ("t_local", 1, local),
    ("t_offset", 1, |a| Ok(Stored::Integer(decoded(a)?.1))),
    ("t_with_offset", 2, with_offset),
    ("t_switch_offset", 2, switch_offset),
    ("t_format_date", 2, format_date),
];

/// `t_dateadd(part, count, ticks, type)`.
fn add(a: &Arguments<'_, '_>) -> Answer {
    let sql_type = a.sql_type(3)?;
    let moved = calendar::add(a.part(0)?, a.integer(1)?, a.integer(2)?);
    let moved = moved.and_then(|ticks| calendar::round_to(ticks, sql_type));
    moved
        .map(Stored::Integer)
        .ok_or_else(|| calendar::out_of_calendar(sql_type))
}

/// `t_datediff(part, from, to, big)`: DATEDIFF is an int, DATEDIFF_BIG a bigint.
fn difference(a: &Arguments<'_, '_>) -> Answer {
    let overflow = || {
        SqlError::new(
            535,
            "The datediff function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use datediff with a less precise datepart.",
        )
    };
    let count =
        calendar::difference(a.part(0)?, a.integer(1)?, a.integer(2)?).ok_or_else(overflow)?;
    if a.integer(3)? == 0 && i32::try_from(count).is_err() {
        return Err(overflow());
    }
    Ok(Stored::Integer(count))
}

fn part_of(a: &Arguments<'_, '_>) -> Answer {
    Ok(Stored::Integer(calendar::part_of(
        a.part(0)?,
        a.integer(1)?,
    )))
}

fn name_of(a: &Arguments<'_, '_>) -> Answer {
    let part = a.part(0)?;
    let number = calendar::part_of(part, a.integer(1)?);
    let at = usize::try_from(number - 1).unwrap_or(0);
    Ok(Stored::Text(match part {
        Part::Month => calendar::MONTHS[at].to_owned(),
        Part::Weekday => calendar::WEEKDAYS[at].to_owned(),
        _ => number.to_string(),
    }))
}

/// `t_eomonth(ticks, months)`.
fn end_of_month(a: &Arguments<'_, '_>) -> Answer {
    let moved = calendar::add(Part::Month, a.integer(1)?, a.integer(0)?);
    let civil =
        calendar::take_apart(moved.ok_or_else(|| calendar::out_of_calendar(SqlType::Date))?);
    let last = calendar::days_in_month(civil.year, civil.month);
    let days =
        calendar::days_from_civil(civil.year, civil.month, last).expect("the last day exists");
    Ok(Stored::Integer(days * DAY))
}

fn from_parts(a: &Arguments<'_, '_>) -> Answer {
    let days = calendar::days_from_civil(a.integer(0)?, a.integer(1)?, a.integer(2)?);
    days.map(|days| Stored::Integer(days * DAY))
        .ok_or_else(|| no_such("date"))
}

fn no_such(sql_type: &str) -> SqlError {
    SqlError::new(
        289,
        format!(
            "Cannot construct data type {sql_type}, some of the arguments have values which are not valid."
        ),
    )
}

/// `t_datetimefromparts(y, m, d, h, mi, s, ticks of fraction, type)`.
fn moment_from_parts(a: &Arguments<'_, '_>) -> Answer {
    let sql_type = a.sql_type(7)?;
    let days = calendar::days_from_civil(a.integer(0)?, a.integer(1)?, a.integer(2)?);
    let time = clock(a.integer(3)?, a.integer(4)?, a.integer(5)?, a.integer(6)?);
    let ticks = days
        .zip(time)
        .and_then(|(days, time)| calendar::round_to(days * DAY + time, sql_type));
    ticks
        .map(Stored::Integer)
        .ok_or_else(|| no_such(sql_type.name()))
}

/// `t_timefromparts(h, mi, s, ticks of fraction, type)`.
fn time_from_parts(a: &Arguments<'_, '_>) -> Answer {
    let time = clock(a.integer(0)?, a.integer(1)?, a.integer(2)?, a.integer(3)?);
    time.map(Stored::Integer).ok_or_else(|| no_such("time"))
}

fn clock(hour: i64, minute: i64, second: i64, fraction: i64) -> Option<i64> {
    let exists = (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (0..SECOND).contains(&fraction);
    exists.then_some(hour * HOUR + minute * MINUTE + second * SECOND + fraction)
}

fn decoded(a: &Arguments<'_, '_>) -> Result<(i64, i64), SqlError> {
    offset::decode(a.bytes(0)?).ok_or_else(|| unexpected(0))
}

fn local(a: &Arguments<'_, '_>) -> Answer {
    Ok(Stored::Integer(decoded(a)?.0))
}

/// `t_with_offset(local ticks, minutes)`.
fn with_offset(a: &Arguments<'_, '_>) -> Answer {
    let bytes = offset::encode(a.integer(0)?, a.integer(1)?);
    bytes
        .map(|bytes| Stored::Blob(bytes.to_vec()))
        .ok_or_else(|| no_such("datetimeoffset"))
}

/// `t_switch_offset(value, minutes)`: the same instant at another offset.
fn switch_offset(a: &Arguments<'_, '_>) -> Answer {
    let ((local, minutes), wanted) = (decoded(a)?, a.integer(1)?);
    let bytes = offset::encode(local + (wanted - minutes) * MINUTE, wanted);
    bytes
        .map(|bytes| Stored::Blob(bytes.to_vec()))
        .ok_or_else(|| no_such("datetimeoffset"))
}

fn format_date(a: &Arguments<'_, '_>) -> Answer {
    let text = format::date(a.integer(0)?, a.text(1)?);
    text.map(Stored::Text)
        .ok_or_else(|| SqlError::unsupported("FORMAT"))
}

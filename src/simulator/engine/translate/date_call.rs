//! Date functions: which type they give, and which parts a type has.

use chrono::{Datelike, Duration, NaiveDateTime, Timelike};
use sqlparser::ast::Expr;

use super::function::{any_nullable, arity, exactly, values};
use super::scope::{Scope, Typed};
use super::{Translator, implicit};
use crate::runtime::calendar::{self, DAY, Part};
use crate::{SqlError, SqlType};

/// Functions whose first argument is the name of a part of a date.
pub(super) fn takes_part(name: &str) -> bool {
    matches!(
        name,
        "dateadd" | "datediff" | "datediff_big" | "datepart" | "datename"
    )
}

impl Translator<'_> {
    pub(super) fn date_part_call(
        &mut self,
        name: &str,
        arguments: &[&Expr],
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let (first, rest) = arguments.split_first().ok_or_else(|| arity(name, "2"))?;
        let word = first.to_string();
        let part = Part::parse(&word).ok_or_else(|| {
            SqlError::new(155, format!("'{word}' is not a recognized {name} option."))
        })?;
        let mut values = Vec::new();
        for argument in rest {
            values.push(self.value(argument, scope)?);
        }
        match name {
            "dateadd" => add(part, &word, values),
            "datediff" | "datediff_big" => difference(name, part, &word, values),
            _ => part_of(name, part, &word, values),
        }
    }

    pub(super) fn date_call(
        &mut self,
        name: &str,
        arguments: Vec<Typed>,
    ) -> Result<Typed, SqlError> {
        match name {
            "year" | "month" | "day" => {
                let part = Part::parse(name).expect("a part of that name");
                part_of("datepart", part, name, arguments)
            }
            "eomonth" => end_of_month(arguments),
            "datefromparts" => from_parts(name, arguments, SqlType::Date),
            "datetimefromparts" => from_parts(name, arguments, SqlType::DateTime),
            "smalldatetimefromparts" => from_parts(name, arguments, SqlType::SmallDateTime),
            "datetime2fromparts" => from_fraction(name, arguments),
            "timefromparts" => from_fraction(name, arguments),
            "switchoffset" | "todatetimeoffset" => offset_call(name, arguments),
            _ => self.clock_call(name, &arguments),
        }
    }

    /// GETDATE and its kin: the practice's clock as it stood when the command came.
    fn clock_call(&mut self, name: &str, arguments: &[Typed]) -> Result<Typed, SqlError> {
        let [] = exactly(name, &arguments.iter().collect::<Vec<_>>())?;
        let local = self.now.local;
        let utc = local - Duration::minutes(i64::from(self.now.offset_minutes));
        let (moment, sql_type) = match name {
            "getutcdate" => (utc, SqlType::DateTime),
            "sysutcdatetime" => (utc, SqlType::DateTime2(7)),
            "sysdatetime" => (local, SqlType::DateTime2(7)),
            "sysdatetimeoffset" => {
                let sql = format!(
                    "t_with_offset({}, {})",
                    ticks(local),
                    self.now.offset_minutes
                );
                return Ok(Typed::new(sql, SqlType::DateTimeOffset(7), false));
            }
            _ => (local, SqlType::DateTime),
        };
        let rounded = calendar::round_to(ticks(moment), sql_type);
        let rounded = rounded.ok_or_else(|| calendar::out_of_calendar(sql_type))?;
        Ok(Typed::new(rounded.to_string(), sql_type, false))
    }

    pub(super) fn at_time_zone(
        &mut self,
        timestamp: &Expr,
        zone: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        self.value(timestamp, scope)?;
        self.value(zone, scope)?;
        Err(SqlError::unsupported("AT TIME ZONE"))
    }
}

/// A civil time of the outside world as ticks.
pub(crate) fn ticks(moment: NaiveDateTime) -> i64 {
    let days = i64::from(moment.num_days_from_ce()) - 1;
    let seconds = i64::from(moment.num_seconds_from_midnight());
    // A leap second counts as the last moment of its minute.
    let nanoseconds = i64::from(moment.nanosecond().min(999_999_999));
    days * DAY + seconds * calendar::SECOND + nanoseconds / 100
}

/// Text and numbers given as a date become `datetime`, or what the function prefers for text.
fn as_moment(value: Typed, text_becomes: SqlType) -> Result<Typed, SqlError> {
    match value.sql_type {
        t if t.is_temporal() => Ok(value),
        t if t.is_text() => implicit(value, text_becomes),
        _ => implicit(value, SqlType::DateTime),
    }
}

fn refuse_part(part: Part, word: &str, function: &str, sql_type: SqlType) -> Result<(), SqlError> {
    let of_time = matches!(
        part,
        Part::Hour
            | Part::Minute
            | Part::Second
            | Part::Millisecond
            | Part::Microsecond
            | Part::Nanosecond
    );
    let absent = match sql_type {
        SqlType::Date => of_time,
        SqlType::Time(_) => !of_time,
        SqlType::DateTimeOffset(_) | SqlType::DateTime2(_) => false,
        _ => false,
    };
    if absent || (part == Part::OffsetMinutes && !matches!(sql_type, SqlType::DateTimeOffset(_))) {
        return Err(SqlError::new(
            9810,
            format!(
                "The datepart {word} is not supported by date function {function} for data type {}.",
                sql_type.name()
            ),
        ));
    }
    Ok(())
}

fn add(part: Part, word: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [count, moment] = values("dateadd", arguments)?;
    let moment = as_moment(moment, SqlType::DateTime)?;
    let sql_type = moment.sql_type;
    refuse_part(part, word, "dateadd", sql_type)?;
    if matches!(part, Part::IsoWeek | Part::OffsetMinutes) {
        return Err(SqlError::new(
            9806,
            format!("The datepart {word} is not supported by date function dateadd."),
        ));
    }
    let count = implicit(count, SqlType::BigInt)?;
    let sql = match sql_type {
        SqlType::DateTimeOffset(digits) => {
            let local = format!("t_local({})", moment.sql);
            let moved = dateadd_call(part, &count.sql, &local, SqlType::DateTime2(digits));
            format!("t_with_offset({moved}, t_offset({}))", moment.sql)
        }
        t => dateadd_call(part, &count.sql, &moment.sql, t),
    };
    Ok(Typed::new(sql, sql_type, nullable))
}

/// DATEADD on stored values, into a civil type.
pub(super) fn dateadd_call(part: Part, count: &str, moment: &str, sql_type: SqlType) -> String {
    format!(
        "t_dateadd({}, {count}, {moment}, {})",
        part.code(),
        sql_type.code()
    )
}

fn difference(
    name: &str,
    part: Part,
    word: &str,
    arguments: Vec<Typed>,
) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [from, to] = values(name, arguments)?;
    if matches!(part, Part::Weekday | Part::IsoWeek | Part::OffsetMinutes) && part != Part::Weekday
    {
        return Err(SqlError::new(
            9806,
            format!("The datepart {word} is not supported by date function {name}."),
        ));
    }
    let (from, to) = (utc_ticks(from)?, utc_ticks(to)?);
    let big = name == "datediff_big";
    let sql = format!(
        "t_datediff({}, {from}, {to}, {})",
        part.code(),
        u8::from(big)
    );
    Ok(Typed::new(
        sql,
        if big { SqlType::BigInt } else { SqlType::Int },
        nullable,
    ))
}

/// Differences between offsets are differences between instants.
fn utc_ticks(value: Typed) -> Result<String, SqlError> {
    let moment = as_moment(value, SqlType::DateTime2(7))?;
    Ok(match moment.sql_type {
        SqlType::DateTimeOffset(_) => format!("t_local(t_switch_offset({}, 0))", moment.sql),
        // A time counts from 1900-01-01, so that it can meet a datetime.
        SqlType::Time(_) => format!("({} + {})", moment.sql, calendar::DAY_ZERO * DAY),
        _ => moment.sql,
    })
}

fn part_of(name: &str, part: Part, word: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [moment] = values(name, arguments)?;
    let moment = as_moment(moment, SqlType::DateTime2(7))?;
    refuse_part(part, word, name, moment.sql_type)?;
    let is_offset = matches!(moment.sql_type, SqlType::DateTimeOffset(_));
    if part == Part::OffsetMinutes && name == "datepart" {
        return Ok(Typed::new(
            format!("t_offset({})", moment.sql),
            SqlType::Int,
            moment.nullable,
        ));
    }
    let ticks = if is_offset {
        format!("t_local({})", moment.sql)
    } else {
        moment.sql
    };
    let sql_type = if name == "datepart" {
        SqlType::Int
    } else {
        SqlType::NVarChar(Some(30))
    };
    Ok(Typed::new(
        format!("t_{name}({}, {ticks})", part.code()),
        sql_type,
        moment.nullable,
    ))
}

fn end_of_month(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let mut arguments = arguments.into_iter();
    let moment = arguments.next().ok_or_else(|| arity("eomonth", "1 or 2"))?;
    let months = arguments.next().map_or_else(
        || Ok(Typed::integer(0)),
        |months| implicit(months, SqlType::Int),
    )?;
    let nullable = moment.nullable || months.nullable;
    let date = implicit(as_moment(moment, SqlType::DateTime2(7))?, SqlType::Date)?;
    Ok(Typed::new(
        format!("t_eomonth({}, {})", date.sql, months.sql),
        SqlType::Date,
        nullable,
    ))
}

fn integers(arguments: Vec<Typed>) -> Result<Vec<String>, SqlError> {
    arguments
        .into_iter()
        .map(|value| implicit(value, SqlType::Int).map(|value| value.sql))
        .collect()
}

fn from_parts(name: &str, arguments: Vec<Typed>, sql_type: SqlType) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let wanted = match sql_type {
        SqlType::Date => 3,
        SqlType::SmallDateTime => 5,
        _ => 7,
    };
    if arguments.len() != wanted {
        return Err(arity(name, &wanted.to_string()));
    }
    let parts = integers(arguments)?;
    let sql = match (sql_type, &parts[..]) {
        (SqlType::Date, _) => format!("t_datefromparts({})", parts.join(", ")),
        (SqlType::DateTime, [rest @ .., milliseconds]) => {
            format!(
                "t_datetimefromparts({}, {milliseconds} * 10000, {})",
                rest.join(", "),
                sql_type.code()
            )
        }
        _ => format!(
            "t_datetimefromparts({}, 0, 0, {})",
            parts.join(", "),
            sql_type.code()
        ),
    };
    Ok(Typed::new(sql, sql_type, nullable))
}

/// DATETIME2FROMPARTS and TIMEFROMPARTS end in a fraction and how many digits it has.
fn from_fraction(name: &str, mut arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let wanted = if name == "timefromparts" { 5 } else { 8 };
    if arguments.len() != wanted {
        return Err(arity(name, &wanted.to_string()));
    }
    let nullable = any_nullable(&arguments);
    let precision = arguments.pop().expect("counted");
    let super::scope::Constant::Integer(digits @ 0..=7) = precision.constant else {
        return Err(SqlError::new(
            10760,
            "Scale argument is not valid. Valid expressions for data type datetime2 scale argument are integer constants and integer constant expressions.",
        ));
    };
    let digits = u8::try_from(digits).expect("at most seven");
    let unit = 10i64.pow(7 - u32::from(digits));
    let mut parts = integers(arguments)?;
    let fraction = parts.pop().expect("counted");
    let (function, sql_type) = if name == "timefromparts" {
        ("t_timefromparts", SqlType::Time(digits))
    } else {
        ("t_datetimefromparts", SqlType::DateTime2(digits))
    };
    let sql = format!(
        "{function}({}, {fraction} * {unit}, {})",
        parts.join(", "),
        sql_type.code()
    );
    Ok(Typed::new(sql, sql_type, nullable))
}

/// Offsets as minutes or as a constant such as `'+10:00'`.
fn offset_call(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [moment, offset] = values(name, arguments)?;
    let minutes = if offset.sql_type.is_text() {
        let text = super::text_call::constant_text(&offset)?;
        offset_minutes(&text)
            .ok_or_else(|| {
                SqlError::new(
                    9812,
                    format!("The timezone provided to builtin function {name} is invalid."),
                )
            })?
            .to_string()
    } else {
        implicit(offset, SqlType::Int)?.sql
    };
    if name == "switchoffset" {
        let moment = implicit(moment, SqlType::DateTimeOffset(7))?;
        return Ok(Typed::new(
            format!("t_switch_offset({}, {minutes})", moment.sql),
            moment.sql_type,
            nullable,
        ));
    }
    let local = implicit(
        as_moment(moment, SqlType::DateTime2(7))?,
        SqlType::DateTime2(7),
    )?;
    Ok(Typed::new(
        format!("t_with_offset({}, {minutes})", local.sql),
        SqlType::DateTimeOffset(7),
        nullable,
    ))
}

fn offset_minutes(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

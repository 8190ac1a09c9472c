//! Dates and times as text: reading every form SQL Server takes without a style, writing the styled forms.

use super::calendar::{self, DAY, DAY_ZERO, HOUR, MINUTE, MONTHS, SECOND};
use super::digits::{pair, write as digits};
use crate::SqlType;

/// What a text said: a date, a time of day, both; and an offset if it named one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Days since 0001-01-01; `None` when the text had a time only.
    pub(crate) days: Option<i64>,
    /// Ticks since midnight.
    pub(crate) time: i64,
    /// Minutes east of UTC, when named.
    pub(crate) offset: Option<i64>,
}

impl Moment {
    /// Ticks since 0001-01-01; a text without date means 1900-01-01.
    pub(crate) fn ticks(self) -> i64 {
        self.days.unwrap_or(DAY_ZERO) * DAY + self.time
    }
}

/// Why a text is no moment: no form that is known, or a known form with a day or hour that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Form,
    Range,
}

/// Reads a text; `style` decides between day and month first, as CONVERT's third argument does.
pub(crate) fn parse(text: &str, style: Option<i64>) -> Result<Moment, Unreadable> {
    let text = text.trim_matches(' ');
    // No form has a letter beyond ASCII, and what follows cuts by bytes.
    if !text.is_ascii() {
        return Err(Unreadable::Form);
    }
    if text.is_empty() {
        return Ok(Moment {
            days: None,
            time: 0,
            offset: None,
        });
    }
    let (text, offset) = split_offset(text)?;
    let (date, time) = split_time(text);
    let days = if date.is_empty() {
        None
    } else {
        Some(parse_date(date, style)?)
    };
    let time = if time.is_empty() {
        0
    } else {
        parse_time(time)?
    };
    Ok(Moment { days, time, offset })
}

fn split_offset(text: &str) -> Result<(&str, Option<i64>), Unreadable> {
    if let Some(rest) = text.strip_suffix(['Z', 'z'])
        && rest.contains(':')
    {
        return Ok((rest, Some(0)));
    }
    let Some(at) = text
        .rfind(['+', '-'])
        .filter(|at| text[..*at].contains(':'))
    else {
        return Ok((text, None));
    };
    let (hours, minutes) = text[at + 1..].split_once(':').ok_or(Unreadable::Form)?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 14 || minutes > 59 || hours * 60 + minutes > 840 {
        return Err(Unreadable::Range);
    }
    let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
    Ok((text[..at].trim_end(), Some(sign * (hours * 60 + minutes))))
}

/// The time begins at the word that holds the first colon, or at `T`, or at a lone hour with AM or PM.
fn split_time(text: &str) -> (&str, &str) {
    if let Some(at) = text.find(['T', 't'])
        && at >= 8
        && text[..at]
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        return (&text[..at], &text[at + 1..]);
    }
    let Some(colon) = text.find(':') else {
        return (text, "");
    };
    match text[..colon].rfind(' ') {
        Some(blank) => (text[..blank].trim_end(), &text[blank + 1..]),
        None => ("", text),
    }
}

fn number(text: &str) -> Result<i64, Unreadable> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        text.parse().map_err(|_| Unreadable::Form)
    } else {
        Err(Unreadable::Form)
    }
}

fn parse_time(text: &str) -> Result<i64, Unreadable> {
    let upper = text.trim_end().to_ascii_uppercase();
    let (clock, afternoon) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(false)),
        (_, Some(clock)) => (clock.trim_end(), Some(true)),
        _ => (upper.as_str(), None),
    };
    let mut parts = clock.splitn(3, ':');
    let hour = number(parts.next().ok_or(Unreadable::Form)?)?;
    let minute = number(parts.next().ok_or(Unreadable::Form)?)?;
    let second = parts.next().map_or(Ok(0), parse_seconds)?;
    let hour = match afternoon {
        Some(_) if !(1..=12).contains(&hour) => return Err(Unreadable::Range),
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
        None => hour,
    };
    if hour > 23 || minute > 59 || second >= MINUTE {
        return Err(Unreadable::Range);
    }
    Ok(hour * HOUR + minute * MINUTE + second)
}

fn parse_seconds(text: &str) -> Result<i64, Unreadable> {
    // Milliseconds may stand behind a colon too: 12:30:05:123.
    if let Some((seconds, thousandths)) = text.split_once(':') {
        return Ok(number(seconds)? * SECOND + number(thousandths)? * (SECOND / 1000));
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return Err(Unreadable::Form);
    }
    let digits = fraction.len().min(7);
    let ticks =
        number(&fraction[..digits])? * 10i64.pow(u32::try_from(7 - digits).expect("at most 7"));
    number(&fraction[digits..]).or(if digits == fraction.len() {
        Ok(0)
    } else {
        Err(Unreadable::Form)
    })?;
    Ok(number(seconds)? * SECOND + ticks)
}

fn parse_date(text: &str, style: Option<i64>) -> Result<i64, Unreadable> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            8 => date(
                number(&text[..4])?,
                number(&text[4..6])?,
                number(&text[6..])?,
            ),
            6 => date(
                century(number(&text[..2])?),
                number(&text[2..4])?,
                number(&text[4..])?,
            ),
            4 => date(number(text)?, 1, 1),
            _ => Err(Unreadable::Form),
        };
    }
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return worded_date(text);
    }
    let mut parts = text.split(['-', '/', '.']);
    let (Some(a), Some(b), Some(c), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Unreadable::Form);
    };
    if a.len() == 4 {
        return date(number(a)?, number(b)?, number(c)?);
    }
    let year = year_of(c)?;
    match style {
        Some(3 | 4 | 5 | 103 | 104 | 105 | 131) => date(year, number(b)?, number(a)?),
        _ => date(year, number(a)?, number(b)?),
    }
}

/// `29 Feb 1980`, `Feb 29, 1980`, `29-Feb-1980`: a month by name, in any place.
fn worded_date(text: &str) -> Result<i64, Unreadable> {
    let words: Vec<&str> = text
        .split([' ', ',', '-', '/'])
        .filter(|word| !word.is_empty())
        .collect();
    let [a, b, c] = words[..] else {
        return Err(Unreadable::Form);
    };
    if let Some(month) = month_named(a) {
        return date(year_of(c)?, month, number(b)?);
    }
    let month = month_named(b).ok_or(Unreadable::Form)?;
    if a.len() == 4 {
        date(number(a)?, month, number(c)?)
    } else {
        date(year_of(c)?, month, number(a)?)
    }
}

fn month_named(word: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|month| {
        month.eq_ignore_ascii_case(word)
            || (word.len() == 3 && month[..3].eq_ignore_ascii_case(word))
    })?;
    i64::try_from(at + 1).ok()
}

fn year_of(text: &str) -> Result<i64, Unreadable> {
    match text.len() {
        4 => number(text),
        2 => number(text).map(century),
        _ => Err(Unreadable::Form),
    }
}

/// Two-digit years turn over after 2049, the server's default.
fn century(year: i64) -> i64 {
    if year <= 49 { 2000 + year } else { 1900 + year }
}

fn date(year: i64, month: i64, day: i64) -> Result<i64, Unreadable> {
    calendar::days_from_civil(year, month, day).ok_or(Unreadable::Range)
}

/// `YYYY-MM-DD`.
pub(crate) fn date_text(days: i64) -> [u8; 10] {
    let (year, month, day) = calendar::civil_from_days(days);
    let ([a, b], [c, d]) = (pair(year / 100), pair(year));
    let ([e, f], [g, h]) = (pair(month), pair(day));
    [a, b, c, d, b'-', e, f, b'-', g, h]
}

/// `HH:MM:SS`.
pub(crate) fn time_text(time: i64) -> [u8; 8] {
    let seconds = time / SECOND;
    let ([a, b], [c, d]) = (pair(seconds / 3600), pair(seconds / 60 % 60));
    let [e, f] = pair(seconds % 60);
    [a, b, b':', c, d, b':', e, f]
}

/// Appends `HH:MM:SS` and, when `fraction` is not zero, so many decimals.
pub(crate) fn write_time(out: &mut Vec<u8>, time: i64, fraction: u8) {
    out.extend_from_slice(&time_text(time));
    if fraction > 0 {
        out.push(b'.');
        let unit = 10i64.pow(7 - u32::from(fraction));
        digits(out, time % SECOND / unit, usize::from(fraction));
    }
}

/// Appends a fraction without trailing zeros, or nothing when it is zero: the form of the wire.
pub(crate) fn write_short_fraction(out: &mut Vec<u8>, time: i64) {
    let mut fraction = time % SECOND;
    if fraction == 0 {
        return;
    }
    let mut width = 7;
    while fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    out.push(b'.');
    digits(out, fraction, width);
}

/// Appends `+10:00`.
pub(crate) fn write_offset(out: &mut Vec<u8>, minutes: i64) {
    out.push(if minutes < 0 { b'-' } else { b'+' });
    digits(out, minutes.abs() / 60, 2);
    out.push(b':');
    digits(out, minutes.abs() % 60, 2);
}

/// The text of a moment of type `from` under a CONVERT style; `None` for a style the engine does not know.
pub(crate) fn format(ticks: i64, from: SqlType, style: Option<i64>) -> Option<String> {
    let default = match from {
        SqlType::DateTime | SqlType::SmallDateTime => 0,
        _ => 121,
    };
    let style = style.unwrap_or(default);
    let shape = shape_of(style)?;
    let mut out = Vec::with_capacity(34);
    let has_date = !matches!(from, SqlType::Time(_));
    let has_time = from != SqlType::Date;
    if has_date && let Some(write) = shape.date {
        write(&mut out, calendar::take_apart(ticks));
    }
    if has_time && let Some(time) = shape.time {
        if has_date && shape.date.is_some() {
            out.extend_from_slice(shape.between.as_bytes());
        }
        write_clock(&mut out, ticks.rem_euclid(DAY), time, from);
    }
    String::from_utf8(out).ok()
}

type WriteDate = fn(&mut Vec<u8>, calendar::Civil);

/// The time half of a style.
#[derive(Clone, Copy)]
enum Clock {
    /// `HH:MM` in twelve hours with AM or PM, hour padded by a blank.
    Short,
    /// The same with seconds and milliseconds after colons.
    ShortWithMilliseconds,
    /// `HH:MM:SS`.
    Seconds,
    /// `HH:MM:SS:mmm`.
    ColonMilliseconds,
    /// `HH:MM:SS.` with the digits of the type.
    Fraction,
    /// As `Fraction`, but nothing at all when the fraction is zero and the type is `datetime`.
    IsoFraction,
}

struct Shape {
    date: Option<WriteDate>,
    between: &'static str,
    time: Option<Clock>,
}

fn shape_of(style: i64) -> Option<Shape> {
    let only_date = |date: WriteDate| {
        Some(Shape {
            date: Some(date),
            between: "",
            time: None,
        })
    };
    let both = |date: WriteDate, between, time| {
        Some(Shape {
            date: Some(date),
            between,
            time: Some(time),
        })
    };
    match style {
        0 | 100 => both(month_day_year_worded, " ", Clock::Short),
        9 | 109 => both(month_day_year_worded, " ", Clock::ShortWithMilliseconds),
        13 | 113 => both(
            |out, c| day_month_year_worded(out, c, true),
            " ",
            Clock::ColonMilliseconds,
        ),
        1 => {
            only_date(|out, c| separated(out, [(c.month, 2), (c.day, 2), (c.year % 100, 2)], b'/'))
        }
        101 => only_date(|out, c| separated(out, [(c.month, 2), (c.day, 2), (c.year, 4)], b'/')),
        2 => {
            only_date(|out, c| separated(out, [(c.year % 100, 2), (c.month, 2), (c.day, 2)], b'.'))
        }
        102 => only_date(|out, c| separated(out, [(c.year, 4), (c.month, 2), (c.day, 2)], b'.')),
        3 => {
            only_date(|out, c| separated(out, [(c.day, 2), (c.month, 2), (c.year % 100, 2)], b'/'))
        }
        103 => only_date(|out, c| separated(out, [(c.day, 2), (c.month, 2), (c.year, 4)], b'/')),
        4 => {
            only_date(|out, c| separated(out, [(c.day, 2), (c.month, 2), (c.year % 100, 2)], b'.'))
        }
        104 => only_date(|out, c| separated(out, [(c.day, 2), (c.month, 2), (c.year, 4)], b'.')),
        5 => {
            only_date(|out, c| separated(out, [(c.day, 2), (c.month, 2), (c.year % 100, 2)], b'-'))
        }
        105 => only_date(|out, c| separated(out, [(c.day, 2), (c.month, 2), (c.year, 4)], b'-')),
        6 => only_date(|out, c| day_month_year_worded(out, c, false)),
        106 => only_date(|out, c| day_month_year_worded(out, c, true)),
        107 => only_date(|out, c| {
            month_day(out, c);
            out.extend_from_slice(b", ");
            digits(out, c.year, 4);
        }),
        8 | 24 | 108 => Some(Shape {
            date: None,
            between: "",
            time: Some(Clock::Seconds),
        }),
        14 | 114 => Some(Shape {
            date: None,
            between: "",
            time: Some(Clock::ColonMilliseconds),
        }),
        10 => {
            only_date(|out, c| separated(out, [(c.month, 2), (c.day, 2), (c.year % 100, 2)], b'-'))
        }
        110 => only_date(|out, c| separated(out, [(c.month, 2), (c.day, 2), (c.year, 4)], b'-')),
        11 => {
            only_date(|out, c| separated(out, [(c.year % 100, 2), (c.month, 2), (c.day, 2)], b'/'))
        }
        111 => only_date(|out, c| separated(out, [(c.year, 4), (c.month, 2), (c.day, 2)], b'/')),
        12 => only_date(|out, c| compact(out, [(c.year % 100, 2), (c.month, 2), (c.day, 2)])),
        112 => only_date(|out, c| compact(out, [(c.year, 4), (c.month, 2), (c.day, 2)])),
        20 | 120 => both(iso_date, " ", Clock::Seconds),
        21 | 25 | 121 => both(iso_date, " ", Clock::Fraction),
        23 => only_date(iso_date),
        126 | 127 => both(iso_date, "T", Clock::IsoFraction),
        _ => None,
    }
}

fn iso_date(out: &mut Vec<u8>, civil: calendar::Civil) {
    separated(
        out,
        [(civil.year, 4), (civil.month, 2), (civil.day, 2)],
        b'-',
    );
}

/// Numbers with their widths.
fn separated(out: &mut Vec<u8>, numbers: [(i64, usize); 3], separator: u8) {
    for (at, (number, width)) in numbers.into_iter().enumerate() {
        if at > 0 {
            out.push(separator);
        }
        digits(out, number, width);
    }
}

fn compact(out: &mut Vec<u8>, numbers: [(i64, usize); 3]) {
    for (number, width) in numbers {
        digits(out, number, width);
    }
}

fn short_month(civil: calendar::Civil) -> &'static [u8] {
    let at = usize::try_from(civil.month - 1).expect("months count from one");
    &MONTHS[at].as_bytes()[..3]
}

fn month_day(out: &mut Vec<u8>, civil: calendar::Civil) {
    out.extend_from_slice(short_month(civil));
    out.push(b' ');
    digits(out, civil.day, 2);
}

fn month_day_year_worded(out: &mut Vec<u8>, civil: calendar::Civil) {
    out.extend_from_slice(short_month(civil));
    out.push(b' ');
    padded(out, civil.day);
    out.push(b' ');
    digits(out, civil.year, 4);
}

fn day_month_year_worded(out: &mut Vec<u8>, civil: calendar::Civil, full_year: bool) {
    digits(out, civil.day, 2);
    out.push(b' ');
    out.extend_from_slice(short_month(civil));
    out.push(b' ');
    if full_year {
        digits(out, civil.year, 4);
    } else {
        digits(out, civil.year % 100, 2);
    }
}

fn padded(out: &mut Vec<u8>, number: i64) {
    if number < 10 {
        out.push(b' ');
    }
    digits(out, number, 1);
}

fn write_clock(out: &mut Vec<u8>, time: i64, clock: Clock, from: SqlType) {
    let milliseconds = time % SECOND / (SECOND / 1000);
    match clock {
        Clock::Short | Clock::ShortWithMilliseconds => {
            let hour = time / HOUR % 12;
            padded(out, if hour == 0 { 12 } else { hour });
            out.push(b':');
            digits(out, time / MINUTE % 60, 2);
            if matches!(clock, Clock::ShortWithMilliseconds) {
                out.push(b':');
                digits(out, time / SECOND % 60, 2);
                out.push(b':');
                digits(out, milliseconds, 3);
            }
            out.extend_from_slice(if time >= 12 * HOUR { b"PM" } else { b"AM" });
        }
        Clock::Seconds => write_time(out, time, 0),
        Clock::ColonMilliseconds => {
            write_time(out, time, 0);
            out.push(b':');
            digits(out, milliseconds, 3);
        }
        Clock::Fraction => write_time(out, time, shown_digits(from)),
        Clock::IsoFraction if time % SECOND == 0 && from.fraction_digits() <= 3 => {
            write_time(out, time, 0)
        }
        Clock::IsoFraction => write_time(out, time, from.fraction_digits()),
    }
}

/// `smalldatetime` shows milliseconds in style 121 although it has none.
fn shown_digits(from: SqlType) -> u8 {
    if from == SqlType::SmallDateTime {
        3
    } else {
        from.fraction_digits()
    }
}

//! date, time, smalldatetime, datetime and datetime2: the practice's own clock, which has no zone.
//!
//! The common spelling is recognised eight bytes at a time: the separators are compared by one mask, all
//! digits are checked and joined to pairs at once. A spelling that is not recognised is read byte by byte.

use arrow::datatypes::{Date32Type, Time64MicrosecondType, TimestampMicrosecondType};

use super::calendar::{days_from_civil, seconds_of_day};
use super::error::Reason;
use super::fixed::Form;
use super::json::Value;
use super::words::{POWERS_OF_TEN, leading_digits, not_digits, word8};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// `date`: days since 1970-01-01. Also accepted as a date-time at midnight.
pub(super) struct Dates;

/// `time`: microseconds since midnight.
pub(super) struct Times;

/// The types with date and time: microseconds since 1970-01-01 00:00 on the practice's clock.
///
/// A date alone is its midnight.
pub(super) struct LocalMoments;

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Days since 1970-01-01.
    pub(super) days: i32,
    /// Microseconds since midnight.
    pub(super) micros: i64,
}

impl Moment {
    /// Microseconds since 1970-01-01 00:00.
    #[inline]
    pub(super) fn timestamp(self) -> i64 {
        i64::from(self.days) * MICROS_PER_DAY + self.micros
    }
}

impl Form for Dates {
    type Type = Date32Type;

    #[inline]
    fn plain(&self, rest: &[u8]) -> Option<(i32, usize)> {
        let bytes = rest.first_chunk::<12>()?;
        let days = plain_date(word8(&bytes[1..]), [bytes[9], bytes[10]])?;
        if bytes[0] != b'"' {
            None
        } else if bytes[11] == b'"' {
            Some((days, 12))
        } else {
            rest[11..].starts_with(b"T00:00:00\"").then_some((days, 21))
        }
    }

    fn read(&self, value: &Value<'_>) -> Result<i32, Reason> {
        let (moment, zone) = date_and_time(spelled(value)?)?;
        match zone {
            [] if moment.micros == 0 => Ok(moment.days),
            [] => Err(Reason::NotMidnight),
            zone => Err(trailing(zone)),
        }
    }
}

impl Form for Times {
    type Type = Time64MicrosecondType;

    #[inline]
    fn plain(&self, rest: &[u8]) -> Option<(i64, usize)> {
        let bytes = rest.first_chunk::<10>()?;
        let seconds = plain_time(word8(&bytes[1..]))?;
        let (micros, length) = plain_fraction(rest, 9)?;
        let closed = bytes[0] == b'"' && rest.get(length) == Some(&b'"');
        closed.then_some((i64::from(seconds) * MICROS_PER_SECOND + micros, length + 1))
    }

    fn read(&self, value: &Value<'_>) -> Result<i64, Reason> {
        match time_of_day(spelled(value)?)? {
            (micros, []) => Ok(micros),
            (_, zone) => Err(trailing(zone)),
        }
    }
}

impl Form for LocalMoments {
    type Type = TimestampMicrosecondType;

    #[inline]
    fn plain(&self, rest: &[u8]) -> Option<(i64, usize)> {
        let (moment, length) = plain_moment(rest)?;
        (rest.get(length) == Some(&b'"')).then_some((moment.timestamp(), length + 1))
    }

    fn read(&self, value: &Value<'_>) -> Result<i64, Reason> {
        match date_and_time(spelled(value)?)? {
            (moment, []) => Ok(moment.timestamp()),
            (_, zone) => Err(trailing(zone)),
        }
    }
}

/// The moment of `"YYYY-MM-DDTHH:MM:SS` with or without a fraction, and its length with the opening quote.
#[inline]
pub(super) fn plain_moment(rest: &[u8]) -> Option<(Moment, usize)> {
    let bytes = rest.first_chunk::<20>()?;
    if bytes[0] != b'"' || bytes[11] != b'T' {
        return None;
    }
    let days = plain_date(word8(&bytes[1..]), [bytes[9], bytes[10]])?;
    let seconds = plain_time(word8(&bytes[12..]))?;
    let (micros, length) = plain_fraction(rest, 20)?;
    let micros = i64::from(seconds) * MICROS_PER_SECOND + micros;
    Some((Moment { days, micros }, length))
}

/// The days of `YYYY-MM-` and two bytes more, `DD`.
#[inline]
fn plain_date(word: u64, day: [u8; 2]) -> Option<i32> {
    let pairs = pairs_between(word, *b"0000-00-", 0xFF00_00FF_0000_0000)?;
    let [tens, ones] = day.map(|digit| u32::from(digit ^ b'0'));
    if tens > 9 || ones > 9 {
        return None;
    }
    let year = pair(pairs, 0) * 100 + pair(pairs, 2);
    days_from_civil(year, pair(pairs, 5), tens * 10 + ones)
}

/// The seconds of `HH:MM:SS`.
#[inline]
fn plain_time(word: u64) -> Option<u32> {
    let pairs = pairs_between(word, *b"00:00:00", 0x0000_FF00_00FF_0000)?;
    seconds_of_day(pair(pairs, 0), pair(pairs, 3), pair(pairs, 6))
}

/// All neighbouring bytes of `word` as two-digit numbers, if it is digits where `pattern` has `0`, and
/// otherwise, under `marks`, exactly the pattern.
#[inline]
fn pairs_between(word: u64, pattern: [u8; 8], marks: u64) -> Option<u64> {
    let digits = word ^ u64::from_le_bytes(pattern);
    if digits & marks != 0 || not_digits(digits) != 0 {
        return None;
    }
    Some(digits * 10 + (digits >> 8))
}

/// The two-digit number that begins at byte `at`.
#[inline]
fn pair(pairs: u64, at: u32) -> u32 {
    (pairs >> (8 * at)) as u32 & 0xFF
}

/// The microseconds of a fraction that may begin at `at`, and where it ends.
#[inline]
fn plain_fraction(rest: &[u8], at: usize) -> Option<(i64, usize)> {
    if rest.get(at) != Some(&b'.') {
        return Some((0, at));
    }
    let (fraction, places) = leading_digits(&rest[at + 1..]);
    let micros = match places {
        1..=6 => fraction * POWERS_OF_TEN[6 - places],
        7 if fraction.is_multiple_of(10) => fraction / 10,
        _ => return None,
    };
    Some((micros as i64, at + 1 + places))
}

/// The characters that spell a date or time.
pub(super) fn spelled<'a>(value: &'a Value<'_>) -> Result<&'a [u8], Reason> {
    match value {
        Value::Text(text) => Ok(text.as_bytes()),
        _ => Err(Reason::Unreadable),
    }
}

/// What stands behind a time of day: a zone, or something that is no time at all.
fn trailing(rest: &[u8]) -> Reason {
    match zone(rest) {
        Ok(_) => Reason::Zone,
        Err(_) => Reason::Unreadable,
    }
}

/// Reads `YYYY-MM-DD`, alone or followed by `T` or a blank and a time; gives what is left.
pub(super) fn date_and_time(text: &[u8]) -> Result<(Moment, &[u8]), Reason> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(after_mark(rest, b'-')?, 2)?;
    let (day, rest) = number(after_mark(rest, b'-')?, 2)?;
    let days = days_from_civil(year, month, day).ok_or(Reason::OutOfRange)?;
    match rest {
        [b'T' | b' ', rest @ ..] => {
            let (micros, rest) = time_of_day(rest)?;
            Ok((Moment { days, micros }, rest))
        }
        rest => Ok((Moment { days, micros: 0 }, rest)),
    }
}

/// Reads `HH:MM:SS` with a fraction of up to seven digits; gives what is left.
fn time_of_day(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(after_mark(rest, b':')?, 2)?;
    let (second, rest) = number(after_mark(rest, b':')?, 2)?;
    let seconds = seconds_of_day(hour, minute, second).ok_or(Reason::OutOfRange)?;
    let (micros, rest) = fraction(rest)?;
    Ok((i64::from(seconds) * MICROS_PER_SECOND + micros, rest))
}

/// Reads `.` and one to seven digits, if there is a point.
///
/// The seventh digit is a tenth of a microsecond: kept would need nanoseconds, which reach from 1677 to
/// 2262 only; cut would lose what the practice recorded. So it must be zero.
fn fraction(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Ok((0, text));
    };
    let places = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=7).contains(&places) {
        return Err(Reason::Unreadable);
    }
    let (fraction, rest) = number(digits, places)?;
    let tenths = i64::from(fraction) * 10_i64.pow(7 - places as u32);
    if tenths % 10 != 0 {
        return Err(Reason::TooFine);
    }
    Ok((tenths / 10, rest))
}

/// Reads a zone, `Z` or `+HH:MM` or `-HH:MM` up to 14 hours, to the end of `text`: minutes east of UTC.
pub(super) fn zone(text: &[u8]) -> Result<i16, Reason> {
    let (sign, rest) = match text {
        [] => return Err(Reason::NoZone),
        [b'Z'] => return Ok(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(Reason::Unreadable),
    };
    let (hours, rest) = number(rest, 2)?;
    let (minutes, rest) = number(after_mark(rest, b':')?, 2)?;
    if !rest.is_empty() {
        return Err(Reason::Unreadable);
    }
    let total = hours * 60 + minutes;
    if minutes > 59 || total > 14 * 60 {
        return Err(Reason::OutOfRange);
    }
    Ok(sign * total as i16)
}

/// Reads a number of exactly `places` digits.
fn number(text: &[u8], places: usize) -> Result<(u32, &[u8]), Reason> {
    let (digits, rest) = text.split_at_checked(places).ok_or(Reason::Unreadable)?;
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Reason::Unreadable);
        }
        number = number * 10 + u32::from(digit - b'0');
    }
    Ok((number, rest))
}

fn after_mark(text: &[u8], mark: u8) -> Result<&[u8], Reason> {
    match text {
        [byte, rest @ ..] if *byte == mark => Ok(rest),
        _ => Err(Reason::Unreadable),
    }
}

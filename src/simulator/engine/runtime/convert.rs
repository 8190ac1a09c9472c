//! CAST and CONVERT: a stored value of one type becomes a stored value of another.
//!
//! Rules and error numbers are those of "CAST and CONVERT (Transact-SQL)": assignment rounds decimals and cuts
//! decimals to integers, text that is too long is cut by CAST and refused on the way into a column.

use rusqlite::types::{Value as Stored, ValueRef};

use super::moment::{self, Unreadable};
use super::{calendar, decimal, offset};
use crate::{SqlError, SqlType};

/// One conversion, fixed when the statement is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conversion {
    pub(crate) from: SqlType,
    pub(crate) to: SqlType,
    pub(crate) style: Option<i64>,
    /// TRY_CAST and TRY_CONVERT: NULL instead of an error.
    pub(crate) lenient: bool,
}

impl Conversion {
    pub(crate) fn new(from: SqlType, to: SqlType) -> Self {
        Self {
            from,
            to,
            style: None,
            lenient: false,
        }
    }

    /// The call that converts a translated value. What it passes besides the value are numbers, which cost next to
    /// nothing to read for every row.
    pub(crate) fn call(self, value: &str) -> String {
        let (from, to) = (self.from.code(), self.to.code());
        match (self.style, self.lenient) {
            (None, false) => format!("t_convert({value}, {from}, {to})"),
            (None, true) => format!("t_try_convert({value}, {from}, {to})"),
            (Some(style), false) => format!("t_convert({value}, {from}, {to}, {style})"),
            (Some(style), true) => format!("t_try_convert({value}, {from}, {to}, {style})"),
        }
    }

    /// # Errors
    /// The conversion error of SQL Server, unless lenient.
    pub(crate) fn apply(self, value: ValueRef<'_>) -> Result<Stored, SqlError> {
        if matches!(value, ValueRef::Null) {
            return Ok(Stored::Null);
        }
        match self.convert(value) {
            Err(_) if self.lenient => Ok(Stored::Null),
            other => other,
        }
    }

    fn convert(self, value: ValueRef<'_>) -> Result<Stored, SqlError> {
        match value {
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(|_| broken())?;
                self.of_text(text)
            }
            ValueRef::Integer(number) if self.from.is_temporal() => self.of_civil(number),
            ValueRef::Integer(number) => self.of_integer(number),
            ValueRef::Real(number) => self.of_float(number),
            ValueRef::Blob(bytes) if self.from.is_decimal() => {
                self.of_decimal(decimal::decode(bytes).ok_or_else(broken)?)
            }
            ValueRef::Blob(bytes) if matches!(self.from, SqlType::DateTimeOffset(_)) => {
                let (local, minutes) = offset::decode(bytes).ok_or_else(broken)?;
                self.of_offset(local, minutes)
            }
            ValueRef::Blob(bytes) => self.of_binary(bytes),
            ValueRef::Null => Ok(Stored::Null),
        }
    }

    fn of_text(self, text: &str) -> Result<Stored, SqlError> {
        let to = self.to;
        if to.is_text() {
            return Ok(Stored::Text(fit_text(text.to_owned(), to)));
        }
        if to == SqlType::Bit {
            return self.text_to_bit(text);
        }
        if to.is_integer() {
            let number = text_to_integer(text).ok_or_else(|| self.failed(text))?;
            return integer_in_range(number, to)
                .ok_or_else(|| self.text_overflow(text))
                .map(Stored::Integer);
        }
        if to.is_decimal() {
            return self.text_to_decimal(text);
        }
        if to.is_float() {
            let number = text.trim_matches(' ');
            let parsed = if number.is_empty() {
                Ok(0.0)
            } else {
                number.parse::<f64>()
            };
            let parsed = parsed.ok().filter(|number| number.is_finite());
            return parsed
                .map(|number| float(number, to))
                .ok_or_else(|| self.not_numeric());
        }
        if to == SqlType::UniqueIdentifier {
            let guid = guid_of(text);
            return guid
                .map(Stored::Text)
                .ok_or_else(|| SqlError::new(8169, "Conversion failed when converting from a character string to uniqueidentifier."));
        }
        if to.is_binary() {
            return self.text_to_binary(text);
        }
        self.text_to_moment(text)
    }

    fn text_to_bit(self, text: &str) -> Result<Stored, SqlError> {
        match text.trim_matches(' ').to_ascii_lowercase().as_str() {
            "true" => Ok(Stored::Integer(1)),
            "false" | "" => Ok(Stored::Integer(0)),
            other => {
                let number = text_to_integer(other).ok_or_else(|| self.failed(text))?;
                Ok(Stored::Integer(i64::from(number != 0)))
            }
        }
    }

    fn text_to_decimal(self, text: &str) -> Result<Stored, SqlError> {
        let (precision, scale) = self.to.as_decimal().expect("asked for a decimal type");
        let is_money = !matches!(self.to, SqlType::Decimal(..));
        let cleaned: String = if is_money {
            text.chars().filter(|c| !matches!(c, ',' | '$')).collect()
        } else {
            text.to_owned()
        };
        let blank = cleaned.trim_matches(' ').is_empty();
        let number = if blank && is_money {
            Some(0)
        } else {
            decimal::parse(&cleaned, scale)
        };
        let number = number.ok_or_else(|| self.not_numeric())?;
        self.decimal_in_range(number, precision)
    }

    fn text_to_binary(self, text: &str) -> Result<Stored, SqlError> {
        let bytes = match self.style {
            Some(1) => text
                .strip_prefix("0x")
                .or(text.strip_prefix("0X"))
                .and_then(unhex),
            Some(2) => unhex(text),
            _ if self.from.is_national() => {
                Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
            _ => Some(
                text.chars()
                    .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                    .collect(),
            ),
        };
        let bytes = bytes.ok_or_else(|| self.not_numeric())?;
        Ok(Stored::Blob(fit_binary(bytes, self.to)))
    }

    fn text_to_moment(self, text: &str) -> Result<Stored, SqlError> {
        let moment = moment::parse(text, self.style).map_err(|reason| self.moment_error(reason))?;
        let old_type = matches!(self.to, SqlType::DateTime | SqlType::SmallDateTime);
        if moment.offset.is_some() && old_type && !matches!(self.style, Some(127)) {
            return Err(self.moment_error(Unreadable::Form));
        }
        let stored = match self.to {
            SqlType::Time(_) => calendar::round_to(moment.time, self.to).map(Stored::Integer),
            SqlType::DateTimeOffset(_) => calendar::round_to(moment.ticks(), self.to)
                .and_then(|ticks| offset::encode(ticks, moment.offset.unwrap_or(0)))
                .map(|bytes| Stored::Blob(bytes.to_vec())),
            to => calendar::round_to(moment.ticks(), to).map(Stored::Integer),
        };
        stored.ok_or_else(|| self.moment_error(Unreadable::Range))
    }

    fn of_integer(self, number: i64) -> Result<Stored, SqlError> {
        let to = self.to;
        if to == SqlType::Bit {
            return Ok(Stored::Integer(i64::from(number != 0)));
        }
        if to.is_integer() {
            return integer_in_range(i128::from(number), to)
                .ok_or_else(|| self.integer_overflow(number))
                .map(Stored::Integer);
        }
        if let Some((precision, scale)) = to.as_decimal() {
            let scaled =
                decimal::rescale(i128::from(number), 0, scale).ok_or_else(|| self.overflow())?;
            return self.decimal_in_range(scaled, precision);
        }
        if to.is_float() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "that is what casting an integer to float does"
            )]
            return Ok(float(number as f64, to));
        }
        if to.is_text() {
            return self.number_to_text(number.to_string());
        }
        if matches!(to, SqlType::DateTime | SqlType::SmallDateTime) {
            let ticks = number
                .checked_add(calendar::DAY_ZERO)
                .and_then(|days| days.checked_mul(calendar::DAY));
            let ticks = ticks.and_then(|ticks| calendar::round_to(ticks, to));
            return ticks.map(Stored::Integer).ok_or_else(|| self.overflow());
        }
        if to.is_binary() {
            let bytes = match self.from {
                SqlType::BigInt => number.to_be_bytes().to_vec(),
                SqlType::SmallInt => number.to_be_bytes()[6..].to_vec(),
                SqlType::TinyInt | SqlType::Bit => number.to_be_bytes()[7..].to_vec(),
                _ => number.to_be_bytes()[4..].to_vec(),
            };
            return Ok(Stored::Blob(fit_number(bytes, to)));
        }
        Err(self.not_allowed())
    }

    fn of_float(self, number: f64) -> Result<Stored, SqlError> {
        let to = self.to;
        if to == SqlType::Bit {
            return Ok(Stored::Integer(i64::from(number != 0.0)));
        }
        if to.is_integer() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the range is checked right after"
            )]
            let whole = number.trunc() as i128;
            return integer_in_range(whole, to)
                .ok_or_else(|| self.integer_overflow(number))
                .map(Stored::Integer);
        }
        if let Some((precision, scale)) = to.as_decimal() {
            let scaled = decimal::from_f64(number, scale).ok_or_else(|| self.overflow())?;
            return self.decimal_in_range(scaled, precision);
        }
        if to.is_float() {
            return Ok(float(number, to));
        }
        if to.is_text() {
            return self.number_to_text(float_text(number, self.style));
        }
        Err(self.not_allowed())
    }

    fn of_decimal(self, number: i128) -> Result<Stored, SqlError> {
        let (_, scale) = self.from.as_decimal().expect("the value is a decimal");
        let to = self.to;
        if to == SqlType::Bit {
            return Ok(Stored::Integer(i64::from(number != 0)));
        }
        if to.is_integer() {
            let divisor = decimal::power_of_ten(u32::from(scale)).expect("a scale is at most 38");
            // Money rounds on its way to an integer where decimal is cut.
            let whole = if matches!(self.from, SqlType::Decimal(..)) {
                Some(number / divisor)
            } else {
                decimal::rescale(number, scale, 0)
            };
            let whole = whole.and_then(|whole| integer_in_range(whole, to));
            return whole.map(Stored::Integer).ok_or_else(|| self.overflow());
        }
        if let Some((precision, target)) = to.as_decimal() {
            let scaled = decimal::rescale(number, scale, target).ok_or_else(|| self.overflow())?;
            return self.decimal_in_range(scaled, precision);
        }
        if to.is_float() {
            return Ok(float(decimal::to_f64(number, scale), to));
        }
        if to.is_text() {
            // Money shows two decimals unless a style asks for four.
            let is_money = !matches!(self.from, SqlType::Decimal(..));
            let text = if is_money && self.style != Some(2) {
                decimal::to_text(
                    decimal::rescale(number, scale, 2).ok_or_else(|| self.overflow())?,
                    2,
                )
            } else {
                decimal::to_text(number, scale)
            };
            return self.number_to_text(text);
        }
        Err(self.not_allowed())
    }

    fn of_civil(self, ticks: i64) -> Result<Stored, SqlError> {
        let to = self.to;
        if to.is_text() {
            let text =
                moment::format(ticks, self.from, self.style).ok_or_else(|| self.bad_style())?;
            return Ok(Stored::Text(fit_text(text, to)));
        }
        let moved = match (self.from, to) {
            (SqlType::Time(_), to) if to.is_civil() && to != SqlType::Date => {
                calendar::round_to(ticks + calendar::DAY_ZERO * calendar::DAY, to)
            }
            (SqlType::Time(_), SqlType::Time(_)) => calendar::round_to(ticks, to),
            (from, SqlType::Time(_)) if from.is_civil() && from != SqlType::Date => {
                calendar::round_to(ticks.rem_euclid(calendar::DAY), to)
            }
            (from, SqlType::DateTimeOffset(_)) if from.is_civil() => {
                let bytes =
                    calendar::round_to(ticks, to).and_then(|ticks| offset::encode(ticks, 0));
                let bytes = bytes.ok_or_else(|| self.moment_error(Unreadable::Range))?;
                return Ok(Stored::Blob(bytes.to_vec()));
            }
            (from, to) if from.is_civil() && to.is_civil() => calendar::round_to(ticks, to),
            _ => return self.civil_to_number(ticks),
        };
        moved
            .map(Stored::Integer)
            .ok_or_else(|| self.moment_error(Unreadable::Range))
    }

    /// `datetime` as days since 1900-01-01, which old queries reckon with.
    fn civil_to_number(self, ticks: i64) -> Result<Stored, SqlError> {
        if !matches!(self.from, SqlType::DateTime | SqlType::SmallDateTime) {
            return Err(self.not_allowed());
        }
        let since = ticks - calendar::DAY_ZERO * calendar::DAY;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a float of days is what was asked for"
        )]
        let days = since as f64 / calendar::DAY as f64;
        match self.to {
            to if to.is_float() => Ok(float(days, to)),
            to if to.is_integer() => {
                let nearest = (since + calendar::DAY / 2).div_euclid(calendar::DAY);
                integer_in_range(i128::from(nearest), to)
                    .map(Stored::Integer)
                    .ok_or_else(|| self.overflow())
            }
            _ => Err(self.not_allowed()),
        }
    }

    fn of_offset(self, local: i64, minutes: i64) -> Result<Stored, SqlError> {
        let out_of_range = || self.moment_error(Unreadable::Range);
        match self.to {
            to if to.is_text() => {
                let mut text = moment::format(
                    local,
                    SqlType::DateTime2(self.from.fraction_digits()),
                    self.style,
                )
                .ok_or_else(|| self.bad_style())?;
                if matches!(self.style, None | Some(121 | 126)) {
                    let mut tail = Vec::new();
                    moment::write_offset(&mut tail, minutes);
                    if self.style != Some(126) {
                        text.push(' ');
                    }
                    text.push_str(&String::from_utf8_lossy(&tail));
                }
                Ok(Stored::Text(fit_text(text, to)))
            }
            SqlType::DateTimeOffset(_) => {
                let bytes = calendar::round_to(local, self.to)
                    .and_then(|ticks| offset::encode(ticks, minutes));
                Ok(Stored::Blob(bytes.ok_or_else(out_of_range)?.to_vec()))
            }
            to @ SqlType::Time(_) => {
                let time = calendar::round_to(local.rem_euclid(calendar::DAY), to);
                time.map(Stored::Integer).ok_or_else(out_of_range)
            }
            to if to.is_civil() => calendar::round_to(local, to)
                .map(Stored::Integer)
                .ok_or_else(out_of_range),
            _ => Err(self.not_allowed()),
        }
    }

    fn of_binary(self, bytes: &[u8]) -> Result<Stored, SqlError> {
        let to = self.to;
        if to.is_binary() {
            return Ok(Stored::Blob(fit_binary(bytes.to_vec(), to)));
        }
        if to.is_integer() {
            let number = bytes
                .iter()
                .rev()
                .take(8)
                .rev()
                .fold(0i64, |sum, byte| (sum << 8) | i64::from(*byte));
            return integer_in_range(i128::from(number), to)
                .map(Stored::Integer)
                .ok_or_else(|| self.overflow());
        }
        if to.is_text() {
            let text = match self.style {
                Some(1) => format!("0x{}", hex(bytes)),
                Some(2) => hex(bytes),
                _ if to.is_national() => {
                    let units: Vec<u16> = bytes
                        .chunks(2)
                        .map(|pair| {
                            pair.iter()
                                .rev()
                                .fold(0, |n, byte| (n << 8) | u16::from(*byte))
                        })
                        .collect();
                    String::from_utf16_lossy(&units)
                }
                _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
            };
            return Ok(Stored::Text(fit_text(text, to)));
        }
        if to == SqlType::UniqueIdentifier && bytes.len() == 16 {
            return Ok(Stored::Text(guid_from_bytes(bytes)));
        }
        Err(self.not_allowed())
    }

    fn decimal_in_range(self, number: i128, precision: u8) -> Result<Stored, SqlError> {
        let fits = match self.to {
            SqlType::Money => i64::try_from(number).is_ok(),
            SqlType::SmallMoney => i32::try_from(number).is_ok(),
            _ => decimal::fits(number, precision),
        };
        if fits {
            Ok(Stored::Blob(decimal::encode(number).to_vec()))
        } else {
            Err(self.overflow())
        }
    }

    /// Numbers do not shrink into a text that is too short: SQL Server refuses.
    fn number_to_text(self, text: String) -> Result<Stored, SqlError> {
        match self.to.length() {
            Some(length) if text.len() > usize::from(length) => match self.from {
                // A documented exception: short integers show an asterisk.
                SqlType::Int | SqlType::SmallInt | SqlType::TinyInt if !self.to.is_national() => {
                    Ok(Stored::Text(fit_text("*".to_owned(), self.to)))
                }
                _ => Err(self.overflow()),
            },
            _ => Ok(Stored::Text(fit_text(text, self.to))),
        }
    }

    fn failed(self, text: &str) -> SqlError {
        SqlError::new(
            245,
            format!(
                "Conversion failed when converting the {} value '{text}' to data type {}.",
                self.from.name(),
                self.to.name()
            ),
        )
    }

    fn text_overflow(self, text: &str) -> SqlError {
        match self.to {
            SqlType::Int => SqlError::new(
                248,
                format!(
                    "The conversion of the {} value '{text}' overflowed an int column.",
                    self.from.name()
                ),
            ),
            SqlType::TinyInt | SqlType::SmallInt => SqlError::new(
                244,
                format!(
                    "The conversion of the {} value '{text}' overflowed an {} column. Use a larger integer column.",
                    self.from.name(),
                    if self.to == SqlType::TinyInt {
                        "INT1"
                    } else {
                        "INT2"
                    }
                ),
            ),
            _ => self.overflow(),
        }
    }

    fn not_numeric(self) -> SqlError {
        let to = shown(self.to);
        SqlError::new(
            8114,
            format!("Error converting data type {} to {to}.", self.from.name()),
        )
    }

    fn overflow(self) -> SqlError {
        if self.from.is_integer() && self.to.is_integer() {
            return SqlError::overflow(self.to.name());
        }
        let message = format!(
            "Arithmetic overflow error converting {} to data type {}.",
            shown(self.from),
            shown(self.to)
        );
        SqlError::new(8115, message)
    }

    /// Short integers name the value that does not fit.
    fn integer_overflow(self, number: impl std::fmt::Display) -> SqlError {
        let to = self.to.name();
        match self.to {
            SqlType::TinyInt | SqlType::SmallInt if self.from.is_integer() => SqlError::new(
                220,
                format!("Arithmetic overflow error for data type {to}, value = {number}."),
            ),
            _ if self.from.is_float() => SqlError::new(
                232,
                format!("Arithmetic overflow error for type {to}, value = {number}."),
            ),
            _ => self.overflow(),
        }
    }

    fn moment_error(self, reason: Unreadable) -> SqlError {
        let old_type = matches!(self.to, SqlType::DateTime | SqlType::SmallDateTime);
        if reason == Unreadable::Range && (old_type || !self.from.is_text()) {
            return SqlError::new(
                242,
                format!(
                    "The conversion of a {} data type to a {} data type resulted in an out-of-range value.",
                    self.from.name(),
                    self.to.name()
                ),
            );
        }
        SqlError::new(
            241,
            "Conversion failed when converting date and/or time from character string.",
        )
    }

    fn bad_style(self) -> SqlError {
        SqlError::new(
            281,
            format!(
                "{} is not a valid style number when converting from {} to a character string.",
                self.style.unwrap_or_default(),
                self.from.name()
            ),
        )
    }

    fn not_allowed(self) -> SqlError {
        not_allowed(self.from, self.to)
    }
}

pub(crate) fn not_allowed(from: SqlType, to: SqlType) -> SqlError {
    SqlError::new(
        529,
        format!(
            "Explicit conversion from data type {} to {} is not allowed.",
            from.name(),
            to.name()
        ),
    )
}

/// In messages the server calls `decimal` by its other name.
fn shown(sql_type: SqlType) -> &'static str {
    if matches!(sql_type, SqlType::Decimal(..)) {
        "numeric"
    } else {
        sql_type.name()
    }
}

fn broken() -> SqlError {
    SqlError::new(824, "A stored value does not have its column's form.")
}

fn text_to_integer(text: &str) -> Option<i128> {
    let text = text.trim_matches(' ');
    if text.is_empty() {
        return Some(0);
    }
    text.parse().ok()
}

fn integer_in_range(number: i128, to: SqlType) -> Option<i64> {
    let range = match to {
        SqlType::Bit => 0..=1,
        SqlType::TinyInt => 0..=255,
        SqlType::SmallInt => i128::from(i16::MIN)..=i128::from(i16::MAX),
        SqlType::Int => i128::from(i32::MIN)..=i128::from(i32::MAX),
        _ => i128::from(i64::MIN)..=i128::from(i64::MAX),
    };
    range
        .contains(&number)
        .then(|| i64::try_from(number).expect("within bigint"))
}

fn float(number: f64, to: SqlType) -> Stored {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "real has the precision of f32"
    )]
    Stored::Real(if to == SqlType::Real {
        f64::from(number as f32)
    } else {
        number
    })
}

/// Six significant digits by default, exact digits in style 3.
fn float_text(number: f64, style: Option<i64>) -> String {
    if style == Some(3) {
        return format!("{number}");
    }
    let significant = if style == Some(1) {
        8
    } else if style == Some(2) {
        16
    } else {
        6
    };
    let scientific = format!("{number:.*e}", significant - 1);
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("written with an exponent");
    let exponent: i32 = exponent.parse().expect("written as a number");
    if style.is_some_and(|style| style != 0) || !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        let mantissa = if style.is_some_and(|s| s != 0) {
            mantissa
        } else {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        };
        return format!("{mantissa}e{sign}{:03}", exponent.abs());
    }
    let decimals =
        usize::try_from((i32::try_from(significant).expect("small") - 1 - exponent).max(0))
            .unwrap_or(0);
    let rounded: f64 = scientific.parse().expect("written as a number");
    let text = format!("{rounded:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Cuts or pads a text to its type.
pub(crate) fn fit_text(mut text: String, to: SqlType) -> String {
    let Some(length) = to.length().map(usize::from) else {
        return text;
    };
    let is_fixed = matches!(to, SqlType::Char(_) | SqlType::NChar(_));
    // A character is a byte at least, so the usual case needs no counting.
    if text.len() <= length && !is_fixed {
        return text;
    }
    match text.char_indices().nth(length) {
        Some((end, _)) => text.truncate(end),
        None if is_fixed => {
            let count = text.chars().count();
            text.extend(std::iter::repeat_n(' ', length - count));
        }
        None => {}
    }
    text
}

fn fit_binary(mut bytes: Vec<u8>, to: SqlType) -> Vec<u8> {
    if let Some(length) = to.length().map(usize::from) {
        bytes.truncate(length);
        if matches!(to, SqlType::Binary(_)) {
            bytes.resize(length, 0);
        }
    }
    bytes
}

/// Numbers are cut and padded on the left.
fn fit_number(bytes: Vec<u8>, to: SqlType) -> Vec<u8> {
    let Some(length) = to.length().map(usize::from) else {
        return bytes;
    };
    if bytes.len() >= length {
        return bytes[bytes.len() - length..].to_vec();
    }
    if matches!(to, SqlType::Binary(_)) {
        let mut padded = vec![0; length - bytes.len()];
        padded.extend(bytes);
        return padded;
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// Upper case with dashes, as SQL Server shows it; longer text is cut as the server does.
fn guid_of(text: &str) -> Option<String> {
    let text = text.trim_matches(' ');
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.get(..36)?;
    let well_formed = text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    well_formed.then(|| text.to_ascii_uppercase())
}

/// The first three groups are stored little-endian.
fn guid_from_bytes(b: &[u8]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let all = hex(&order.map(|at| b[at]));
    format!(
        "{}-{}-{}-{}-{}",
        &all[..8],
        &all[8..12],
        &all[12..16],
        &all[16..20],
        &all[20..]
    )
}

//! The reference: slow, obvious, and made of other parts than the converter.
//!
//! serde_json splits the page and decodes strings, chrono knows the calendar, numbers are shifted as text.
//! It says which pages are sound and what their cells are; the converter must say the same.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type,
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::{Column, Contract, Length, SqlType};

/// A value, apart from Arrow.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Flag(bool),
    /// Whole numbers, and decimals times 10^scale.
    Number(i128),
    /// Bits of a float, so that −0 is not 0.
    Real(u32),
    Float(u64),
    Date(NaiveDate),
    Time(NaiveTime),
    Moment(NaiveDateTime),
    Text(String),
    Bytes(Vec<u8>),
}

/// The rows of a page, cell by cell; a reason for people if it must be refused.
pub(super) fn cells(contract: &Contract, page: &[u8]) -> Result<Vec<Vec<Cell>>, String> {
    let page = std::str::from_utf8(page).map_err(|error| error.to_string())?;
    let rows: Vec<Row> = serde_json::from_str(page).map_err(|error| error.to_string())?;
    rows.iter().map(|row| row.cells(contract)).collect()
}

/// The keys and values of an object as they come, repeated ones included.
struct Row(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Row;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Row(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl Row {
    fn cells(&self, contract: &Contract) -> Result<Vec<Cell>, String> {
        if self.0.len() != contract.columns.len() {
            return Err("another number of keys than columns".to_owned());
        }
        let mut cells = Vec::new();
        for column in &contract.columns {
            let mut values = self.0.iter().filter(|(key, _)| *key == column.name);
            let (_, value) = values.next().ok_or("a column is missing")?;
            match cell(column, value.get()) {
                Some(Cell::Null) if !column.nullable => return Err("null".to_owned()),
                Some(cell) => cells.push(cell),
                None => return Err(format!("not {}", column.sql_type)),
            }
        }
        Ok(cells)
    }
}

fn cell(column: &Column, json: &str) -> Option<Cell> {
    if json == "null" {
        return Some(Cell::Null);
    }
    let string = if json.starts_with('"') {
        Some(serde_json::from_str::<String>(json).ok()?)
    } else {
        None
    };
    let sql_type = column.sql_type;
    match sql_type {
        SqlType::Bit => match json {
            "true" => Some(Cell::Flag(true)),
            "false" => Some(Cell::Flag(false)),
            _ => match number(json, string, 0, 0, 1)? {
                Cell::Number(number) => Some(Cell::Flag(number == 1)),
                _ => None,
            },
        },
        SqlType::TinyInt => number(json, string, 0, 0, 255),
        SqlType::SmallInt => number(json, string, 0, i16::MIN.into(), i16::MAX.into()),
        SqlType::Int => number(json, string, 0, i32::MIN.into(), i32::MAX.into()),
        SqlType::BigInt => number(json, string, 0, i64::MIN.into(), i64::MAX.into()),
        SqlType::Decimal { precision, scale } => decimal(json, string, precision, scale),
        SqlType::Money => decimal(json, string, 19, 4),
        SqlType::SmallMoney => decimal(json, string, 10, 4),
        SqlType::Real => {
            let number: f32 = number_text(json, string)?.parse().ok()?;
            number.is_finite().then(|| Cell::Real(number.to_bits()))
        }
        SqlType::Float => {
            let number: f64 = number_text(json, string)?.parse().ok()?;
            number.is_finite().then(|| Cell::Float(number.to_bits()))
        }
        SqlType::Date => match moment(&string?)? {
            (moment, "") if moment.time() == NaiveTime::MIN => Some(Cell::Date(moment.date())),
            _ => None,
        },
        SqlType::Time(_) => match time(&string?)? {
            (time, "") => Some(Cell::Time(time)),
            _ => None,
        },
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => {
            match moment(&string?)? {
                (moment, "") => Some(Cell::Moment(moment)),
                _ => None,
            }
        }
        SqlType::DateTimeOffset(_) => {
            let text = string?;
            let (moment, zone) = moment(&text)?;
            Some(Cell::Moment(moment - zone_of(zone)?))
        }
        SqlType::UniqueIdentifier => uuid(&string?).map(Cell::Bytes),
        SqlType::Binary(Length::Max(longest)) | SqlType::VarBinary(Length::Max(longest)) => {
            let bytes = base64(&string?)?;
            (bytes.len() <= longest as usize).then_some(Cell::Bytes(bytes))
        }
        SqlType::RowVersion => {
            let bytes = base64(&string?)?;
            (bytes.len() <= 8).then_some(Cell::Bytes(bytes))
        }
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => {
            base64(&string?).map(Cell::Bytes)
        }
        SqlType::Char(length) | SqlType::VarChar(length) => {
            let text = string?;
            let fits = fits(text.chars().count(), length);
            fits.then(|| Cell::Text(trimmed(column, text)))
        }
        SqlType::NChar(length) | SqlType::NVarChar(length) => {
            let text = string?;
            let fits = fits(text.encode_utf16().count(), length);
            fits.then(|| Cell::Text(trimmed(column, text)))
        }
        SqlType::Text | SqlType::NText | SqlType::Xml => Some(Cell::Text(trimmed(column, string?))),
    }
}

fn fits(length: usize, declared: Length) -> bool {
    match declared {
        Length::Max(longest) => length <= longest as usize,
        Length::Unbounded => true,
    }
}

fn trimmed(column: &Column, text: String) -> String {
    if column.trim {
        text.trim_end_matches(' ').to_owned()
    } else {
        text
    }
}

/// The text of a number: of a JSON number, or within a string.
fn number_text(json: &str, string: Option<String>) -> Option<String> {
    let text = string.unwrap_or_else(|| json.to_owned());
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && serde_json::from_str::<Box<RawValue>>(&text).is_ok();
    is_number.then_some(text)
}

fn number(
    json: &str,
    string: Option<String>,
    scale: u8,
    smallest: i128,
    largest: i128,
) -> Option<Cell> {
    let number = shifted(&number_text(json, string)?, scale)?;
    (smallest..=largest)
        .contains(&number)
        .then_some(Cell::Number(number))
}

fn decimal(json: &str, string: Option<String>, precision: u8, scale: u8) -> Option<Cell> {
    let largest = 10_i128.pow(u32::from(precision)) - 1;
    number(json, string, scale, -largest, largest)
}

/// The number times 10^scale: the point is moved within the text, then all behind it must be zeros.
fn shifted(text: &str, scale: u8) -> Option<i128> {
    let lower = text.to_ascii_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (-1, mantissa),
        None => (1, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.trim_matches('0').is_empty() {
        return Some(0);
    }
    let point = whole.len() as i64 + exponent.parse::<i64>().ok()? + i64::from(scale);
    if !(-10_000..10_000).contains(&point) {
        return None;
    }
    let zeros = |count: i64| "0".repeat(count.max(0) as usize);
    let padded = format!(
        "{}{digits}{}",
        zeros(-point),
        zeros(point - digits.len() as i64)
    );
    let (whole, fraction) = padded.split_at(point.max(0) as usize);
    let whole = whole.trim_start_matches('0');
    let exact = fraction.bytes().all(|digit| digit == b'0');
    let magnitude = if whole.is_empty() {
        0
    } else {
        whole.parse::<i128>().ok()?
    };
    exact.then_some(sign * magnitude)
}

/// The beginning of `text` in the shape of `shape`, where `0` stands for any digit, and the rest.
fn shaped<'a>(text: &'a str, shape: &str) -> Option<(&'a str, &'a str)> {
    let (head, rest) = text.split_at_checked(shape.len())?;
    let fits = head.bytes().zip(shape.bytes()).all(|(byte, shape)| {
        if shape == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == shape
        }
    });
    fits.then_some((head, rest))
}

fn moment(text: &str) -> Option<(NaiveDateTime, &str)> {
    let (date, rest) = shaped(text, "0000-00-00")?;
    if date.starts_with("0000") {
        return None;
    }
    let date: NaiveDate = date.parse().ok()?;
    match rest.strip_prefix('T').or_else(|| rest.strip_prefix(' ')) {
        Some(clock) => {
            let (time, rest) = time(clock)?;
            Some((date.and_time(time), rest))
        }
        None => Some((date.and_time(NaiveTime::MIN), rest)),
    }
}

fn time(text: &str) -> Option<(NaiveTime, &str)> {
    let (clock, rest) = shaped(text, "00:00:00")?;
    let part = |at: usize| clock[at..at + 2].parse().ok();
    let time = NaiveTime::from_hms_opt(part(0)?, part(3)?, part(6)?)?;
    let Some(digits) = rest.strip_prefix('.') else {
        return Some((time, rest));
    };
    let length = digits.chars().take_while(char::is_ascii_digit).count();
    let (fraction, rest) = digits.split_at(length);
    if fraction.is_empty() || fraction.len() > 7 {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    let exact = nanos % 1_000 == 0;
    exact.then_some((time + TimeDelta::nanoseconds(nanos), rest))
}

fn zone_of(zone: &str) -> Option<TimeDelta> {
    if zone == "Z" {
        return Some(TimeDelta::zero());
    }
    let sign = match zone.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (clock, "") = shaped(&zone[1..], "00:00")? else {
        return None;
    };
    let (hours, minutes): (i32, i32) = (clock[..2].parse().ok()?, clock[3..].parse().ok()?);
    let total = hours * 60 + minutes;
    let exists = minutes < 60 && total <= 14 * 60;
    exists.then(|| TimeDelta::minutes(i64::from(sign * total)))
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let digits = text.replace('-', "");
    if dashes != [8, 13, 18, 23]
        || digits.len() != 32
        || !digits.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    (0..32).step_by(2).map(byte).collect()
}

/// Padded base64 of the standard alphabet, six bits at a time; bits that stand for nothing must be zero.
fn base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body = text
        .strip_suffix("==")
        .or_else(|| text.strip_suffix('='))
        .unwrap_or(text);
    let mut bits = Vec::new();
    for letter in body.chars() {
        let value = alphabet.find(letter)?;
        bits.extend((0..6).rev().map(|bit| (value >> bit) & 1));
    }
    let (bytes, left) = bits.split_at(bits.len() / 8 * 8);
    if left.len() >= 6 || left.iter().any(|bit| *bit != 0) {
        return None;
    }
    let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte * 2 + *bit as u8);
    Some(bytes.chunks(8).map(byte).collect())
}

/// The cells of a batch, row by row; offset columns are left out.
pub(super) fn cells_of(batch: &RecordBatch) -> Vec<Vec<Cell>> {
    let schema = batch.schema();
    let columns: Vec<&dyn Array> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .filter(|(field, _)| !field.name().ends_with("_offset_minutes"))
        .map(|(_, array)| array.as_ref())
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|array| cell_of(*array, row)).collect())
        .collect()
}

fn cell_of(array: &dyn Array, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day");
    let midnight = epoch.and_time(NaiveTime::MIN);
    match array.data_type() {
        DataType::Boolean => Cell::Flag(array.as_boolean().value(row)),
        DataType::UInt8 => Cell::Number(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::Int16 => Cell::Number(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Number(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Number(array.as_primitive::<Int64Type>().value(row).into()),
        DataType::Decimal128(..) => Cell::Number(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Float32 => Cell::Real(array.as_primitive::<Float32Type>().value(row).to_bits()),
        DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row).to_bits()),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Cell::Date(epoch + TimeDelta::days(days.into()))
        }
        DataType::Time64(_) => {
            let micros = array.as_primitive::<Time64MicrosecondType>().value(row);
            Cell::Time(NaiveTime::MIN + TimeDelta::microseconds(micros))
        }
        DataType::Timestamp(..) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            Cell::Moment(midnight + TimeDelta::microseconds(micros))
        }
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row).to_owned()),
        DataType::FixedSizeBinary(_) => {
            Cell::Bytes(array.as_fixed_size_binary().value(row).to_owned())
        }
        other => panic!("no column becomes {other}"),
    }
}

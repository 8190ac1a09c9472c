//! real and float: the nearest binary number, rounded once.

use arrow::datatypes::{Float32Type, Float64Type};

use super::error::Reason;
use super::fixed::Form;
use super::json::{self, Value, is_number};

/// `real`: 32 bits.
pub(super) struct Reals;

/// `float`: 64 bits.
pub(super) struct Floats;

impl Form for Reals {
    type Type = Float32Type;

    fn plain(&self, rest: &[u8]) -> Option<(f32, usize)> {
        let (number, length) = plain_number(rest)?;
        Some((finite(number.parse().ok()?, f32::is_finite).ok()?, length))
    }

    fn read(&self, value: &Value<'_>) -> Result<f32, Reason> {
        // Parsed as 32 bits at once: by way of 64 bits it would be rounded twice.
        let number = spelled(value)?.parse().map_err(|_| Reason::Unreadable)?;
        finite(number, f32::is_finite)
    }
}

impl Form for Floats {
    type Type = Float64Type;

    fn plain(&self, rest: &[u8]) -> Option<(f64, usize)> {
        let (number, length) = plain_number(rest)?;
        Some((finite(number.parse().ok()?, f64::is_finite).ok()?, length))
    }

    fn read(&self, value: &Value<'_>) -> Result<f64, Reason> {
        let number = spelled(value)?.parse().map_err(|_| Reason::Unreadable)?;
        finite(number, f64::is_finite)
    }
}

fn plain_number(rest: &[u8]) -> Option<(&str, usize)> {
    let (number, _) = json::number(rest).ok()?;
    Some((number, number.len()))
}

/// The JSON number or its text. SQL Server has neither infinity nor NaN, and neither is a JSON number.
fn spelled<'a>(value: &'a Value<'_>) -> Result<&'a str, Reason> {
    match value {
        Value::Number(number) => Ok(number),
        Value::Text(text) if is_number(text) => Ok(text),
        _ => Err(Reason::Unreadable),
    }
}

/// A number beyond the largest would silently become infinite.
fn finite<T: Copy>(number: T, is_finite: impl Fn(T) -> bool) -> Result<T, Reason> {
    is_finite(number)
        .then_some(number)
        .ok_or(Reason::OutOfRange)
}

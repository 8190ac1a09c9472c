//! Exact numbers: 38 digits at a scale that the column's type knows, kept so that SQLite orders them right.
//!
//! Stored as sixteen bytes, big-endian with the sign bit flipped: comparing bytes compares numbers, as long as
//! both sides have the same scale, which the translator sees to. No `f64` is involved anywhere.

use super::digits;
use crate::SqlError;

pub(crate) fn encode(unscaled: i128) -> [u8; 16] {
    (unscaled.cast_unsigned() ^ (1 << 127)).to_be_bytes()
}

/// `None` when the bytes are no stored decimal.
pub(crate) fn decode(bytes: &[u8]) -> Option<i128> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some((u128::from_be_bytes(bytes) ^ (1 << 127)).cast_signed())
}

/// Every power of ten that an `i128` holds.
const POWERS_OF_TEN: [i128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    POWERS_OF_TEN.get(usize::try_from(exponent).ok()?).copied()
}

/// Whether the number has at most `precision` digits.
pub(crate) fn fits(unscaled: i128, precision: u8) -> bool {
    power_of_ten(u32::from(precision))
        .is_none_or(|limit| unscaled.unsigned_abs() < limit.unsigned_abs())
}

/// Moves a number from one scale to another, rounding halves away from zero; `None` when it grows too long.
pub(crate) fn rescale(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return multiply(unscaled, power_of_ten(u32::from(to - from))?);
    }
    let divisor = power_of_ten(u32::from(from - to))?;
    Some(divide_rounding(unscaled, divisor))
}

/// Two numbers of 64 bits are multiplied by one instruction, and nearly all are such.
fn multiply(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => a.checked_mul(b),
    }
}

fn divide_rounding(number: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (number / divisor, number % divisor);
    if remainder.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) {
        quotient + number.signum() * divisor.signum()
    } else {
        quotient
    }
}

/// Reads plain digits with optional sign and point, rounding what is beyond `scale`.
pub(crate) fn parse(text: &str, scale: u8) -> Option<i128> {
    let text = text.trim_matches(' ');
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = digits.trim_start_matches(' ');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number
            .checked_mul(10)?
            .checked_add(i128::from(byte - b'0'))?;
    }
    let given = u8::try_from(fraction.len()).ok()?;
    rescale(if negative { -number } else { number }, given, scale)
}

/// Appends plain digits with exactly `scale` decimals.
pub(crate) fn write(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    // As many digits as a u64 surely holds: what is beyond is divided by this once, because dividing 128 bits is slow.
    const LAST: usize = 19;
    let mut text = [b'0'; 40];
    let scale = usize::from(scale);
    let whole = unscaled.unsigned_abs();
    let start = if let Ok(short) = u64::try_from(whole) {
        digits::place(&mut text, short)
    } else {
        let (front, last) = text.split_at_mut(40 - LAST);
        let divisor = 10u128.pow(19);
        digits::place(last, narrow(whole % divisor));
        digits::place(front, narrow(whole / divisor))
    };
    let point = text.len() - scale;
    // One digit at least stands before the point.
    let start = start.min(point - 1);
    if unscaled < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[start..point]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&text[point..]);
    }
}

fn narrow(part: u128) -> u64 {
    u64::try_from(part).expect("an i128 has 39 digits at most, so either half has twenty and fits")
}

pub(crate) fn to_text(unscaled: i128, scale: u8) -> String {
    let mut out = Vec::with_capacity(42);
    write(&mut out, unscaled, scale);
    String::from_utf8(out).expect("digits are ASCII")
}

pub(crate) fn to_f64(unscaled: i128, scale: u8) -> f64 {
    to_text(unscaled, scale)
        .parse()
        .expect("plain digits are a float")
}

/// The decimal nearest to a float; the shortest text that names the float decides its digits.
pub(crate) fn from_f64(number: f64, scale: u8) -> Option<i128> {
    if !number.is_finite() || number.abs() >= 1e38 {
        return None;
    }
    let text = format!("{number}");
    parse(&text, scale).or_else(|| parse(&format!("{number:.*}", usize::from(scale)), scale))
}

/// One number of known scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scaled {
    pub(crate) unscaled: i128,
    pub(crate) scale: u8,
}

/// Arithmetic into a result of given precision and scale.
///
/// # Errors
/// 8134 for a zero divisor, 8115 when the result has too many digits.
pub(crate) fn calculate(
    operator: char,
    left: Scaled,
    right: Scaled,
    precision: u8,
    scale: u8,
) -> Result<i128, SqlError> {
    let result = match operator {
        '+' | '-' | '%' => {
            aligned(operator, left, right)?.and_then(|(number, at)| rescale(number, at, scale))
        }
        '*' => multiply(left.unscaled, right.unscaled)
            .and_then(|product| rescale(product, left.scale + right.scale, scale)),
        _ => divide(left, right, scale)?,
    };
    result
        .filter(|number| fits(*number, precision))
        .ok_or_else(|| SqlError::overflow("numeric"))
}

fn aligned(operator: char, left: Scaled, right: Scaled) -> Result<Option<(i128, u8)>, SqlError> {
    let scale = left.scale.max(right.scale);
    let (Some(a), Some(b)) = (
        rescale(left.unscaled, left.scale, scale),
        rescale(right.unscaled, right.scale, scale),
    ) else {
        return Ok(None);
    };
    let number = match operator {
        '+' => a.checked_add(b),
        '-' => a.checked_sub(b),
        _ if b == 0 => return Err(SqlError::divide_by_zero()),
        _ => a.checked_rem(b),
    };
    Ok(number.map(|number| (number, scale)))
}

/// Division, cut (not rounded) at the result's scale as SQL Server does; `None` when it has too many digits.
fn divide(left: Scaled, right: Scaled, scale: u8) -> Result<Option<i128>, SqlError> {
    if right.unscaled == 0 {
        return Err(SqlError::divide_by_zero());
    }
    let (dividend, divisor) = (left.unscaled.unsigned_abs(), right.unscaled.unsigned_abs());
    let steps = i32::from(scale) - i32::from(left.scale) + i32::from(right.scale);
    let quotient =
        divide_short(dividend, divisor, steps).or_else(|| divide_long(dividend, divisor, steps));
    let negative = (left.unscaled < 0) != (right.unscaled < 0);
    Ok(quotient
        .and_then(|quotient| i128::try_from(quotient).ok())
        .map(|number| if negative { -number } else { number }))
}

/// The quotient with `steps` more decimals, where 64 bits suffice.
fn divide_short(dividend: u128, divisor: u128, steps: i32) -> Option<u128> {
    let shift = 10u64.checked_pow(u32::try_from(steps).ok()?)?;
    let dividend = u64::try_from(dividend).ok()?.checked_mul(shift)?;
    Some(u128::from(dividend / u64::try_from(divisor).ok()?))
}

/// The same, digit by digit.
pub(super) fn divide_long(dividend: u128, divisor: u128, steps: i32) -> Option<u128> {
    let mut quotient = dividend / divisor;
    let mut remainder = dividend % divisor;
    for _ in 0..steps.max(0) {
        let next = remainder.checked_mul(10)?;
        quotient = quotient.checked_mul(10)? + next / divisor;
        remainder = next % divisor;
    }
    if steps < 0 {
        quotient /= 10u128.pow(steps.unsigned_abs());
    }
    Some(quotient)
}

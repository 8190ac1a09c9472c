//! decimal, numeric, money and smallmoney: digit by digit into a scaled whole number, never through a float.

use arrow::datatypes::Decimal128Type;

use super::error::Reason;
use super::fixed::Form;
use super::integers::goes_on;
use super::json::{Value, is_number};
use super::words::{POWERS_OF_TEN, leading_digits};

/// Decimals of `precision` digits in all, 1 to 38, `scale` of them after the point.
pub(super) struct Decimals {
    scale: u8,
    /// 10^precision: the smallest magnitude that does not fit.
    limit: u128,
}

impl Decimals {
    pub(super) fn new(precision: u8, scale: u8) -> Self {
        Self {
            scale,
            limit: 10_u128.pow(u32::from(precision)),
        }
    }

    fn fits(&self, number: i128) -> bool {
        number.unsigned_abs() < self.limit
    }
}

impl Form for Decimals {
    type Type = Decimal128Type;

    #[inline]
    fn plain(&self, rest: &[u8]) -> Option<(i128, usize)> {
        let (number, length) = plain_decimal(rest, usize::from(self.scale))?;
        self.fits(number).then_some((number, length))
    }

    fn read(&self, value: &Value<'_>) -> Result<i128, Reason> {
        let number = read_exact(value, self.scale)?;
        self.fits(number)
            .then_some(number)
            .ok_or(Reason::OutOfRange)
    }
}

/// A JSON number without exponent whose scaled digits fit 64 bits, times 10^scale, and its length in bytes.
#[inline]
fn plain_decimal(rest: &[u8], scale: usize) -> Option<(i128, usize)> {
    let negative = *rest.first()? == b'-';
    let sign = usize::from(negative);
    let digits = &rest[sign..];
    let (whole, count) = leading_digits(digits);
    let leads_with_zero = digits.first() == Some(&b'0') && count > 1;
    if count == 0 || leads_with_zero || count + scale > 16 {
        return None;
    }
    let mut magnitude = whole * POWERS_OF_TEN[scale];
    let mut length = count;
    if digits.get(count) == Some(&b'.') {
        let (fraction, places) = leading_digits(&digits[count + 1..]);
        if places == 0 || places > scale {
            return None;
        }
        magnitude += fraction * POWERS_OF_TEN[scale - places];
        length += 1 + places;
    }
    if goes_on(digits, length) {
        return None;
    }
    let number = i128::from(magnitude);
    Some((if negative { -number } else { number }, sign + length))
}

/// The number that a JSON number or its text spells, times 10^scale, exactly.
///
/// # Errors
/// `Fraction` if a digit that is not zero would be lost, else `OutOfRange` beyond an `i128`.
pub(super) fn read_exact(value: &Value<'_>, scale: u8) -> Result<i128, Reason> {
    match value {
        Value::Number(number) => scaled(number, scale),
        Value::Text(text) if is_number(text) => scaled(text, scale),
        _ => Err(Reason::Unreadable),
    }
}

fn scaled(number: &str, scale: u8) -> Result<i128, Reason> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, saturating_exponent(exponent)),
        None => (number, 0),
    };
    let places = mantissa
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    let digits = || mantissa.bytes().filter(u8::is_ascii_digit);
    // The digits, read as one whole number, times 10^shift are the result.
    let shift = (i64::from(scale) - places as i64).saturating_add(exponent);
    let kept = (digits().count() as i64)
        .saturating_add(shift.min(0))
        .max(0);
    if digits().skip(kept as usize).any(|digit| digit != b'0') {
        return Err(Reason::Fraction);
    }
    // More zeros than an i128 has digits change nothing: zero stays zero, all else is out of range.
    let zeros = std::iter::repeat_n(b'0', shift.clamp(0, 40) as usize);
    let magnitude = whole_number(digits().take(kept as usize).chain(zeros))?;
    Ok(if number.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

/// The number that the digits spell.
fn whole_number(digits: impl Iterator<Item = u8>) -> Result<i128, Reason> {
    let mut number: i128 = 0;
    for digit in digits {
        number = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(i128::from(digit - b'0')))
            .ok_or(Reason::OutOfRange)?;
    }
    Ok(number)
}

/// The exponent, which may have any number of digits; too far is as good as infinitely far.
fn saturating_exponent(exponent: &str) -> i64 {
    let (negative, digits) = match exponent.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let magnitude = digits.iter().fold(0_i64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    if negative { -magnitude } else { magnitude }
}

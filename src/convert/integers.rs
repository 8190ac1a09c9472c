//! tinyint, smallint, int and bigint: whole numbers, eight digits at a time.

use std::marker::PhantomData;

use arrow::array::ArrowPrimitiveType;

use super::decimals::read_exact;
use super::error::Reason;
use super::fixed::{Form, Native};
use super::json::Value;
use super::words::leading_digits;

/// Whole numbers that Arrow keeps as `T`.
pub(super) struct Integers<T>(PhantomData<T>);

impl<T> Integers<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Form for Integers<T>
where
    T: ArrowPrimitiveType + Send,
    T::Native: TryFrom<i64> + TryFrom<i128>,
{
    type Type = T;

    #[inline]
    fn plain(&self, rest: &[u8]) -> Option<(Native<Self>, usize)> {
        let (number, length) = plain_integer(rest)?;
        Some((T::Native::try_from(number).ok()?, length))
    }

    fn read(&self, value: &Value<'_>) -> Result<Native<Self>, Reason> {
        T::Native::try_from(read_exact(value, 0)?).map_err(|_| Reason::OutOfRange)
    }
}

/// A JSON number without fraction or exponent, of at most 16 digits, and its length in bytes.
#[inline]
fn plain_integer(rest: &[u8]) -> Option<(i64, usize)> {
    let negative = *rest.first()? == b'-';
    let digits = &rest[usize::from(negative)..];
    let (number, count) = leading_digits(digits);
    let leads_with_zero = digits.first() == Some(&b'0') && count > 1;
    if count == 0 || leads_with_zero || goes_on(digits, count) {
        return None;
    }
    // Sixteen digits fit an i64 with room for the sign.
    let number = number as i64;
    let number = if negative { -number } else { number };
    Some((number, count + usize::from(negative)))
}

/// Whether the number goes on at `at` with what only the slow route reads: more digits, a point, an exponent.
#[inline]
pub(super) fn goes_on(rest: &[u8], at: usize) -> bool {
    matches!(rest.get(at), Some(b'0'..=b'9' | b'.' | b'e' | b'E'))
}

//! A value on its way into a table.

use rusqlite::types::{Value as Stored, ValueRef};

use super::runtime::convert::{Conversion, fit_text};
use super::runtime::decimal;
use super::{SqlError, SqlType};

/// A value as a caller has it; the column's type decides how it is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// `bit`.
    Bit(bool),
    /// Any whole number.
    Int(i64),
    /// An exact number in plain digits, for example `-12.50`.
    Decimal(String),
    /// `real` or `float`.
    Float(f64),
    /// Text; also dates, times and unique identifiers in ISO form.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Value {
    /// The value as a column of the type keeps it.
    ///
    /// # Errors
    /// 8152 for text or bytes that are too long, and the conversion error for anything else that does not fit.
    pub(crate) fn stored(self, to: SqlType) -> Result<Stored, SqlError> {
        match self {
            Self::Null => Ok(Stored::Null),
            Self::Text(text) if to.is_text() => text_that_fits(text, to),
            Self::Binary(bytes) if to.is_binary() => bytes_that_fit(bytes, to),
            Self::Bit(bit) => from(SqlType::Bit, to, ValueRef::Integer(i64::from(bit))),
            Self::Int(number) => from(SqlType::BigInt, to, ValueRef::Integer(number)),
            Self::Float(number) => from(SqlType::Float, to, ValueRef::Real(number)),
            Self::Decimal(digits) => match to.as_decimal() {
                Some(_) if !to.is_integer() => from(
                    SqlType::VarChar(None),
                    to,
                    ValueRef::Text(digits.as_bytes()),
                ),
                _ => from_digits(&digits, to),
            },
            Self::Text(text) => from(SqlType::VarChar(None), to, ValueRef::Text(text.as_bytes())),
            Self::Binary(bytes) => from(SqlType::VarBinary(None), to, ValueRef::Blob(&bytes)),
        }
    }
}

fn from(from: SqlType, to: SqlType, value: ValueRef<'_>) -> Result<Stored, SqlError> {
    Conversion::new(from, to).apply(value)
}

fn from_digits(digits: &str, to: SqlType) -> Result<Stored, SqlError> {
    let scale = digits
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    let scale = u8::try_from(scale.min(38)).expect("at most 38");
    let number = decimal::parse(digits, scale)
        .ok_or_else(|| SqlError::new(8114, "Error converting data type varchar to numeric."))?;
    from(
        SqlType::Decimal(38, scale),
        to,
        ValueRef::Blob(&decimal::encode(number)),
    )
}

fn text_that_fits(text: String, to: SqlType) -> Result<Stored, SqlError> {
    let Some(length) = to.length().map(usize::from) else {
        return Ok(Stored::Text(text));
    };
    let count = if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    };
    if count > length && text.trim_end_matches(' ').chars().count() > length {
        return Err(truncated());
    }
    if count == length
        || (count < length && matches!(to, SqlType::VarChar(_) | SqlType::NVarChar(_)))
    {
        return Ok(Stored::Text(text));
    }
    Ok(Stored::Text(fit_text(text, to)))
}

fn bytes_that_fit(mut bytes: Vec<u8>, to: SqlType) -> Result<Stored, SqlError> {
    if let Some(length) = to.length().map(usize::from) {
        if bytes.len() > length {
            return Err(truncated());
        }
        if matches!(to, SqlType::Binary(_) | SqlType::RowVersion) {
            bytes.resize(length, 0);
        }
    }
    Ok(Stored::Blob(bytes))
}

fn truncated() -> SqlError {
    SqlError::new(8152, "String or binary data would be truncated.")
}

//! A value on its way into a table.

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

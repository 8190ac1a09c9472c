//! What of a file's value a column may take: nothing is rounded or cut on the way into a declared type.

use crate::simulator::engine::{SqlType, Value};

/// A CSV field as a value of the column's type; `None` when it is none.
pub(super) fn field(text: String, sql_type: SqlType) -> Option<Value> {
    match sql_type {
        SqlType::Bit => match text.to_ascii_lowercase().as_str() {
            "1" | "true" => Some(Value::Bit(true)),
            "0" | "false" => Some(Value::Bit(false)),
            _ => None,
        },
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            text.parse().ok().map(Value::Int)
        }
        SqlType::Decimal(_, scale) => exact(text, scale),
        SqlType::Money | SqlType::SmallMoney => exact(text, 4),
        SqlType::Real | SqlType::Float => text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Value::Float),
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
            bytes(text.strip_prefix("0x")?).map(Value::Binary)
        }
        SqlType::Date if text.contains([':', 'T']) => None,
        t if t.is_text() => Some(Value::Text(text)),
        _ if text.trim().is_empty() => None,
        _ => Some(Value::Text(text)),
    }
}

/// Plain digits with no more decimals than the scale, zeros aside.
fn exact(text: String, scale: u8) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = whole
        .bytes()
        .chain(fraction.bytes())
        .all(|byte| byte.is_ascii_digit());
    let fits = fraction.trim_end_matches('0').len() <= usize::from(scale);
    (plain && fits && !(whole.is_empty() && fraction.is_empty())).then_some(Value::Decimal(text))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

/// A value from a typed file as the column may take it; `None` when something would be lost.
pub(super) fn value(value: Value, sql_type: SqlType) -> Option<Value> {
    let whole_type = matches!(
        sql_type,
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt | SqlType::Bit
    );
    match value {
        Value::Float(number) if whole_type => {
            (number.fract() == 0.0).then_some(Value::Float(number))
        }
        Value::Float(number) => match sql_type {
            SqlType::Decimal(_, scale) => exact(format!("{number}"), scale),
            SqlType::Money | SqlType::SmallMoney => exact(format!("{number}"), 4),
            _ => Some(Value::Float(number)),
        },
        Value::Decimal(digits) => match sql_type {
            SqlType::Decimal(_, scale) => exact(digits, scale),
            SqlType::Money | SqlType::SmallMoney => exact(digits, 4),
            _ if whole_type => exact(digits, 0),
            _ => Some(Value::Decimal(digits)),
        },
        Value::Text(text) if !sql_type.is_text() => typed_text(text, sql_type),
        other => Some(other),
    }
}

/// A moment from a typed file may keep its midnight out of a `date`; other text must be what a field must be.
fn typed_text(text: String, sql_type: SqlType) -> Option<Value> {
    if sql_type == SqlType::Date
        && let Some(date) = text.strip_suffix("T00:00:00")
    {
        return Some(Value::Text(date.to_owned()));
    }
    field(text, sql_type)
}

//! Typing rules: bringing values to one type, implicitly where T-SQL does.

use super::scope::{Constant, Typed};
use crate::runtime::COLLATION;
use crate::runtime::convert::{Conversion, not_allowed};
use crate::{SqlError, SqlType};

/// CAST or CONVERT, as written by the query's author.
///
/// # Errors
/// 529 for a pair of types between which there is no conversion.
pub(crate) fn explicit(
    value: Typed,
    to: SqlType,
    style: Option<i64>,
    lenient: bool,
) -> Result<Typed, SqlError> {
    if !convertible(value.sql_type, to) {
        return Err(not_allowed(value.sql_type, to));
    }
    let nullable = value.nullable || lenient;
    if value.is_null() {
        return Ok(Typed {
            nullable: true,
            ..Typed::new("NULL", to, true)
        });
    }
    if style.is_none() && is_same_storage(value.sql_type, to) {
        return Ok(Typed::new(value.sql, to, nullable));
    }
    if style.is_none() && to == SqlType::Bit && value.sql_type.is_integer() {
        return Ok(Typed::new(format!("({} <> 0)", value.sql), to, nullable));
    }
    let conversion = Conversion {
        from: value.sql_type,
        to,
        style,
        lenient,
    };
    Ok(Typed::new(conversion.call(&value.sql), to, nullable))
}

/// The conversion that happens unasked where two types meet.
///
/// # Errors
/// 206 for types that never meet.
pub(crate) fn implicit(value: Typed, to: SqlType) -> Result<Typed, SqlError> {
    if value.is_null() {
        return Ok(Typed {
            sql_type: to,
            ..value
        });
    }
    if !meets(value.sql_type, to) {
        return Err(clash(value.sql_type, to));
    }
    explicit(value, to, None, false)
}

pub(crate) fn clash(a: SqlType, b: SqlType) -> SqlError {
    SqlError::new(
        206,
        format!(
            "Operand type clash: {} is incompatible with {}",
            a.name(),
            b.name()
        ),
    )
}

/// The type that all values take together; bare NULLs have no say.
pub(crate) fn common_type(values: &[Typed]) -> SqlType {
    let mut typed = values.iter().filter(|value| !value.is_null());
    let Some(first) = typed.next() else {
        return SqlType::Int;
    };
    typed.fold(own_type(first), |sum, value| sum.common(own_type(value)))
}

fn own_type(value: &Typed) -> SqlType {
    value.sql_type
}

/// Brings a whole-number constant that meets a decimal to a decimal of just its digits.
pub(crate) fn decimal_of_constant(value: &Typed) -> Option<(u8, u8)> {
    match value.constant {
        Constant::Integer(number) => {
            let digits = number.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
            u8::try_from(digits).ok().map(|digits| (digits, 0))
        }
        _ => value.sql_type.as_decimal(),
    }
}

/// Two values as text that SQLite can compare directly.
///
/// # Errors
/// 206 for types that never meet, 402 for `text` and `image`.
pub(crate) fn comparable(
    left: Typed,
    right: Typed,
    operator: &str,
) -> Result<(String, String), SqlError> {
    let (a, b) = (left.sql_type, right.sql_type);
    if !left.is_null() && !right.is_null() && (is_large_object(a) || is_large_object(b)) {
        return Err(SqlError::new(
            402,
            format!(
                "The data types {} and {} are incompatible in the {operator} operator.",
                a.name(),
                b.name()
            ),
        ));
    }
    let common = common_type(&[left.clone(), right.clone()]);
    Ok((
        comparison_key(left, common)?,
        comparison_key(right, common)?,
    ))
}

/// A value as SQLite should compare it, once it has the given type.
///
/// # Errors
/// 206 for a type that never meets the given one.
pub(crate) fn comparison_key(value: Typed, common: SqlType) -> Result<String, SqlError> {
    if common.is_text() && value.sql_type.is_text() {
        return Ok(format!("{} COLLATE {COLLATION}", value.sql));
    }
    let converted = implicit(value, common)?;
    Ok(match common {
        // The first eight bytes are the instant; the offset does not take part.
        SqlType::DateTimeOffset(_) => format!("substr({}, 1, 8)", converted.sql),
        common if common.is_text() => format!("{} COLLATE {COLLATION}", converted.sql),
        _ => converted.sql,
    })
}

/// As `comparison_key`, for sorting and grouping a value on its own.
///
/// # Errors
/// 306 for `text`, `ntext` and `image`.
pub(crate) fn sort_key(value: &Typed) -> Result<String, SqlError> {
    if is_large_object(value.sql_type) && !value.is_null() {
        return Err(SqlError::new(
            306,
            "The text, ntext, and image data types cannot be compared or sorted, except when using IS NULL or LIKE operator.",
        ));
    }
    Ok(if value.sql_type.is_text() {
        format!("{} COLLATE {COLLATION}", value.sql)
    } else {
        value.sql.clone()
    })
}

pub(crate) fn is_large_object(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::Text | SqlType::NText | SqlType::Image | SqlType::Xml
    )
}

/// Whether a stored value of one type is, unchanged, a valid value of the other.
fn is_same_storage(from: SqlType, to: SqlType) -> bool {
    if from == to {
        return true;
    }
    match (from, to) {
        (from, to) if from.is_integer() && to.is_integer() => {
            to != SqlType::Bit && from.precedence() <= to.precedence()
        }
        (SqlType::Real, SqlType::Float) => true,
        (SqlType::Date, SqlType::DateTime2(_)) => true,
        (SqlType::SmallDateTime, SqlType::DateTime | SqlType::DateTime2(_)) => true,
        (SqlType::DateTime, SqlType::DateTime2(digits)) => digits >= 3,
        (SqlType::DateTime2(a), SqlType::DateTime2(b)) | (SqlType::Time(a), SqlType::Time(b)) => {
            a <= b
        }
        (SqlType::DateTimeOffset(a), SqlType::DateTimeOffset(b)) => a <= b,
        (from, to) if from.is_decimal() && to.is_decimal() => {
            match (from.as_decimal(), to.as_decimal()) {
                (Some((p1, s1)), Some((p2, s2))) => {
                    s1 == s2 && p1 <= p2 && matches!(to, SqlType::Decimal(..))
                }
                _ => false,
            }
        }
        (from, to) if from.is_text() && to.is_text() => {
            let grows_freely = !matches!(to, SqlType::Char(_) | SqlType::NChar(_));
            grows_freely && fits_within(from.length(), to.length())
        }
        (from, to) if from.is_binary() && to.is_binary() => {
            !matches!(to, SqlType::Binary(_)) && fits_within(from.length(), to.length())
        }
        _ => false,
    }
}

fn fits_within(from: Option<u16>, to: Option<u16>) -> bool {
    match (from, to) {
        (_, None) => true,
        (Some(from), Some(to)) => from <= to,
        (None, Some(_)) => false,
    }
}

/// Whether CAST may turn one type into the other.
fn convertible(from: SqlType, to: SqlType) -> bool {
    if from == to || (from.is_text() && !is_large_object(from)) {
        return to != SqlType::RowVersion || from == to;
    }
    if is_large_object(from) {
        return (from.is_text() && to.is_text()) || (from.is_binary() && to.is_binary());
    }
    if to.is_text() {
        return !is_large_object(to);
    }
    let old_moment = |t: SqlType| matches!(t, SqlType::DateTime | SqlType::SmallDateTime);
    match (from, to) {
        (a, b) if a.is_number() && b.is_number() => true,
        (a, b) if a.is_binary() && b.is_binary() => true,
        (a, b) if a.is_binary() => b.is_integer() || b == SqlType::UniqueIdentifier,
        (a, b) if b.is_binary() => a.is_integer(),
        (a, b) if old_moment(a) => b.is_temporal() || b.is_integer() || b.is_float(),
        (a, b) if old_moment(b) => a.is_temporal() || a.is_integer(),
        (SqlType::Time(_), SqlType::Date) | (SqlType::Date, SqlType::Time(_)) => false,
        (a, b) => a.is_temporal() && b.is_temporal(),
    }
}

/// Whether two types may meet without a CAST.
fn meets(from: SqlType, to: SqlType) -> bool {
    let modern =
        |t: SqlType| t.is_temporal() && !matches!(t, SqlType::DateTime | SqlType::SmallDateTime);
    if (modern(from) && to.is_number()) || (from.is_number() && modern(to)) {
        return false;
    }
    if from.is_temporal() && to.is_number() {
        return false;
    }
    convertible(from, to)
}

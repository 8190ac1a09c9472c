//! Arithmetic and conversions as SQLite functions.

use rusqlite::types::{Value as Stored, ValueRef};

use super::convert::Conversion;
use super::decimal::{self, Scaled};
use super::{Answer, Arguments, Function, decimal_value, unexpected};
use crate::SqlError;

pub(super) const LIST: &[(&str, i32, Function)] = &[
    ("t_convert", 3, |a| conversion(a)?.apply(a.raw(0))),
    ("t_convert", 4, |a| styled(a)?.apply(a.raw(0))),
    ("t_try_convert", 3, |a| {
        lenient(conversion(a)?).apply(a.raw(0))
    }),
    ("t_try_convert", 4, |a| lenient(styled(a)?).apply(a.raw(0))),
    ("t_int", 2, bounded_integer),
    ("t_div", 2, divide),
    ("t_mod", 2, remainder),
    ("t_fdiv", 2, divide_floats),
    ("t_float", 1, finite),
    ("t_decimal", 7, decimal_arithmetic),
    ("t_decimal_negate", 1, |a| Ok(decimal_value(-a.decimal(0)?))),
    ("t_decimal_abs", 1, |a| {
        Ok(decimal_value(a.decimal(0)?.abs()))
    }),
    ("t_decimal_sign", 2, decimal_sign),
    ("t_decimal_round", 4, decimal_round),
    ("t_decimal_whole", 3, decimal_whole),
    ("t_round", 3, round_integer),
    ("t_round_float", 3, round_float),
    ("t_math", 2, math),
    ("t_power", 2, |a| {
        finite_value(a.float(0)?.powf(a.float(1)?))
    }),
    ("t_atn2", 2, |a| {
        finite_value(a.float(0)?.atan2(a.float(1)?))
    }),
    ("t_raise", 2, |a| {
        Err(SqlError::new(a.small(0)?, a.text(1)?))
    }),
];

/// `t_convert(value, from, to)`, as `Conversion::call` writes it.
fn conversion(a: &Arguments<'_, '_>) -> Result<Conversion, SqlError> {
    Ok(Conversion::new(a.sql_type(1)?, a.sql_type(2)?))
}

/// `t_convert(value, from, to, style)`.
fn styled(a: &Arguments<'_, '_>) -> Result<Conversion, SqlError> {
    Ok(Conversion {
        style: Some(a.integer(3)?),
        ..conversion(a)?
    })
}

fn lenient(conversion: Conversion) -> Conversion {
    Conversion {
        lenient: true,
        ..conversion
    }
}

/// `t_int(value, bytes)`: SQLite computes in 64 bits and turns to floats beyond; T-SQL overflows.
fn bounded_integer(a: &Arguments<'_, '_>) -> Answer {
    let (name, range) = match a.integer(1)? {
        1 => ("tinyint", 0..=255),
        2 => ("smallint", i64::from(i16::MIN)..=i64::from(i16::MAX)),
        4 => ("int", i64::from(i32::MIN)..=i64::from(i32::MAX)),
        _ => ("bigint", i64::MIN..=i64::MAX),
    };
    match a.raw(0) {
        ValueRef::Integer(number) if range.contains(&number) => Ok(Stored::Integer(number)),
        _ => Err(SqlError::overflow(name)),
    }
}

fn divide(a: &Arguments<'_, '_>) -> Answer {
    match a.integer(1)? {
        0 => Err(SqlError::divide_by_zero()),
        by => a
            .integer(0)?
            .checked_div(by)
            .map(Stored::Integer)
            .ok_or_else(|| SqlError::overflow("bigint")),
    }
}

fn remainder(a: &Arguments<'_, '_>) -> Answer {
    match a.integer(1)? {
        0 => Err(SqlError::divide_by_zero()),
        by => Ok(Stored::Integer(a.integer(0)?.wrapping_rem(by))),
    }
}

fn divide_floats(a: &Arguments<'_, '_>) -> Answer {
    if a.float(1)? == 0.0 {
        return Err(SqlError::divide_by_zero());
    }
    finite_value(a.float(0)? / a.float(1)?)
}

fn finite(a: &Arguments<'_, '_>) -> Answer {
    finite_value(a.float(0)?)
}

fn finite_value(number: f64) -> Answer {
    if number.is_finite() {
        Ok(Stored::Real(number))
    } else if number.is_nan() {
        Err(SqlError::new(
            3623,
            "An invalid floating point operation occurred.",
        ))
    } else {
        Err(SqlError::overflow("float"))
    }
}

/// `t_decimal(code point of the operator, a, scale of a, b, scale of b, precision, scale)`.
fn decimal_arithmetic(a: &Arguments<'_, '_>) -> Answer {
    let operator = char::from(a.small::<u8>(0)?);
    let left = Scaled {
        unscaled: a.decimal(1)?,
        scale: a.small(2)?,
    };
    let right = Scaled {
        unscaled: a.decimal(3)?,
        scale: a.small(4)?,
    };
    decimal::calculate(operator, left, right, a.small(5)?, a.small(6)?).map(decimal_value)
}

/// `t_decimal_sign(a, scale)`: minus one, zero or one in the same scale.
fn decimal_sign(a: &Arguments<'_, '_>) -> Answer {
    let unit = decimal::power_of_ten(a.small(1)?).ok_or_else(|| unexpected(1))?;
    Ok(decimal_value(a.decimal(0)?.signum() * unit))
}

/// `t_decimal_round(a, scale, digits, cut)`: the scale stays, the digits behind become zeros.
fn decimal_round(a: &Arguments<'_, '_>) -> Answer {
    let (number, scale, cut) = (a.decimal(0)?, a.integer(1)?, a.integer(3)? != 0);
    let drop = scale - a.integer(2)?;
    if drop <= 0 {
        return Ok(decimal_value(number));
    }
    let Some(unit) = u32::try_from(drop).ok().and_then(decimal::power_of_ten) else {
        return Ok(decimal_value(0));
    };
    let kept = if cut {
        number / unit
    } else {
        rounded(number, unit)
    };
    kept.checked_mul(unit)
        .map(decimal_value)
        .ok_or_else(|| SqlError::overflow("numeric"))
}

fn rounded(number: i128, unit: i128) -> i128 {
    let remainder = number % unit;
    let up = remainder.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
    number / unit + if up { number.signum() } else { 0 }
}

/// `t_decimal_whole(a, scale, 'floor' or 'ceiling')`: a whole number at scale zero.
fn decimal_whole(a: &Arguments<'_, '_>) -> Answer {
    let unit = decimal::power_of_ten(a.small(1)?).ok_or_else(|| unexpected(1))?;
    let number = a.decimal(0)?;
    let floor = number.div_euclid(unit);
    let exact = number.rem_euclid(unit) == 0;
    let up = a.text(2)? == "ceiling" && !exact;
    Ok(decimal_value(floor + i128::from(up)))
}

/// `t_round(integer, digits, cut)`.
fn round_integer(a: &Arguments<'_, '_>) -> Answer {
    let (number, digits) = (a.integer(0)?, a.integer(1)?);
    if digits >= 0 {
        return Ok(Stored::Integer(number));
    }
    let unit = u32::try_from(-digits).ok().and_then(decimal::power_of_ten);
    let Some(unit) = unit else {
        return Ok(Stored::Integer(0));
    };
    let number = i128::from(number);
    let kept = if a.integer(2)? != 0 {
        number / unit
    } else {
        rounded(number, unit)
    };
    i64::try_from(kept * unit)
        .map(Stored::Integer)
        .map_err(|_| SqlError::overflow("bigint"))
}

/// `t_round_float(number, digits, cut)`, halves away from zero.
fn round_float(a: &Arguments<'_, '_>) -> Answer {
    let (number, digits) = (a.float(0)?, a.integer(1)?);
    let unit = 10f64.powi(i32::try_from(digits.clamp(-300, 300)).expect("clamped"));
    let moved = number * unit;
    let kept = if a.integer(2)? != 0 {
        moved.trunc()
    } else {
        moved.round()
    };
    finite_value(if moved.is_finite() {
        kept / unit
    } else {
        number
    })
}

/// `t_math(name, number)`: the functions of one float.
fn math(a: &Arguments<'_, '_>) -> Answer {
    let number = a.float(1)?;
    finite_value(match a.text(0)? {
        "sqrt" => number.sqrt(),
        "exp" => number.exp(),
        "log" => number.ln(),
        "log10" => number.log10(),
        "floor" => number.floor(),
        "ceiling" => number.ceil(),
        "sin" => number.sin(),
        "cos" => number.cos(),
        "tan" => number.tan(),
        "asin" => number.asin(),
        "acos" => number.acos(),
        "atan" => number.atan(),
        "radians" => number.to_radians(),
        "degrees" => number.to_degrees(),
        _ => return Err(unexpected(0)),
    })
}

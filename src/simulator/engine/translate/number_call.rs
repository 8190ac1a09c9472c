//! Mathematical functions: their types follow their argument's.

use super::convert::implicit;
use super::expression::bounded;
use super::function::{any_nullable, arity, values};
use super::scope::Typed;
use super::{Translator, explicit};
use crate::{SqlError, SqlType};

impl Translator<'_> {
    pub(super) fn number_call(
        &mut self,
        name: &str,
        arguments: Vec<Typed>,
    ) -> Result<Typed, SqlError> {
        match name {
            "abs" | "sign" => magnitude(name, arguments),
            "floor" | "ceiling" => {
                let [value] = values(name, arguments)?;
                self.whole(value, name)
            }
            "round" => round(arguments),
            "power" => power(arguments),
            "square" => {
                let [value] = values(name, arguments)?;
                let value = implicit(value, SqlType::Float)?;
                Ok(Typed::new(
                    format!("t_float({0} * {0})", value.sql),
                    SqlType::Float,
                    value.nullable,
                ))
            }
            "pi" => Ok(Typed::new(
                format!("{:?}", std::f64::consts::PI),
                SqlType::Float,
                false,
            )),
            "atn2" => {
                let nullable = any_nullable(&arguments);
                let [y, x] = values(name, arguments)?;
                let (y, x) = (implicit(y, SqlType::Float)?, implicit(x, SqlType::Float)?);
                Ok(Typed::new(
                    format!("t_atn2({}, {})", y.sql, x.sql),
                    SqlType::Float,
                    nullable,
                ))
            }
            "log" if arguments.len() == 2 => {
                let nullable = any_nullable(&arguments);
                let [value, base] = values(name, arguments)?;
                let (value, base) = (
                    implicit(value, SqlType::Float)?,
                    implicit(base, SqlType::Float)?,
                );
                let sql = format!(
                    "t_fdiv(t_math('log', {}), t_math('log', {}))",
                    value.sql, base.sql
                );
                Ok(Typed::new(sql, SqlType::Float, nullable))
            }
            _ => {
                let [value] = values(name, arguments)?;
                let value = implicit(value, SqlType::Float)?;
                Ok(Typed::new(
                    format!("t_math('{name}', {})", value.sql),
                    SqlType::Float,
                    value.nullable,
                ))
            }
        }
    }

    /// FLOOR and CEILING.
    pub(super) fn whole(&mut self, value: Typed, name: &str) -> Result<Typed, SqlError> {
        let value = as_number(value)?;
        match value.sql_type {
            t if t.is_integer() => Ok(value),
            SqlType::Decimal(precision, scale) => Ok(Typed::new(
                format!("t_decimal_whole({}, {scale}, '{name}')", value.sql),
                SqlType::Decimal(precision, 0),
                value.nullable,
            )),
            t if t.is_decimal() => {
                let whole = format!("t_decimal_whole({}, 4, '{name}')", value.sql);
                explicit(
                    Typed::new(whole, SqlType::Decimal(19, 0), value.nullable),
                    t,
                    None,
                    false,
                )
            }
            _ => Ok(Typed::new(
                format!("t_math('{name}', {})", value.sql),
                SqlType::Float,
                value.nullable,
            )),
        }
    }
}

/// Small integers count as int here, text as float.
fn as_number(value: Typed) -> Result<Typed, SqlError> {
    match value.sql_type {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt => implicit(value, SqlType::Int),
        SqlType::SmallMoney => implicit(value, SqlType::Money),
        t if t.is_number() => Ok(value),
        _ => implicit(value, SqlType::Float),
    }
}

fn magnitude(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value] = values(name, arguments)?;
    let value = as_number(value)?;
    let sql = match value.sql_type {
        t if t.is_integer() && name == "abs" => bounded(&format!("abs({})", value.sql), t),
        t if t.is_decimal() && name == "abs" => format!("t_decimal_abs({})", value.sql),
        t if t.is_decimal() => {
            let (_, scale) = t.as_decimal().expect("asked");
            format!("t_decimal_sign({}, {scale})", value.sql)
        }
        t if t.is_float() && name == "sign" => format!("CAST(sign({}) AS REAL)", value.sql),
        _ => format!("{name}({})", value.sql),
    };
    Ok(Typed::new(sql, value.sql_type, value.nullable))
}

fn round(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let mut arguments = arguments.into_iter();
    let (Some(value), Some(digits)) = (arguments.next(), arguments.next()) else {
        return Err(arity("round", "2 to 3"));
    };
    let cut = arguments
        .next()
        .map_or_else(|| Ok(Typed::integer(0)), |cut| implicit(cut, SqlType::Int))?;
    let digits = implicit(digits, SqlType::Int)?;
    let value = as_number(value)?;
    let sql = match value.sql_type {
        t if t.is_integer() => bounded(
            &format!("t_round({}, {}, {})", value.sql, digits.sql, cut.sql),
            t,
        ),
        t if t.is_decimal() => {
            let (_, scale) = t.as_decimal().expect("asked");
            format!(
                "t_decimal_round({}, {scale}, {}, {})",
                value.sql, digits.sql, cut.sql
            )
        }
        _ => format!("t_round_float({}, {}, {})", value.sql, digits.sql, cut.sql),
    };
    Ok(Typed::new(sql, value.sql_type, nullable))
}

fn power(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [base, exponent] = values("power", arguments)?;
    let base = as_number(base)?;
    let sql_type = match base.sql_type {
        SqlType::Decimal(_, scale) => SqlType::Decimal(38, scale),
        t => t,
    };
    let (base, exponent) = (
        implicit(base, SqlType::Float)?,
        implicit(exponent, SqlType::Float)?,
    );
    let result = Typed::new(
        format!("t_power({}, {})", base.sql, exponent.sql),
        SqlType::Float,
        nullable,
    );
    explicit(result, sql_type, None, false)
}

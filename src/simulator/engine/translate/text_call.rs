//! String functions: their types and lengths.

use sqlparser::ast::Expr;

use super::expression::joined_type;
use super::function::{any_nullable, arity, values};
use super::predicate::as_text;
use super::scope::{Constant, Scope, Typed, literal};
use super::{Translator, explicit, implicit};
use crate::{SqlError, SqlType};

impl Translator<'_> {
    pub(super) fn substring(
        &mut self,
        text: &Expr,
        from: &Expr,
        length: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let arguments = vec![
            self.value(text, scope)?,
            self.value(from, scope)?,
            self.value(length, scope)?,
        ];
        self.text_call("substring", arguments)
    }

    pub(super) fn text_call(
        &mut self,
        name: &str,
        arguments: Vec<Typed>,
    ) -> Result<Typed, SqlError> {
        match name {
            "len" => measured(name, arguments),
            "datalength" => data_length(arguments),
            "left" | "right" => part(name, arguments),
            "substring" => substring(arguments),
            "upper" | "lower" | "ltrim" | "rtrim" | "reverse" => same_length(name, arguments),
            "trim" => trim(arguments),
            "replace" | "translate" => rewritten(name, arguments),
            "charindex" | "patindex" => search(name, arguments),
            "stuff" => stuff(arguments),
            "replicate" | "space" => repeated(name, arguments),
            "concat" | "concat_ws" => concatenated(name, arguments),
            "char" | "nchar" | "ascii" | "unicode" => character(name, arguments),
            "quotename" => quote_name(arguments),
            "format" => format_call(arguments),
            "hashbytes" => hash(arguments),
            _ => Err(SqlError::unsupported(name.to_uppercase())),
        }
    }
}

/// Variable-length text like the given type, with a length of its own.
fn like(sql_type: SqlType, length: Option<u16>) -> SqlType {
    if sql_type.is_national() {
        SqlType::NVarChar(length.map(|length| length.clamp(1, 4000)))
    } else {
        SqlType::VarChar(length.map(|length| length.clamp(1, 8000)))
    }
}

/// The longest text that is not `max`.
fn longest(sql_type: SqlType) -> SqlType {
    like(sql_type, sql_type.length().map(|_| 8000))
}

fn measured(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [text] = values(name, arguments)?;
    let text = as_text(text)?;
    let sql_type = if text.sql_type.length().is_none() {
        SqlType::BigInt
    } else {
        SqlType::Int
    };
    Ok(Typed::new(
        format!("t_len({})", text.sql),
        sql_type,
        text.nullable,
    ))
}

/// DATALENGTH of what has a fixed size is that size.
fn data_length(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value] = values("datalength", arguments)?;
    let t = value.sql_type;
    let fixed = match t {
        SqlType::Bit | SqlType::TinyInt => Some(1),
        SqlType::SmallInt => Some(2),
        SqlType::Int | SqlType::Real | SqlType::SmallMoney | SqlType::SmallDateTime => Some(4),
        SqlType::BigInt | SqlType::Float | SqlType::Money | SqlType::DateTime => Some(8),
        SqlType::Date => Some(3),
        SqlType::UniqueIdentifier => Some(16),
        t if t.is_text() || t.is_binary() => None,
        _ => return Err(SqlError::unsupported("DATALENGTH")),
    };
    let sql_type = if t.length().is_none() && fixed.is_none() {
        SqlType::BigInt
    } else {
        SqlType::Int
    };
    let sql = match fixed {
        Some(bytes) => format!("(CASE WHEN {} IS NOT NULL THEN {bytes} END)", value.sql),
        None => format!(
            "t_datalength({}, {})",
            value.sql,
            if t.is_national() { 2 } else { 1 }
        ),
    };
    Ok(Typed::new(sql, sql_type, value.nullable))
}

fn constant_length(count: &Typed) -> Option<u16> {
    match count.constant {
        Constant::Integer(number) => Some(u16::try_from(number.clamp(1, 8000)).expect("clamped")),
        _ => None,
    }
}

fn part(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [text, count] = values(name, arguments)?;
    let text = as_text(text)?;
    let length = match (text.sql_type.length(), constant_length(&count)) {
        (Some(whole), Some(count)) => Some(count.min(whole)),
        (whole, count) => count.or(whole),
    };
    let count = implicit(count, SqlType::BigInt)?;
    Ok(Typed::new(
        format!("t_{name}({}, {})", text.sql, count.sql),
        like(text.sql_type, length),
        nullable,
    ))
}

fn substring(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [text, start, count] = values("substring", arguments)?;
    let text = if text.sql_type.is_binary() {
        text
    } else {
        as_text(text)?
    };
    let length = match (text.sql_type.length(), constant_length(&count)) {
        (Some(whole), Some(count)) => Some(count.min(whole)),
        (whole, count) => count.or(whole),
    };
    let sql_type = if text.sql_type.is_binary() {
        SqlType::VarBinary(length)
    } else {
        like(text.sql_type, length)
    };
    let start = implicit(start, SqlType::BigInt)?;
    let count = implicit(count, SqlType::BigInt)?;
    Ok(Typed::new(
        format!("t_substring({}, {}, {})", text.sql, start.sql, count.sql),
        sql_type,
        nullable,
    ))
}

fn same_length(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [text] = values(name, arguments)?;
    let text = as_text(text)?;
    let sql_type = like(text.sql_type, text.sql_type.length());
    Ok(Typed::new(
        format!("t_{name}({})", text.sql),
        sql_type,
        text.nullable,
    ))
}

fn trim(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let mut arguments = arguments.into_iter();
    let text = as_text(arguments.next().ok_or_else(|| arity("trim", "1"))?)?;
    let sql_type = like(text.sql_type, text.sql_type.length());
    let sql = match arguments.next() {
        Some(what) => format!("t_trim({}, {})", text.sql, as_text(what)?.sql),
        None => format!("t_trim({})", text.sql),
    };
    Ok(Typed::new(sql, sql_type, nullable))
}

fn rewritten(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let [text, from, to] = values(name, arguments)?;
    let (text, from, to) = (as_text(text)?, as_text(from)?, as_text(to)?);
    let national = [&text, &from, &to]
        .iter()
        .any(|value| value.sql_type.is_national());
    let base = if national {
        SqlType::NVarChar(text.sql_type.length())
    } else {
        text.sql_type
    };
    let sql_type = if name == "translate" {
        like(base, base.length())
    } else {
        longest(base)
    };
    Ok(Typed::new(
        format!("t_{name}({}, {}, {})", text.sql, from.sql, to.sql),
        sql_type,
        nullable,
    ))
}

fn search(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let nullable = any_nullable(&arguments);
    let mut arguments = arguments.into_iter();
    let (Some(needle), Some(text)) = (arguments.next(), arguments.next()) else {
        return Err(arity(name, "2"));
    };
    let (needle, text) = (as_text(needle)?, as_text(text)?);
    let sql_type = if text.sql_type.length().is_none() {
        SqlType::BigInt
    } else {
        SqlType::Int
    };
    let start = arguments.next().map_or_else(
        || Ok(Typed::integer(1)),
        |start| implicit(start, SqlType::BigInt),
    )?;
    let sql = if name == "charindex" {
        format!("t_charindex({}, {}, {})", needle.sql, text.sql, start.sql)
    } else {
        format!("t_patindex({}, {})", needle.sql, text.sql)
    };
    Ok(Typed::new(sql, sql_type, nullable))
}

fn stuff(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [text, start, length, replacement] = values("stuff", arguments)?;
    let (text, replacement) = (as_text(text)?, as_text(replacement)?);
    let start = implicit(start, SqlType::BigInt)?;
    let length = implicit(length, SqlType::BigInt)?;
    let sql_type = joined_type(text.sql_type, replacement.sql_type);
    let sql = format!(
        "t_stuff({}, {}, {}, {})",
        text.sql, start.sql, length.sql, replacement.sql
    );
    Ok(Typed::new(sql, sql_type, true))
}

fn repeated(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let (text, times) = if name == "space" {
        let [times] = values(name, arguments)?;
        (Typed::text(" ", SqlType::VarChar(Some(1))), times)
    } else {
        let [text, times] = values(name, arguments)?;
        (as_text(text)?, times)
    };
    let times = implicit(times, SqlType::BigInt)?;
    Ok(Typed::new(
        format!("t_replicate({}, {})", text.sql, times.sql),
        longest(text.sql_type),
        true,
    ))
}

fn concatenated(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    if arguments.len() < 2 {
        return Err(arity(name, "at least 2"));
    }
    let mut sql_type: Option<SqlType> = None;
    let mut parts = Vec::with_capacity(arguments.len());
    for argument in arguments {
        // CONCAT takes anything and shows it as CAST would.
        let text = match argument.sql_type {
            t if t.is_text() => argument,
            _ if argument.is_null() => Typed {
                sql_type: SqlType::VarChar(Some(1)),
                ..argument
            },
            // The function itself writes whole numbers, but for the separator.
            t if t.is_integer() && (name == "concat" || !parts.is_empty()) => Typed {
                sql_type: SqlType::VarChar(Some(shown_width(t))),
                ..argument
            },
            t => explicit(
                argument,
                SqlType::VarChar(Some(shown_width(t))),
                None,
                false,
            )?,
        };
        sql_type = Some(sql_type.map_or(text.sql_type, |sum| joined_type(sum, text.sql_type)));
        parts.push(text.sql);
    }
    let sql_type = sql_type.expect("at least two arguments");
    Ok(Typed::new(
        format!("t_{name}({})", parts.join(", ")),
        like(sql_type, sql_type.length()),
        false,
    ))
}

/// Characters that a value of the type needs at most.
fn shown_width(sql_type: SqlType) -> u16 {
    match sql_type {
        SqlType::Bit => 1,
        SqlType::TinyInt => 3,
        SqlType::SmallInt => 6,
        SqlType::Int => 12,
        SqlType::BigInt => 24,
        SqlType::Date => 10,
        SqlType::UniqueIdentifier => 36,
        _ => 41,
    }
}

fn character(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value] = values(name, arguments)?;
    match name {
        "char" | "nchar" => {
            let code = implicit(value, SqlType::Int)?;
            let limit = if name == "char" { 255 } else { 65535 };
            let sql = format!(
                "(CASE WHEN {0} BETWEEN 0 AND {limit} THEN t_char({0}) END)",
                code.sql
            );
            Ok(Typed::new(
                sql,
                if name == "char" {
                    SqlType::Char(1)
                } else {
                    SqlType::NChar(1)
                },
                true,
            ))
        }
        _ => {
            let text = as_text(value)?;
            Ok(Typed::new(
                format!("t_unicode({})", text.sql),
                SqlType::Int,
                true,
            ))
        }
    }
}

fn quote_name(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let mut arguments = arguments.into_iter();
    let name = as_text(arguments.next().ok_or_else(|| arity("quotename", "1"))?)?;
    let quote = arguments
        .next()
        .map_or_else(|| Ok(Typed::text("[", SqlType::NChar(1))), as_text)?;
    Ok(Typed::new(
        format!("t_quotename({}, {})", name.sql, quote.sql),
        SqlType::NVarChar(Some(258)),
        true,
    ))
}

/// FORMAT(value, picture): dates and numbers under the invariant pictures.
fn format_call(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value, picture] = values("format", arguments)?;
    let picture = as_text(picture)?;
    let sql = match value.sql_type {
        t if t.is_civil() => format!("t_format_date({}, {})", value.sql, picture.sql),
        t if t.is_integer() && t != SqlType::Bit => {
            let exact = implicit(value, SqlType::Decimal(19, 0))?;
            format!("t_format_number({}, 0, {})", exact.sql, picture.sql)
        }
        t if t.is_decimal() => {
            let (_, scale) = t.as_decimal().expect("asked");
            format!("t_format_number({}, {scale}, {})", value.sql, picture.sql)
        }
        t => {
            return Err(SqlError::unsupported(format_args!(
                "FORMAT of {}",
                t.name()
            )));
        }
    };
    Ok(Typed::new(sql, SqlType::NVarChar(Some(4000)), true))
}

fn hash(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [algorithm, value] = values("hashbytes", arguments)?;
    let nullable = value.nullable;
    let bytes = explicit(value, SqlType::VarBinary(None), None, false)?;
    Ok(Typed::new(
        format!("t_hash({}, {})", as_text(algorithm)?.sql, bytes.sql),
        SqlType::VarBinary(Some(8000)),
        nullable,
    ))
}

/// A table function's text argument, for STRING_SPLIT.
pub(super) fn split_call(text: Typed, separator: Typed) -> Result<(String, SqlType), SqlError> {
    let text = as_text(text)?;
    let sql_type = like(text.sql_type, text.sql_type.length());
    let separator = as_text(separator)?;
    Ok((
        format!("json_each(t_json_array({}, {}))", text.sql, separator.sql),
        sql_type,
    ))
}

/// A name as a constant, for functions that look names up while translating.
pub(super) fn constant_text(value: &Typed) -> Result<String, SqlError> {
    let inner = value
        .sql
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    let text = inner.map(|text| text.replace("''", "'"));
    text.ok_or_else(|| SqlError::unsupported(literal("a name that is not a constant")))
}

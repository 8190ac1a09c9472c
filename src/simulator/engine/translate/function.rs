//! Calls: finds the function, translates its arguments, and leaves the rest to its family.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    ObjectNamePart,
};

use super::convert::{common_type, comparable};
use super::expression::choose;
use super::predicate::as_text;
use super::scope::{Scope, Typed};
use super::{Translator, explicit, implicit};
use crate::runtime::convert::Conversion;
use crate::{SqlError, SqlType};

impl Translator<'_> {
    /// Translates a call in a place where a value is wanted.
    pub(super) fn call(
        &mut self,
        function: &Function,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let name = simple_name(function)?;
        if function.filter.is_some() || function.null_treatment.is_some() {
            return Err(SqlError::syntax(name));
        }
        if function.over.is_some() || self.is_aggregate(&name) {
            return self.aggregate_call(&name, function, scope);
        }
        let arguments = plain_arguments(function)?;
        match name.as_str() {
            "iif" => {
                let [condition, then, otherwise] = exactly(&name, &arguments)?;
                let test = self.predicate(condition, scope)?;
                let results = vec![self.value(then, scope)?, self.value(otherwise, scope)?];
                choose(&[test], results)
            }
            _ if super::date_call::takes_part(&name) => {
                self.date_part_call(&name, &arguments, scope)
            }
            _ => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.value(argument, scope)?);
                }
                self.call_with_values(&name, values)
            }
        }
    }

    fn call_with_values(&mut self, name: &str, values: Vec<Typed>) -> Result<Typed, SqlError> {
        match name {
            "isnull" => is_null(values),
            "coalesce" => coalesce(values),
            "nullif" => null_if(values),
            "choose" => self.choose_call(values),
            "greatest" | "least" => extreme(name, values),
            "isnumeric" => is_numeric(values),
            "isdate" => is_date(values),
            "left" | "right" | "len" | "datalength" | "upper" | "lower" | "ltrim" | "rtrim"
            | "trim" | "replace" | "charindex" | "patindex" | "stuff" | "reverse" | "replicate"
            | "space" | "concat" | "concat_ws" | "char" | "nchar" | "ascii" | "unicode"
            | "translate" | "quotename" | "str" | "format" | "hashbytes" | "substring" => {
                self.text_call(name, values)
            }
            "abs" | "sign" | "round" | "floor" | "ceiling" | "power" | "sqrt" | "square"
            | "exp" | "log" | "log10" | "pi" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan"
            | "atn2" | "radians" | "degrees" => self.number_call(name, values),
            "year"
            | "month"
            | "day"
            | "eomonth"
            | "datefromparts"
            | "datetimefromparts"
            | "datetime2fromparts"
            | "smalldatetimefromparts"
            | "timefromparts"
            | "getdate"
            | "current_timestamp"
            | "sysdatetime"
            | "sysdatetimeoffset"
            | "getutcdate"
            | "sysutcdatetime"
            | "switchoffset"
            | "todatetimeoffset" => self.date_call(name, values),
            _ => self.system_call(name, values),
        }
    }

    fn choose_call(&mut self, values: Vec<Typed>) -> Result<Typed, SqlError> {
        let mut values = values.into_iter();
        let index = implicit(
            values.next().ok_or_else(|| arity("choose", "2"))?,
            SqlType::Int,
        )?;
        let mut results: Vec<Typed> = values.collect();
        let tests: Vec<String> = (1..=results.len())
            .map(|at| format!("{} = {at}", index.sql))
            .collect();
        results.push(Typed::null(SqlType::Int));
        choose(&tests, results)
    }
}

/// A function's name in lower case; T-SQL's built-in functions have no schema.
pub(super) fn simple_name(function: &Function) -> Result<String, SqlError> {
    match &function.name.0[..] {
        [ObjectNamePart::Identifier(name)] => Ok(name.value.to_lowercase()),
        _ => Err(SqlError::new(
            4121,
            format!(
                "Cannot find either column \"{}\" or the user-defined function or aggregate \"{}\", or the name is ambiguous.",
                function
                    .name
                    .0
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                function.name
            ),
        )),
    }
}

/// The arguments, when there is nothing but expressions.
pub(super) fn plain_arguments(function: &Function) -> Result<Vec<&Expr>, SqlError> {
    let list = match &function.args {
        FunctionArguments::None => return Ok(Vec::new()),
        FunctionArguments::List(list) => list,
        FunctionArguments::Subquery(_) => return Err(SqlError::syntax("SELECT")),
    };
    if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) || !list.clauses.is_empty() {
        return Err(SqlError::syntax("DISTINCT"));
    }
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Ok(expression),
            other => Err(SqlError::syntax(other)),
        })
        .collect()
}

/// Exactly so many arguments.
pub(super) fn exactly<const N: usize, T: Copy>(
    name: &str,
    arguments: &[T],
) -> Result<[T; N], SqlError> {
    arguments
        .try_into()
        .map_err(|_| arity(name, &N.to_string()))
}

/// Exactly so many values, given away.
pub(super) fn values<const N: usize>(
    name: &str,
    arguments: Vec<Typed>,
) -> Result<[Typed; N], SqlError> {
    arguments
        .try_into()
        .map_err(|_| arity(name, &N.to_string()))
}

pub(super) fn arity(name: &str, wanted: &str) -> SqlError {
    SqlError::new(
        174,
        format!("The {name} function requires {wanted} argument(s)."),
    )
}

pub(super) fn any_nullable(values: &[Typed]) -> bool {
    values.iter().any(|value| value.nullable)
}

/// ISNULL has the type of its first argument, cutting the second if need be.
fn is_null(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value, replacement] = values("isnull", arguments)?;
    if value.is_null() {
        return Ok(replacement);
    }
    let sql_type = value.sql_type;
    let nullable = value.nullable && replacement.nullable;
    let replacement = implicit(replacement, sql_type)?;
    Ok(Typed::new(
        format!("coalesce({}, {})", value.sql, replacement.sql),
        sql_type,
        nullable,
    ))
}

fn coalesce(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    if arguments.len() < 2 {
        return Err(arity("coalesce", "2"));
    }
    if arguments.iter().all(Typed::is_null) {
        return Err(SqlError::new(
            4127,
            "At least one of the arguments to COALESCE must be an expression that is not the NULL constant.",
        ));
    }
    let common = common_type(&arguments);
    let nullable = arguments.iter().all(|value| value.nullable);
    let mut parts = Vec::with_capacity(arguments.len());
    for argument in arguments {
        parts.push(implicit(argument, common)?.sql);
    }
    Ok(Typed::new(
        format!("coalesce({})", parts.join(", ")),
        common,
        nullable,
    ))
}

fn null_if(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value, other] = values("nullif", arguments)?;
    let sql_type = value.sql_type;
    let result = value.sql.clone();
    let (left, right) = comparable(value, other, "equal to")?;
    Ok(Typed::new(
        format!("(CASE WHEN {left} = {right} THEN NULL ELSE {result} END)"),
        sql_type,
        true,
    ))
}

/// GREATEST and LEAST pass over NULLs; SQLite's own max() does not.
fn extreme(name: &str, arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let common = common_type(&arguments);
    let nullable = arguments.iter().all(|value| value.nullable);
    let symbol = if name == "greatest" { ">=" } else { "<=" };
    let mut converted = Vec::with_capacity(arguments.len());
    for argument in arguments {
        converted.push(implicit(argument, common)?);
    }
    let mut parts = converted.into_iter();
    let first = parts.next().ok_or_else(|| arity(name, "at least 1"))?;
    let sql = parts.try_fold(first.sql, |best, next| {
        let (left, right) = comparable(
            Typed::new(&*best, common, true),
            Typed::new(&*next.sql, common, true),
            name,
        )?;
        let next = next.sql;
        Ok::<_, SqlError>(format!(
            "(CASE WHEN {next} IS NULL OR {left} {symbol} {right} THEN {best} ELSE {next} END)"
        ))
    })?;
    Ok(Typed::new(sql, common, nullable))
}

fn lenient(value: &Typed, to: SqlType) -> String {
    let conversion = Conversion {
        lenient: true,
        ..Conversion::new(value.sql_type, to)
    };
    conversion.call(&value.sql)
}

fn is_numeric(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value] = values("isnumeric", arguments)?;
    if value.sql_type.is_number() {
        return Ok(Typed::new(
            format!("({} IS NOT NULL)", value.sql),
            SqlType::Int,
            false,
        ));
    }
    let value = as_text(value)?;
    // A lone sign, point or currency mark counts as numeric: the server is known for it.
    let sql = format!(
        "(CASE WHEN t_trim({text}) IN ('-', '+', '.', '$', ',') THEN 1 WHEN t_trim({text}) <> '' AND ({float} IS NOT NULL OR {money} IS NOT NULL) THEN 1 ELSE 0 END)",
        text = value.sql,
        float = lenient(&value, SqlType::Float),
        money = lenient(&value, SqlType::Money),
    );
    Ok(Typed::new(sql, SqlType::Int, false))
}

fn is_date(arguments: Vec<Typed>) -> Result<Typed, SqlError> {
    let [value] = values("isdate", arguments)?;
    if value.sql_type.is_civil() {
        return Ok(Typed::new(
            format!("({} IS NOT NULL)", value.sql),
            SqlType::Int,
            false,
        ));
    }
    let value = explicit(as_text(value)?, SqlType::VarChar(Some(8000)), None, false)?;
    let sql = format!(
        "(CASE WHEN t_trim({}) <> '' AND {} IS NOT NULL THEN 1 ELSE 0 END)",
        value.sql,
        lenient(&value, SqlType::DateTime)
    );
    Ok(Typed::new(sql, SqlType::Int, false))
}

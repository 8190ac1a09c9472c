//! Values: literals, names, arithmetic, CASE, CAST, subqueries.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, Expr, TrimWhereField,
    UnaryOperator, Value,
};

use super::convert::{common_type, decimal_of_constant};
use super::date_call::dateadd_call;
use super::query::Nesting;
use super::scope::{Constant, Place, Scope, Typed};
use super::{Translator, explicit, implicit};
use crate::runtime::calendar::Part;
use crate::runtime::{convert as runtime, decimal};
use crate::types::arithmetic_decimal;
use crate::{SqlError, SqlType};

impl Translator<'_> {
    /// Translates an expression that has a value.
    pub(super) fn value(
        &mut self,
        expression: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        if let Some(groups) = scope.groups.clone()
            && let Ok(plain) = self.plain_value(expression, &scope.at(Place::Row))
            && let Some(group) = groups.iter().find(|group| group.sql == plain.sql)
        {
            return Ok(group.clone());
        }
        self.plain_value(expression, scope)
    }

    fn plain_value(&mut self, expression: &Expr, scope: &Scope<'_>) -> Result<Typed, SqlError> {
        match expression {
            Expr::Identifier(name)
                if name.quote_style.is_none() && name.value.starts_with("@@") =>
            {
                self.server_variable(&name.value)
            }
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@') => {
                self.variable(&name.value)
            }
            Expr::Identifier(name) => scope.column(&[&name.value]),
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                scope.column(&parts)
            }
            Expr::Value(value) => constant(&value.value),
            Expr::Nested(inner) => self.value(inner, scope),
            Expr::UnaryOp { op, expr } => self.unary(op, expr, scope),
            Expr::BinaryOp { left, op, right } => {
                let left = self.value(left, scope)?;
                let right = self.value(right, scope)?;
                binary(op, left, right)
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(
                operand.as_deref(),
                conditions,
                else_result.as_deref(),
                scope,
            ),
            Expr::Cast {
                kind,
                expr,
                data_type,
                format: None,
            } => {
                let value = self.value(expr, scope)?;
                explicit(
                    value,
                    cast_target(data_type)?,
                    None,
                    *kind != CastKind::Cast,
                )
            }
            Expr::Convert {
                is_try,
                expr,
                data_type: Some(data_type),
                styles,
                charset: None,
                ..
            } => {
                let value = self.value(expr, scope)?;
                let style = styles
                    .first()
                    .map(|style| self.constant_integer(style))
                    .transpose()?;
                explicit(value, cast_target(data_type)?, style, *is_try)
            }
            Expr::Collate { expr, .. } => self.value(expr, scope),
            Expr::Subquery(query) => self.scalar_subquery(query, scope),
            Expr::Function(function) => self.call(function, scope),
            Expr::AtTimeZone {
                timestamp,
                time_zone,
            } => self.at_time_zone(timestamp, time_zone, scope),
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for: Some(length),
                ..
            } => self.substring(expr, from, length, scope),
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters: None,
            } => self.trim(*trim_where, trim_what.as_deref(), expr, scope),
            Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(_),
            } => {
                let value = self.value(expr, scope)?;
                self.whole(value, "floor")
            }
            Expr::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(_),
            } => {
                let value = self.value(expr, scope)?;
                self.whole(value, "ceiling")
            }
            Expr::Prefixed { value, .. } => self.value(value, scope),
            _ if is_predicate(expression) => Err(SqlError::syntax(first_word(expression))),
            other => Err(SqlError::unsupported(first_word(other))),
        }
    }

    fn unary(
        &mut self,
        operator: &UnaryOperator,
        operand: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        if *operator == UnaryOperator::Minus
            && let Expr::Value(value) = operand
            && let Value::Number(digits, _) = &value.value
        {
            return number(&format!("-{digits}"));
        }
        let value = self.value(operand, scope)?;
        match operator {
            UnaryOperator::Plus => Ok(value),
            UnaryOperator::Minus => negate(value),
            UnaryOperator::BitwiseNot if value.sql_type == SqlType::Bit => Ok(Typed::new(
                format!("(1 - {})", value.sql),
                SqlType::Bit,
                value.nullable,
            )),
            UnaryOperator::BitwiseNot if value.sql_type.is_integer() => {
                let mask = if value.sql_type == SqlType::TinyInt {
                    " & 255"
                } else {
                    ""
                };
                Ok(Typed::new(
                    format!("(~{}{mask})", value.sql),
                    value.sql_type,
                    value.nullable,
                ))
            }
            other => Err(SqlError::syntax(other)),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let mut tests = Vec::new();
        let mut results = Vec::new();
        for CaseWhen { condition, result } in conditions {
            tests.push(match operand {
                Some(operand) => self.comparison(operand, &BinaryOperator::Eq, condition, scope)?,
                None => self.predicate(condition, scope)?,
            });
            results.push(self.value(result, scope)?);
        }
        match otherwise {
            Some(otherwise) => results.push(self.value(otherwise, scope)?),
            None => results.push(Typed::null(SqlType::Int)),
        }
        choose(&tests, results)
    }

    /// A whole number written out, where T-SQL takes nothing else.
    pub(super) fn constant_integer(&self, expression: &Expr) -> Result<i64, SqlError> {
        let text = expression.to_string();
        if let Ok(number) = text.trim_matches(['(', ')']).parse() {
            return Ok(number);
        }
        if let Some(variable) = self.variables.get(&text.to_lowercase())
            && let rusqlite::types::Value::Integer(number) = variable.value
        {
            return Ok(number);
        }
        Err(SqlError::unsupported(text))
    }

    fn scalar_subquery(
        &mut self,
        query: &sqlparser::ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let bound = self.query(query, Some(scope), Nesting::Subquery)?;
        let [column] = &bound.columns[..] else {
            return Err(SqlError::new(
                116,
                "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
            ));
        };
        let sql_type = column.value.sql_type;
        let alias = self.alias();
        let sql = if bound.at_most_one_row {
            format!("({})", bound.sql)
        } else {
            format!(
                "(SELECT t_one(count(*), max({alias}.c1)) FROM ({}) {alias})",
                bound.sql
            )
        };
        Ok(Typed::new(sql, sql_type, true))
    }

    fn trim(
        &mut self,
        side: Option<TrimWhereField>,
        what: Option<&Expr>,
        text: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let text = self.value(text, scope)?;
        match (side, what) {
            (None | Some(TrimWhereField::Both), None) => self.text_call("trim", vec![text]),
            (Some(TrimWhereField::Leading), None) => self.text_call("ltrim", vec![text]),
            (Some(TrimWhereField::Trailing), None) => self.text_call("rtrim", vec![text]),
            (None | Some(TrimWhereField::Both), Some(what)) => {
                let what = self.value(what, scope)?;
                self.text_call("trim", vec![text, what])
            }
            _ => Err(SqlError::unsupported("TRIM")),
        }
    }
}

/// CASE from finished parts: the last result is the ELSE.
pub(super) fn choose(tests: &[String], results: Vec<Typed>) -> Result<Typed, SqlError> {
    if results.iter().all(Typed::is_null) {
        return Err(SqlError::new(
            8133,
            "At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.",
        ));
    }
    let common = common_type(&results);
    let nullable = results.iter().any(|result| result.nullable);
    let mut sql = String::from("(CASE");
    let mut results = results.into_iter().map(|result| implicit(result, common));
    for test in tests {
        let result = results.next().expect("a result per test")?;
        sql.push_str(&format!(" WHEN {test} THEN {}", result.sql));
    }
    let otherwise = results.next().expect("an ELSE")?;
    sql.push_str(&format!(" ELSE {} END)", otherwise.sql));
    Ok(Typed::new(sql, common, nullable))
}

/// Whether an expression is a condition, which has no value in T-SQL.
pub(super) fn is_predicate(expression: &Expr) -> bool {
    match expression {
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::Exists { .. } => true,
        Expr::BinaryOp { op, .. } => {
            comparison_operator(op).is_some()
                || matches!(op, BinaryOperator::And | BinaryOperator::Or)
        }
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            ..
        } => true,
        Expr::Nested(inner) => is_predicate(inner),
        _ => false,
    }
}

/// The SQLite spelling of a comparison, and SQL Server's name for it.
pub(super) fn comparison_operator(
    operator: &BinaryOperator,
) -> Option<(&'static str, &'static str)> {
    Some(match operator {
        BinaryOperator::Eq => ("=", "equal to"),
        BinaryOperator::NotEq => ("<>", "not equal to"),
        BinaryOperator::Lt => ("<", "less than"),
        BinaryOperator::LtEq => ("<=", "less than or equal to"),
        BinaryOperator::Gt => (">", "greater than"),
        BinaryOperator::GtEq => (">=", "greater than or equal to"),
        _ => return None,
    })
}

pub(super) fn first_word(expression: &Expr) -> String {
    expression
        .to_string()
        .split([' ', '('])
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// A type named in CAST: text without length gets thirty characters there.
fn cast_target(data_type: &DataType) -> Result<SqlType, SqlError> {
    let parsed = named_type(data_type)?;
    let bare = !data_type.to_string().contains('(');
    Ok(match parsed {
        SqlType::Char(_) if bare => SqlType::Char(30),
        SqlType::NChar(_) if bare => SqlType::NChar(30),
        SqlType::VarChar(_) if bare => SqlType::VarChar(Some(30)),
        SqlType::NVarChar(_) if bare => SqlType::NVarChar(Some(30)),
        SqlType::Binary(_) if bare => SqlType::Binary(30),
        SqlType::VarBinary(_) if bare => SqlType::VarBinary(Some(30)),
        other => other,
    })
}

/// A type as the parser read it.
///
/// # Errors
/// 243 for a name that is no type.
pub(crate) fn named_type(data_type: &DataType) -> Result<SqlType, SqlError> {
    let text = data_type.to_string();
    text.parse()
        .map_err(|_| SqlError::new(243, format!("Type {text} is not a defined system type.")))
}

fn constant(value: &Value) -> Result<Typed, SqlError> {
    match value {
        Value::Null => Ok(Typed::null(SqlType::Int)),
        Value::Number(digits, _) => number(digits),
        Value::SingleQuotedString(text) => {
            Ok(Typed::text(text, SqlType::VarChar(text_length(text, 8000))))
        }
        Value::NationalStringLiteral(text) => Ok(Typed::text(
            text,
            SqlType::NVarChar(text_length(text, 4000)),
        )),
        Value::HexStringLiteral(digits) => {
            let bytes = runtime::unhex(&even(digits)).ok_or_else(|| SqlError::syntax(digits))?;
            let length = u16::try_from(bytes.len())
                .ok()
                .filter(|length| *length <= 8000)
                .map(|length| length.max(1));
            Ok(Typed::new(
                format!("x'{}'", even(digits)),
                SqlType::VarBinary(length),
                false,
            ))
        }
        other => Err(SqlError::syntax(other)),
    }
}

fn even(digits: &str) -> String {
    if digits.len().is_multiple_of(2) {
        digits.to_owned()
    } else {
        format!("0{digits}")
    }
}

fn text_length(text: &str, limit: u16) -> Option<u16> {
    u16::try_from(text.chars().count().max(1))
        .ok()
        .filter(|length| *length <= limit)
}

fn number(digits: &str) -> Result<Typed, SqlError> {
    if digits.contains(['e', 'E']) {
        let number: f64 = digits.parse().map_err(|_| SqlError::syntax(digits))?;
        return Ok(Typed::new(format!("({number:e})"), SqlType::Float, false));
    }
    if !digits.contains('.')
        && let Ok(number) = digits.parse::<i64>()
        && i32::try_from(number).is_ok()
    {
        return Ok(Typed::integer(number));
    }
    let plain = digits.trim_start_matches('-');
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let scale = u8::try_from(fraction.len()).map_err(|_| SqlError::syntax(digits))?;
    let precision = whole.trim_start_matches('0').len() + fraction.len();
    let precision = u8::try_from(precision.max(1)).ok().filter(|precision| *precision <= 38).ok_or_else(|| {
        SqlError::new(1007, format!("The number '{digits}' is out of the range for numeric representation (maximum precision 38)."))
    })?;
    let unscaled = decimal::parse(digits, scale).ok_or_else(|| SqlError::syntax(digits))?;
    Ok(decimal_literal(unscaled, precision.max(scale), scale))
}

pub(super) fn decimal_literal(unscaled: i128, precision: u8, scale: u8) -> Typed {
    let hex: String = decimal::encode(unscaled)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    Typed::new(
        format!("x'{hex}'"),
        SqlType::Decimal(precision, scale),
        false,
    )
}

fn negate(value: Typed) -> Result<Typed, SqlError> {
    let sql = match value.sql_type {
        t if t.is_integer() && t != SqlType::Bit => bounded(&format!("(-{})", value.sql), t),
        t if t.is_decimal() => format!("t_decimal_negate({})", value.sql),
        t if t.is_float() => format!("(-{})", value.sql),
        t => {
            return Err(SqlError::new(
                403,
                format!(
                    "Invalid operator for data type. Operator equals minus, type equals {}.",
                    t.name()
                ),
            ));
        }
    };
    Ok(Typed::new(sql, value.sql_type, value.nullable))
}

/// An integer result, checked against its type's range.
pub(super) fn bounded(sql: &str, sql_type: SqlType) -> String {
    let bytes = match sql_type {
        SqlType::TinyInt => 1,
        SqlType::SmallInt => 2,
        SqlType::BigInt => 8,
        _ => 4,
    };
    format!("t_int({sql}, {bytes})")
}

/// Arithmetic, concatenation and bit operations on finished operands.
pub(super) fn binary(
    operator: &BinaryOperator,
    left: Typed,
    right: Typed,
) -> Result<Typed, SqlError> {
    let symbol = match operator {
        BinaryOperator::Plus => '+',
        BinaryOperator::Minus => '-',
        BinaryOperator::Multiply => '*',
        BinaryOperator::Divide => '/',
        BinaryOperator::Modulo => '%',
        BinaryOperator::BitwiseAnd => '&',
        BinaryOperator::BitwiseOr => '|',
        BinaryOperator::BitwiseXor => '^',
        other => return Err(SqlError::syntax(other)),
    };
    if left.is_null() && right.is_null() {
        return Ok(Typed::null(SqlType::Int));
    }
    let (a, b) = (known_type(&left, &right), known_type(&right, &left));
    if symbol == '+' && a.is_text() && b.is_text() {
        return concatenate(left, right, a, b);
    }
    if a.is_temporal() || b.is_temporal() {
        return moment_arithmetic(symbol, left, right, a, b);
    }
    let common = a.common(b);
    match common {
        t if t.is_integer() => integer_arithmetic(symbol, left, right, t),
        t if matches!(symbol, '&' | '|' | '^') => Err(incompatible(symbol, a, b, t)),
        t if t.is_float() => float_arithmetic(symbol, left, right, t),
        SqlType::Money | SqlType::SmallMoney => {
            exact_arithmetic(symbol, left, right, common, (19, 4), (19, 4))
        }
        t if t.is_decimal() => decimal_arithmetic(symbol, left, right, a, b),
        t => Err(incompatible(symbol, a, b, t)),
    }
}

/// A bare NULL takes the type of what it meets.
fn known_type(value: &Typed, other: &Typed) -> SqlType {
    if value.is_null() {
        other.sql_type
    } else {
        value.sql_type
    }
}

fn incompatible(symbol: char, a: SqlType, b: SqlType, _common: SqlType) -> SqlError {
    let name = match symbol {
        '+' => "add",
        '-' => "subtract",
        '*' => "multiply",
        '/' => "divide",
        '%' => "modulo",
        '&' => "'&'",
        '|' => "'|'",
        _ => "'^'",
    };
    SqlError::new(
        402,
        format!(
            "The data types {} and {} are incompatible in the {name} operator.",
            a.name(),
            b.name()
        ),
    )
}

fn concatenate(left: Typed, right: Typed, a: SqlType, b: SqlType) -> Result<Typed, SqlError> {
    let nullable = left.nullable || right.nullable;
    let sql_type = joined_type(a, b);
    Ok(Typed::new(
        format!("({} || {})", left.sql, right.sql),
        sql_type,
        nullable,
    ))
}

/// The type of two texts end to end.
pub(super) fn joined_type(a: SqlType, b: SqlType) -> SqlType {
    let national = a.is_national() || b.is_national();
    let limit = if national { 4000 } else { 8000 };
    let length = match (a.length(), b.length()) {
        (Some(a), Some(b)) => Some(a.saturating_add(b).min(limit)),
        _ => None,
    };
    if national {
        SqlType::NVarChar(length)
    } else {
        SqlType::VarChar(length)
    }
}

fn integer_arithmetic(
    symbol: char,
    left: Typed,
    right: Typed,
    sql_type: SqlType,
) -> Result<Typed, SqlError> {
    let nullable = left.nullable || right.nullable;
    let divisor_known = matches!(right.constant, Constant::Integer(number) if number > 0);
    let (left, right) = (implicit(left, sql_type)?, implicit(right, sql_type)?);
    let (l, r) = (&left.sql, &right.sql);
    if sql_type == SqlType::Bit && !matches!(symbol, '&' | '|' | '^') {
        return Err(incompatible(
            symbol,
            SqlType::Bit,
            SqlType::Bit,
            SqlType::Bit,
        ));
    }
    let sql = match symbol {
        '&' | '|' => format!("({l} {symbol} {r})"),
        '^' => format!("(({l} | {r}) - ({l} & {r}))"),
        // A positive constant can neither be zero nor overflow, and is much the commonest divisor.
        '/' | '%' if divisor_known => format!("({l} {symbol} {r})"),
        '/' => bounded(&format!("t_div({l}, {r})"), sql_type),
        '%' => format!("t_mod({l}, {r})"),
        _ => bounded(&format!("({l} {symbol} {r})"), sql_type),
    };
    Ok(Typed::new(sql, sql_type, nullable))
}

fn float_arithmetic(
    symbol: char,
    left: Typed,
    right: Typed,
    sql_type: SqlType,
) -> Result<Typed, SqlError> {
    if symbol == '%' {
        return Err(incompatible(
            symbol,
            left.sql_type,
            right.sql_type,
            sql_type,
        ));
    }
    let nullable = left.nullable || right.nullable;
    let (left, right) = (
        implicit(left, SqlType::Float)?,
        implicit(right, SqlType::Float)?,
    );
    let sql = match symbol {
        '/' => format!("t_fdiv({}, {})", left.sql, right.sql),
        _ => format!("t_float({} {symbol} {})", left.sql, right.sql),
    };
    explicit(
        Typed::new(sql, SqlType::Float, nullable),
        sql_type,
        None,
        false,
    )
}

fn decimal_arithmetic(
    symbol: char,
    left: Typed,
    right: Typed,
    a: SqlType,
    b: SqlType,
) -> Result<Typed, SqlError> {
    let precise =
        |value: &Typed, sql_type: SqlType| decimal_of_constant(value).or(sql_type.as_decimal());
    // Text that meets a decimal takes the decimal's own type.
    let p1 = if a.is_number() {
        precise(&left, a)
    } else {
        b.as_decimal()
    };
    let p2 = if b.is_number() {
        precise(&right, b)
    } else {
        a.as_decimal()
    };
    let (Some(p1), Some(p2)) = (p1, p2) else {
        return Err(incompatible(symbol, a, b, a));
    };
    exact_arithmetic(
        symbol,
        left,
        right,
        arithmetic_decimal(symbol, p1, p2),
        p1,
        p2,
    )
}

fn exact_arithmetic(
    symbol: char,
    left: Typed,
    right: Typed,
    result: SqlType,
    p1: (u8, u8),
    p2: (u8, u8),
) -> Result<Typed, SqlError> {
    let nullable = left.nullable || right.nullable;
    let left = exact_operand(left, p1)?;
    let right = exact_operand(right, p2)?;
    let size = result.as_decimal().expect("an exact type");
    let sql = decimal_call(symbol, (&left.sql, p1.1), (&right.sql, p2.1), size);
    Ok(Typed::new(sql, result, nullable))
}

/// A whole number is a decimal of scale zero as it stands.
fn exact_operand(value: Typed, (precision, scale): (u8, u8)) -> Result<Typed, SqlError> {
    if value.sql_type.is_integer() && scale == 0 {
        return Ok(value);
    }
    implicit(value, SqlType::Decimal(precision, scale))
}

/// Arithmetic on two stored decimals, each with its scale, into a result of given precision and scale.
pub(super) fn decimal_call(
    operator: char,
    left: (&str, u8),
    right: (&str, u8),
    result: (u8, u8),
) -> String {
    format!(
        "t_decimal({}, {}, {}, {}, {}, {}, {})",
        u32::from(operator),
        left.0,
        left.1,
        right.0,
        right.1,
        result.0,
        result.1
    )
}

/// `datetime` plus or minus days, as old queries write it; the newer types refuse, as the server does.
fn moment_arithmetic(
    symbol: char,
    left: Typed,
    right: Typed,
    a: SqlType,
    b: SqlType,
) -> Result<Typed, SqlError> {
    let old = |t: SqlType| matches!(t, SqlType::DateTime | SqlType::SmallDateTime);
    let nullable = left.nullable || right.nullable;
    match symbol {
        '+' | '-' if old(a) && b.is_integer() => {
            let count = format!("{symbol}{}", right.sql);
            let sql = dateadd_call(Part::Day, &count, &left.sql, a);
            Ok(Typed::new(sql, a, nullable))
        }
        '+' if a.is_integer() && old(b) => Ok(Typed::new(
            dateadd_call(Part::Day, &left.sql, &right.sql, b),
            b,
            nullable,
        )),
        _ if (a.is_temporal() && b.is_number()) || (a.is_number() && b.is_temporal()) => {
            if old(a) || old(b) {
                Err(SqlError::unsupported(
                    "datetime arithmetic with fractions of days",
                ))
            } else {
                Err(super::convert::clash(a, b))
            }
        }
        _ if old(a) && old(b) => Err(SqlError::unsupported(
            "datetime arithmetic between two datetimes",
        )),
        _ => Err(incompatible(symbol, a, b, a)),
    }
}

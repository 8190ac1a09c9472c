//! Aggregates and window functions.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    OrderByExpr, WindowSpec, WindowType,
};

use super::convert::{implicit, sort_key};
use super::expression::{bounded, decimal_call};
use super::function::{arity, exactly};
use super::predicate::as_text;
use super::scope::{Place, Scope, Typed};
use super::{Translator, explicit};
use crate::runtime::convert::Conversion;
use crate::{SqlError, SqlType};

/// The parts of an aggregate that decide how it is written.
struct Call {
    distinct: bool,
    /// ` OVER (…)`, or nothing.
    over: String,
    argument: Typed,
}

impl Translator<'_> {
    pub(super) fn is_aggregate(&self, name: &str) -> bool {
        matches!(
            name,
            "count"
                | "count_big"
                | "sum"
                | "avg"
                | "min"
                | "max"
                | "string_agg"
                | "stdev"
                | "stdevp"
                | "var"
                | "varp"
        )
    }

    pub(super) fn aggregate_call(
        &mut self,
        name: &str,
        function: &Function,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let over = match &function.over {
            None => None,
            Some(WindowType::WindowSpec(spec)) => Some(spec),
            Some(WindowType::NamedWindow(_)) => return Err(SqlError::unsupported("WINDOW")),
        };
        check_place(over.is_some(), scope.place)?;
        if let Some(spec) = over
            && !self.is_aggregate(name)
        {
            return self.window_call(name, function, spec, scope);
        }
        // Inside an aggregate the rows are plain again; inside a window they are the groups.
        let plain = scope.at(Place::Row);
        let within = if over.is_some() {
            scope
        } else {
            scope.saw_aggregate.set(true);
            &plain
        };
        let window = match over {
            Some(spec) => self.window(spec, scope, false)?,
            None => String::new(),
        };
        let (distinct, arguments) = listed(function)?;
        if distinct && over.is_some() {
            return Err(SqlError::new(
                10759,
                "Use of DISTINCT is not allowed with the OVER clause.",
            ));
        }
        if matches!(arguments[..], [FunctionArgExpr::Wildcard])
            && matches!(name, "count" | "count_big")
        {
            return Ok(counted(name, "*", &window));
        }
        let mut values = Vec::new();
        for argument in arguments {
            let FunctionArgExpr::Expr(expression) = argument else {
                return Err(SqlError::syntax(argument));
            };
            values.push(self.value(expression, within)?);
        }
        if name == "string_agg" {
            return self.string_aggregate(values, &function.within_group, distinct, window, within);
        }
        let [argument] = super::function::values(name, values)?;
        aggregate(
            name,
            Call {
                distinct,
                over: window,
                argument,
            },
        )
    }

    fn string_aggregate(
        &mut self,
        values: Vec<Typed>,
        order: &[OrderByExpr],
        distinct: bool,
        window: String,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        if distinct || !window.is_empty() {
            return Err(SqlError::syntax("STRING_AGG"));
        }
        let [text, separator] = super::function::values("string_agg", values)?;
        let text = as_text(text)?;
        let order = self.order_list(order, scope)?;
        let order = if order.is_empty() {
            order
        } else {
            format!(" ORDER BY {order}")
        };
        let sql_type = match (text.sql_type.is_national(), text.sql_type.length()) {
            (true, Some(_)) => SqlType::NVarChar(Some(4000)),
            (true, None) => SqlType::NVarChar(None),
            (false, Some(_)) => SqlType::VarChar(Some(8000)),
            (false, None) => SqlType::VarChar(None),
        };
        Ok(Typed::new(
            format!(
                "string_agg({}, {}{order})",
                text.sql,
                as_text(separator)?.sql
            ),
            sql_type,
            true,
        ))
    }

    fn window_call(
        &mut self,
        name: &str,
        function: &Function,
        spec: &WindowSpec,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let arguments = super::function::plain_arguments(function)?;
        let over = self.window(spec, scope, true).map_err(|_| {
            SqlError::new(
                4112,
                format!(
                    "The function '{}' must have an OVER clause with ORDER BY.",
                    name.to_uppercase()
                ),
            )
        });
        match name {
            "row_number" | "rank" | "dense_rank" => {
                let [] = exactly(name, &arguments)?;
                Ok(Typed::new(
                    format!("{name}(){}", over?),
                    SqlType::BigInt,
                    false,
                ))
            }
            "percent_rank" | "cume_dist" => {
                let [] = exactly(name, &arguments)?;
                Ok(Typed::new(
                    format!("{name}(){}", over?),
                    SqlType::Float,
                    false,
                ))
            }
            "ntile" => {
                let [tiles] = exactly(name, &arguments)?;
                let tiles = implicit(self.value(tiles, scope)?, SqlType::Int)?;
                Ok(Typed::new(
                    format!("ntile({}){}", tiles.sql, over?),
                    SqlType::BigInt,
                    false,
                ))
            }
            "first_value" | "last_value" => {
                let [value] = exactly(name, &arguments)?;
                let value = self.value(value, scope)?;
                Ok(Typed::new(
                    format!("{name}({}){}", value.sql, over?),
                    value.sql_type,
                    true,
                ))
            }
            "lag" | "lead" => self.neighbour(name, &arguments, &over?, scope),
            _ => Err(unknown(name)),
        }
    }

    fn neighbour(
        &mut self,
        name: &str,
        arguments: &[&Expr],
        over: &str,
        scope: &Scope<'_>,
    ) -> Result<Typed, SqlError> {
        let (first, rest) = arguments
            .split_first()
            .ok_or_else(|| arity(name, "1 to 3"))?;
        let value = self.value(first, scope)?;
        let sql_type = value.sql_type;
        let mut sql = format!("{name}({}", value.sql);
        if let Some(offset) = rest.first() {
            sql.push_str(&format!(
                ", {}",
                implicit(self.value(offset, scope)?, SqlType::BigInt)?.sql
            ));
        }
        if let Some(default) = rest.get(1) {
            sql.push_str(&format!(
                ", {}",
                implicit(self.value(default, scope)?, sql_type)?.sql
            ));
        }
        Ok(Typed::new(format!("{sql}){over}"), sql_type, true))
    }

    /// ` OVER (…)`; `ordered` insists on an ORDER BY.
    fn window(
        &mut self,
        spec: &WindowSpec,
        scope: &Scope<'_>,
        ordered: bool,
    ) -> Result<String, SqlError> {
        if spec.window_name.is_some() {
            return Err(SqlError::unsupported("WINDOW"));
        }
        if ordered && spec.order_by.is_empty() {
            return Err(SqlError::syntax(")"));
        }
        let mut parts = Vec::new();
        let mut keys = Vec::new();
        for expression in &spec.partition_by {
            keys.push(sort_key(&self.value(expression, scope)?)?);
        }
        if !keys.is_empty() {
            parts.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        if !spec.order_by.is_empty() {
            parts.push(format!(
                "ORDER BY {}",
                self.order_list(&spec.order_by, scope)?
            ));
        }
        if let Some(frame) = &spec.window_frame {
            let start = &frame.start_bound;
            parts.push(match &frame.end_bound {
                Some(end) => format!("{} BETWEEN {start} AND {end}", frame.units),
                None => format!("{} {start}", frame.units),
            });
        }
        Ok(format!(" OVER ({})", parts.join(" ")))
    }

    /// ORDER BY inside a window or WITHIN GROUP, where positions and aliases mean nothing.
    fn order_list(&mut self, order: &[OrderByExpr], scope: &Scope<'_>) -> Result<String, SqlError> {
        let mut keys = Vec::new();
        for item in order {
            let key = sort_key(&self.value(&item.expr, scope)?)?;
            keys.push(format!("{key}{}", super::query::direction(item)?));
        }
        Ok(keys.join(", "))
    }
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(
        195,
        format!("'{name}' is not a recognized built-in function name."),
    )
}

fn check_place(windowed: bool, place: Place) -> Result<(), SqlError> {
    match (windowed, place) {
        (true, Place::Row | Place::Having) => Err(SqlError::new(
            4108,
            "Windowed functions can only appear in the SELECT or ORDER BY clauses.",
        )),
        (false, Place::Row) => Err(SqlError::new(
            147,
            "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.",
        )),
        _ => Ok(()),
    }
}

fn listed(function: &Function) -> Result<(bool, Vec<&FunctionArgExpr>), SqlError> {
    let FunctionArguments::List(list) = &function.args else {
        return Err(SqlError::syntax(")"));
    };
    if !list.clauses.is_empty() {
        return Err(SqlError::syntax(")"));
    }
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(argument) => Ok(argument),
        other => Err(SqlError::syntax(other)),
    });
    Ok((distinct, arguments.collect::<Result<_, _>>()?))
}

fn counted(name: &str, what: &str, over: &str) -> Typed {
    let sql = format!("count({what}){over}");
    if name == "count" {
        Typed::new(bounded(&sql, SqlType::Int), SqlType::Int, false)
    } else {
        Typed::new(sql, SqlType::BigInt, false)
    }
}

fn aggregate(name: &str, call: Call) -> Result<Typed, SqlError> {
    let sql_type = call.argument.sql_type;
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let over = &call.over;
    match name {
        "count" | "count_big" => Ok(counted(
            name,
            &format!("{distinct}{}", sort_key(&call.argument)?),
            over,
        )),
        "min" | "max" => {
            if sql_type == SqlType::Bit {
                return Err(invalid_operand(name, sql_type));
            }
            Ok(Typed::new(
                format!("{name}({}){over}", sort_key(&call.argument)?),
                sql_type,
                true,
            ))
        }
        "sum" => sum(&call, distinct),
        "avg" => average(&call, distinct),
        _ => variance(name, call, distinct),
    }
}

fn invalid_operand(name: &str, sql_type: SqlType) -> SqlError {
    SqlError::new(
        8117,
        format!(
            "Operand data type {} is invalid for {name} operator.",
            sql_type.name()
        ),
    )
}

/// What SUM gives for a type, and the SQLite function that adds it up.
fn sum_of(sql_type: SqlType, name: &str) -> Result<(SqlType, &'static str), SqlError> {
    Ok(match sql_type {
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => (SqlType::Int, "sum"),
        SqlType::BigInt => (SqlType::BigInt, "sum"),
        SqlType::Decimal(_, scale) => (SqlType::Decimal(38, scale), "t_sum"),
        t if t.is_decimal() => (SqlType::Money, "t_sum"),
        t if t.is_float() => (SqlType::Float, "sum"),
        t => return Err(invalid_operand(name, t)),
    })
}

fn sum(call: &Call, distinct: &str) -> Result<Typed, SqlError> {
    let (sql_type, function) = sum_of(call.argument.sql_type, "sum")?;
    let sql = format!("{function}({distinct}{}){}", call.argument.sql, call.over);
    let sql = if sql_type.is_integer() {
        bounded(&sql, sql_type)
    } else {
        sql
    };
    Ok(Typed::new(sql, sql_type, true))
}

/// An average is a sum over a count, both exact, divided by the rules of the type.
fn average(call: &Call, distinct: &str) -> Result<Typed, SqlError> {
    let (sum_type, function) = sum_of(call.argument.sql_type, "avg")?;
    let Call { argument, over, .. } = call;
    let sum = format!("{function}({distinct}{}){over}", argument.sql);
    let count = format!("count({distinct}{}){over}", argument.sql);
    let (sql, sql_type) = match sum_type {
        t if t.is_integer() => (format!("t_div({sum}, {count})"), t),
        SqlType::Decimal(_, scale) => {
            let result = scale.max(6);
            (
                exact_average(&sum, &count, scale, result),
                SqlType::Decimal(38, result),
            )
        }
        SqlType::Money => (exact_average(&sum, &count, 4, 4), SqlType::Money),
        t => (format!("avg({distinct}{}){over}", argument.sql), t),
    };
    // No rows: the sum is NULL and so is the quotient, before the zero count can divide.
    Ok(Typed::new(sql, sql_type, true))
}

fn exact_average(sum: &str, count: &str, scale: u8, result: u8) -> String {
    let count = Conversion::new(SqlType::BigInt, SqlType::Decimal(19, 0)).call(count);
    decimal_call('/', (sum, scale), (&count, 0), (38, result))
}

fn variance(name: &str, call: Call, distinct: &str) -> Result<Typed, SqlError> {
    if !call.argument.sql_type.is_number() || call.argument.sql_type == SqlType::Bit {
        return Err(invalid_operand(name, call.argument.sql_type));
    }
    let number = explicit(call.argument, SqlType::Float, None, false)?;
    let function = if name.ends_with('p') {
        "t_variance_population"
    } else {
        "t_variance"
    };
    let sql = format!("{function}({distinct}{}){}", number.sql, call.over);
    let sql = if name.starts_with("stdev") {
        format!("t_math('sqrt', {sql})")
    } else {
        sql
    };
    Ok(Typed::new(sql, SqlType::Float, true))
}

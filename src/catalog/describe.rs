//! A contract from the server's own description of a result set, so that nobody types one by hand.
//!
//! Who asks the server, and how, is not decided here. Types and nullability come from it; classes and
//! rules are proposed by the name and type, on the careful side, for a person to check.

use super::contract_text::columns_block;
pub use super::draft::Draft;
use super::identifying::{PointsAt, is_free_text, points_at};
use super::lint::has_one_spelling;
use crate::domain::{Class, Column, Contract, Length, Rule, SqlType};

/// One column of a result, as `sp_describe_first_result_set` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Its name; absent for an expression without one.
    pub name: Option<String>,
    /// Its type with length or digits, for example `varchar(40)`.
    pub type_name: String,
    /// Whether the server thinks that it may be null.
    pub nullable: bool,
}

/// A result that no contract can describe; the reasons name each column and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the result cannot be a contract: {}", reasons.join("; "))]
pub struct DescribeError {
    /// One for each column, in order.
    pub reasons: Vec<String>,
}

/// How a contract differs from what the server returns.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Name of the column.
    pub column: String,
    /// What differs.
    pub what: String,
    /// What to write instead.
    pub instead: String,
    /// False if the contract may well be right: the server thinks more columns nullable than are.
    pub certain: bool,
}

/// The `[columns]` table that a header could have for a result, to be checked by a person. Columns of a
/// contract that is `known` stay as they are, but for a type that cannot hold what the server returns.
///
/// # Errors
/// When a column has no name, a name twice or a type that no contract knows.
pub fn propose(
    described: &[DescribedColumn],
    known: Option<&Contract>,
) -> Result<String, DescribeError> {
    let mut reasons = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    for (number, column) in described.iter().enumerate() {
        match proposal(number + 1, column).map(|proposed| as_known(proposed, column, known)) {
            Ok(column) if columns.iter().any(|other| other.name == column.name) => {
                reasons.push(format!(
                    "two columns are named `{}`: give each its own",
                    column.name
                ));
            }
            Ok(column) => columns.push(column),
            Err(reason) => reasons.push(reason),
        }
    }
    if !reasons.is_empty() {
        return Err(DescribeError { reasons });
    }
    Ok(columns_block(&columns))
}

/// What a person decided about a column outlives a new description of it.
fn as_known(proposed: Column, described: &DescribedColumn, known: Option<&Contract>) -> Column {
    let known = known.and_then(|contract| {
        let mut columns = contract.columns.iter();
        columns.find(|column| column.name == proposed.name)
    });
    match known {
        None => proposed,
        Some(known) if difference(known, described).is_none_or(|it| !it.certain) => known.clone(),
        Some(known) => Column {
            class: known.class,
            rule: known.rule.clone(),
            description: known.description.clone(),
            ..proposed
        },
    }
}

fn proposal(number: usize, described: &DescribedColumn) -> Result<Column, String> {
    let Some(name) = described.name.clone().filter(|name| !name.is_empty()) else {
        return Err(format!(
            "column {number} has no name: write `AS name` after it"
        ));
    };
    let sql_type: SqlType = described.type_name.parse().map_err(|_| {
        format!(
            "`{name}` is `{}`: CAST it to a type that a contract knows",
            described.type_name
        )
    })?;
    let (class, rule) = class_and_rule(&name, sql_type);
    Ok(Column {
        sql_type,
        nullable: described.nullable,
        class,
        rule,
        trim: matches!(sql_type, SqlType::Char(_) | SqlType::NChar(_)),
        offset: matches!(sql_type, SqlType::DateTimeOffset(_)),
        description: None,
        name,
    })
}

/// A careful guess: what is known to point at a person does not leave as it is.
fn class_and_rule(name: &str, sql_type: SqlType) -> (Class, Option<Rule>) {
    let pseudonym = |kind: &str| {
        let kind = kind.to_owned();
        (Class::Identifier, Some(Rule::Pseudonym { kind }))
    };
    match points_at(name) {
        Some(PointsAt::Patient) if has_one_spelling(sql_type) => pseudonym("patient"),
        Some(PointsAt::Provider) if has_one_spelling(sql_type) => pseudonym("provider"),
        Some(PointsAt::Birth) if sql_type.has_date() => (Class::Quasi, Some(Rule::Year)),
        Some(_) => (Class::Identifier, Some(Rule::Drop)),
        None if is_free_text(sql_type) => (Class::Clinical, Some(Rule::Drop)),
        None if sql_type.has_date() => (Class::Quasi, Some(Rule::Day)),
        None => (class_by_name(name), None),
    }
}

fn class_by_name(name: &str) -> Class {
    let folded = name.to_ascii_lowercase();
    let operational = ["id", "status", "created", "updated"];
    if operational.iter().any(|end| folded.ends_with(end)) {
        Class::Operational
    } else {
        Class::Clinical
    }
}

/// Where a contract and the server's description of its statement disagree, in the contract's order.
#[must_use]
pub fn compare(contract: &Contract, described: &[DescribedColumn]) -> Vec<Difference> {
    let returned = |name: &str| {
        described
            .iter()
            .find(|column| column.name.as_deref() == Some(name))
    };
    let mut differences = Vec::new();
    for column in &contract.columns {
        match returned(&column.name) {
            Some(described) => differences.extend(difference(column, described)),
            None => differences.push(Difference {
                column: column.name.clone(),
                what: "the server does not return it".to_owned(),
                instead: "add it to the SELECT, or remove its line".to_owned(),
                certain: true,
            }),
        }
    }
    differences.extend(extra(contract, described));
    differences
}

fn difference(column: &Column, described: &DescribedColumn) -> Option<Difference> {
    let parsed: Option<SqlType> = described.type_name.parse().ok();
    let fits = parsed.is_some_and(|returned| holds(column.sql_type, returned));
    if fits && (column.nullable || !described.nullable) {
        return None;
    }
    let nullability = if column.nullable { "" } else { " not null" };
    let (what, instead) = if fits {
        (
            "the server thinks that it may be null".to_owned(),
            format!(
                "write `type = \"{}\"` unless the data has none",
                column.sql_type
            ),
        )
    } else {
        (
            format!(
                "it is `{}` in the contract and `{}` at the server",
                column.sql_type, described.type_name
            ),
            format!(
                "write `type = \"{}{nullability}\"`, or CAST it",
                described.type_name
            ),
        )
    };
    Some(Difference {
        column: column.name.clone(),
        what,
        instead,
        certain: !fits,
    })
}

fn extra(contract: &Contract, described: &[DescribedColumn]) -> Vec<Difference> {
    let known = |name: &str| contract.columns.iter().any(|column| column.name == name);
    described
        .iter()
        .enumerate()
        .map(|(number, column)| match &column.name {
            Some(name) => name.clone(),
            None => format!("column {}", number + 1),
        })
        .filter(|name| !known(name))
        .map(|column| Difference {
            what: "the server returns it but the contract has no such column".to_owned(),
            instead: "add a line for it, or remove it from the SELECT".to_owned(),
            certain: true,
            column,
        })
        .collect()
}

/// Whether every value of type `returned` fits a contract's type.
fn holds(contract: SqlType, returned: SqlType) -> bool {
    if contract == returned {
        return true;
    }
    if let (Some(wide), Some(narrow)) = (integer_rank(contract), integer_rank(returned)) {
        return wide >= narrow;
    }
    if let (Some(wide), Some(narrow)) = (digits(contract), digits(returned)) {
        return wide.0 >= narrow.0 && wide.1 >= narrow.1;
    }
    if let (Some(wide), Some(narrow)) = (civil_fraction(contract), civil_fraction(returned)) {
        return wide >= narrow;
    }
    if let (Some(wide), Some(narrow)) = (size(contract), size(returned)) {
        return contract.is_text() == returned.is_text() && wide >= narrow;
    }
    match (contract, returned) {
        (SqlType::Float, SqlType::Real) => true,
        (SqlType::Time(wide), SqlType::Time(narrow))
        | (SqlType::DateTimeOffset(wide), SqlType::DateTimeOffset(narrow)) => wide >= narrow,
        _ => false,
    }
}

fn integer_rank(sql_type: SqlType) -> Option<u8> {
    match sql_type {
        SqlType::TinyInt => Some(1),
        SqlType::SmallInt => Some(2),
        SqlType::Int => Some(3),
        SqlType::BigInt => Some(4),
        _ => None,
    }
}

/// Digits before and after the point.
fn digits(sql_type: SqlType) -> Option<(u8, u8)> {
    match sql_type {
        SqlType::Decimal { precision, scale } => Some((precision - scale, scale)),
        SqlType::Money => Some((15, 4)),
        SqlType::SmallMoney => Some((6, 4)),
        _ => None,
    }
}

/// Digits of the second's fraction of a date and time without zone; `smalldatetime` has not even seconds.
fn civil_fraction(sql_type: SqlType) -> Option<u8> {
    match sql_type {
        SqlType::SmallDateTime => Some(0),
        SqlType::DateTime => Some(3),
        SqlType::DateTime2(fraction) => Some(fraction),
        _ => None,
    }
}

/// Longest text or binary, `u32::MAX` without limit.
fn size(sql_type: SqlType) -> Option<u32> {
    match sql_type {
        SqlType::Char(length)
        | SqlType::VarChar(length)
        | SqlType::NChar(length)
        | SqlType::NVarChar(length)
        | SqlType::Binary(length)
        | SqlType::VarBinary(length) => Some(match length {
            Length::Max(most) => most,
            Length::Unbounded => u32::MAX,
        }),
        SqlType::Text | SqlType::NText | SqlType::Xml | SqlType::Image => Some(u32::MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str, type_name: &str, nullable: bool) -> DescribedColumn {
        DescribedColumn {
            name: Some(name.to_owned()),
            type_name: type_name.to_owned(),
            nullable,
        }
    }

    #[test]
    fn a_proposal_is_careful_with_what_points_at_a_person() {
        let block = propose(
            &[
                described("RECORDID", "int", false),
                described("INTERNALID", "int", false),
                described("UserId", "int", true),
                described("SURNAME", "char(40)", true),
                described("DOB", "datetime", true),
                described("OBSDATE", "datetime", false),
                described("NOTES", "text", true),
                described("UNITS", "char(10)", true),
                described("VALUE", "numeric(10,2)", true),
            ],
            None,
        )
        .expect("a proposal");

        assert_eq!(
            block,
            "\
[columns]
RECORDID   = { type = \"int not null\", class = \"operational\" }
INTERNALID = { type = \"int not null\", class = \"identifier\", privacy = \"pseudonym\", of = \"patient\" }
UserId     = { type = \"int\", class = \"identifier\", privacy = \"pseudonym\", of = \"provider\" }
SURNAME    = { type = \"char(40)\", class = \"identifier\", privacy = \"drop\", trim = true }
DOB        = { type = \"datetime\", class = \"quasi\", privacy = \"year\" }
OBSDATE    = { type = \"datetime not null\", class = \"quasi\", privacy = \"day\" }
NOTES      = { type = \"text\", class = \"clinical\", privacy = \"drop\" }
UNITS      = { type = \"char(10)\", class = \"clinical\", trim = true }
VALUE      = { type = \"decimal(10,2)\", class = \"clinical\" }
"
        );
    }

    #[test]
    fn a_result_that_no_contract_can_describe_says_why() {
        let nameless = DescribedColumn {
            name: None,
            ..described("", "int", false)
        };
        let error = propose(
            &[
                nameless,
                described("v", "sql_variant", true),
                described("a", "int", true),
                described("a", "int", true),
            ],
            None,
        )
        .expect_err("three reasons");
        assert_eq!(
            error.reasons,
            [
                "column 1 has no name: write `AS name` after it",
                "`v` is `sql_variant`: CAST it to a type that a contract knows",
                "two columns are named `a`: give each its own",
            ]
        );
    }

    #[test]
    fn a_contract_holds_types_that_are_not_wider() {
        let holds = |contract: &str, returned: &str| {
            let parse = |text: &str| text.parse().expect("a type");
            super::holds(parse(contract), parse(returned))
        };
        for (wide, narrow) in [
            ("int", "tinyint"),
            ("decimal(12,4)", "smallmoney"),
            ("varchar(40)", "char(20)"),
            ("nvarchar(max)", "nvarchar(40)"),
            ("datetime2(7)", "datetime"),
            ("time(7)", "time(3)"),
            ("float", "real"),
            ("varbinary(20)", "binary(8)"),
        ] {
            assert!(holds(wide, narrow), "{wide} holds {narrow}");
            assert!(!holds(narrow, wide), "{narrow} does not hold {wide}");
        }
        for (one, other) in [
            ("int", "bit"),
            ("varchar(max)", "image"),
            ("date", "datetime"),
            ("decimal(10,2)", "decimal(10,4)"),
            ("datetime", "datetimeoffset(0)"),
            ("int", "varchar(10)"),
        ] {
            assert!(
                !holds(one, other) && !holds(other, one),
                "{one} and {other}"
            );
        }
    }

    #[test]
    fn a_comparison_tells_what_is_missing_extra_or_of_another_type() {
        let column = |name: &str, sql_type: &str, nullable| Column {
            name: name.to_owned(),
            sql_type: sql_type.parse().expect("a type"),
            nullable,
            class: Class::Clinical,
            rule: None,
            trim: false,
            offset: false,
            description: None,
        };
        let contract = Contract {
            columns: vec![
                column("same", "int", true),
                column("wider", "varchar(40)", true),
                column("other", "int", false),
                column("null", "int", false),
                column("gone", "int", true),
            ],
        };
        let told: Vec<String> = compare(
            &contract,
            &[
                described("same", "int", false),
                described("wider", "varchar(20)", true),
                described("other", "bigint", true),
                described("null", "int", true),
                described("more", "int", true),
            ],
        )
        .into_iter()
        .map(|d| format!("{} {}: {}; {}", d.certain, d.column, d.what, d.instead))
        .collect();

        assert_eq!(
            told,
            [
                "true other: it is `int` in the contract and `bigint` at the server; \
                 write `type = \"bigint not null\"`, or CAST it",
                "false null: the server thinks that it may be null; \
                 write `type = \"int\"` unless the data has none",
                "true gone: the server does not return it; add it to the SELECT, or remove its line",
                "true more: the server returns it but the contract has no such column; \
                 add a line for it, or remove it from the SELECT",
            ]
        );
    }
}

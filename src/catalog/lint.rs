//! Rules that join columns, key and statement: what identifies, what may leave, what names may be.

use super::header::{DraftColumn, Header, Located};
use super::identifying::is_free_text;
use super::nearest::write_instead;
use super::problem::Report;
use super::statement::Facts;
use crate::domain::{Class, Column, Rule, SqlType};

/// SQL Server's limit of a name.
const LONGEST_NAME: usize = 128;

/// Checks a header's columns against each other, and against what the statement reads.
pub(super) fn check(header: &Header, facts: Facts, report: &mut Report<'_>) {
    names(header, report);
    for draft in &header.columns {
        if let Some(column) = &draft.column {
            identifier(column, draft.at, report);
            free_text(column, draft.at, report);
            rule_fits(column, draft.at, report);
            options_fit(column, draft.at, report);
        }
    }
    key(header, report);
    catalogue(header, report);
    opt_out(
        header.opt_out.is_some(),
        header.at,
        &header.columns,
        facts,
        report,
    );
}

/// Names that every reader of Parquet and SQL takes: plain, and different in any case of letters.
fn names(header: &Header, report: &mut Report<'_>) {
    let added = header.columns.iter().filter_map(|draft| {
        let with_offset = draft.column.as_ref().is_some_and(|column| column.offset);
        with_offset.then(|| format!("{}_offset_minutes", draft.name))
    });
    let mut taken: Vec<String> = added.map(|name| name.to_ascii_lowercase()).collect();
    for draft in &header.columns {
        let name = &draft.name;
        if !is_plain(name) {
            report.at(
                draft.at,
                format!("`{name}` is not a column name (a letter, then letters, digits or _)"),
                "give the column a plain name with AS; names with _ in front are ours",
            );
        }
        let folded = name.to_ascii_lowercase();
        if taken.contains(&folded) {
            report.at(
                draft.at,
                format!(
                    "the name `{name}` is taken by another column, but for the case of letters"
                ),
                "give each column its own name",
            );
        }
        taken.push(folded);
    }
}

fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn identifier(column: &Column, at: usize, report: &mut Report<'_>) {
    if column.class == Class::Identifier && column.rule.is_none() {
        report.at(
            at,
            format!("`{}` is an identifier without a privacy rule", column.name),
            "add `privacy = \"pseudonym\", of = \"patient\"` or `privacy = \"drop\"`; `keep` lets it leave",
        );
    }
}

fn free_text(column: &Column, at: usize, report: &mut Report<'_>) {
    let said = matches!(
        column.rule,
        Some(Rule::Drop | Rule::Keep | Rule::Pseudonym { .. })
    );
    if is_free_text(column.sql_type) && !said {
        report.at(
            at,
            format!("`{}` is free text (`{}`)", column.name, column.sql_type),
            "add `privacy = \"drop\"`, or `privacy = \"keep\"` if people's own words must leave",
        );
    }
}

/// The same as the privacy rules themselves ask when they are applied, told before a run.
fn rule_fits(column: &Column, at: usize, report: &mut Report<'_>) {
    let Some(rule) = &column.rule else {
        return;
    };
    let sql_type = column.sql_type;
    let (fits, wanted) = match rule {
        Rule::Drop | Rule::Keep => return,
        Rule::Day | Rule::Month | Rule::Year | Rule::Age => (sql_type.has_date(), "a date"),
        Rule::Postcode3 => (sql_type.is_text(), "a text"),
        Rule::Pseudonym { .. } => (has_one_spelling(sql_type), "a whole number, text or GUID"),
    };
    if !fits {
        report.at(
            at,
            format!(
                "the rule `{rule}` wants {wanted}, and `{}` is `{sql_type}`",
                column.name
            ),
            "choose a rule that fits the type, or `privacy = \"drop\"`",
        );
    } else if matches!(sql_type, SqlType::DateTimeOffset(_)) && !column.offset {
        report.at(
            at,
            format!(
                "`{}` is an instant, whose date depends on where it was",
                column.name
            ),
            format!("add `offset = true`, so that the rule `{rule}` finds the practice's date"),
        );
    }
}

/// Types whose equal values are equal text, so that equal values have equal pseudonyms.
pub(super) fn has_one_spelling(sql_type: SqlType) -> bool {
    let is_number = matches!(
        sql_type,
        SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::Int
            | SqlType::BigInt
            | SqlType::Decimal { scale: 0, .. }
    );
    is_number || sql_type.is_text() || sql_type == SqlType::UniqueIdentifier
}

fn options_fit(column: &Column, at: usize, report: &mut Report<'_>) {
    if column.trim && !column.sql_type.is_text() {
        report.at(
            at,
            format!("`{}` has `trim` but is `{}`", column.name, column.sql_type),
            "remove `trim`: it cuts the blanks after text",
        );
    }
    if column.offset && !matches!(column.sql_type, SqlType::DateTimeOffset(_)) {
        report.at(
            at,
            format!(
                "`{}` has `offset` but is `{}`",
                column.name, column.sql_type
            ),
            "remove `offset`: only `datetimeoffset` has one",
        );
    }
}

/// A key names columns that are there, never null, and still tell rows apart when they are written.
fn key(header: &Header, report: &mut Report<'_>) {
    let names: Vec<&str> = header
        .columns
        .iter()
        .map(|draft| draft.name.as_str())
        .collect();
    for (number, part) in header.key.iter().enumerate() {
        let draft = header.columns.iter().find(|draft| draft.name == part.value);
        if header.key[..number]
            .iter()
            .any(|other| other.value == part.value)
        {
            report.at(
                part.at,
                format!("`{}` is in the key twice", part.value),
                "name each column once",
            );
        } else if let Some(draft) = draft {
            if let Some(column) = &draft.column {
                key_column(column, part, report);
            }
        } else {
            report.at(
                part.at,
                format!(
                    "the key names `{}`, which is not in `[columns]`",
                    part.value
                ),
                write_instead(&part.value, &names),
            );
        }
    }
}

fn key_column(column: &Column, part: &Located<String>, report: &mut Report<'_>) {
    let name = &column.name;
    if column.nullable {
        report.at(
            part.at,
            format!("the key names `{name}`, which may be null"),
            format!("write `not null` in the type of `{name}`, or take another column"),
        );
    }
    match &column.rule {
        None | Some(Rule::Keep | Rule::Pseudonym { .. } | Rule::Day) => {}
        Some(Rule::Drop) => report.at(
            part.at,
            format!("the key names `{name}`, which is dropped"),
            format!("give `{name}` the rule `pseudonym`, or take another column"),
        ),
        Some(rule) => report.at(
            part.at,
            format!("the key names `{name}`, which its rule `{rule}` makes alike for many rows"),
            "take another column",
        ),
    }
}

fn catalogue(header: &Header, report: &mut Report<'_>) {
    if let Some(name) = header.catalogue.as_deref().filter(|name| !is_plain(name)) {
        report.at(
            header.at,
            format!("`{name}` is not a database name (a letter, then letters, digits or _)"),
            "write for example `catalogue = \"BPSPatients\"`",
        );
    }
}

/// Whoever reads patients says how those who opted out are kept out.
pub(super) fn opt_out(
    said: bool,
    at: usize,
    columns: &[DraftColumn],
    facts: Facts,
    report: &mut Report<'_>,
) {
    let of_patients = |rule: &Rule| matches!(rule, Rule::Pseudonym { kind } if kind == "patient");
    let tells_patients = columns
        .iter()
        .filter_map(|draft| draft.column.as_ref()?.rule.as_ref())
        .any(of_patients);
    if !said && (tells_patients || facts.reads_patients) {
        report.at(
            at,
            "the query reads patients and does not say how those who opted out are kept out",
            "filter them in the statement and write `opt_out = \"how\"`",
        );
    }
}

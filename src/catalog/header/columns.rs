//! The `[columns]` table of a header: one contract column each.

use super::super::nearest::write_instead;
use super::super::problem::Report;
use super::keys::{Keys, Located};
use super::read::{instead, not_wanted};
use crate::domain::{Class, Column, ParseError, Rule, SqlType};

const KEYS: [&str; 7] = [
    "type",
    "class",
    "privacy",
    "of",
    "trim",
    "offset",
    "description",
];
const CLASSES: [&str; 4] = ["identifier", "quasi", "clinical", "operational"];
const RULES: [&str; 8] = [
    "drop",
    "pseudonym",
    "day",
    "month",
    "year",
    "age",
    "postcode3",
    "keep",
];
const EXAMPLE: &str = "{ type = \"int not null\", class = \"clinical\" }";

/// A column as far as it could be read: its place in the order counts even if its type is wrong.
#[derive(Debug)]
pub(in crate::catalog) struct DraftColumn {
    pub(in crate::catalog) name: String,
    /// Byte of the file where its name stands.
    pub(in crate::catalog) at: usize,
    pub(in crate::catalog) column: Option<Column>,
}

/// The columns in the order of the file.
pub(super) fn read(header: &Keys<'_>, at: usize, report: &mut Report<'_>) -> Vec<DraftColumn> {
    if !header.has("columns") {
        report.at(
            at,
            "the header has no `[columns]`",
            format!("write `[columns]` and a line `name = {EXAMPLE}` for each"),
        );
    }
    let Some(columns) = header.table("columns", "write `[columns]` on a line of its own", report)
    else {
        return Vec::new();
    };
    let names = columns.in_order();
    if names.is_empty() {
        report.at(
            at,
            "`[columns]` is empty",
            format!("write a line `name = {EXAMPLE}` for each"),
        );
    }
    names
        .into_iter()
        .map(|(name, at)| DraftColumn {
            name: name.to_owned(),
            at,
            column: column(&columns, name, at, report),
        })
        .collect()
}

fn column(columns: &Keys<'_>, name: &str, at: usize, report: &mut Report<'_>) -> Option<Column> {
    let keys = columns.table(name, &format!("write `{name} = {EXAMPLE}`"), report)?;
    keys.refuse_others(&format!("column `{name}`"), &KEYS, report);
    let sql_type = sql_type(&keys, name, at, report);
    let class = class(&keys, name, at, report);
    let rule = rule(&keys, name, report);
    let (trim, offset) = (keys.flag("trim", report), keys.flag("offset", report));
    let description = keys.text("description", report).map(|text| text.value);
    let (sql_type, nullable) = sql_type?;
    Some(Column {
        name: name.to_owned(),
        sql_type,
        nullable,
        class: class?,
        rule: rule.ok()?,
        trim,
        offset,
        description,
    })
}

/// The type and whether a null is allowed.
fn sql_type(
    keys: &Keys<'_>,
    name: &str,
    at: usize,
    report: &mut Report<'_>,
) -> Option<(SqlType, bool)> {
    let text = needed(keys, "type", name, at, "type = \"int not null\"", report)?;
    let (type_text, nullable) = split_nullability(&text.value);
    type_text
        .parse()
        .map(|sql_type| (sql_type, nullable))
        .map_err(|error: ParseError| report.at(text.at, not_wanted(&error), instead(&error)))
        .ok()
}

/// `int not null` is `int` and false; a type that does not say so allows nulls, as in SQL Server.
fn split_nullability(text: &str) -> (&str, bool) {
    let Some(before) = without_last_word(text, "null") else {
        return (text, true);
    };
    match without_last_word(before, "not") {
        Some(sql_type) => (sql_type, false),
        None => (before, true),
    }
}

fn without_last_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (before, last) = text.trim_end().rsplit_once(char::is_whitespace)?;
    last.eq_ignore_ascii_case(word).then_some(before.trim_end())
}

fn class(keys: &Keys<'_>, name: &str, at: usize, report: &mut Report<'_>) -> Option<Class> {
    let text = needed(keys, "class", name, at, "class = \"clinical\"", report)?;
    text.value
        .parse()
        .map_err(|_: ParseError| {
            report.at(
                text.at,
                format!("`{}` is not a class", text.value),
                write_instead(&text.value, &CLASSES),
            );
        })
        .ok()
}

fn needed(
    keys: &Keys<'_>,
    key: &str,
    name: &str,
    at: usize,
    example: &str,
    report: &mut Report<'_>,
) -> Option<Located<String>> {
    if !keys.has(key) {
        report.at(
            at,
            format!("column `{name}` has no `{key}`"),
            format!("write for example `{example}`"),
        );
    }
    keys.text(key, report)
}

/// A value is there but cannot be used, and has been reported.
struct Reported;

/// The privacy rule, if there is one.
fn rule(keys: &Keys<'_>, name: &str, report: &mut Report<'_>) -> Result<Option<Rule>, Reported> {
    let kind = keys.text("of", report);
    let Some(text) = keys.text("privacy", report) else {
        if let Some(kind) = kind {
            no_kind_wanted(name, &kind, report);
        }
        return match keys.has("privacy") {
            true => Err(Reported),
            false => Ok(None),
        };
    };
    if text.value == "pseudonym" {
        let rule = pseudonym(name, text.at, kind, report);
        return rule.map(Some).ok_or(Reported);
    }
    if let Some(kind) = kind {
        no_kind_wanted(name, &kind, report);
    }
    let rule = plain_rule(&text.value);
    if rule.is_none() {
        report.at(
            text.at,
            format!("`{}` is not a privacy rule", text.value),
            write_instead(&text.value, &RULES),
        );
    }
    rule.map(Some).ok_or(Reported)
}

fn plain_rule(text: &str) -> Option<Rule> {
    Some(match text {
        "drop" => Rule::Drop,
        "day" => Rule::Day,
        "month" => Rule::Month,
        "year" => Rule::Year,
        "age" => Rule::Age,
        "postcode3" => Rule::Postcode3,
        "keep" => Rule::Keep,
        _ => return None,
    })
}

fn no_kind_wanted(name: &str, kind: &Located<String>, report: &mut Report<'_>) {
    report.at(
        kind.at,
        format!("column `{name}` has `of` but is not a pseudonym"),
        "remove `of`, or write `privacy = \"pseudonym\"`",
    );
}

fn pseudonym(
    name: &str,
    at: usize,
    kind: Option<Located<String>>,
    report: &mut Report<'_>,
) -> Option<Rule> {
    let Some(kind) = kind else {
        report.at(
            at,
            format!("column `{name}` is a pseudonym of nothing named"),
            "say what it names, for example `of = \"patient\"`",
        );
        return None;
    };
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !kind.value.bytes().all(is_word) {
        report.at(
            kind.at,
            format!(
                "`{}` is not a kind (lower-case letters, digits, _)",
                kind.value
            ),
            "write for example `of = \"patient\"`",
        );
        return None;
    }
    Some(Rule::Pseudonym { kind: kind.value })
}

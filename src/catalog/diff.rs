//! What a new version of a query changes for those who read its rows.
//!
//! *Breaking*: a reader of the old version may fail or be misled. *Additive*: there is more, and what
//! was there stays as it was. *Cosmetic*: no row differs. In doubt a change counts as breaking.

use std::fmt;

use super::contract_text::type_text;
use super::fingerprint::tokens;
use super::statement::{Shape, shape};
use crate::domain::{Column, Mode, Query, Rule, SqlType};

/// How much a change matters to readers, the lightest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// No row differs.
    Cosmetic,
    /// There is more than before, and nothing else differs.
    Additive,
    /// Readers must look at what they do.
    Breaking,
}

/// Which part of a query a change is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The SQL.
    Statement,
    /// Names, types and order of the columns.
    Contract,
    /// Classes and rules.
    Privacy,
    /// What else the header says.
    Header,
}

/// One difference between two versions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// How much it matters.
    pub weight: Weight,
    /// Where it is.
    pub part: Part,
    /// What it is, in a clause.
    pub what: String,
}

/// All changes from one version to another, the heaviest first; empty if they are alike.
#[must_use]
pub fn diff(from: &Query, to: &Query) -> Vec<Change> {
    let mut changes = Vec::new();
    contract(from, to, &mut changes);
    statement(from, to, &mut changes);
    header(from, to, &mut changes);
    variants(from, to, &mut changes);
    changes.sort_by_key(|change| std::cmp::Reverse(change.weight));
    changes
}

/// Takes notes of changes in one part.
fn note(changes: &mut Vec<Change>, weight: Weight, part: Part, what: impl Into<String>) {
    changes.push(Change {
        weight,
        part,
        what: what.into(),
    });
}

fn contract(from: &Query, to: &Query, changes: &mut Vec<Change>) {
    let named = |query: &Query, name: &str| -> Option<Column> {
        let columns = &query.contract.columns;
        columns.iter().find(|column| column.name == name).cloned()
    };
    for old in &from.contract.columns {
        match named(to, &old.name) {
            Some(new) => column(old, &new, changes),
            None => note(
                changes,
                Weight::Breaking,
                Part::Contract,
                format!("`{}` is gone", old.name),
            ),
        }
    }
    for new in &to.contract.columns {
        if named(from, &new.name).is_none() {
            let what = format!("`{}` is new", new.name);
            note(changes, Weight::Additive, Part::Contract, what);
        }
    }
    if order(from, to) != order(to, from) {
        let what = "the columns have another order; readers by name see no difference";
        note(changes, Weight::Cosmetic, Part::Contract, what);
    }
}

/// Names of `query` that `other` has too, in order.
fn order<'a>(query: &'a Query, other: &Query) -> Vec<&'a str> {
    let others = &other.contract.columns;
    let names = query
        .contract
        .columns
        .iter()
        .map(|column| column.name.as_str());
    names
        .filter(|name| others.iter().any(|other| other.name == *name))
        .collect()
}

fn column(old: &Column, new: &Column, changes: &mut Vec<Change>) {
    let name = &new.name;
    if (old.sql_type, old.nullable) != (new.sql_type, new.nullable) {
        let what = format!(
            "`{name}` was `{}` and is `{}`",
            type_text(old),
            type_text(new)
        );
        note(changes, type_weight(old, new), Part::Contract, what);
    }
    if old.trim != new.trim {
        let what = format!("`{name}` {} its trailing blanks", keeps(!new.trim));
        note(changes, Weight::Breaking, Part::Contract, what);
    }
    if old.offset != new.offset {
        let (weight, is) = match new.offset {
            true => (Weight::Additive, "new"),
            false => (Weight::Breaking, "gone"),
        };
        let what = format!("`{name}_offset_minutes` is {is}");
        note(changes, weight, Part::Contract, what);
    }
    if old.class != new.class {
        let what = format!(
            "`{name}` was classed `{}` and is `{}`",
            old.class, new.class
        );
        note(changes, Weight::Cosmetic, Part::Privacy, what);
    }
    if old.rule != new.rule {
        let (weight, what) = rule_change(name, old.rule.as_ref(), new.rule.as_ref());
        note(changes, weight, Part::Privacy, what);
    }
    if old.description != new.description {
        let what = format!("`{name}` is described in other words");
        note(changes, Weight::Cosmetic, Part::Contract, what);
    }
}

fn keeps(it_does: bool) -> &'static str {
    if it_does { "keeps" } else { "loses" }
}

/// A type whose values look the same in Parquet, and nulls only where they were.
fn type_weight(old: &Column, new: &Column) -> Weight {
    let civil = |sql_type| {
        matches!(
            sql_type,
            SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_)
        )
    };
    let same_in_parquet = old.sql_type == new.sql_type
        || (old.sql_type.is_text() && new.sql_type.is_text())
        || (civil(old.sql_type) && civil(new.sql_type));
    match (same_in_parquet, old.nullable, new.nullable) {
        (false, _, _) | (true, false, true) => Weight::Breaking,
        (true, true, false) => Weight::Additive,
        (true, _, _) => Weight::Cosmetic,
    }
}

/// Another rule writes other values, except that to say `keep` out loud writes the same.
fn rule_change(name: &str, old: Option<&Rule>, new: Option<&Rule>) -> (Weight, String) {
    let lets_out = |rule: Option<&Rule>| matches!(rule, None | Some(Rule::Keep));
    let text = |rule: Option<&Rule>| rule.map_or("no rule".to_owned(), |rule| format!("`{rule}`"));
    let (weight, so) = match (lets_out(old), lets_out(new)) {
        (true, true) => (Weight::Cosmetic, ""),
        (false, true) => (Weight::Breaking, ": more leaves the practice"),
        (true, false) => (Weight::Breaking, ": less leaves the practice"),
        (false, false) => (Weight::Breaking, ""),
    };
    let what = format!("`{name}` had {} and has {}{so}", text(old), text(new));
    (weight, what)
}

fn statement(from: &Query, to: &Query, changes: &mut Vec<Change>) {
    if tokens(&from.sql).eq(tokens(&to.sql)) {
        return;
    }
    let (Some(old), Some(new)) = (shape(&from.sql), shape(&to.sql)) else {
        let what = "the statement differs: other rows or values may come";
        note(changes, Weight::Breaking, Part::Statement, what);
        return;
    };
    let before = changes.len();
    for (name, expression) in &old.columns {
        let changed = new
            .columns
            .iter()
            .any(|(other, new)| other == name && new != expression);
        if changed {
            let what = format!("`{name}` is computed in another way");
            note(changes, Weight::Breaking, Part::Statement, what);
        }
    }
    if old.rest != new.rest {
        let what = "what follows the select list differs: other rows may come";
        note(changes, Weight::Breaking, Part::Statement, what);
    }
    if changes.len() == before && same_names(&old, &new) {
        let what = "hints or spelling of the statement differ";
        note(changes, Weight::Cosmetic, Part::Statement, what);
    }
}

/// Whether both return the same names in the same order.
fn same_names(old: &Shape, new: &Shape) -> bool {
    let names = |(name, _): &(String, String)| name.clone();
    old.columns
        .iter()
        .map(names)
        .eq(new.columns.iter().map(names))
}

fn header(from: &Query, to: &Query, changes: &mut Vec<Change>) {
    let mut compare = |weight, what: &str, old: String, new: String| {
        if old != new {
            let what = format!("{what} was {old} and is {new}");
            note(changes, weight, Part::Header, what);
        }
    };
    let text = |text: Option<&str>| text.map_or("not given".to_owned(), |text| format!("`{text}`"));
    let list = |texts: &[String]| format!("`{}`", texts.join(", "));
    compare(
        Weight::Breaking,
        "`pms`",
        from.pms.to_string(),
        to.pms.to_string(),
    );
    compare(
        Weight::Breaking,
        "`catalogue`",
        text(from.catalogue.as_deref()),
        text(to.catalogue.as_deref()),
    );
    compare(
        mode_weight(from.mode, to.mode),
        "`mode`",
        mode_text(from.mode),
        mode_text(to.mode),
    );
    compare(Weight::Breaking, "`key`", list(&from.key), list(&to.key));
    for (what, old, new) in [
        (
            "`watermark`",
            from.watermark.as_deref(),
            to.watermark.as_deref(),
        ),
        ("`cron`", from.cron.as_deref(), to.cron.as_deref()),
        ("`opt_out`", from.opt_out.as_deref(), to.opt_out.as_deref()),
        (
            "`withheld`",
            from.withheld.as_deref(),
            to.withheld.as_deref(),
        ),
        ("`cost`", from.cost.as_deref(), to.cost.as_deref()),
        ("`purpose`", Some(&*from.purpose), Some(&*to.purpose)),
        ("`owner`", Some(&*from.owner), Some(&*to.owner)),
    ] {
        compare(Weight::Cosmetic, what, text(old), text(new));
    }
    compare(
        Weight::Cosmetic,
        "`measures`",
        list(&from.measures),
        list(&to.measures),
    );
    let hours = |query: &Query| match query.freshness {
        Some(freshness) => format!("{} hours", freshness.as_secs() / 3600),
        None => "not given".to_owned(),
    };
    compare(Weight::Cosmetic, "`freshness`", hours(from), hours(to));
}

/// Sites that are asked by a variant see what changes in it; the others see nothing.
fn variants(from: &Query, to: &Query, changes: &mut Vec<Change>) {
    for old in &from.variants {
        match to.variants.iter().find(|new| new.name == old.name) {
            None => {
                let what = format!("the variant `{}` is gone", old.name);
                note(changes, Weight::Breaking, Part::Statement, what);
            }
            Some(new) => {
                if new.brings != old.brings {
                    let what = format!(
                        "the variant `{}` brought {} and brings {}",
                        old.name, old.brings, new.brings
                    );
                    note(changes, Weight::Breaking, Part::Statement, what);
                }
                if !tokens(&old.sql).eq(tokens(&new.sql)) {
                    let what = format!("the statement of the variant `{}` differs", old.name);
                    note(changes, Weight::Breaking, Part::Statement, what);
                }
            }
        }
    }
    for new in &to.variants {
        if from.variants.iter().all(|old| old.name != new.name) {
            let what = format!("the variant `{}` is new", new.name);
            note(changes, Weight::Additive, Part::Statement, what);
        }
    }
}

fn mode_text(mode: Mode) -> String {
    match mode {
        Mode::Incremental { overlap_days: 1 } => "incremental with 1 day of overlap".to_owned(),
        Mode::Incremental { overlap_days } => {
            format!("incremental with {overlap_days} days of overlap")
        }
        Mode::Snapshot => "snapshot".to_owned(),
    }
}

/// A longer overlap only brings more late edits.
fn mode_weight(old: Mode, new: Mode) -> Weight {
    match (old, new) {
        (Mode::Incremental { overlap_days: old }, Mode::Incremental { overlap_days: new })
            if new > old =>
        {
            Weight::Additive
        }
        _ => Weight::Breaking,
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cosmetic => "cosmetic",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Statement => "statement",
            Self::Contract => "contract",
            Self::Privacy => "privacy",
            Self::Header => "header",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.weight, self.part, self.what)
    }
}

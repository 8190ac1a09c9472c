//! The data dictionary: what each query's rows mean, for those who read them.
//!
//! Made from headers alone, so that it cannot differ from what is enforced. Two forms of the same:
//! Markdown for people, JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::Catalog;
use super::contract_text::type_text;
use crate::domain::{
    Brings, Class, Column, Fingerprint, Mode, PmsType, Query, QueryName, QueryVersion, Rule,
    Variant, VariantName,
};

/// All queries in all versions, as the JSON dictionary has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dictionary {
    /// By name, then version.
    pub queries: Vec<Entry>,
}

/// One version of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of `Query`")]
pub struct Entry {
    pub query: QueryName,
    pub version: QueryVersion,
    /// Whether no higher version exists.
    pub current: bool,
    pub purpose: String,
    pub owner: String,
    pub pms: PmsType,
    pub catalogue: Option<String>,
    /// What one row is, in words.
    pub grain: String,
    /// `incremental` or `snapshot`.
    pub mode: &'static str,
    /// Days before its window that an incremental query looks back.
    pub overlap_days: Option<u32>,
    pub watermark: Option<String>,
    pub key: Vec<String>,
    pub cron: Option<String>,
    pub measures: Vec<String>,
    pub opt_out: Option<String>,
    /// Whether the rows that `opt_out` keeps back are counted with each object.
    pub counts_withheld: bool,
    pub cost: Option<String>,
    pub freshness_hours: Option<u64>,
    pub fingerprint: Fingerprint,
    /// Other statements for the same columns, where a practice refuses a table.
    pub variants: Vec<VariantEntry>,
    pub columns: Vec<ColumnEntry>,
}

/// One variant of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariantEntry {
    /// Its name; the footer's `halo_extract.variant` in objects that it made.
    pub name: VariantName,
    /// Which rows its objects have: `changes` or `whole`.
    pub brings: Brings,
    /// The same in words.
    pub rows: String,
    /// Why it exists and what its rows lack.
    pub why: String,
    /// What it costs the practice's server.
    pub cost: Option<String>,
}

/// One column of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnEntry {
    /// Its name.
    pub name: String,
    /// SQL Server type with nullability, as at the practice.
    pub r#type: String,
    /// How closely it points at a person.
    pub class: Class,
    /// Its privacy rule in one word, if it has one.
    pub privacy: Option<String>,
    /// What is found in the object, in words.
    pub written: String,
    /// What it means.
    pub description: Option<String>,
}

impl Dictionary {
    /// The dictionary of a catalog.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        let entry = |query: &Query| {
            let current = catalog.current(&query.id.name).map(|current| &current.id);
            entry(query, current == Some(&query.id))
        };
        Self {
            queries: catalog.queries().map(entry).collect(),
        }
    }

    /// The dictionary as Markdown: a list of contents, then a section for each current version.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let current: Vec<&Entry> = self.queries.iter().filter(|entry| entry.current).collect();
        let contents = current.iter().map(|entry| {
            format!(
                "- [{0}](#{0}): {1}\n",
                entry.query,
                one_line(&entry.purpose)
            )
        });
        let sections = current
            .iter()
            .map(|entry| section(entry, &self.older(entry)));
        format!(
            "# Data dictionary\n\nMade from the headers of the query files: do not edit.\n\n{}{}",
            contents.collect::<String>(),
            sections.collect::<String>()
        )
    }

    /// Versions of the same query below the current one.
    fn older(&self, current: &Entry) -> Vec<String> {
        self.queries
            .iter()
            .filter(|entry| entry.query == current.query && !entry.current)
            .map(|entry| entry.version.to_string())
            .collect()
    }
}

fn entry(query: &Query, current: bool) -> Entry {
    let (mode, overlap_days) = match query.mode {
        Mode::Incremental { overlap_days } => ("incremental", Some(overlap_days)),
        Mode::Snapshot => ("snapshot", None),
    };
    Entry {
        query: query.id.name.clone(),
        version: query.id.version,
        current,
        purpose: query.purpose.clone(),
        owner: query.owner.clone(),
        pms: query.pms,
        catalogue: query.catalogue.clone(),
        grain: grain(query),
        mode,
        overlap_days,
        watermark: query.watermark.clone(),
        key: query.key.clone(),
        cron: query.cron.clone(),
        measures: query.measures.clone(),
        opt_out: query.opt_out.clone(),
        counts_withheld: query.withheld.is_some(),
        cost: query.cost.clone(),
        freshness_hours: query.freshness.map(|freshness| freshness.as_secs() / 3600),
        fingerprint: query.fingerprint.clone(),
        variants: query.variants.iter().map(variant_entry).collect(),
        columns: query.contract.columns.iter().map(column_entry).collect(),
    }
}

fn grain(query: &Query) -> String {
    let of_what = match query.key.as_slice() {
        [] => "one row as the practice has it".to_owned(),
        key => format!("one row for each {} of a site", key.join(", ")),
    };
    let when = match query.mode {
        Mode::Incremental { .. } => "that was made or changed within the window",
        Mode::Snapshot => "as it was on the day",
    };
    format!("{of_what}, {when}")
}

fn variant_entry(variant: &Variant) -> VariantEntry {
    let rows = match variant.brings {
        Brings::Whole => {
            "each object holds every row that stands when it is asked, whatever its window: read only the newest object of \
             the site; a row that is absent from it is deleted"
        }
        Brings::Changes | Brings::Unknown(_) => "the rows that changed within the window",
    };
    VariantEntry {
        name: variant.name.clone(),
        brings: variant.brings.clone(),
        rows: rows.to_owned(),
        why: variant.why.clone(),
        cost: variant.cost.clone(),
    }
}

fn column_entry(column: &Column) -> ColumnEntry {
    ColumnEntry {
        name: column.name.clone(),
        r#type: type_text(column),
        class: column.class,
        privacy: column.rule.as_ref().map(rule_name),
        written: written(column),
        description: column.description.clone(),
    }
}

fn rule_name(rule: &Rule) -> String {
    match rule {
        Rule::Pseudonym { .. } => "pseudonym".to_owned(),
        other => other.to_string(),
    }
}

/// What the rule leaves of a value.
fn written(column: &Column) -> String {
    let as_it_is = if column.trim {
        "without trailing blanks"
    } else {
        "as it is"
    };
    match &column.rule {
        Some(Rule::Drop) => "not written".to_owned(),
        Some(Rule::Pseudonym { kind }) => format!("pseudonym of the {kind}, 32 hex digits"),
        Some(Rule::Day) => "its day".to_owned(),
        Some(Rule::Month) => "the first of its month".to_owned(),
        Some(Rule::Year) => "its year, a whole number".to_owned(),
        Some(Rule::Age) => "whole years at the window's end, 90 for 90 and older".to_owned(),
        Some(Rule::Postcode3) => "its first three characters".to_owned(),
        Some(Rule::Keep) | None => as_it_is.to_owned(),
    }
}

fn section(entry: &Entry, older: &[String]) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", entry.query, one_line(&entry.purpose));
    let mut fact = |name: &str, value: &str| {
        writeln!(text, "- {name}: {}", one_line(value)).expect("a String takes any text");
    };
    let older = if older.is_empty() {
        String::new()
    } else {
        format!(" (older: {})", older.join(", "))
    };
    fact("Version", &format!("{}{older}", entry.version));
    fact("Grain", &entry.grain);
    fact("Owner", &entry.owner);
    let optional = [
        ("Watermark", entry.watermark.clone()),
        (
            "Runs",
            entry
                .cron
                .as_ref()
                .map(|cron| format!("`{cron}` in the site's time zone")),
        ),
        (
            "Measures",
            (!entry.measures.is_empty()).then(|| entry.measures.join(", ")),
        ),
        ("Opt-out", entry.opt_out.clone()),
        (
            "Withheld rows",
            entry
                .counts_withheld
                .then(|| "counted, in the proof of each object".to_owned()),
        ),
        ("Cost at the practice", entry.cost.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            fact(name, &value);
        }
    }
    for variant in &entry.variants {
        let cost = variant
            .cost
            .as_deref()
            .map_or(String::new(), |cost| format!(" Cost: {cost}"));
        let about = format!("{} Rows: {}.{cost}", variant.why, variant.rows);
        writeln!(text, "- Variant `{}`: {}", variant.name, one_line(&about))
            .expect("a String takes any text");
    }
    text.push_str("\n| column | type | class | written | meaning |\n|---|---|---|---|---|\n");
    for column in &entry.columns {
        text.push_str(&row(column));
    }
    text
}

fn row(column: &ColumnEntry) -> String {
    let meaning = column.description.as_deref().unwrap_or_default();
    format!(
        "| {} | `{}` | {} | {} | {} |\n",
        column.name,
        column.r#type,
        column.class,
        column.written,
        one_line(meaning).replace('|', "\\|")
    )
}

/// Markdown lists and tables end at a line end.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

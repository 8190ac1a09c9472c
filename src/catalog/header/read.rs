//! One header, key by key.

use std::str::FromStr;
use std::time::Duration;

use toml::de::DeTable;

use super::super::nearest::write_instead;
use super::super::problem::Report;
use super::super::source::Source;
use super::columns::{self, DraftColumn};
use super::cron;
use super::keys::{Keys, Located};
use crate::domain::{Mode, ParseError, PmsType};

const KEYS: [&str; 16] = [
    "purpose",
    "owner",
    "pms",
    "catalogue",
    "mode",
    "watermark",
    "overlap",
    "key",
    "cron",
    "measures",
    "opt_out",
    "withheld",
    "cost",
    "freshness",
    "variants",
    "columns",
];

/// Rows that change later than this after the fact are not late edits any more.
const LONGEST_OVERLAP_DAYS: u32 = 366;

/// What could be read of a header. What is needed but absent has been reported.
#[derive(Debug)]
pub(in crate::catalog) struct Header {
    /// Byte of the file where the TOML begins.
    pub(in crate::catalog) at: usize,
    pub(in crate::catalog) purpose: Option<String>,
    pub(in crate::catalog) owner: Option<String>,
    pub(in crate::catalog) pms: Option<PmsType>,
    pub(in crate::catalog) catalogue: Option<String>,
    pub(in crate::catalog) mode: Option<Mode>,
    pub(in crate::catalog) watermark: Option<String>,
    pub(in crate::catalog) key: Vec<Located<String>>,
    pub(in crate::catalog) cron: Option<String>,
    pub(in crate::catalog) measures: Vec<String>,
    pub(in crate::catalog) opt_out: Option<String>,
    pub(in crate::catalog) withheld: Option<Located<String>>,
    pub(in crate::catalog) cost: Option<String>,
    pub(in crate::catalog) freshness: Option<Duration>,
    /// Names of other statements for the same columns, each in a file of its own.
    pub(in crate::catalog) variants: Vec<Located<String>>,
    /// In the order of the file.
    pub(in crate::catalog) columns: Vec<DraftColumn>,
}

/// Reads the header; `None` if it is not TOML, for then nothing in it can be relied on.
pub(in crate::catalog) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Option<Header> {
    read_keys(source, report, check)
}

/// Hands the keys of a header to `check`; `None` if it is not TOML.
pub(super) fn read_keys<T>(
    source: &Source<'_>,
    report: &mut Report<'_>,
    check: impl FnOnce(&Keys<'_>, usize, &mut Report<'_>) -> T,
) -> Option<T> {
    let at = source.header_start();
    let (table, errors) = DeTable::parse_recoverable(source.header());
    for error in &errors {
        report.at(
            at + error.span().map_or(0, |span| span.start),
            format!("the header is not TOML: {}", error.message()),
            "write lines of `key = value`, texts in double quotes, each key once",
        );
    }
    errors
        .is_empty()
        .then(|| check(&Keys::new(table.get_ref(), at), at, report))
}

fn check(keys: &Keys<'_>, at: usize, report: &mut Report<'_>) -> Header {
    keys.refuse_others("the header", &KEYS, report);
    let mut optional = |key| keys.text(key, report).map(|text| text.value);
    let (catalogue, watermark) = (optional("catalogue"), optional("watermark"));
    let (opt_out, cost) = (optional("opt_out"), optional("cost"));
    let mode = mode(keys, at, report);
    if matches!(mode, Some(Mode::Incremental { .. })) {
        needed(
            "watermark",
            "\"coalesce(UPDATED, CREATED)\"",
            keys,
            at,
            report,
        );
        needed("key", "[\"record_id\"]", keys, at, report);
    }
    Header {
        at,
        purpose: needed_text("purpose", "\"what the rows are for\"", keys, at, report),
        owner: needed_text("owner", "\"population-health\"", keys, at, report),
        pms: needed_text("pms", "\"best-practice\"", keys, at, report)
            .and_then(|_| parsed(keys, "pms", report)),
        catalogue,
        mode,
        watermark,
        key: keys.texts("key", report),
        cron: cron_pattern(keys, report),
        measures: plain(keys.texts("measures", report)),
        opt_out,
        withheld: keys.text("withheld", report),
        cost,
        freshness: freshness(keys, report),
        variants: keys.texts("variants", report),
        columns: columns::read(keys, at, report),
    }
}

fn plain(texts: Vec<Located<String>>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}

/// Reports a key that is absent.
fn needed(key: &str, example: &str, keys: &Keys<'_>, at: usize, report: &mut Report<'_>) {
    if !keys.has(key) {
        report.at(
            at,
            format!("the header has no `{key}`"),
            format!("write for example `{key} = {example}`"),
        );
    }
}

pub(super) fn needed_text(
    key: &str,
    example: &str,
    keys: &Keys<'_>,
    at: usize,
    report: &mut Report<'_>,
) -> Option<String> {
    needed(key, example, keys, at, report);
    keys.text(key, report).map(|text| text.value)
}

/// A value that the domain knows how to read.
fn parsed<T: FromStr<Err = ParseError>>(
    keys: &Keys<'_>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<T> {
    let text = keys.text(key, report)?;
    text.value
        .parse()
        .map_err(|error: ParseError| report.at(text.at, not_wanted(&error), instead(&error)))
        .ok()
}

/// The first half of a [`ParseError`]'s message.
pub(super) fn not_wanted(error: &ParseError) -> String {
    format!("`{}` is not {}", error.given, error.wanted)
}

/// Its second half.
pub(super) fn instead(error: &ParseError) -> String {
    format!("write for example `{}`", error.example)
}

fn mode(keys: &Keys<'_>, at: usize, report: &mut Report<'_>) -> Option<Mode> {
    needed(
        "mode",
        "\"incremental\"` or `mode = \"snapshot\"",
        keys,
        at,
        report,
    );
    let mode = keys.text("mode", report)?;
    match mode.value.as_str() {
        "incremental" => {
            needed("overlap", "\"2 days\"", keys, at, report);
            overlap(keys, report).map(|overlap_days| Mode::Incremental { overlap_days })
        }
        "snapshot" => {
            if let Some(overlap) = keys.text("overlap", report) {
                report.at(
                    overlap.at,
                    "a snapshot has no overlap: it is the rows of one day",
                    "remove `overlap`, or write `mode = \"incremental\"`",
                );
            }
            Some(Mode::Snapshot)
        }
        other => {
            report.at(
                mode.at,
                format!("`{other}` is not a mode"),
                write_instead(other, &["incremental", "snapshot"]),
            );
            None
        }
    }
}

fn overlap(keys: &Keys<'_>, report: &mut Report<'_>) -> Option<u32> {
    let overlap = keys.text("overlap", report)?;
    let days = amount(&overlap.value)
        .filter(|(_, unit)| *unit == "day")
        .map(|(days, _)| days)
        .filter(|days| *days <= LONGEST_OVERLAP_DAYS);
    if days.is_none() {
        report.at(
            overlap.at,
            format!(
                "`{}` is not a number of days from 0 to {LONGEST_OVERLAP_DAYS}",
                overlap.value
            ),
            "write for example `overlap = \"2 days\"`",
        );
    }
    days
}

fn freshness(keys: &Keys<'_>, report: &mut Report<'_>) -> Option<Duration> {
    let freshness = keys.text("freshness", report)?;
    let hours = amount(&freshness.value).and_then(|(count, unit)| match unit {
        "hour" => Some(count),
        "day" => count.checked_mul(24),
        _ => None,
    });
    if hours.is_none_or(|hours| hours == 0) {
        report.at(
            freshness.at,
            format!("`{}` is not a time in hours or days", freshness.value),
            "write for example `freshness = \"36 hours\"`",
        );
        return None;
    }
    hours.map(|hours| Duration::from_secs(u64::from(hours) * 3600))
}

/// `2 days` is 2 and `day`.
fn amount(text: &str) -> Option<(u32, &str)> {
    let (count, unit) = text.split_once(' ')?;
    Some((count.parse().ok()?, unit.strip_suffix('s').unwrap_or(unit)))
}

fn cron_pattern(keys: &Keys<'_>, report: &mut Report<'_>) -> Option<String> {
    let pattern = keys.text("cron", report)?;
    if let Err(reason) = cron::check(&pattern.value) {
        report.at(
            pattern.at,
            format!("the cron pattern `{}` {reason}", pattern.value),
            "write minute, hour, day, month and day of the week, for example `30 1 * * *`",
        );
        return None;
    }
    Some(pattern.value)
}

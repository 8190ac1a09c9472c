//! Registry files: many sites in one TOML or CSV file, as `site export` writes and `site import` reads them.
//!
//! Reading reports every problem of a file at once, each with its line.
//! A value that is absent, or an empty CSV cell, leaves that of the registry as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use chrono_tz::Tz;
use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::{PmsId, PmsType, QueryName, QuietHours, SiteKey};

use super::known::nearest;

/// The columns of a CSV file and the keys of a `[[site]]`, in the order of an export.
pub(super) const COLUMNS: [&str; 11] = [
    "key",
    "pms",
    "pms_id",
    "name",
    "time_zone",
    "groups",
    "quiet_hours",
    "extractions_at_once",
    "queries_per_month",
    "queries_off",
    "code",
];

/// Columns that hold several values: a TOML array, or a CSV cell with `;` between them.
const LISTS: [&str; 2] = ["groups", "queries_off"];

/// The two forms of a registry file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// `[[site]]` tables.
    Toml,
    /// A line of headings, then a line for each site.
    Csv,
}

/// What a file says of one site.
#[derive(Debug)]
pub(super) struct Entry {
    /// Line of the file, from 1.
    pub(super) line: usize,
    pub(super) key: SiteKey,
    pub(super) pms_type: PmsType,
    pub(super) pms_id: PmsId,
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<Tz>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) quiet_hours: Option<QuietHours>,
    pub(super) extractions_at_once: Option<u32>,
    pub(super) queries_per_month: Option<u32>,
    pub(super) queries_off: Option<BTreeSet<QueryName>>,
    /// Never stored, never shown.
    pub(super) code: Option<SecretString>,
}

/// Something in a file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Form {
    /// By the file's ending; TOML unless it says CSV.
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("csv") => Self::Csv,
            _ => Self::Toml,
        }
    }
}

/// The entries of a file that can be read, and all that is wrong with the file.
pub(super) fn read(text: &str, form: Form) -> (Vec<Entry>, Vec<Problem>) {
    let (rows, mut problems) = match form {
        Form::Toml => toml_rows(text),
        Form::Csv => csv_rows(text),
    };
    let mut entries = Vec::new();
    for row in rows {
        let mut reader = Reader::new(row);
        let entry = reader.entry();
        problems.extend(reader.problems);
        entries.extend(entry);
    }
    problems.extend(twice(&entries));
    (entries, problems)
}

/// The texts of one site, by column.
struct Texts {
    line: usize,
    values: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    #[serde(default)]
    site: Vec<toml::Spanned<toml::Table>>,
}

fn toml_rows(text: &str) -> (Vec<Texts>, Vec<Problem>) {
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let file: TomlFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(span.start));
            // The message alone: the excerpt that `Display` adds may show a pairing code.
            let what = error.message().to_owned();
            return (Vec::new(), vec![Problem { line, what }]);
        }
    };
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for table in file.site {
        let line = line_at(table.span().start);
        let mut values = BTreeMap::new();
        for (key, value) in table.into_inner() {
            match toml_texts(&key, value) {
                Ok(texts) => {
                    values.insert(key, texts);
                }
                Err(what) => problems.push(Problem { line, what }),
            }
        }
        rows.push(Texts { line, values });
    }
    (rows, problems)
}

fn toml_texts(key: &str, value: toml::Value) -> Result<Vec<String>, String> {
    let single = |value: toml::Value| match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        _ => Err(format!("`{key}` is neither a text nor a number")),
    };
    match value {
        toml::Value::Array(values) if LISTS.contains(&key) => {
            values.into_iter().map(single).collect()
        }
        value => single(value).map(|text| vec![text]),
    }
}

fn csv_rows(text: &str) -> (Vec<Texts>, Vec<Problem>) {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headings = match reader.headers() {
        Ok(headings) => headings.clone(),
        Err(error) => return (Vec::new(), vec![csv_problem(&error)]),
    };
    let (known, unknown): (Vec<&str>, Vec<&str>) = headings
        .iter()
        .partition(|heading| COLUMNS.contains(heading));
    let problem = |name: &&str| Problem {
        line: 1,
        what: unknown_column(name),
    };
    let mut problems: Vec<Problem> = unknown.iter().map(problem).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(1, |at| at.line());
                let values = headings.iter().zip(record.iter());
                rows.push(Texts {
                    line: usize::try_from(line).unwrap_or(usize::MAX),
                    values: values
                        .filter(|(heading, cell)| known.contains(heading) && !cell.is_empty())
                        .map(|(heading, cell)| (heading.to_owned(), csv_texts(heading, cell)))
                        .collect(),
                });
            }
            Err(error) => problems.push(csv_problem(&error)),
        }
    }
    (rows, problems)
}

fn csv_texts(heading: &str, cell: &str) -> Vec<String> {
    if LISTS.contains(&heading) {
        cell.split(';')
            .map(|value| value.trim().to_owned())
            .collect()
    } else {
        vec![cell.to_owned()]
    }
}

fn csv_problem(error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("it has {len} cells, and the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8 text".to_owned(),
        _ => "it cannot be read as CSV".to_owned(),
    };
    Problem {
        line: usize::try_from(line).unwrap_or(usize::MAX),
        what,
    }
}

fn unknown_column(name: &str) -> String {
    let within = COLUMNS.into_iter().find(|column| column.contains(name));
    let meant = within
        .or(nearest(name, COLUMNS.into_iter()))
        .unwrap_or_default();
    format!("there is no column `{name}`; did you mean `{meant}`?")
}

/// Reads one site and gathers what is wrong with it.
struct Reader {
    texts: Texts,
    problems: Vec<Problem>,
}

impl Reader {
    fn new(texts: Texts) -> Self {
        let mut reader = Self {
            texts,
            problems: Vec::new(),
        };
        let unknown: Vec<String> = reader
            .texts
            .values
            .keys()
            .filter(|key| !COLUMNS.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            reader.problem(unknown_column(&key));
        }
        reader
    }

    fn entry(&mut self) -> Option<Entry> {
        let pms_id: Option<PmsId> = self.value("pms_id");
        if pms_id.is_none() && !self.texts.values.contains_key("pms_id") {
            self.problem("`pms_id` is missing: the practice's Site ID".to_owned());
        }
        let entry = Entry {
            line: self.texts.line,
            key: match self.value("key") {
                Some(key) => key,
                None => SiteKey::from_pms_id(pms_id.as_ref()?),
            },
            pms_type: self.value("pms").unwrap_or(PmsType::BestPractice),
            name: self.value("name"),
            time_zone: self.zone(),
            groups: self.texts.values.remove("groups"),
            quiet_hours: self.value("quiet_hours"),
            extractions_at_once: self.at_least_one(),
            queries_per_month: self.value("queries_per_month"),
            queries_off: self.queries_off(),
            code: self.value::<String>("code").map(SecretString::from),
            pms_id: pms_id?,
        };
        Some(entry)
    }

    /// The value of a column with one; what is wrong with it is noted.
    fn value<T: FromStr<Err: fmt::Display>>(&mut self, column: &str) -> Option<T> {
        let texts = self.texts.values.remove(column)?;
        let text = texts.first()?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let what = format!("`{column}`: {error}");
                self.problem(what);
                None
            }
        }
    }

    fn zone(&mut self) -> Option<Tz> {
        let text: String = self.value("time_zone")?;
        let zone = text.parse().ok();
        if zone.is_none() {
            self.problem(format!(
                "`time_zone`: `{text}` is no time zone; write for example `Australia/Brisbane`"
            ));
        }
        zone
    }

    fn at_least_one(&mut self) -> Option<u32> {
        let limit = self.value("extractions_at_once")?;
        if limit == 0 {
            self.problem("`extractions_at_once` is at least 1".to_owned());
        }
        Some(limit)
    }

    fn queries_off(&mut self) -> Option<BTreeSet<QueryName>> {
        let texts = self.texts.values.remove("queries_off")?;
        let mut names = BTreeSet::new();
        for text in texts {
            match text.parse() {
                Ok(name) => {
                    names.insert(name);
                }
                Err(error) => self.problem(format!("`queries_off`: {error}")),
            }
        }
        Some(names)
    }

    fn problem(&mut self, what: String) {
        self.problems.push(Problem {
            line: self.texts.line,
            what,
        });
    }
}

/// Two entries for one key or one practice.
fn twice(entries: &[Entry]) -> Vec<Problem> {
    let (mut keys, mut practices) = (BTreeMap::new(), BTreeMap::new());
    let mut problems = Vec::new();
    for entry in entries {
        let before = keys.insert(&entry.key, entry.line);
        let practice = (entry.pms_type, entry.pms_id.as_str());
        let same_practice = practices.insert(practice, entry.line);
        if let Some(line) = before.or(same_practice) {
            problems.push(Problem {
                line: entry.line,
                what: format!("{} stands on line {line} already", entry.key),
            });
        }
    }
    problems
}

#[cfg(test)]
#[path = "registry_file_tests.rs"]
mod tests;

//! The four layers of settings merged key by key, each value remembering where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::DEFAULT_TOML;

/// Prefix of the environment variables that are settings.
pub(crate) const VARIABLE_PREFIX: &str = "HALO_EXTRACT__";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// A line of a file, from 1.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A command-line flag.
    Flag(&'static str),
}

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// All that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one problem, in the order of the layers.
    pub problems: Vec<Problem>,
}

/// The layers of settings, lowest first.
#[derive(Debug)]
pub struct Layers {
    entries: BTreeMap<String, Entry>,
    problems: Vec<Problem>,
}

#[derive(Debug)]
struct Entry {
    value: toml::Value,
    origin: Origin,
}

impl Layers {
    /// The built-in defaults; their keys are the known ones.
    #[must_use]
    pub fn defaults() -> Self {
        let table = DeTable::parse(DEFAULT_TOML).expect("a test parses config/default.toml");
        let mut entries = BTreeMap::new();
        for leaf in leaves(table.get_ref()) {
            entries.insert(
                leaf.path,
                Entry {
                    value: leaf.value,
                    origin: Origin::Default,
                },
            );
        }
        Self {
            entries,
            problems: Vec::new(),
        }
    }

    /// Puts a file's text over what is there.
    pub fn file(&mut self, path: &Path, text: &str) {
        let line_of = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
        match DeTable::parse(text) {
            Ok(table) => {
                for leaf in leaves(table.get_ref()) {
                    let origin = Origin::File(path.to_owned(), line_of(leaf.offset));
                    self.set(&leaf.path, leaf.value, origin);
                }
            }
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(span.start));
                self.problem(
                    Origin::File(path.to_owned(), line),
                    format!("is not TOML: {}", error.message()),
                );
            }
        }
    }

    /// Puts the variables `HALO_EXTRACT__SECTION__KEY` of `variables` over what is there.
    pub fn variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, text) in variables {
            let Some(path) = name.strip_prefix(VARIABLE_PREFIX) else {
                continue;
            };
            let path = path.to_ascii_lowercase().replace("__", ".");
            self.set(&path, value_of_text(&text), Origin::Variable(name.clone()));
        }
    }

    /// Puts a command-line flag over what is there, if it was given.
    pub fn flag(&mut self, flag: &'static str, path: &str, value: Option<String>) {
        if let Some(value) = value {
            self.set(path, toml::Value::String(value), Origin::Flag(flag));
        }
    }

    fn set(&mut self, path: &str, value: toml::Value, origin: Origin) {
        if let Some(entry) = self.entries.get_mut(path) {
            *entry = Entry { value, origin };
        } else {
            let nearest = self.nearest(path);
            self.problem(
                origin,
                format!("there is no setting `{path}`; the nearest one is `{nearest}`"),
            );
        }
    }

    fn nearest(&self, path: &str) -> &str {
        self.entries
            .keys()
            .max_by(|a, b| strsim::jaro_winkler(a, path).total_cmp(&strsim::jaro_winkler(b, path)))
            .map_or("", String::as_str)
    }

    fn problem(&mut self, origin: Origin, message: String) {
        self.problems.push(Problem { origin, message });
    }

    /// Ends reading.
    ///
    /// # Errors
    /// With everything that was wrong in any layer.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError {
                problems: self.problems,
            })
        }
    }

    fn entry(&self, path: &str) -> &Entry {
        self.entries
            .get(path)
            .expect("config/default.toml has every setting that is read")
    }

    fn refuse(&mut self, path: &str, wanted: &str) {
        let origin = self.entry(path).origin.clone();
        self.problem(origin, format!("`{path}` must be {wanted}"));
    }

    /// The text at `path`, as it is.
    pub(super) fn string(&mut self, path: &str) -> String {
        let entry = self.entry(path);
        match (&entry.value, &entry.origin) {
            (toml::Value::String(text), _) => text.clone(),
            // A variable has no quotes to tell a text of digits from a number.
            (toml::Value::Integer(number), Origin::Variable(_)) => number.to_string(),
            _ => {
                self.refuse(path, "a text in quotes");
                String::new()
            }
        }
    }

    /// The text at `path` as a path.
    pub(super) fn path(&mut self, path: &str) -> PathBuf {
        let text = self.string(path);
        if text.is_empty() {
            self.refuse(path, "a path, not empty");
        }
        PathBuf::from(text)
    }

    /// The text at `path` as a domain type; `None` after a problem.
    pub(super) fn text<T: FromStr<Err: fmt::Display>>(&mut self, path: &str) -> Option<T> {
        let text = self.string(path);
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let origin = self.entry(path).origin.clone();
                self.problem(origin, format!("`{path}`: {error}"));
                None
            }
        }
    }

    /// The whole number at `path`, within `range`.
    pub(super) fn count(&mut self, path: &str, range: std::ops::RangeInclusive<u32>) -> u32 {
        if let toml::Value::Integer(number) = &self.entry(path).value
            && let Ok(number) = u32::try_from(*number)
            && range.contains(&number)
        {
            return number;
        }
        self.refuse(
            path,
            &format!("a whole number from {} to {}", range.start(), range.end()),
        );
        *range.start()
    }

    /// The size at `path`, in bytes.
    pub(super) fn size_bytes(&mut self, path: &str) -> u64 {
        if let toml::Value::String(text) = &self.entry(path).value
            && let Some(bytes) = bytes_of_text(text)
        {
            return bytes;
        }
        self.refuse(
            path,
            "a whole number of B, kB, MB, GB or TB, for example \"2 GB\"",
        );
        0
    }

    /// The duration at `path`, within `range`.
    pub(super) fn duration(
        &mut self,
        path: &str,
        range: std::ops::RangeInclusive<Duration>,
    ) -> Duration {
        if let toml::Value::String(text) = &self.entry(path).value
            && let Ok(duration) = humantime::parse_duration(text)
            && range.contains(&duration)
        {
            return duration;
        }
        let (least, most) = (span(*range.start()), span(*range.end()));
        self.refuse(path, &format!("a time span from \"{least}\" to \"{most}\""));
        *range.start()
    }

    /// The table at `path` that has exactly one of `keys`, with a text: the key and the text.
    pub(super) fn choice(
        &mut self,
        path: &str,
        keys: &[&'static str],
        example: &str,
    ) -> Option<(&'static str, String)> {
        if let toml::Value::Table(table) = &self.entry(path).value
            && table.len() == 1
            && let Some((key, toml::Value::String(text))) = table.iter().next()
            && let Some(key) = keys.iter().find(|known| *known == key)
        {
            return Some((key, text.clone()));
        }
        self.refuse(path, example);
        None
    }
}

/// One value of a file with the dotted path of its key.
struct Leaf {
    path: String,
    value: toml::Value,
    offset: usize,
}

/// Flattens a table: sections become prefixes, a table on the second level (`{ env = … }`) is one value.
fn leaves(table: &DeTable<'_>) -> Vec<Leaf> {
    let mut found = Vec::new();
    for (key, value) in table {
        let offset = key.span().start;
        match value.get_ref() {
            DeValue::Table(section) => found.extend(section.iter().map(|(inner, value)| Leaf {
                path: format!("{}.{}", key.get_ref(), inner.get_ref()),
                value: plain(value.get_ref()),
                offset: inner.span().start,
            })),
            value => found.push(Leaf {
                path: key.get_ref().to_string(),
                value: plain(value),
                offset,
            }),
        }
    }
    found
}

fn plain(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => number.to_string().parse().map_or_else(
            |_| toml::Value::String(number.to_string()),
            toml::Value::Integer,
        ),
        DeValue::Float(number) => number.to_string().parse().map_or_else(
            |_| toml::Value::String(number.to_string()),
            toml::Value::Float,
        ),
        DeValue::Boolean(truth) => toml::Value::Boolean(*truth),
        DeValue::Datetime(instant) => toml::Value::Datetime(*instant),
        DeValue::Array(items) => {
            toml::Value::Array(items.iter().map(|item| plain(item.get_ref())).collect())
        }
        DeValue::Table(table) => toml::Value::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref())))
                .collect(),
        ),
    }
}

/// `2 GB` as bytes; the units are powers of ten.
fn bytes_of_text(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let unit: u64 = match text[digits..].trim_start() {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

/// A time span as somebody would write it: in the largest unit that makes it a whole number.
fn span(span: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [
        (24 * 3_600_000, "days"),
        (3_600_000, "hours"),
        (60_000, "minutes"),
        (1000, "seconds"),
    ];
    let millis = span.as_millis();
    let whole = UNITS
        .iter()
        .find(|(unit, _)| millis.is_multiple_of(*unit) && millis >= *unit);
    match whole {
        Some((unit, name)) => format!("{} {name}", millis / unit),
        None => format!("{millis} ms"),
    }
}

/// A variable's text as TOML where it is a number, truth value or table, else as the text it is.
fn value_of_text(text: &str) -> toml::Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    match parsed.and_then(|mut table| table.remove("value")) {
        Some(
            value @ (toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Table(_)),
        ) => value,
        _ => toml::Value::String(text.to_owned()),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("built-in default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the configuration has {} problem(s)",
            self.problems.len()
        )?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {}: {}", problem.origin, problem.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_told_as_it_may_be_written() {
        for (seconds, told) in [
            (0.0, "0 ms"),
            (0.1, "100 ms"),
            (90.0, "90 seconds"),
            (3600.0, "1 hours"),
            (1000.0 * 3600.0, "1000 hours"),
            (36_525.0 * 86_400.0, "36525 days"),
        ] {
            let duration = Duration::from_secs_f64(seconds);
            assert_eq!(span(duration), told);
            assert_eq!(humantime::parse_duration(told).ok(), Some(duration));
        }
    }
}

//! Keys of one TOML table, read by type; every mistake is reported with its place in the file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::nearest::write_instead;
use super::super::problem::Report;

/// A value and the byte of the file where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Located<T> {
    pub(in crate::catalog) value: T,
    pub(in crate::catalog) at: usize,
}

/// One table of a header: the header itself, or one column.
pub(super) struct Keys<'t> {
    table: &'t DeTable<'t>,
    /// Byte of the file where the TOML begins.
    base: usize,
}

impl<'t> Keys<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, base: usize) -> Self {
        Self { table, base }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports every key that is not among `known`; `of` says whose key it would be.
    pub(super) fn refuse_others(&self, of: &str, known: &[&str], report: &mut Report<'_>) {
        for (key, at) in self.in_order() {
            if !known.contains(&key) {
                report.at(
                    at,
                    format!("`{key}` is not a key of {of}"),
                    write_instead(key, known),
                );
            }
        }
    }

    /// Keys with their places, as they stand in the file.
    pub(super) fn in_order(&self) -> Vec<(&'t str, usize)> {
        let mut keys: Vec<(&str, usize)> = self
            .table
            .keys()
            .map(|key| (key.get_ref().as_ref(), self.base + key.span().start))
            .collect();
        keys.sort_by_key(|(_, at)| *at);
        keys
    }

    /// Text in quotes, without the blanks around it; empty text counts as a mistake.
    pub(super) fn text(&self, key: &str, report: &mut Report<'_>) -> Option<Located<String>> {
        let value = self.table.get(key)?;
        let at = self.at(value);
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                report.at(
                    at,
                    format!("`{key}` is empty"),
                    "write a text, or remove the key",
                );
                None
            }
            DeValue::String(text) => Some(Located {
                value: text.trim().to_owned(),
                at,
            }),
            other => {
                report.at(
                    at,
                    format!("`{key}` is {}", with_article(other)),
                    format!("write it as text: `{key} = \"...\"`"),
                );
                None
            }
        }
    }

    /// `true` or `false`; false if absent.
    pub(super) fn flag(&self, key: &str, report: &mut Report<'_>) -> bool {
        let Some(value) = self.table.get(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            report.at(
                self.at(value),
                format!("`{key}` is {}", with_article(value.get_ref())),
                format!("write `{key} = true`, or remove it"),
            );
            false
        })
    }

    /// A list of texts; empty if absent.
    pub(super) fn texts(&self, key: &str, report: &mut Report<'_>) -> Vec<Located<String>> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let located = |item: &Spanned<DeValue<'_>>| {
            Some(Located {
                value: item.get_ref().as_str()?.trim().to_owned(),
                at: self.at(item),
            })
        };
        let texts = value
            .get_ref()
            .as_array()
            .and_then(|items| items.iter().map(located).collect());
        texts.unwrap_or_else(|| {
            report.at(
                self.at(value),
                format!("`{key}` is not a list of texts"),
                format!("write `{key} = [\"...\", \"...\"]`"),
            );
            Vec::new()
        })
    }

    /// A table within this one.
    pub(super) fn table(
        &self,
        key: &str,
        instead: &str,
        report: &mut Report<'_>,
    ) -> Option<Keys<'t>> {
        let value = self.table.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            report.at(
                self.at(value),
                format!("`{key}` is {}", with_article(value.get_ref())),
                instead,
            );
        }
        table.map(|table| Keys::new(table, self.base))
    }

    fn at(&self, value: &Spanned<DeValue<'_>>) -> usize {
        self.base + value.span().start
    }
}

fn with_article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

//! Results on stdout: a table for people, JSON for programs.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::exit_code::ExitCode;
use super::report::Failure;

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, for people.
    Table,
    /// One JSON document, for programs.
    Json,
    /// One JSON object a line, for streaming programs.
    Jsonl,
}

/// A row of a result that can be shown as a table.
pub(crate) trait Row: Serialize {
    /// Headings of the columns; a leading `>` aligns a column to the right.
    const HEADINGS: &'static [&'static str];
    /// The cells, as many as the headings.
    fn cells(&self) -> Vec<String>;
}

/// Writes rows to stdout in the form asked for.
pub(crate) fn rows<R: Row>(format: Format, rows: &[R]) -> Result<(), Failure> {
    match format {
        Format::Table => line(&table(rows)),
        Format::Json => json(&rows),
        Format::Jsonl => rows.iter().try_for_each(|row| line(&encode(row)?)),
    }
}

/// Writes values to stdout that have no table: all in one JSON document, or one a line.
pub(crate) fn documents<T: Serialize>(format: Format, values: &[T]) -> Result<(), Failure> {
    match format {
        Format::Jsonl => values.iter().try_for_each(|value| line(&encode(value)?)),
        Format::Json | Format::Table => json(&values),
    }
}

/// Writes one value to stdout that has no table: as a JSON document, or on one line.
pub(crate) fn document(format: Format, value: &impl Serialize) -> Result<(), Failure> {
    match format {
        Format::Jsonl => line(&encode(value)?),
        Format::Json | Format::Table => json(value),
    }
}

/// Writes one JSON document to stdout.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    line(&text)
}

/// Writes a line to stdout. A reader that went away, as `head` does, has what it wanted: that is no failure.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::new(ExitCode::Failed, error)),
    }
}

fn encode(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::new(ExitCode::Failed, error))
}

/// The rows as aligned columns without frame, as `column -t` would.
pub(crate) fn table<R: Row>(rows: &[R]) -> String {
    aligned(R::HEADINGS, rows.iter().map(Row::cells))
}

/// Rows of cells under headings, aligned; a heading that begins with `>` aligns its column to the right.
pub(crate) fn aligned(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(
        headings
            .iter()
            .map(|heading| heading.trim_start_matches('>')),
    );
    for row in rows {
        table.add_row(row);
    }
    for (index, heading) in headings.iter().enumerate() {
        let Some(column) = table.column_mut(index) else {
            continue;
        };
        column.set_padding((0, 2));
        if heading.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A size as people read it: `1.2 MB`.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

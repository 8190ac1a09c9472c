//! Coverage and runs as Parquet: small tables that the ledger's owner fills.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Field, Schema, SchemaRef};
use chrono::{DateTime, NaiveDate, Utc};
use parquet::arrow::ArrowWriter;
use parquet::errors::Result;

use super::super::choice::{ROW_GROUP_ROWS, common_properties};
use super::super::footer::created_by;
use super::super::parts::PartWriter;
use crate::domain::{AttemptNumber, Extraction, FailureClass, QueryId, RemoteQueryId, SiteKey};

/// One site × query × date: is its data there, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// Whose data.
    pub site: SiteKey,
    /// Which question.
    pub query: QueryId,
    /// Of which day, in the site's own calendar.
    pub date: NaiveDate,
    /// Whether an extract of that day is due by now.
    pub expected: bool,
    /// Whether a published object covers the day.
    pub arrived: bool,
    /// Whether it came after its night, or is due and has not come.
    pub late: bool,
    /// Whether the site is held, paused or in review, so that nothing is asked.
    pub held: bool,
    /// Rows of the object that covers the day; an object of several days counts for each of them.
    pub rows: Option<u64>,
    /// Why it has not arrived.
    pub reason: Option<String>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// What was attempted.
    pub extraction: Extraction,
    /// The how-manieth try.
    pub attempt: AttemptNumber,
    /// How it ended: `succeeded`, `failed`, `running`, …
    pub outcome: String,
    /// What kind of failure it was.
    pub failure: Option<FailureClass>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Rows published.
    pub rows: Option<u64>,
    /// Size of the object in bytes.
    pub size_bytes: Option<u64>,
    /// Pages fetched.
    pub pages: Option<u32>,
    /// The API's id of the query.
    pub remote_query_id: Option<RemoteQueryId>,
}

/// 10 columns, one row each; `rows` and `reason` nullable.
pub(super) fn coverage(rows: &[CoverageRow]) -> RecordBatch {
    table(vec![
        ("site", texts(rows, |row| Some(row.site.to_string())), false),
        (
            "query",
            texts(rows, |row| Some(row.query.name.to_string())),
            false,
        ),
        (
            "version",
            numbers(rows, |row| Some(row.query.version.number().into())),
            false,
        ),
        ("date", dates(rows, |row| row.date), false),
        ("expected", flags(rows, |row| row.expected), false),
        ("arrived", flags(rows, |row| row.arrived), false),
        ("late", flags(rows, |row| row.late), false),
        ("held", flags(rows, |row| row.held), false),
        ("rows", numbers(rows, |row| row.rows), true),
        ("reason", texts(rows, |row| row.reason.clone()), true),
    ])
}

/// 14 columns, one row each; what an attempt does not have yet is null.
pub(super) fn runs(rows: &[RunRow]) -> RecordBatch {
    let query = |row: &RunRow| row.extraction.query.clone();
    table(vec![
        (
            "site",
            texts(rows, |row| Some(row.extraction.site.to_string())),
            false,
        ),
        (
            "query",
            texts(rows, |row| Some(query(row).name.to_string())),
            false,
        ),
        (
            "version",
            numbers(rows, |row| Some(query(row).version.number().into())),
            false,
        ),
        (
            "window_start",
            dates(rows, |row| row.extraction.window.start()),
            false,
        ),
        (
            "window_end",
            dates(rows, |row| row.extraction.window.end()),
            false,
        ),
        (
            "attempt",
            numbers(rows, |row| Some(row.attempt.0.into())),
            false,
        ),
        (
            "outcome",
            texts(rows, |row| Some(row.outcome.clone())),
            false,
        ),
        (
            "failure",
            texts(rows, |row| row.failure.map(|class| class.to_string())),
            true,
        ),
        (
            "started_at",
            instants(rows, |row| Some(row.started_at)),
            false,
        ),
        ("finished_at", instants(rows, |row| row.finished_at), true),
        ("rows", numbers(rows, |row| row.rows), true),
        ("size_bytes", numbers(rows, |row| row.size_bytes), true),
        ("pages", numbers(rows, |row| row.pages.map(u64::from)), true),
        (
            "remote_query_id",
            texts(rows, |row| row.remote_query_id.map(|id| id.to_string())),
            true,
        ),
    ])
}

/// Encodes the batches that come into `sink`, until there are no more; their rows. Blocks: not for an async thread.
///
/// # Errors
/// When nobody takes the parts any more.
pub(super) fn encode(
    schema: SchemaRef,
    mut batches: impl FnMut() -> Option<RecordBatch>,
    sink: &mut PartWriter,
) -> Result<u64> {
    let properties = common_properties(created_by())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(sink, schema, Some(properties))?;
    while let Some(batch) = batches() {
        writer.write(&batch)?;
    }
    let footer = writer.close()?;
    Ok(footer.file_metadata().num_rows().unsigned_abs())
}

fn table(columns: Vec<(&str, ArrayRef, bool)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column, nullable)| Field::new(*name, column.data_type().clone(), *nullable))
        .collect();
    let columns = columns.into_iter().map(|(_, column, _)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("the schema is made from the columns, one value per row each")
}

fn texts<Row>(rows: &[Row], of: impl Fn(&Row) -> Option<String>) -> ArrayRef {
    Arc::new(StringArray::from_iter(rows.iter().map(of)))
}

fn numbers<Row>(rows: &[Row], of: impl Fn(&Row) -> Option<u64>) -> ArrayRef {
    let signed = |row| of(row).map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    Arc::new(Int64Array::from_iter(rows.iter().map(signed)))
}

fn dates<Row>(rows: &[Row], of: impl Fn(&Row) -> NaiveDate) -> ArrayRef {
    let days = rows.iter().map(|row| Date32Type::from_naive_date(of(row)));
    Arc::new(Date32Array::from_iter_values(days))
}

fn flags<Row>(rows: &[Row], of: impl Fn(&Row) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(
        rows.iter().map(|row| Some(of(row))),
    ))
}

fn instants<Row>(rows: &[Row], of: impl Fn(&Row) -> Option<DateTime<Utc>>) -> ArrayRef {
    let micros = rows
        .iter()
        .map(|row| of(row).map(|instant| instant.timestamp_micros()));
    Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
}

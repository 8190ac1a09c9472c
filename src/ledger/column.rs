//! Columns to domain types and back: instants as milliseconds, everything that has a text form as text.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Row, RowIndex};

use crate::domain::{Extraction, QueryId, QueryVersion, Window};

/// The columns from which [`extraction`] reads the identity.
pub(super) const IDENTITY: &str = "site, query, version, window_start, window_end";

/// An instant as it is stored. The ledger keeps milliseconds; what is finer is cut.
pub(super) fn millis(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_millis()
}

pub(super) fn duration_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn instant(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<DateTime<Utc>> {
    let millis = row.get(column)?;
    DateTime::from_timestamp_millis(millis)
        .ok_or_else(|| unreadable(row, column, "an instant out of range".into()))
}

pub(super) fn optional_instant(
    row: &Row<'_>,
    column: impl RowIndex,
) -> rusqlite::Result<Option<DateTime<Utc>>> {
    match row.get::<_, Option<i64>>(column)? {
        None => Ok(None),
        Some(_) => instant(row, column).map(Some),
    }
}

pub(super) fn text<T>(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse()
        .map_err(|error: T::Err| unreadable(row, column, error.into()))
}

pub(super) fn optional_text<T>(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    match row.get_ref(column)?.as_str_or_null()? {
        None => Ok(None),
        Some(_) => text(row, column).map(Some),
    }
}

/// A JSON value of the type that is wanted.
pub(super) fn json_value<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: impl RowIndex,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| unreadable(row, column, error.into()))
}

pub(super) fn duration(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Duration>> {
    let millis: Option<u64> = row.get(column)?;
    Ok(millis.map(Duration::from_millis))
}

pub(super) fn query_id(row: &Row<'_>) -> rusqlite::Result<QueryId> {
    query_id_in(row, "query", "version")
}

/// A query version from two columns, by name, or by position where rows are many: to find a column by its name costs
/// more than to read it.
pub(super) fn query_id_in(
    row: &Row<'_>,
    query: impl RowIndex,
    version: impl RowIndex,
) -> rusqlite::Result<QueryId> {
    let number = QueryVersion::new(row.get(version)?);
    Ok(QueryId {
        name: text(row, query)?,
        version: number.ok_or_else(|| unreadable(row, version, "version 0".into()))?,
    })
}

pub(super) fn window(row: &Row<'_>) -> rusqlite::Result<Window> {
    Window::new(text(row, "window_start")?, text(row, "window_end")?)
        .ok_or_else(|| unreadable(row, "window_end", "an empty window".into()))
}

pub(super) fn extraction(row: &Row<'_>) -> rusqlite::Result<Extraction> {
    Ok(Extraction {
        site: text(row, "site")?,
        query: query_id(row)?,
        window: window(row)?,
    })
}

/// The stored form of an extraction, in the order of [`IDENTITY`].
pub(super) fn identity(extraction: &Extraction) -> (&str, &str, u32, String, String) {
    (
        extraction.site.as_str(),
        extraction.query.name.as_str(),
        extraction.query.version.number(),
        extraction.window.start().to_string(),
        extraction.window.end().to_string(),
    )
}

pub(super) fn unreadable(
    row: &Row<'_>,
    column: impl RowIndex,
    why: Box<dyn Error + Send + Sync>,
) -> rusqlite::Error {
    let index = column.idx(row.as_ref()).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, why)
}

//! The columns of an object: those of the query, then the four that say where a row comes from.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use crate::domain::Extraction;

const UTC: &str = "UTC";
/// Arrow's canonical extension types: <https://arrow.apache.org/docs/format/CanonicalExtensions.html>.
const EXTENSION_TYPE_NAME_KEY: &str = "ARROW:extension:name";
const UUID_EXTENSION: &str = "arrow.uuid";

/// The schema of the object whose query gives `deidentified` rows.
///
/// The query's columns in their order, then `_site` (text), `_window_start`, `_window_end` (dates) and
/// `_extracted_at` (instant, UTC), all not null. Every field gets its Parquet field id, from 1 in order, and
/// 16-byte columns are marked as UUIDs: the type table writes nothing else in 16 fixed bytes.
#[must_use]
pub fn output_schema(deidentified: &SchemaRef) -> SchemaRef {
    let fields: Vec<FieldRef> = deidentified
        .fields()
        .iter()
        .cloned()
        .chain(added_fields())
        .zip(1..)
        .map(|(field, id)| Arc::new(numbered(&field, id)))
        .collect();
    Arc::new(Schema::new_with_metadata(
        fields,
        deidentified.metadata().clone(),
    ))
}

fn added_fields() -> [FieldRef; 4] {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
    [
        Arc::new(Field::new("_site", DataType::Utf8, false)),
        Arc::new(Field::new("_window_start", DataType::Date32, false)),
        Arc::new(Field::new("_window_end", DataType::Date32, false)),
        Arc::new(Field::new("_extracted_at", instant, false)),
    ]
}

fn numbered(field: &Field, id: u32) -> Field {
    let mut numbered = field.clone();
    let marks = numbered.metadata_mut();
    marks.insert(PARQUET_FIELD_ID_META_KEY, id.to_string());
    if field.data_type() == &DataType::FixedSizeBinary(16) {
        marks.insert(EXTENSION_TYPE_NAME_KEY, UUID_EXTENSION);
    }
    numbered
}

/// Adds the four columns to batches of one extraction.
///
/// They are constant, so one array of each, as long as the longest batch so far, is sliced again and again.
pub(super) struct RowOrigin {
    schema: SchemaRef,
    site: String,
    window_start: i32,
    window_end: i32,
    extracted_at: i64,
    longest: usize,
    columns: Vec<ArrayRef>,
}

impl RowOrigin {
    /// For rows of `extraction`; `schema` is the [`output_schema`] of the batches to come.
    pub(super) fn new(
        schema: SchemaRef,
        extraction: &Extraction,
        extracted_at: DateTime<Utc>,
    ) -> Self {
        Self {
            schema,
            site: extraction.site.to_string(),
            window_start: Date32Type::from_naive_date(extraction.window.start()),
            window_end: Date32Type::from_naive_date(extraction.window.end()),
            extracted_at: extracted_at.timestamp_micros(),
            longest: 0,
            columns: Vec::new(),
        }
    }

    /// `batch` with the four columns behind its own.
    ///
    /// # Errors
    /// When the batch's columns are not those that the schema was made for.
    pub(super) fn add_to(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        if self.columns.is_empty() || self.longest < rows {
            self.columns = self.columns_of(rows);
            self.longest = rows;
        }
        let added = self.columns.iter().map(|column| column.slice(0, rows));
        let columns = batch.columns().iter().cloned().chain(added).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    fn columns_of(&self, rows: usize) -> Vec<ArrayRef> {
        let sites = std::iter::repeat_n(&self.site, rows);
        let instants = TimestampMicrosecondArray::from_value(self.extracted_at, rows);
        vec![
            Arc::new(StringArray::from_iter_values(sites)),
            Arc::new(Date32Array::from_value(self.window_start, rows)),
            Arc::new(Date32Array::from_value(self.window_end, rows)),
            Arc::new(instants.with_timezone(UTC)),
        ]
    }
}

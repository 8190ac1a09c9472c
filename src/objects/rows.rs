//! The rows of an object held against its footer: counts, nulls, and the bounds that readers skip by.
//!
//! One row group is in memory at a time. A wrong bound is worse than a wrong byte: a reader that trusts it
//! leaves rows out and nobody notices.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use bytes::{Buf, Bytes};
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

use super::error::{StorageError, StorageErrorKind};
use super::read::Footer;
use super::store::Store;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8_192;

impl Store {
    /// Reads every row of the object at `path`, of which all bytes may be here already; what its footer tells
    /// wrongly, if anything.
    pub(super) async fn check_rows(
        &self,
        path: &str,
        footer: &Footer,
        whole: Option<Bytes>,
    ) -> std::result::Result<Option<String>, StorageError> {
        for number in 0..footer.metadata.num_row_groups() {
            let part = self.row_group(path, footer, whole.as_ref(), number).await?;
            let metadata = Arc::clone(&footer.metadata);
            let checking = tokio::task::spawn_blocking(move || check_group(part, metadata, number));
            let checked = checking.await.expect("decoding does not panic");
            let fault = checked.map_err(|_| undecodable(path))?;
            if fault.is_some() {
                return Ok(fault);
            }
        }
        Ok(None)
    }

    /// The bytes of one row group of the object at `path`, of which all bytes may be here already.
    pub(super) async fn row_group(
        &self,
        path: &str,
        footer: &Footer,
        whole: Option<&Bytes>,
        number: usize,
    ) -> std::result::Result<Part, StorageError> {
        if let Some(bytes) = whole {
            return Ok(Part {
                offset: 0,
                bytes: bytes.clone(),
            });
        }
        let range = stretch(footer.metadata.row_group(number).columns().iter());
        let location = self.location(path)?;
        let bytes = self.inner.get_range(&location, range.clone()).await;
        Ok(Part {
            offset: range.start,
            bytes: bytes.map_err(|error| StorageError::from_store("read", path, error))?,
        })
    }
}

pub(super) fn undecodable(path: &str) -> StorageError {
    let kind = StorageErrorKind::Foreign("its pages cannot be decoded");
    StorageError::new("read", path, kind)
}

/// The rows of one row group, batch by batch.
pub(super) fn batches_of(
    part: Part,
    metadata: Arc<ParquetMetaData>,
    number: usize,
) -> Result<ParquetRecordBatchReader> {
    let arrow = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())?;
    ParquetRecordBatchReaderBuilder::new_with_metadata(part, arrow)
        .with_row_groups(vec![number])
        .with_batch_size(BATCH_ROWS)
        .build()
}

/// The stretch of the file in which columns of a row group lie, as they are written one after the other.
pub(super) fn stretch<'a>(columns: impl Iterator<Item = &'a ColumnChunkMetaData>) -> Range<u64> {
    let ranges = columns.map(ColumnChunkMetaData::byte_range);
    let bounds = ranges.map(|(start, length)| start..start + length);
    bounds
        .reduce(|all, next| all.start.min(next.start)..all.end.max(next.end))
        .unwrap_or_default()
}

/// A stretch of the file, for a reader that thinks it has the whole.
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) bytes: Bytes,
}

impl Length for Part {
    fn len(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl ChunkReader for Part {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let rest = (self.len() - start.min(self.len())) as usize;
        Ok(self.get_bytes(start, rest)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let first = start.checked_sub(self.offset).map(|first| first as usize);
        first
            .filter(|first| first + length <= self.bytes.len())
            .map(|first| self.bytes.slice(first..first + length))
            .ok_or_else(|| ParquetError::EOF("outside the row group".to_owned()))
    }
}

fn check_group(
    part: Part,
    metadata: Arc<ParquetMetaData>,
    number: usize,
) -> Result<Option<String>> {
    let arrow = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())?;
    let group = arrow.metadata().row_group(number).clone();
    let mut columns = Vec::new();
    for field in arrow.schema().fields() {
        columns.push(Bounds::new(&arrow, &group, field.name())?);
    }
    let metadata = Arc::clone(arrow.metadata());
    let mut rows = 0;
    for batch in batches_of(part, metadata, number)? {
        let batch: RecordBatch = batch?;
        rows += batch.num_rows();
        for (bounds, column) in columns.iter_mut().zip(batch.columns()) {
            if !bounds.hold(column)? {
                return Ok(Some(format!(
                    "column {} is outside its statistics",
                    bounds.name
                )));
            }
        }
    }
    let short = columns
        .iter()
        .find(|bounds| bounds.nulls_told.is_some_and(|told| told != bounds.nulls));
    Ok(if rows as i64 != group.num_rows() {
        Some(format!(
            "row group {number} has {rows} rows, its footer tells {}",
            group.num_rows()
        ))
    } else {
        short.map(|bounds| {
            format!(
                "column {} has another number of nulls than its footer tells",
                bounds.name
            )
        })
    })
}

/// What the footer tells of one column in one row group.
struct Bounds {
    name: String,
    least: ArrayRef,
    greatest: ArrayRef,
    nulls_told: Option<u64>,
    nulls: u64,
}

impl Bounds {
    fn new(arrow: &ArrowReaderMetadata, group: &RowGroupMetaData, name: &str) -> Result<Self> {
        let schema = arrow.metadata().file_metadata().schema_descr();
        let converter = StatisticsConverter::try_new(name, arrow.schema(), schema)?;
        let nulls = converter.row_group_null_counts([group])?;
        Ok(Self {
            name: name.to_owned(),
            least: converter.row_group_mins([group])?,
            greatest: converter.row_group_maxes([group])?,
            nulls_told: nulls.is_valid(0).then(|| nulls.value(0)),
            nulls: 0,
        })
    }

    /// Whether all values lie within the bounds; counts the nulls on the way.
    fn hold(&mut self, column: &ArrayRef) -> Result<bool> {
        self.nulls += column.null_count() as u64;
        let present = || (0..column.len()).filter(|row| column.is_valid(*row));
        let order = SortOptions::default();
        let mut holds = true;
        if self.least.is_valid(0) {
            let to_least = make_comparator(column, &self.least, order)?;
            holds &= present().all(|row| to_least(row, 0).is_ge());
        }
        if self.greatest.is_valid(0) {
            let to_greatest = make_comparator(column, &self.greatest, order)?;
            holds &= present().all(|row| to_greatest(row, 0).is_le());
        }
        Ok(holds)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray};

    use super::*;

    fn bounds(least: ArrayRef, greatest: ArrayRef) -> Bounds {
        Bounds {
            name: "column".to_owned(),
            least,
            greatest,
            nulls_told: None,
            nulls: 0,
        }
    }

    #[test]
    fn a_value_outside_the_bounds_is_found_and_a_null_counted() {
        let of = |values: Vec<Option<i32>>| -> ArrayRef { Arc::new(Int32Array::from(values)) };
        let mut bounds = bounds(of(vec![Some(2)]), of(vec![Some(5)]));

        assert!(
            bounds
                .hold(&of(vec![Some(2), None, Some(5)]))
                .expect("comparable")
        );
        assert!(!bounds.hold(&of(vec![Some(1)])).expect("comparable"));
        assert!(!bounds.hold(&of(vec![Some(6), None])).expect("comparable"));
        assert_eq!(bounds.nulls, 2);
    }

    #[test]
    fn bounds_that_were_cut_short_hold() {
        let of = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
        let mut bounds = bounds(of("al"), of("bu"));

        assert!(bounds.hold(&of("albumin")).expect("comparable"));
        assert!(!bounds.hold(&of("bundle")).expect("comparable"));
    }
}

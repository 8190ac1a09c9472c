//! How each column is encoded: chosen once per object, from its first rows, by trying the real writer.
//!
//! Sizes alone decide, never times, so the same rows give the same bytes on every machine. A dictionary that
//! is small after a few thousand rows may still outgrow its page over a row group; the growth between half
//! of the sample and all of it tells how a candidate goes on.
//!
//! Columns are tried side by side: nothing else of an object can be encoded before the choice, and to try all candidates
//! takes about three times as long as to encode the sample.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

/// Rows that the choice looks at.
pub(super) const SAMPLE_ROWS: usize = 16_384;
/// Bytes after which it looks at no more rows: every candidate is tried on all of them, and they wait in memory.
pub(super) const SAMPLE_BYTES: usize = 4 << 20;
/// Most rows of a row group: about as many as DuckDB writes itself. With twice as many, the memory of a long result
/// was visibly larger than that of a short one.
pub(super) const ROW_GROUP_ROWS: usize = 131_072;

/// Below this many rows a dictionary is taken untried: nothing is won, and most nightly objects are small.
const FEWEST_ROWS_TO_TRY: usize = 1_024;
/// Text longer than this on average is prose: its least and greatest values help no reader to skip a page.
const PROSE_BYTES: usize = 64;
const ZSTD_LEVEL: i32 = 3;
/// A column of fewer bytes is written as it is: a dictionary and compression save less than the headers of their pages
/// take, and setting them up costs more than all else about so small a column.
const FEWEST_BYTES_TO_COMPRESS: usize = 256;

/// The settings that every column shares, with `created_by` as given.
pub(super) fn common_properties(created_by: String) -> WriterPropertiesBuilder {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("3 is a zstd level");
    WriterProperties::builder()
        .set_created_by(created_by)
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Page)
}

/// `properties` with the encoding and statistics of each column of `sample`, the first rows of an object.
///
/// `more` tells that rows follow the sample, so that growth counts. `lanes` threads try columns side by side; what is
/// chosen does not depend on how many.
///
/// # Errors
/// When the Parquet writer refuses a column, which its type alone decides.
pub(super) fn choose(
    mut properties: WriterPropertiesBuilder,
    schema: &Schema,
    sample: &[RecordBatch],
    more: bool,
    lanes: usize,
) -> Result<WriterPropertiesBuilder> {
    let rows: usize = sample.iter().map(RecordBatch::num_rows).sum();
    let small = rows < FEWEST_ROWS_TO_TRY && !more;
    if small {
        // A column of so few rows is one page: its statistics told once more, and an index of them, help no reader.
        properties = properties
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true);
    }
    for (index, field) in schema.fields().iter().enumerate() {
        let column = column_of(sample, index);
        let path = ColumnPath::new(vec![field.name().clone()]);
        if is_prose(&column) {
            properties =
                properties.set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk);
        }
        if small && bytes_of(&column) < FEWEST_BYTES_TO_COMPRESS {
            properties = properties.set_column_compression(path, Compression::UNCOMPRESSED);
        }
    }
    if rows >= FEWEST_ROWS_TO_TRY {
        let horizon = if more { ROW_GROUP_ROWS } else { rows };
        for (index, encoding) in encodings(schema, sample, rows, horizon, lanes)? {
            let path = ColumnPath::new(vec![schema.field(index).name().clone()]);
            properties = apply(properties, path, encoding);
        }
    }
    Ok(properties)
}

/// The smallest encoding of each column, by its index; each of `lanes` threads takes the next column that nobody has.
fn encodings(
    schema: &Schema,
    sample: &[RecordBatch],
    rows: usize,
    horizon: usize,
    lanes: usize,
) -> Result<Vec<(usize, Candidate)>> {
    let next = AtomicUsize::new(0);
    let try_columns = || {
        let columns = iter::from_fn(|| {
            let index = next.fetch_add(1, Ordering::Relaxed);
            Some((index, schema.fields().get(index)?))
        });
        let tried = columns.map(|(index, field)| {
            let column = column_of(sample, index);
            Ok((index, smallest(field, &column, rows, horizon)?))
        });
        tried.collect::<Result<Vec<_>>>()
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..lanes).map(|_| scope.spawn(try_columns)).collect();
        let mut tried = try_columns()?;
        for other in others {
            tried.extend(other.join().expect("a trial does not panic")?);
        }
        Ok(tried)
    })
}

fn column_of(batches: &[RecordBatch], index: usize) -> Vec<ArrayRef> {
    let columns = batches.iter().map(|batch| Arc::clone(batch.column(index)));
    columns.collect()
}

/// A candidate: `None` is the dictionary, which falls back to plain when it outgrows its page.
type Candidate = Option<Encoding>;

/// What may pay for a type. First the dictionary, which therefore wins a tie.
///
/// Nothing here needs more of a reader than the Parquet format of 2013; `BYTE_STREAM_SPLIT` would suit
/// floats, but Spark's fast reader refuses it.
fn candidates(data_type: &DataType) -> &'static [Candidate] {
    match data_type {
        DataType::Boolean => &[],
        // Up to 18 digits a decimal is written as an integer.
        DataType::Decimal128(19.., _)
        | DataType::Float32
        | DataType::Float64
        | DataType::FixedSizeBinary(_) => &[None, Some(Encoding::PLAIN)],
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
            &[None, Some(Encoding::DELTA_LENGTH_BYTE_ARRAY)]
        }
        _ => &[None, Some(Encoding::DELTA_BINARY_PACKED)],
    }
}

fn smallest(
    field: &FieldRef,
    column: &[ArrayRef],
    rows: usize,
    horizon: usize,
) -> Result<Candidate> {
    let first_half = first_rows(column, rows / 2);
    let mut best = (None, f64::INFINITY);
    for candidate in candidates(field.data_type()) {
        let all = encoded_bytes(field, column, *candidate)?;
        let size = if horizon > rows {
            let half = encoded_bytes(field, &first_half, *candidate)?;
            let growth_per_row = (all - half) / (rows - rows / 2) as f64;
            all + growth_per_row * (horizon - rows) as f64
        } else {
            all
        };
        if size < best.1 {
            best = (*candidate, size);
        }
    }
    Ok(best.0)
}

fn first_rows(column: &[ArrayRef], mut rows: usize) -> Vec<ArrayRef> {
    let mut first = Vec::new();
    for array in column {
        let taken = array.len().min(rows);
        rows -= taken;
        first.push(array.slice(0, taken));
    }
    first
}

/// Size of `column` alone as the real writer makes it.
fn encoded_bytes(field: &FieldRef, column: &[ArrayRef], candidate: Candidate) -> Result<f64> {
    let path = ColumnPath::new(vec![field.name().clone()]);
    let properties = apply(common_properties(String::new()), path, candidate)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
    let writer = ArrowWriter::try_new(std::io::sink(), schema, Some(properties))?;
    let (_, factory) = writer.into_serialized_writer()?;
    let mut bytes = 0;
    for mut writer in factory.create_column_writers(0)? {
        for array in column {
            for leaf in compute_leaves(field, array)? {
                writer.write(&leaf)?;
            }
        }
        bytes += writer.close()?.close().bytes_written;
    }
    Ok(bytes as f64)
}

fn apply(
    properties: WriterPropertiesBuilder,
    path: ColumnPath,
    candidate: Candidate,
) -> WriterPropertiesBuilder {
    match candidate {
        None => properties,
        Some(encoding) => properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding),
    }
}

/// Bytes of the values, without what their arrays keep in reserve.
pub(super) fn bytes_of(arrays: &[ArrayRef]) -> usize {
    let sizes = arrays.iter().map(|array| {
        array
            .to_data()
            .get_slice_memory_size()
            .unwrap_or(usize::MAX)
    });
    sizes.fold(0, usize::saturating_add)
}

fn is_prose(column: &[ArrayRef]) -> bool {
    let (mut values, mut bytes) = (0, 0);
    for array in column {
        let Some(text) = array.as_string_opt::<i32>() else {
            return false;
        };
        values += text.len() - text.null_count();
        bytes += text
            .value_offsets()
            .last()
            .zip(text.value_offsets().first())
            .map_or(0, |(end, start)| (end - start) as usize);
    }
    values > 0 && bytes / values > PROSE_BYTES
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeBinaryArray, Int32Array, StringArray};

    use super::*;

    #[test]
    fn what_is_chosen_does_not_depend_on_the_lanes() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise = (0..4_096).map(|_| random.u128(..).to_le_bytes());
        let columns: [(&str, ArrayRef); 3] = [
            ("count", Arc::new(Int32Array::from_iter_values(0..4_096))),
            (
                "few",
                Arc::new(StringArray::from_iter_values(
                    (0..4_096).map(|row| format!("value {}", row % 3)),
                )),
            ),
            (
                "noise",
                Arc::new(FixedSizeBinaryArray::try_from_iter(noise).expect("equal sizes")),
            ),
        ];
        let sample = RecordBatch::try_from_iter(columns).expect("equal rows");
        let chosen = |lanes| {
            let schema = sample.schema();
            let mut chosen = encodings(&schema, std::slice::from_ref(&sample), 4_096, 4_096, lanes)
                .expect("tried");
            chosen.sort_by_key(|(index, _)| *index);
            chosen
        };

        let expected = [
            (0, Some(Encoding::DELTA_BINARY_PACKED)),
            (1, None),
            (2, Some(Encoding::PLAIN)),
        ];
        for lanes in [1, 2, 4, 7] {
            assert_eq!(chosen(lanes), expected);
        }
    }
}

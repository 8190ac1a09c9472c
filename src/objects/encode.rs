//! Batches → Parquet bytes, on a blocking thread: beside whoever makes the batches, or after each of them.
//!
//! The first rows are held back until the encodings are chosen; after that at most one row group, encoded,
//! and two batches are in memory. Equal rows in equal batches give equal bytes.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use tokio::sync::mpsc::Receiver;

use super::choice::{self, ROW_GROUP_ROWS, SAMPLE_BYTES, SAMPLE_ROWS};
use super::encryption::ObjectKeys;
use super::footer::created_by;
use super::lanes::{Lanes, OpenColumn};
use super::parts::PartWriter;
use super::schema::RowOrigin;

/// A row group also ends at this many encoded bytes, so that wide rows do not swell memory.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// The batches of one object, in order, taken on a thread where taking one may block.
pub struct Batches(Box<dyn Iterator<Item = RecordBatch> + Send>);

impl Batches {
    /// Batches that are made as they are taken.
    #[must_use]
    pub fn of(batches: impl Iterator<Item = RecordBatch> + Send + 'static) -> Self {
        Self(Box::new(batches))
    }
}

impl From<Receiver<RecordBatch>> for Batches {
    /// Batches that are made beside the encoding, until their sender is dropped.
    fn from(mut batches: Receiver<RecordBatch>) -> Self {
        Self::of(std::iter::from_fn(move || batches.blocking_recv()))
    }
}

/// The batches of one object, and the columns that say where the rows come from.
pub(super) struct Source {
    pub(super) batches: Batches,
    /// What is added to the batches; `None` if they have it.
    pub(super) origin: Option<RowOrigin>,
    /// Schema of the object.
    pub(super) schema: SchemaRef,
    pub(super) footer: Vec<KeyValue>,
    /// What it is encrypted with.
    pub(super) keys: ObjectKeys,
}

impl Source {
    fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let batch = self.batches.0.next();
        match &mut self.origin {
            Some(origin) => batch.map(|batch| origin.add_to(&batch)).transpose(),
            None => Ok(batch),
        }
    }

    /// The first batches, up to [`SAMPLE_ROWS`] rows or [`SAMPLE_BYTES`] or a little more, and whether more may follow.
    fn first_batches(&mut self) -> Result<(Vec<RecordBatch>, bool)> {
        let (mut first, mut rows, mut bytes) = (Vec::new(), 0, 0);
        while rows < SAMPLE_ROWS && bytes < SAMPLE_BYTES {
            let Some(batch) = self.next()? else {
                return Ok((first, false));
            };
            rows += batch.num_rows();
            bytes += choice::bytes_of(batch.columns());
            first.push(batch);
        }
        Ok((first, true))
    }
}

/// Encodes everything that comes into `sink`, until no batch is left; the rows as the finished footer tells them.
/// Blocks: not for an async thread.
///
/// `lanes` threads encode columns side by side; the bytes do not depend on how many.
///
/// # Errors
/// When a batch does not fit the schema, or nobody takes the parts any more.
pub(super) fn encode(mut source: Source, sink: &mut PartWriter, lanes: usize) -> Result<u64> {
    let (first, more) = source.first_batches()?;
    let sample = first_rows(&first, SAMPLE_ROWS);
    let more = more || rows_of(&first) > SAMPLE_ROWS;
    let mut properties = choice::choose(
        choice::common_properties(created_by()),
        &source.schema,
        &sample,
        more,
        lanes,
    )?
    .set_key_value_metadata(Some(std::mem::take(&mut source.footer)));
    if let Some(encryption) = source.keys.encryption()? {
        properties = properties.with_file_encryption_properties(encryption);
    }
    let properties = properties.build();

    let writer = ArrowWriter::try_new(sink, Arc::clone(&source.schema), Some(properties))?;
    if more {
        encode_on_lanes(writer, source, first, &sample, lanes)
    } else {
        encode_here(writer, &first)
    }
}

/// Writes the only row group of a small object on this thread, because a thread of its own would cost more than the
/// encoding; the rows of the footer.
fn encode_here(mut writer: ArrowWriter<&mut PartWriter>, batches: &[RecordBatch]) -> Result<u64> {
    for batch in batches {
        writer.write(batch)?;
    }
    let footer = writer.close()?;
    Ok(footer.file_metadata().num_rows().unsigned_abs())
}

/// Writes row group by row group, columns side by side; the rows of the footer.
fn encode_on_lanes(
    writer: ArrowWriter<&mut PartWriter>,
    mut source: Source,
    first: Vec<RecordBatch>,
    sample: &[RecordBatch],
    lanes: usize,
) -> Result<u64> {
    let (file, factory) = writer.into_serialized_writer()?;
    std::thread::scope(|scope| {
        let mut object = ObjectWriter {
            file,
            factory,
            lanes: Lanes::start(scope, lanes),
            weights: weights(&source.schema, sample),
            schema: Arc::clone(&source.schema),
            rows_in_group: 0,
            groups: 0,
        };
        for batch in first {
            object.write(&batch)?;
        }
        while let Some(batch) = source.next()? {
            object.write(&batch)?;
        }
        object.finish()
    })
}

fn rows_of(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

fn first_rows(batches: &[RecordBatch], mut rows: usize) -> Vec<RecordBatch> {
    let mut first = Vec::new();
    for batch in batches {
        let taken = batch.num_rows().min(rows);
        rows -= taken;
        if taken > 0 {
            first.push(batch.slice(0, taken));
        }
    }
    first
}

/// Bytes of each column in the sample: near enough to what encoding it costs.
fn weights(schema: &SchemaRef, sample: &[RecordBatch]) -> Vec<usize> {
    (0..schema.fields().len())
        .map(|index| {
            let sizes = sample
                .iter()
                .map(|batch| batch.column(index).get_array_memory_size());
            sizes.sum()
        })
        .collect()
}

struct ObjectWriter<'scope, 'sink> {
    file: SerializedFileWriter<&'sink mut PartWriter>,
    factory: ArrowRowGroupWriterFactory,
    lanes: Lanes<'scope>,
    weights: Vec<usize>,
    schema: SchemaRef,
    rows_in_group: usize,
    groups: usize,
}

impl ObjectWriter<'_, '_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.file.inner().is_closed() {
            return Err(ParquetError::General("the upload has ended".to_owned()));
        }
        let mut from = 0;
        while from < batch.num_rows() {
            if self.rows_in_group == 0 {
                self.open_group()?;
            }
            let rows = (batch.num_rows() - from).min(ROW_GROUP_ROWS - self.rows_in_group);
            let group_bytes = self.lanes.encode(&batch.slice(from, rows))?;
            self.rows_in_group += rows;
            from += rows;
            if self.rows_in_group == ROW_GROUP_ROWS || group_bytes >= ROW_GROUP_BYTES {
                self.close_group()?;
            }
        }
        Ok(())
    }

    fn open_group(&mut self) -> Result<()> {
        let writers = self.factory.create_column_writers(self.groups)?;
        let columns = writers
            .into_iter()
            .zip(self.schema.fields())
            .enumerate()
            .map(|(index, (writer, field))| OpenColumn {
                index,
                field: Arc::clone(field),
                writer,
            });
        self.lanes.open(columns.collect(), &self.weights)
    }

    fn close_group(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for column in self.lanes.close()? {
            column.append_to_row_group(&mut group)?;
        }
        group.close()?;
        self.rows_in_group = 0;
        self.groups += 1;
        Ok(())
    }

    /// Writes the footer; the rows that it tells.
    fn finish(mut self) -> Result<u64> {
        if self.rows_in_group > 0 {
            self.close_group()?;
        }
        let footer = self.file.finish()?;
        Ok(footer.file_metadata().num_rows().unsigned_abs())
    }
}

//! Some columns of an object, for what counts keys instead of reading rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use object_store::ObjectStoreExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::Result;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::error::{StorageError, StorageErrorKind};
use super::rows::{Part, stretch};
use super::store::Store;

impl Store {
    /// Reads the columns `names` of the object at `path` and hands their batches on, in order; one row group is in
    /// memory at a time, and of it only the stretch of the file in which these columns lie. A name that the object
    /// does not have is left out.
    ///
    /// # Errors
    /// When the object cannot be read, or is not a Parquet file.
    pub async fn read_columns(
        &self,
        path: &str,
        names: &[&str],
        mut each: impl FnMut(&RecordBatch),
    ) -> std::result::Result<(), StorageError> {
        let footer = self.read_footer(path).await?;
        let location = self.location(path)?;
        for number in 0..footer.metadata.num_row_groups() {
            let range = range_of(footer.metadata.row_group(number), names);
            let bytes = self
                .inner
                .get_range(&location, range.clone())
                .await
                .map_err(|error| StorageError::from_store("read", path, error))?;
            let part = Part {
                offset: range.start,
                bytes,
            };
            let metadata = Arc::clone(&footer.metadata);
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let batches =
                tokio::task::spawn_blocking(move || decode(part, metadata, number, &names))
                    .await
                    .expect("decoding does not panic")
                    .map_err(|_| {
                        let kind = StorageErrorKind::Foreign("its pages cannot be decoded");
                        StorageError::new("read", path, kind)
                    })?;
            batches.iter().for_each(&mut each);
        }
        Ok(())
    }
}

fn range_of(group: &RowGroupMetaData, names: &[&str]) -> std::ops::Range<u64> {
    stretch(
        group
            .columns()
            .iter()
            .filter(|column| names.contains(&column.column_path().string().as_str())),
    )
}

fn decode(
    part: Part,
    metadata: Arc<ParquetMetaData>,
    number: usize,
    names: &[String],
) -> Result<Vec<RecordBatch>> {
    let arrow = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())?;
    let wanted = ProjectionMask::columns(
        arrow.metadata().file_metadata().schema_descr(),
        names.iter().map(String::as_str),
    );
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(part, arrow)
        .with_row_groups(vec![number])
        .with_projection(wanted)
        .build()?;
    Ok(reader.collect::<std::result::Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{folder, path, plausible_batches, publish};

    #[tokio::test]
    async fn the_columns_asked_for_come_with_all_their_rows_and_no_other() {
        let (_kept, store) = folder();
        publish(&store, plausible_batches(3_000, 700)).await;

        let whole = store.read_batches(&path()).await.expect("an object");
        let first = whole[0].schema().field(0).name().clone();
        let last = whole[0].schema().fields().len() - 1;
        let last = whole[0].schema().field(last).name().clone();
        let mut read = Vec::new();
        store
            .read_columns(&path(), &[&first, &last, "no_such"], |batch| {
                read.push(batch.clone());
            })
            .await
            .expect("an object");

        let whole = arrow::compute::concat_batches(&whole[0].schema(), &whole).expect("one schema");
        let read = arrow::compute::concat_batches(&read[0].schema(), &read).expect("one schema");
        assert_eq!(read.num_columns(), 2);
        for name in [first, last] {
            assert_eq!(read.column_by_name(&name), whole.column_by_name(&name));
        }
    }
}

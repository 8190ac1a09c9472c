//! Reading back: what a footer says, without fetching the rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::encryption::UnknownKey;
use super::error::{StorageError, StorageErrorKind};
use super::footer::Provenance;
use super::store::Store;

/// Enough for the footer of most objects in one request.
const FOOTER_GUESS_BYTES: u64 = 64 << 10;

/// What the end of an object tells.
#[derive(Debug, Clone)]
pub struct Footer {
    /// Rows in the object.
    pub rows: u64,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// The program that wrote it.
    pub created_by: Option<String>,
    /// Its columns.
    pub schema: SchemaRef,
    /// Where the rows come from; `None` if we did not write it.
    pub provenance: Option<Provenance>,
    /// Everything else: row groups, statistics, encodings.
    pub metadata: Arc<ParquetMetaData>,
}

impl Store {
    /// The footer of the object at `path`, fetched from its end.
    ///
    /// # Errors
    /// When it cannot be read, or is not a Parquet file.
    pub async fn read_footer(&self, path: &str) -> Result<Footer, StorageError> {
        let (mut tail, size_bytes) = self.tail(path, FOOTER_GUESS_BYTES).await?;
        let mut reader = self.metadata_reader();
        while let Err(error) = reader.try_parse_sized(&tail, size_bytes) {
            let needed = match error {
                ParquetError::NeedMoreData(needed) if needed > tail.len() => needed,
                error => return Err(unreadable(path, &error)),
            };
            (tail, _) = self.tail(path, needed as u64).await?;
        }
        let metadata = reader.finish().map_err(|error| unreadable(path, &error))?;
        Footer::new(metadata, size_bytes).ok_or_else(|| foreign(path))
    }

    /// The footer of an object of which all `bytes` are here.
    pub(super) fn footer_of(&self, path: &str, bytes: &Bytes) -> Result<Footer, StorageError> {
        let metadata = self.metadata_reader().parse_and_finish(bytes);
        let metadata = metadata.map_err(|error| unreadable(path, &error))?;
        Footer::new(metadata, bytes.len() as u64).ok_or_else(|| foreign(path))
    }

    fn metadata_reader(&self) -> ParquetMetaDataReader {
        ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Skip)
            .with_decryption_properties(Some(self.keys.decryption()))
    }

    /// All rows of the object at `path`, in memory: for small objects and for tests.
    ///
    /// # Errors
    /// When it cannot be read, or is not a Parquet file.
    pub async fn read_batches(&self, path: &str) -> Result<Vec<RecordBatch>, StorageError> {
        let bytes = self.get(path).await?;
        let options =
            ArrowReaderOptions::new().with_file_decryption_properties(self.keys.decryption());
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options);
        let reader = builder.and_then(ParquetRecordBatchReaderBuilder::build);
        reader
            .map_err(|error| unreadable(path, &error))?
            .collect::<Result<_, _>>()
            .map_err(|_| foreign(path))
    }

    /// The last `bytes` of an object, or all if it is smaller, and its size.
    async fn tail(&self, path: &str, bytes: u64) -> Result<(Bytes, u64), StorageError> {
        let tail = self.try_tail(&self.location(path)?, bytes).await;
        tail.map_err(|error| StorageError::from_store("read", path, error))
    }

    async fn try_tail(&self, location: &Path, bytes: u64) -> object_store::Result<(Bytes, u64)> {
        let last = GetOptions::new().with_range(Some(GetRange::Suffix(bytes)));
        let answer = match self.inner.get_opts(location, last).await {
            // Azure knows no "last bytes"; there the size is asked first.
            Err(object_store::Error::NotSupported { .. }) => {
                let size_bytes = self.inner.head(location).await?.size;
                let range = size_bytes.saturating_sub(bytes)..size_bytes;
                let part = GetOptions::new().with_range(Some(range));
                self.inner.get_opts(location, part).await?
            }
            answer => answer?,
        };
        let size_bytes = answer.meta.size;
        Ok((answer.bytes().await?, size_bytes))
    }
}

impl Footer {
    fn new(metadata: ParquetMetaData, size_bytes: u64) -> Option<Self> {
        let file = metadata.file_metadata();
        let pairs = file.key_value_metadata();
        let schema = parquet_to_arrow_schema(file.schema_descr(), pairs).ok()?;
        Some(Self {
            rows: file.num_rows().unsigned_abs(),
            size_bytes,
            created_by: file.created_by().map(str::to_owned),
            schema: Arc::new(schema),
            provenance: pairs.and_then(|pairs| Provenance::from_key_values(pairs)),
            metadata: Arc::new(metadata),
        })
    }
}

/// Why a footer cannot be read: its key is not ours, or it is none.
fn unreadable(path: &str, error: &ParquetError) -> StorageError {
    let unknown = match error {
        ParquetError::External(source) => source.downcast_ref::<UnknownKey>(),
        _ => None,
    };
    match unknown {
        Some(UnknownKey(id)) => {
            StorageError::new("read", path, StorageErrorKind::Locked(id.clone()))
        }
        None => foreign(path),
    }
}

fn foreign(path: &str) -> StorageError {
    let kind = StorageErrorKind::Foreign("not a whole Parquet file");
    StorageError::new("read", path, kind)
}

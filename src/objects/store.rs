//! Storage by one address, and the two steps that put an object there: stage, then publish.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use futures::future::try_join_all;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use sha2::Digest;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::address;
use super::encode::{self, Batches, Source};
use super::encryption::ObjectKeys;
use super::error::{StorageError, StorageErrorKind};
use super::folder::{self, Publication};
use super::footer::Provenance;
use super::journal::Journal;
use super::lanes::Lanes;
use super::parts::PartWriter;
use super::schema::{RowOrigin, output_schema};
use super::upload::Upload;
use crate::domain::{ObjectRecord, Sha256};

/// Small files on their way to a bucket at once.
const PUTS_AT_ONCE: usize = 4;

/// A place where objects are kept. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<dyn ObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
    address: String,
    /// In front of every path, inside the bucket.
    root: Path,
    /// A folder on disk shows unfinished files, so they are written elsewhere and renamed.
    pub(super) folder: Option<PathBuf>,
    /// What objects are encrypted with.
    pub(super) keys: ObjectKeys,
}

impl Store {
    /// The storage at `address`: a folder as a path or a `file://` URL, or `s3://bucket/…`, `az://container/…`,
    /// `abfss://container@account…/…`, `gs://bucket/…`.
    ///
    /// A folder that is absent is made. A bucket is not asked for here; credentials, region and endpoint come
    /// from the cloud's usual variables or the machine's identity.
    ///
    /// # Errors
    /// When the address is of an unknown kind, a setting is missing, or the folder cannot be made.
    pub fn open(address: &str) -> Result<Self, StorageError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::open_with(address, &variables.collect::<Vec<_>>())
    }

    /// As [`Store::open`], with `variables` in place of the process's own.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(address: &str, variables: &[(String, String)]) -> Result<Self, StorageError> {
        let place = address::open(address, variables)?;
        let folder_name = place
            .folder
            .as_ref()
            .map(|folder| folder.display().to_string());
        Ok(Self {
            inner: place.inner,
            parts: place.parts,
            address: folder_name.unwrap_or_else(|| address.to_owned()),
            root: place.root,
            folder: place.folder,
            keys: ObjectKeys::default(),
        })
    }

    /// The same, with keys for its objects. What lies beside them stays in clear.
    #[must_use]
    pub fn with_keys(self, keys: ObjectKeys) -> Self {
        Self { keys, ..self }
    }

    /// A bucket in memory that notes its uploads, as the clouds' do.
    #[cfg(test)]
    pub(super) fn with_notes(bucket: Arc<object_store::memory::InMemory>) -> Self {
        Self {
            parts: Some(Arc::clone(&bucket) as _),
            ..Self::over(bucket)
        }
    }

    /// Any store of the client library, which must hide unfinished uploads.
    #[cfg(test)]
    pub(super) fn over(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            parts: None,
            address: "test".to_owned(),
            root: Path::default(),
            folder: None,
            keys: ObjectKeys::default(),
        }
    }

    /// The address it was opened with; of a folder its full path.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Encodes the batches that come, until there are no more, and brings the bytes to storage, where
    /// nothing is visible at `path` before [`Staged::publish`].
    ///
    /// `schema` is that of the batches, de-identified and without the added columns; `extracted_at` is what
    /// `_extracted_at` says in every row. Give a channel a small capacity: it bounds memory, and a slow
    /// store slows the sender down.
    ///
    /// A sender that fails half-way drops its end too; the rows staged so far are then fewer than declared,
    /// and the caller aborts.
    ///
    /// # Errors
    /// When a batch does not fit `schema`, or the store refuses. Nothing is left behind then.
    ///
    /// # Cancel safety
    /// Dropping the future ends the encoding and aborts the upload in the background.
    pub async fn stage(
        &self,
        path: &str,
        schema: &SchemaRef,
        provenance: &Provenance,
        extracted_at: DateTime<Utc>,
        batches: impl Into<Batches>,
    ) -> Result<Staged, StorageError> {
        let schema = output_schema(schema);
        let source = Source {
            batches: batches.into(),
            origin: Some(RowOrigin::new(
                Arc::clone(&schema),
                &provenance.extraction,
                extracted_at,
            )),
            schema,
            footer: provenance.to_key_values(),
            keys: self.keys.clone(),
        };
        let lanes = Lanes::for_this_machine();
        self.stage_bytes(path, move |sink| encode::encode(source, sink, lanes))
            .await
    }

    /// Brings to storage what `write` writes, from a thread where it may block; `write` returns the rows in it. Nothing is
    /// visible at `path` before [`Staged::publish`].
    ///
    /// # Errors
    /// When `write` fails, or the store refuses. Nothing is left behind then.
    ///
    /// # Cancel safety
    /// Dropping the future aborts the upload in the background; `write` fails at its next part.
    pub async fn stage_bytes(
        &self,
        path: &str,
        write: impl FnOnce(&mut PartWriter) -> Result<u64, ParquetError> + Send + 'static,
    ) -> Result<Staged, StorageError> {
        let mut upload = self.new_upload(path)?;
        let part_bytes = upload.part_bytes();
        let (to_upload, parts) = mpsc::channel(1);
        let encoding = tokio::task::spawn_blocking(move || {
            let mut sink = PartWriter::new(to_upload, part_bytes);
            let rows = write(&mut sink)?;
            Ok::<_, ParquetError>((rows, sink.finish()?))
        });
        // If the store refuses, the encoder ends by itself at its next batch; waiting for that here would
        // be waiting for the practice.
        if let Err(error) = upload.take(parts).await {
            upload.abort().await;
            return Err(error);
        }
        match encoding.await.expect("the encoder does not panic") {
            Ok((rows, (size_bytes, sha256))) => Ok(Staged {
                upload,
                object: ObjectRecord {
                    path: path.to_owned(),
                    size_bytes,
                    rows,
                    sha256,
                    etag: None,
                },
            }),
            Err(error) => {
                upload.abort().await;
                Err(StorageError::from_encoder(path, error))
            }
        }
    }

    /// Writes each text to its path unless it is there already: readers, caches and versioned buckets see a change only
    /// where there is one. All at once: a few small files beside the data, which wait for the disk together.
    ///
    /// # Errors
    /// When the store refuses; some may be written by then.
    pub(super) async fn put_changed(
        &self,
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), StorageError> {
        let writing = files
            .into_iter()
            .map(|(path, text)| self.put_if_changed(path, text));
        try_join_all(writing).await.map(|_written| ())
    }

    async fn put_if_changed(&self, path: String, text: String) -> Result<(), StorageError> {
        match self.get(&path).await {
            Ok(there) if there == text.as_bytes() => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind == StorageErrorKind::Missing => {}
            Err(error) => return Err(error),
        }
        self.put(&path, text.into()).await.map(|_written| ())
    }

    /// Writes `bytes` to `path` in one step, replacing what was there: for small files beside the data.
    ///
    /// The record's row count is 0: the bytes need not be rows.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn put(&self, path: &str, bytes: Bytes) -> Result<ObjectRecord, StorageError> {
        let object = ObjectRecord {
            path: path.to_owned(),
            size_bytes: bytes.len() as u64,
            rows: 0,
            sha256: Sha256(sha2::Sha256::digest(&bytes).into()),
            etag: None,
        };
        let mut upload = self.new_upload(path)?;
        upload.hold(bytes);
        let etag = upload.publish().await?;
        Ok(ObjectRecord { etag, ..object })
    }

    /// The bytes at `path`, in memory: for small files beside the data.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes, StorageError> {
        let refuse = |error| StorageError::from_store("read", path, error);
        let answer = self
            .inner
            .get(&self.location(path)?)
            .await
            .map_err(refuse)?;
        answer.bytes().await.map_err(refuse)
    }

    fn new_upload(&self, path: &str) -> Result<Upload, StorageError> {
        let published = self.location(path)?;
        let Some(folder) = &self.folder else {
            let environment = path.split('/').next().unwrap_or_default();
            let journal = self.journal(environment)?;
            let store = Arc::clone(&self.inner);
            return Ok(Upload::to_bucket(store, published, journal));
        };
        let draft = self.location(&draft_for(path))?;
        Ok(Upload::to_folder(folder, &draft, published))
    }

    /// Writes `files`, each to its path in one step, replacing what was there, several at once. One that is refused ends it;
    /// others may be written by then.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn put_all(&self, files: Vec<(String, Bytes)>) -> Result<(), StorageError> {
        let Some(folder) = &self.folder else {
            let puts = files.into_iter().map(Ok);
            return futures::stream::iter(puts)
                .try_for_each_concurrent(PUTS_AT_ONCE, async |(path, bytes)| {
                    self.put(&path, bytes).await.map(|_written| ())
                })
                .await;
        };
        let Some((first, _)) = files.first() else {
            return Ok(());
        };
        let first = first.clone();
        let mut publications = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            publications.push(Publication {
                draft: folder.join(self.location(&draft_for(&path))?.as_ref()),
                published: folder.join(self.location(&path)?.as_ref()),
                bytes,
            });
        }
        // On one thread, because to wake one for each costs more than the writing.
        let writing = move || folder::publish_all(&publications);
        let written = tokio::task::spawn_blocking(writing).await;
        written
            .map_err(std::io::Error::from)
            .flatten()
            .map_err(|error| StorageError::from_io("write", &first, error))
    }

    /// Where open uploads of an environment are noted; none for a store that needs no notes.
    pub(super) fn journal(&self, environment: &str) -> Result<Option<Journal>, StorageError> {
        let Some(parts) = &self.parts else {
            return Ok(None);
        };
        Ok(Some(Journal {
            store: Arc::clone(&self.inner),
            parts: Arc::clone(parts),
            folder: self.location(&format!("{environment}/_meta/uploads"))?,
        }))
    }

    /// The mark of a write as it is recorded: stores quote it in some answers and not in others. The marks of a
    /// folder change when it is copied or restored, so they are not kept.
    pub(super) fn etag(&self, told: Option<String>) -> Option<String> {
        told.filter(|_| self.folder.is_none())
            .map(|etag| unquoted(&etag))
    }

    /// Where `path`, one of ours, is in the bucket.
    pub(super) fn location(&self, path: &str) -> Result<Path, StorageError> {
        let below = Path::parse(path).map_err(|error| {
            let why = StorageErrorKind::Address(error.to_string());
            StorageError::new("use the path", path, why)
        })?;
        Ok(self.root.parts().chain(below.parts()).collect())
    }

    /// Our path of what is at `location`, below the root.
    pub(super) fn path_of(&self, location: &Path) -> Option<String> {
        let parts: Vec<String> = location
            .prefix_match(&self.root)?
            .map(|part| part.as_ref().to_owned())
            .collect();
        Some(parts.join("/"))
    }
}

/// Where a file in a folder on disk is written before it is renamed to `path`.
fn draft_for(path: &str) -> String {
    match path.split_once('/') {
        Some((environment, _)) => format!("{environment}/_meta/staging/{}", Uuid::new_v4()),
        None => format!("_staging/{}", Uuid::new_v4()),
    }
}

/// An ETag without the quotes that HTTP puts around it.
pub(super) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// An object whose bytes are written and which nobody sees yet.
///
/// Must be published or aborted; dropped, it aborts in the background.
#[must_use = "nothing is visible before it is published"]
pub struct Staged {
    upload: Upload,
    object: ObjectRecord,
}

impl Staged {
    /// Rows as the finished Parquet footer tells them.
    #[must_use]
    pub fn rows_in_footer(&self) -> u64 {
        self.object.rows
    }

    /// What the object will be.
    #[must_use]
    pub fn object(&self) -> &ObjectRecord {
        &self.object
    }

    /// Makes the object visible at its path in one step, replacing what was there.
    ///
    /// # Errors
    /// When the store refuses. What was there before still is, and nothing else is left behind.
    pub async fn publish(mut self) -> Result<ObjectRecord, StorageError> {
        let etag = self.upload.publish().await?;
        Ok(ObjectRecord {
            etag,
            ..self.object.clone()
        })
    }

    /// Gives the object up: nothing of it stays.
    pub async fn abort(mut self) {
        self.upload.abort().await;
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.address).finish()
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Staged").field(&self.object).finish()
    }
}

//! Storage by one address, and the two steps that put an object there: stage, then publish.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tokio::sync::mpsc::{self, Receiver};
use uuid::Uuid;

use super::encode::{self, Source};
use super::error::{StorageError, StorageErrorKind};
use super::footer::Provenance;
use super::lanes::Lanes;
use super::schema::{RowOrigin, output_schema};
use super::upload::Upload;
use crate::domain::ObjectRecord;

/// A place where objects are kept. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<dyn ObjectStore>,
    address: String,
    /// A folder on disk shows unfinished files, so they are written elsewhere and renamed.
    shows_unfinished: bool,
}

impl Store {
    /// The storage at `address`: a folder, as a path or a `file://` URL. A folder that is absent is made.
    ///
    /// # Errors
    /// When the address is of an unknown kind, or the folder cannot be made or is not one.
    pub fn open(address: &str) -> Result<Self, StorageError> {
        let folder = folder_of(address)?;
        let refuse = |error| StorageError::from_io("open", folder.display().to_string(), error);
        std::fs::create_dir_all(&folder).map_err(refuse)?;
        let local = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| StorageError::from_store("open", address, error))?
            .with_fsync(true);
        Ok(Self {
            inner: Arc::new(local),
            address: address.to_owned(),
            shows_unfinished: true,
        })
    }

    /// Any store of the client library, which must hide unfinished uploads.
    #[cfg(test)]
    pub(super) fn over(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            address: "test".to_owned(),
            shows_unfinished: false,
        }
    }

    /// The address it was opened with.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Encodes the batches that come, until their sender is dropped, and brings the bytes to storage, where
    /// nothing is visible at `path` before [`Staged::publish`].
    ///
    /// `schema` is that of the batches, de-identified and without the added columns; `extracted_at` is what
    /// `_extracted_at` says in every row. Give the channel a small capacity: it bounds memory, and a slow
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
        batches: Receiver<RecordBatch>,
    ) -> Result<Staged, StorageError> {
        let mut upload = self.new_upload(path)?;
        let schema = output_schema(schema);
        let source = Source {
            batches,
            origin: RowOrigin::new(Arc::clone(&schema), &provenance.extraction, extracted_at),
            schema,
            footer: provenance.to_key_values(),
        };
        let (to_upload, parts) = mpsc::channel(1);
        let lanes = Lanes::for_this_machine();
        let encoding =
            tokio::task::spawn_blocking(move || encode::encode(source, to_upload, lanes));
        // If the store refuses, the encoder ends by itself at its next batch; waiting for that here would
        // be waiting for the practice.
        if let Err(error) = upload.take(parts).await {
            upload.abort().await;
            return Err(error);
        }
        match encoding.await.expect("the encoder does not panic") {
            Ok(encoded) => Ok(Staged {
                upload,
                object: ObjectRecord {
                    path: path.to_owned(),
                    size_bytes: encoded.size_bytes,
                    rows: encoded.rows,
                    sha256: encoded.sha256,
                },
            }),
            Err(error) => {
                upload.abort().await;
                Err(StorageError::from_encoder(path, error))
            }
        }
    }

    fn new_upload(&self, path: &str) -> Result<Upload, StorageError> {
        let published = self.location(path)?;
        if !self.shows_unfinished {
            return Ok(Upload::new(Arc::clone(&self.inner), published, None));
        }
        let environment = path.split('/').next().unwrap_or_default();
        let staging = format!("{environment}/_meta/staging/{}", Uuid::new_v4());
        let staging = self.location(&staging)?;
        Ok(Upload::new(
            Arc::clone(&self.inner),
            staging,
            Some(published),
        ))
    }

    pub(super) fn location(&self, path: &str) -> Result<Path, StorageError> {
        Path::parse(path).map_err(|error| {
            let why = StorageErrorKind::Address(error.to_string());
            StorageError::new("use the path", path, why)
        })
    }
}

fn folder_of(address: &str) -> Result<PathBuf, StorageError> {
    let wrong =
        |why: &str| StorageError::new("open", address, StorageErrorKind::Address(why.to_owned()));
    if address.is_empty() {
        return Err(wrong("the address is empty"));
    }
    if !address.contains("://") {
        return std::path::absolute(address).map_err(|_| wrong("the path is not valid here"));
    }
    let url = url::Url::parse(address).map_err(|_| wrong("the address is not a URL"))?;
    match url.scheme() {
        "file" => url
            .to_file_path()
            .map_err(|()| wrong("the URL names no folder of this machine")),
        other => Err(wrong(&format!(
            "`{other}://` is not a kind of storage that is known here"
        ))),
    }
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
        self.upload.publish().await?;
        Ok(self.object.clone())
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

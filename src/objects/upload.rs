//! Parts → storage, invisible until published, and gone without a trace if not.
//!
//! A small object waits in memory and is written in one request when it is published; a larger one is a
//! multipart upload whose parts leave as they come. In a folder on disk both first become a file under
//! `_meta/staging/`, outside every path that a reader of data looks at, and publishing renames it.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutResult};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::error::StorageError;
use super::folder::{self, Draft};
use super::journal::Journal;
use super::store::unquoted;

/// Parts on their way at once. With the one being filled this bounds memory.
const PARTS_IN_FLIGHT: usize = 2;

/// Size of a bucket's parts but the last. Stores want at least 5 MiB, and some want all parts equal.
const BUCKET_PART_BYTES: usize = 8 << 20;

/// Size of a folder's parts: small enough to be still in the processor's cache when they are digested and written.
const FOLDER_PART_BYTES: usize = 1 << 20;

/// An object that is not visible yet.
pub(super) struct Upload {
    /// Where readers will find it, in the store.
    path: Path,
    destination: Destination,
    content: Content,
}

#[derive(Clone)]
enum Destination {
    /// A store that hides unfinished uploads by itself. Those of several parts are noted.
    Bucket {
        store: Arc<dyn ObjectStore>,
        journal: Option<Journal>,
    },
    /// A folder on disk, where the file `draft` is renamed at the end.
    Folder { draft: PathBuf, published: PathBuf },
}

enum Content {
    /// At most one part so far.
    Small(Bytes),
    Multipart(Box<dyn MultipartUpload>),
    /// Published or aborted.
    Ended,
}

impl Upload {
    /// To `path` of a bucket, noted in `journal` once there are several parts.
    pub(super) fn to_bucket(
        store: Arc<dyn ObjectStore>,
        path: Path,
        journal: Option<Journal>,
    ) -> Self {
        Self::new(path, Destination::Bucket { store, journal })
    }

    /// To `path` below `folder` on disk, by way of `draft` below it.
    pub(super) fn to_folder(folder: &FilePath, draft: &Path, path: Path) -> Self {
        let destination = Destination::Folder {
            draft: folder.join(draft.as_ref()),
            published: folder.join(path.as_ref()),
        };
        Self::new(path, destination)
    }

    fn new(path: Path, destination: Destination) -> Self {
        Self {
            path,
            destination,
            content: Content::Small(Bytes::new()),
        }
    }

    /// Size of the parts that it takes, but the last.
    pub(super) fn part_bytes(&self) -> usize {
        match self.destination {
            Destination::Bucket { .. } => BUCKET_PART_BYTES,
            Destination::Folder { .. } => FOLDER_PART_BYTES,
        }
    }

    /// Takes `bytes` for the whole object, small enough for memory.
    pub(super) fn hold(&mut self, bytes: Bytes) {
        self.content = Content::Small(bytes);
    }

    /// Takes parts until the sender is dropped. On an error the upload must be aborted.
    ///
    /// # Errors
    /// When the store refuses a part.
    pub(super) async fn take(&mut self, mut parts: Receiver<Bytes>) -> Result<(), StorageError> {
        let Some(first) = parts.recv().await else {
            return Ok(());
        };
        self.content = Content::Small(first.clone());
        let Some(second) = parts.recv().await else {
            return Ok(());
        };
        let begun = begin(self.path.clone(), self.destination.clone()).await;
        let mut upload = begun.map_err(|error| self.error(error))?;
        let mut in_flight = JoinSet::new();
        in_flight.spawn(upload.put_part(first.into()));
        in_flight.spawn(upload.put_part(second.into()));
        // Kept at once, so that an error below finds it and can abort it.
        self.content = Content::Multipart(upload);
        while let Some(part) = parts.recv().await {
            if in_flight.len() >= PARTS_IN_FLIGHT {
                let settled = in_flight.join_next().await;
                self.settle(settled)?;
            }
            if let Content::Multipart(upload) = &mut self.content {
                in_flight.spawn(upload.put_part(part.into()));
            }
        }
        while let Some(settled) = in_flight.join_next().await {
            self.settle(Some(settled))?;
        }
        Ok(())
    }

    fn settle(
        &self,
        settled: Option<Result<object_store::Result<()>, tokio::task::JoinError>>,
    ) -> Result<(), StorageError> {
        match settled {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(self.error(error)),
            Some(Err(source)) => Err(self.error(object_store::Error::JoinError { source })),
        }
    }

    /// Makes the object visible in one step, replacing what was there; the store's mark of the write, without quotes,
    /// if it gives one that lasts.
    ///
    /// # Errors
    /// When the store refuses; nothing is left behind, and what was there still is.
    pub(super) async fn publish(&mut self) -> Result<Option<String>, StorageError> {
        let published = self.try_publish().await;
        if published.is_err() {
            self.abort().await;
        }
        published
    }

    async fn try_publish(&mut self) -> Result<Option<String>, StorageError> {
        let put = match &mut self.content {
            Content::Small(bytes) => self.destination.put(&self.path, bytes.clone()).await,
            Content::Multipart(upload) => upload.complete().await,
            Content::Ended => return Ok(None),
        };
        let put = put.map_err(|error| self.error(error))?;
        self.content = Content::Ended;
        Ok(put.e_tag.as_deref().map(unquoted))
    }

    /// Gives up: no part, no temporary file stays. Best effort, as the store may be what failed.
    pub(super) async fn abort(&mut self) {
        if let Content::Multipart(mut upload) = std::mem::replace(&mut self.content, Content::Ended)
            && let Err(error) = upload.abort().await
        {
            tracing::debug!(path = %self.path, error = %error, "an upload could not be aborted, or had ended already");
        }
    }

    fn error(&self, error: object_store::Error) -> StorageError {
        StorageError::from_store("write", self.path.as_ref(), error)
    }
}

impl Destination {
    /// Writes a whole object in one step.
    async fn put(&self, path: &Path, bytes: Bytes) -> object_store::Result<PutResult> {
        match self {
            Self::Bucket { store, .. } => store.put(path, bytes.into()).await,
            Self::Folder { draft, published } => {
                folder::put(draft.clone(), published.clone(), bytes).await
            }
        }
    }

    /// Opens an upload of parts, noted where the store needs it.
    async fn begin(&self, path: &Path) -> object_store::Result<Box<dyn MultipartUpload>> {
        match self {
            Self::Bucket { store, journal } => match journal {
                Some(journal) => journal.begin(path).await,
                None => store.put_multipart(path).await,
            },
            Self::Folder { draft, published } => {
                let draft = Draft::begin(draft.clone(), published.clone()).await?;
                Ok(Box::new(draft))
            }
        }
    }
}

/// Opens an upload of parts.
///
/// Opening runs to its end even if nobody waits for it any more, and aborts then: an upload that was opened and not
/// noted could be found by nobody.
async fn begin(
    path: Path,
    destination: Destination,
) -> object_store::Result<Box<dyn MultipartUpload>> {
    let (to_caller, begun) = oneshot::channel();
    tokio::spawn(async move {
        if let Err(Ok(mut unwanted)) = to_caller.send(destination.begin(&path).await)
            && let Err(error) = unwanted.abort().await
        {
            tracing::debug!(path = %path, error = %error, "an upload that nobody waited for could not be aborted");
        }
    });
    begun.await.expect("the task above sends")
}

impl Drop for Upload {
    /// A future dropped half-way still aborts: stores such as S3 keep, and charge for, open uploads.
    fn drop(&mut self) {
        let Content::Multipart(mut upload) = std::mem::replace(&mut self.content, Content::Ended)
        else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { upload.abort().await });
        }
    }
}
